/** `notifications list` */
import type { NotificationModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';

export const notificationsList: Command = {
  name: 'notifications list',
  summary: 'show the ways that people are told',
  usage: '',
  examples: [['portcullis notifications list', 'with the profiles that use them, and how they fare']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway }: Call): Promise<number> {
  const { notifications } = await (await gateway()).ask<{ notifications: NotificationModel[] }>(
    'GET',
    '/v1/notifications',
  );
  switch (output.format) {
    case 'json':
      output.json(notifications);
      break;
    case 'raw':
      // CrowdSec's columns.
      output.csv(
        ['Name', 'Type', 'Profile name'],
        notifications.map(({ name, type, profiles }) => [name, type, profiles.join(', ')]),
      );
      break;
    case 'human':
      if (notifications.length === 0) output.line('Nobody is notified of anything.');
      else {
        output.table(
          [
            { title: 'NAME', value: ({ name }) => name },
            { title: 'TYPE', value: ({ type }) => type },
            { title: 'PROFILES', value: ({ profiles }) => profiles.join(', '), flexible: true },
            { title: 'SENT', value: ({ sent }) => String(sent), align: 'right' },
            { title: 'WAITING', value: ({ waiting }) => String(waiting), align: 'right' },
            {
              title: 'FAILED',
              value: ({ failed }) => String(failed),
              align: 'right',
              colour: ({ failed }) => (failed > 0 ? 'red' : null),
            },
            { title: 'LAST ERROR', value: ({ last_error }) => last_error ?? '', flexible: true },
          ],
          notifications,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
