/** `notifications test` */
import type { Call, Command } from '../command.ts';
import { alertOverrides } from '../notifications/alert-overrides.ts';
import { safeText } from '../output/safe-text.ts';

export const notificationsTest: Command = {
  name: 'notifications test',
  summary: 'send a test alert at once, past profiles and grouping',
  usage: '<name>',
  examples: [['portcullis notifications test slack', 'says what went wrong, if something does']],
  options: {
    alert: { type: 'string', short: 'a', placeholder: '<json>', help: 'what of the alert is said otherwise' },
  },
  positionals: { least: 1, most: 1, missing: 'no notification was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const path = `/v1/notifications/${encodeURIComponent(given.positionals[0] ?? '')}/test`;
  const body = { alert: alertOverrides(given.text('alert')) };
  const { sent } = await (await gateway()).ask<{ sent: string }>('POST', path, { body });
  switch (output.format) {
    case 'json':
      output.json({ sent });
      break;
    case 'raw':
      output.line(safeText(sent));
      break;
    case 'human':
      output.line(`Sent a test alert with ${safeText(sent)}.`);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
