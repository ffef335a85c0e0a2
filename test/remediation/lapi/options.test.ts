import t from 'tap';
import { lapiOptions } from '../../../remediation/lapi/options.ts';

function faultOf(settings: unknown): string {
  const parsed = lapiOptions.safeParse(settings);
  return parsed.success
    ? ''
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

t.test('off by default, and nobody is trusted', async (t) => {
  t.match(lapiOptions.parse({}), {
    listen: null,
    socket: null,
    tls: null,
    trustedIps: [],
    trustedProxies: [],
    secret: null,
    autoRegistration: { enabled: false, token: null, allowedRanges: [] },
    disableRemoteRegistration: false,
    autoDelete: { bouncers: { apiKey: null, cert: null }, agents: { password: null, cert: null } },
    limits: { connections: 4_096, bodyBytes: 50 * 1024 ** 2, bodyPause: 10_000, idle: 95_000 },
  });
});

t.test('where it listens', async (t) => {
  t.equal(lapiOptions.parse({ listen: 'off' }).listen, null);
  t.equal(lapiOptions.parse({ listen: 'admin' }).listen, 'admin');
  t.strictSame(lapiOptions.parse({ listen: '127.0.0.1:8080' }).listen, { host: '127.0.0.1', port: 8_080 });
  t.strictSame(lapiOptions.parse({ listen: 'unix:/run/l.sock' }).listen, { socketPath: '/run/l.sock' });
  const parsed = lapiOptions.safeParse({ listen: '8080' });
  t.match(parsed.error?.issues[0], { path: ['listen'], params: { suggestion: ':8080' } });
});

t.test('what is refused, and where', async (t) => {
  const token = 't'.repeat(32);
  const table: readonly (readonly [unknown, string])[] = [
    [{ listen: 'x' }, 'listen: expected an address to listen on'],
    [{ secret: 'x'.repeat(63) }, 'secret: must have 64 bytes or more'],
    [{ secret: 'ü'.repeat(32) }, ''],
    [
      { autoRegistration: { enabled: true } },
      'autoRegistration.token: is required when enabled; autoRegistration.allowedRanges',
    ],
    [{ autoRegistration: { enabled: true, token, allowedRanges: [] } }, 'autoRegistration.allowedRanges: at least one'],
    [{ autoRegistration: { token: 'short' } }, 'autoRegistration.token: must have 32 characters or more'],
    [{ autoRegistration: { enabled: true, token, allowedRanges: ['10.0.0.0/8'] } }, ''],
    [{ tls: { certFile: 'c' } }, 'tls.keyFile: expected a path'],
    [{ trustedIps: ['x'] }, 'trustedIps.0: expected an address or a network'],
    [{ autoDelete: { bouncers: { apiKey: '1s' } } }, 'autoDelete.bouncers.apiKey: must be 1m or more'],
    [{ limits: { bodyBytes: '1KiB' } }, 'limits.bodyBytes: must be 65536 bytes or more'],
    [{ unknown: 1 }, ': Unrecognized key'],
  ];
  for (const [settings, fault] of table) {
    const found = faultOf(settings);
    t.ok(fault === '' ? found === '' : found.startsWith(fault), `${JSON.stringify(settings).slice(0, 60)} → ${found}`);
  }
  t.equal(table.length, 12);
});
