/** `bouncers delete` */
import type { RemovedModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const bouncersDelete: Command = {
  name: 'bouncers delete',
  aliases: ['bouncers remove', 'bouncer delete', 'bouncer remove'],
  summary: 'take the keys of programs away',
  usage: '<name>…',
  examples: [['portcullis bouncers delete nginx-edge', 'its key is refused from now on, wherever it was used from']],
  options: { 'ignore-missing': { type: 'boolean', help: 'a name that is not there is no mistake' } },
  positionals: { least: 1, most: 1_000, missing: 'no bouncer was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const client = await gateway();
  const ignore = given.flag('ignore-missing') ? { ignoreMissing: 'true' } : {};
  const removed: string[] = [];
  for (const name of given.positionals) {
    const { deleted } = await client.ask<RemovedModel>('DELETE', '/v1/bouncers', { query: { name, ...ignore } });
    removed.push(...deleted);
    if (output.format !== 'human') continue;
    for (const one of deleted) output.line(`The key of ${safeText(one)} is refused from now on.`);
    if (deleted.length === 0) output.line(`There is no bouncer called ${safeText(name)}.`);
  }
  if (output.format === 'json') output.json({ deleted: removed });
  if (output.format === 'raw') for (const name of removed) output.line(safeText(name));
  return 0;
}
