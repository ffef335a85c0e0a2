/** `allowlists check` */
import type { AllowlistCheckModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const allowlistsCheck: Command = {
  name: 'allowlists check',
  aliases: ['allowlist check'],
  summary: 'say whether an allowlist covers an address',
  usage: '<address or range>…',
  examples: [['portcullis allowlists check 192.0.2.10', 'and which entry does, those of the settings included']],
  options: {},
  positionals: { least: 1, most: 1_000, missing: 'no address or range was given' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const client = await gateway();
  const found: AllowlistCheckModel[] = [];
  for (const value of given.positionals) {
    found.push(await client.ask<AllowlistCheckModel>('GET', '/v1/allowlists-check', { query: { value } }));
  }
  switch (output.format) {
    case 'json':
      output.json(found);
      break;
    case 'raw':
      output.csv(
        ['value', 'allowlisted', 'reason'],
        found.map(({ value, allowlisted, reason }) => [value, allowlisted, reason]),
      );
      break;
    case 'human':
      for (const { value, allowlisted, reason } of found) {
        const word = allowlisted ? `is allowlisted by ${safeText(reason)}` : 'is not allowlisted';
        output.line(`${safeText(value)} ${word}`);
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
