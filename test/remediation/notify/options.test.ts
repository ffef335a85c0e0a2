import t from 'tap';
import { notificationOptions } from '../../../remediation/notify/options.ts';

t.test('the folder may be left out, and nothing else is known', async (t) => {
  t.strictSame(notificationOptions.parse(undefined), { folder: null });
  t.strictSame(notificationOptions.parse({ folder: '/etc/crowdsec/notifications' }), {
    folder: '/etc/crowdsec/notifications',
  });
  t.equal(notificationOptions.safeParse({ folders: 'x' }).success, false);
  t.equal(notificationOptions.safeParse({ folder: '' }).success, false);
});
