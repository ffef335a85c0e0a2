/** `machines delete` */
import { GatewayError } from '../../core/errors.ts';
import type { RemovedModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const machinesDelete: Command = {
  name: 'machines delete',
  aliases: ['machines remove', 'machine delete', 'machine remove'],
  summary: 'let agents report no longer',
  usage: '<name>…',
  examples: [['portcullis machines delete web-1', 'its password and its tokens are refused from now on']],
  options: {
    machine: { type: 'string', short: 'm', placeholder: '<name>', help: 'another way to name one' },
    'ignore-missing': { type: 'boolean', help: 'a name that is not there is no mistake' },
  },
  positionals: { least: 0, most: 1_000 },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const named = given.text('machine');
  const names = [...given.positionals, ...(named === undefined ? [] : [named])];
  if (names.length === 0) throw new GatewayError('USAGE', 'no machine was named', { remedy: 'See `machines list`.' });
  const client = await gateway();
  const ignore = given.flag('ignore-missing') ? { ignoreMissing: 'true' } : {};
  const removed: string[] = [];
  for (const name of names) {
    const { deleted } = await client.ask<RemovedModel>('DELETE', '/v1/machines', { query: { name, ...ignore } });
    removed.push(...deleted);
    if (output.format !== 'human') continue;
    output.line(
      deleted.length === 0
        ? `There is no machine called ${safeText(name)}.`
        : `Machine ${safeText(name)} may report no longer.`,
    );
  }
  if (output.format === 'json') output.json({ deleted: removed });
  if (output.format === 'raw') for (const name of removed) output.line(safeText(name));
  return 0;
}
