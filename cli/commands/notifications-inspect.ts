/** `notifications inspect` */
import { GatewayError } from '../../core/errors.ts';
import type { NotificationModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const notificationsInspect: Command = {
  name: 'notifications inspect',
  summary: 'show one way that people are told',
  usage: '<name>',
  examples: [['portcullis notifications inspect slack', 'what it is, who uses it, how it fares']],
  options: {},
  positionals: { least: 1, most: 1, missing: 'no notification was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const [wanted = ''] = given.positionals;
  const { notifications } = await (await gateway()).ask<{ notifications: NotificationModel[] }>(
    'GET',
    '/v1/notifications',
  );
  const found = notifications.find(({ name }) => name === wanted);
  if (found === undefined) {
    throw new GatewayError('NOT_FOUND', `no notification is called ${wanted}`, { remedy: 'See `notifications list`.' });
  }
  switch (output.format) {
    case 'json':
      output.json(found);
      break;
    case 'raw':
      output.csv(
        ['name', 'type', 'profiles', 'sent', 'waiting', 'failed', 'last_error'],
        [
          [
            found.name,
            found.type,
            found.profiles.join(', '),
            found.sent,
            found.waiting,
            found.failed,
            found.last_error ?? '',
          ],
        ],
      );
      break;
    case 'human':
      output.heading(safeText(found.name));
      output.pairs([
        ['type', safeText(found.type)],
        ['profiles', safeText(found.profiles.join(', ')) || 'none: nothing is sent'],
        ['sent', String(found.sent)],
        ['waiting', String(found.waiting)],
        ['failed', String(found.failed)],
        ['last error', safeText(found.last_error ?? '')],
      ]);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
