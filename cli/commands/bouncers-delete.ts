/** `bouncers delete` */
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const bouncersDelete: Command = {
  name: 'bouncers delete',
  aliases: ['bouncers remove', 'bouncer delete', 'bouncer remove'],
  summary: 'take the keys of programs away',
  usage: '<name>…',
  examples: [['portcullis bouncers delete nginx-edge', 'its key is refused from now on']],
  options: {},
  positionals: { least: 1, most: 1_000, missing: 'no bouncer was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const client = await gateway();
  const removed: string[] = [];
  for (const name of given.positionals) {
    const { deleted } = await client.ask<{ deleted: string }>('DELETE', '/v1/bouncers', { query: { name } });
    removed.push(deleted);
    if (output.format === 'human') output.line(`The key of ${safeText(deleted)} is refused from now on.`);
  }
  if (output.format === 'json') output.json({ deleted: removed });
  if (output.format === 'raw') for (const name of removed) output.line(safeText(name));
  return 0;
}
