/** `allowlists list` */
import type { AllowlistEntryModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { relativeTime } from '../output/times.ts';

export const allowlistsList: Command = {
  name: 'allowlists list',
  aliases: ['allowlist list'],
  summary: 'show what nothing may refuse',
  usage: '',
  examples: [['portcullis allowlists list', 'the entries that were added by hand; those of the settings stand there']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const { entries } = await (await gateway()).ask<{ entries: AllowlistEntryModel[] }>('GET', '/v1/allowlist');
  const now = clock.now();
  switch (output.format) {
    case 'json':
      output.json(entries);
      break;
    case 'raw':
      output.csv(
        ['value', 'comment', 'expiration', 'created_at'],
        entries.map(({ value, comment, expiration, created_at }) => [value, comment, expiration ?? '', created_at]),
      );
      break;
    case 'human':
      if (entries.length === 0) output.line('The allowlist is empty.');
      else {
        output.table(
          [
            { title: 'VALUE', value: ({ value }) => value },
            { title: 'COMMENT', value: ({ comment }) => comment, flexible: true },
            {
              title: 'ENDS',
              value: ({ expiration }) => (expiration === null ? 'never' : relativeTime(expiration, now)),
            },
            { title: 'ADDED', value: ({ created_at }) => relativeTime(created_at, now), colour: () => 'dim' },
          ],
          entries,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
