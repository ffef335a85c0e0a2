import t from 'tap';
import { channelTypes } from '../../../../remediation/notify/channels/index.ts';
import { channelOf } from '../support.ts';

/** The least that a document of each type has to say. */
const least: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  email: { smtp_host: '127.0.0.1', smtp_port: '1', receiver_emails: ['a@example.com'] },
  file: { log_path: '/proc/nowhere/alerts.log' },
  http: { url: 'http://127.0.0.1:1/' },
  sentinel: { customer_id: 'a', shared_key: 'AAAA', log_type: 'b', url: 'http://127.0.0.1:1/' },
  slack: { webhook: 'http://127.0.0.1:1/' },
  splunk: { url: 'http://127.0.0.1:1/', token: 't' },
  syslog: { address: 'tcp://127.0.0.1:1' },
};

t.test('every channel: named once, says what is missing, fails in words with a remedy', async (t) => {
  const names = channelTypes.map(({ type }) => type);
  t.strictSame(names, Object.keys(least));
  for (const { type, keys, read } of channelTypes.map((each) => ({ ...each, read: each.read.bind(each) }))) {
    t.ok(keys.length > 0 && new Set(keys).size === keys.length, type);
    t.notOk(
      keys.some((key) => ['type', 'name', 'format', 'group_wait', 'timeout'].includes(key)),
      `${type}: keys of its own`,
    );
    t.ok('issues' in read({}), `${type}: something is required`);
    t.ok('issues' in read({ ...least[type], nonsense: 'x' }), `${type}: unknown keys`);
    await t.rejects(channelOf(type, least[type] ?? {}).send('x', new AbortController().signal), {
      code: 'NOTIFICATION_FAILED',
      remedy: /\w/,
    });
    if (type !== 'file')
      await t.rejects(channelOf(type, least[type] ?? {}).send('x', AbortSignal.abort()), {
        code: 'NOTIFICATION_FAILED',
      });
  }
});
