/** `allowlists delete` */
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const allowlistsDelete: Command = {
  name: 'allowlists delete',
  aliases: ['allowlists remove', 'allowlist delete', 'allowlist remove'],
  summary: 'take entries off the allowlist',
  usage: '<address or range>…',
  examples: [['portcullis allowlists delete 192.0.2.10', 'decisions about it count again']],
  options: {},
  positionals: { least: 1, most: 1_000, missing: 'no address or range was given' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const client = await gateway();
  const removed: string[] = [];
  for (const value of given.positionals) {
    const { deleted } = await client.ask<{ deleted: string }>('DELETE', '/v1/allowlist', { query: { value } });
    removed.push(deleted);
    if (output.format === 'human') output.line(`${safeText(deleted)} is off the allowlist.`);
  }
  if (output.format === 'json') output.json({ deleted: removed });
  if (output.format === 'raw') for (const value of removed) output.line(safeText(value));
  return 0;
}
