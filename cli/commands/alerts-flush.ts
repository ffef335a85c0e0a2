/** `alerts flush` */
import { exitStatus } from '../../core/errors.ts';
import type { AlertsDeleted } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { plural } from '../show.ts';

export const alertsFlush: Command = {
  name: 'alerts flush',
  summary: 'delete old alerts; those with a decision in force stay',
  usage: '[--max-items <count>] [--max-age <duration>]',
  examples: [['portcullis alerts flush --max-items 1000 --max-age 7d', 'keep the latest thousand, of a week']],
  options: {
    'max-items': { type: 'string', placeholder: '<count>', help: 'keep at most so many of the latest (5000)' },
    'max-age': { type: 'string', placeholder: '<duration>', help: 'keep those that are younger (7d)' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const maxItems = given.text('max-items');
  const maxAge = given.text('max-age');
  const body = { ...(maxItems === undefined ? {} : { maxItems }), ...(maxAge === undefined ? {} : { maxAge }) };
  const { deleted } = await (await gateway()).ask<AlertsDeleted>('POST', '/v1/alerts/flush', { body });
  switch (output.format) {
    case 'json':
      output.json({ deleted });
      break;
    case 'raw':
      output.line(String(deleted));
      break;
    case 'human':
      output.line(deleted === 0 ? 'No alerts are old enough.' : `Deleted ${plural(deleted, 'alert')}.`);
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}
