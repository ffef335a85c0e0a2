/** `notifications reinject` */
import { exitStatus } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { alertOverrides } from '../notifications/alert-overrides.ts';
import { safeText } from '../output/safe-text.ts';

export const notificationsReinject: Command = {
  name: 'notifications reinject',
  summary: 'ask the profiles about an alert anew, only for whom they notify',
  usage: '<alert id>',
  examples: [
    ['portcullis notifications reinject 42', 'nobody is decided about again'],
    ['portcullis notifications reinject 42 --remediation', 'as if its scenario asked for a remedy'],
  ],
  options: {
    alert: { type: 'string', short: 'a', placeholder: '<json>', help: 'what of the alert is said otherwise' },
    remediation: { type: 'boolean', short: 'r', help: 'as if its scenario asked for a remedy' },
  },
  positionals: { least: 1, most: 1, missing: 'no alert was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const alert = { ...alertOverrides(given.text('alert')), ...(given.flag('remediation') ? { remediation: true } : {}) };
  const body = { id: given.positionals[0], alert };
  const { notified } = await (await gateway()).ask<{ notified: string[] }>('POST', '/v1/notifications/reinject', {
    body,
  });
  switch (output.format) {
    case 'json':
      output.json({ notified });
      break;
    case 'raw':
      for (const name of notified) output.line(safeText(name));
      break;
    case 'human':
      output.line(
        notified.length === 0 ? 'No profile notifies anybody of it.' : `Handed to ${safeText(notified.join(', '))}.`,
      );
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}
