/** `allowlists add` */
import type { AllowlistEntryModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { relativeTime } from '../output/times.ts';

export const allowlistsAdd: Command = {
  name: 'allowlists add',
  aliases: ['allowlist add'],
  summary: 'never refuse an address or range',
  usage: '<address or range>…',
  examples: [
    ['portcullis allowlists add 192.0.2.10 --comment "office"', 'for ever'],
    ['portcullis allowlists add 198.51.100.0/24 --expiration 7d', 'for a week'],
  ],
  options: {
    comment: { type: 'string', short: 'd', placeholder: '<text>', help: 'whose it is' },
    expiration: { type: 'string', short: 'e', placeholder: '<duration>', help: 'how long (for ever): 4h, 7d' },
  },
  positionals: { least: 1, most: 1_000, missing: 'no address or range was given' },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const client = await gateway();
  const entries: AllowlistEntryModel[] = [];
  for (const value of given.positionals) {
    const expiration = given.text('expiration');
    const body = { value, comment: given.text('comment') ?? '', ...(expiration === undefined ? {} : { expiration }) };
    const { entry } = await client.ask<{ entry: AllowlistEntryModel }>('POST', '/v1/allowlist', { body });
    entries.push(entry);
    if (output.format !== 'human') continue;
    const end = entry.expiration === null ? '' : `, ending ${relativeTime(entry.expiration, clock.now())}`;
    output.line(`Nothing refuses ${safeText(entry.value)} from now on${end}.`);
  }
  if (output.format === 'json') output.json(entries);
  if (output.format === 'raw') for (const { value } of entries) output.line(safeText(value));
  return 0;
}
