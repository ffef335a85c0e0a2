/** `allowlists list` */
import type { AllowlistModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { relativeTime } from '../output/times.ts';

export const allowlistsList: Command = {
  name: 'allowlists list',
  aliases: ['allowlist list'],
  summary: 'show the lists of what nothing may refuse',
  usage: '',
  examples: [['portcullis allowlists list', 'their names and how many stand on each; inspect shows who']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const { allowlists } = await (await gateway()).ask<{ allowlists: AllowlistModel[] }>('GET', '/v1/allowlists');
  const now = clock.now();
  switch (output.format) {
    case 'json':
      output.json(allowlists);
      break;
    case 'raw':
      // CrowdSec's columns.
      output.csv(
        ['name', 'description', 'created_at', 'updated_at', 'console_managed', 'size'],
        allowlists.map((one) => [
          one.name,
          one.description,
          one.created_at,
          one.updated_at,
          one.console_managed,
          one.size,
        ]),
      );
      break;
    case 'human':
      if (allowlists.length === 0) output.line('There are no allowlists. Make one with: allowlists create <name>');
      else {
        output.table(
          [
            { title: 'NAME', value: ({ name }) => name, flexible: true },
            { title: 'DESCRIPTION', value: ({ description }) => description, flexible: true },
            { title: 'SIZE', value: ({ size }) => String(size), align: 'right' },
            { title: 'CREATED', value: ({ created_at }) => relativeTime(created_at, now), colour: () => 'dim' },
            { title: 'CHANGED', value: ({ updated_at }) => relativeTime(updated_at, now), colour: () => 'dim' },
          ],
          allowlists,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
