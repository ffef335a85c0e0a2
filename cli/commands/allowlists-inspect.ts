/** `allowlists inspect` */
import type { AllowlistModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime, relativeTime } from '../output/times.ts';

export const allowlistsInspect: Command = {
  name: 'allowlists inspect',
  aliases: ['allowlist inspect'],
  summary: 'show who stands on an allowlist',
  usage: '<name>',
  examples: [['portcullis allowlists inspect office', 'its entries, with their ends']],
  options: {},
  positionals: { least: 1, most: 1, missing: 'no allowlist was named' },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const path = `/v1/allowlists/${encodeURIComponent(given.positionals[0] ?? '')}`;
  const list = await (await gateway()).ask<AllowlistModel>('GET', path);
  const now = clock.now();
  switch (output.format) {
    case 'json':
      output.json(list);
      break;
    case 'raw':
      // CrowdSec's columns.
      output.csv(
        ['name', 'description', 'value', 'comment', 'expiration', 'created_at', 'console_managed'],
        list.items.map((item) => [
          list.name,
          list.description,
          item.value,
          item.description,
          item.expiration ?? 'never',
          item.created_at,
          list.console_managed,
        ]),
      );
      break;
    case 'human':
      output.heading(safeText(list.name));
      output.pairs([
        ['description', safeText(list.description)],
        ['created', absoluteTime(list.created_at, now)],
        ['changed', absoluteTime(list.updated_at, now)],
      ]);
      output.line();
      if (list.items.length === 0) output.line('Nobody stands on it.');
      else {
        output.table(
          [
            { title: 'VALUE', value: ({ value }) => value },
            { title: 'COMMENT', value: ({ description }) => description, flexible: true },
            {
              title: 'ENDS',
              value: ({ expiration }) => (expiration === null ? 'never' : relativeTime(expiration, now)),
            },
            { title: 'ADDED', value: ({ created_at }) => relativeTime(created_at, now), colour: () => 'dim' },
          ],
          list.items,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
