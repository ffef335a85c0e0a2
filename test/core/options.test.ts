import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import * as z from 'zod';
import {
  bytes,
  cidr,
  count,
  duration,
  headerName,
  hostPattern,
  httpOrigin,
  ipAddress,
  listenAddress,
  listenAddressOrOff,
  path,
  ratio,
  secret,
} from '../../core/options.ts';

/** Expectations about one helper: what a value becomes, or a part of the fault and the suggestion. */
type Expected = { value: unknown } | { fault: RegExp; suggestion?: string };

function check(t: Test, schema: z.ZodType, cases: readonly (readonly [unknown, Expected])[]): void {
  for (const [input, expected] of cases) {
    const name = JSON.stringify(input) ?? 'undefined';
    const { success, data, error } = schema.safeParse(input);
    if ('value' in expected) {
      t.ok(success, name);
      t.same(data, expected.value, name);
      continue;
    }
    const issue = error?.issues[0];
    t.match(issue?.message, expected.fault, name);
    const params = issue?.code === 'custom' ? issue.params : undefined;
    t.equal(params?.suggestion, expected.suggestion, `suggestion for ${name}`);
  }
}

const ok = (value: unknown): Expected => ({ value });
const no = (fault: RegExp, suggestion?: string): Expected => ({ fault, ...(suggestion && { suggestion }) });

t.test('durations become milliseconds within their bounds', async (t) => {
  check(t, duration({ min: '1s', max: '1h' }), [
    ['10s', ok(10_000)],
    ['1m30s', ok(90_000)],
    ['1s', ok(1_000)],
    ['1h', ok(3_600_000)],
    ['999ms', no(/1s or more/)],
    ['61m', no(/1h or less/)],
    ['10', no(/expected a duration/, '10s')],
    ['1.5', no(/expected a duration/, '1.5s')],
    ['soon', no(/expected a duration/)],
    ['', no(/expected a duration/)],
    [10, no(/expected a duration/)],
    [undefined, no(/is required/)],
  ]);
  check(t, duration(), [
    ['0', ok(0)],
    ['-1s', no(/positive or 0/)],
  ]);
});

t.test('sizes become bytes within their bounds', async (t) => {
  check(t, bytes({ min: 1024, max: 1024 ** 2 }), [
    ['16KiB', ok(16_384)],
    [2048, ok(2048)],
    ['2048', ok(2048)],
    ['1MiB', ok(1_048_576)],
    ['1B', no(/1024 bytes or more/)],
    ['2MiB', no(/1048576 bytes or less/)],
    ['lots', no(/expected a size/)],
    [true, no(/expected a size/)],
    [1.5, no(/expected a size/)],
  ]);
});

t.test('numbers have bounds', async (t) => {
  for (const [schema, good, bad] of [
    [ratio(), [0, 0.5, 1], [-0.1, 1.1, '0.5', NaN]],
    [count({ min: 1, max: 10 }), [1, 10], [0, 11, 1.5, '3', Infinity]],
  ] as const) {
    for (const value of good) t.ok(schema.safeParse(value).success, String(value));
    for (const value of bad) t.notOk(schema.safeParse(value).success, String(value));
  }
});

t.test('addresses and networks become canonical', async (t) => {
  check(t, ipAddress(), [
    ['2001:DB8::1', ok('2001:db8::1')],
    ['::ffff:192.0.2.1', ok('192.0.2.1')],
    ['192.0.2.0/24', no(/expected an IP address/)],
    ['localhost', no(/expected an IP address/)],
  ]);
  check(t, cidr(), [
    ['192.0.2.77/24', ok('192.0.2.0/24')],
    ['192.0.2.77', ok('192.0.2.77/32')],
    ['2001:DB8::/32', ok('2001:db8::/32')],
    ['192.0.2.0/33', no(/network/)],
    ['192.0.2', no(/network/)],
  ]);
});

t.test('listen addresses name a host and a port, or a socket', async (t) => {
  const common: [string, Expected][] = [
    [':8080', ok({ host: null, port: 8080 })],
    ['127.0.0.1:0', ok({ host: '127.0.0.1', port: 0 })],
    ['localhost:8080', ok({ host: 'localhost', port: 8080 })],
    ['[::1]:8080', ok({ host: '::1', port: 8080 })],
    ['[2001:DB8::1]:65535', ok({ host: '2001:db8::1', port: 65_535 })],
    ['unix:/run/portcullis.sock', ok({ socketPath: '/run/portcullis.sock' })],
    ['8080', no(/after a colon/, ':8080')],
    ['*:8080', no(/without a host/, ':8080')],
    ['/run/x.sock', no(/follows unix:/, 'unix:/run/x.sock')],
    ['::1', no(/brackets/, '[::1]:8080')],
    [':65536', no(/larger than 65535/)],
    ['256.0.0.1:80', no(/not an IPv4 address/)],
    ['[::1', no(/expected an address/)],
    ['[zz]:80', no(/not an IPv6 address/)],
    ['unix:', no(/path must follow/)],
    ['http://a:80', no(/expected an address/)],
    ['a b:80', no(/expected an address/)],
    [':', no(/expected an address/)],
  ];
  check(t, listenAddress(), [...common, ['off', no(/expected an address/)]]);
  check(t, listenAddressOrOff(), [...common, ['off', ok(null)]]);
});

t.test('origins are scheme, host and port, and never repeat a password', async (t) => {
  check(t, httpOrigin(), [
    ['http://app:3000', ok('http://app:3000')],
    ['https://Example.com/', ok('https://example.com')],
    ['http://[::1]:80', ok('http://[::1]')],
    ['HTTP://app', ok('http://app')],
    ['app:3000', no(/expected the address/, 'http://app:3000')],
    ['localhost', no(/expected the address/, 'http://localhost')],
    ['http://app:3000/path', no(/no path/, 'http://app:3000')],
    ['http://app/?q', no(/no path and no query/, 'http://app')],
    ['http://user:hunter2@app', no(/no user name and no password/)],
    ['ftp://app', no(/expected the address/)],
    ['http://', no(/expected the address/)],
    ['http://app:99999', no(/expected the address/)],
    ['', no(/expected the address/)],
  ]);
  t.notMatch(JSON.stringify(httpOrigin().safeParse('http://user:hunter2@app').error?.issues), /hunter2/);
});

t.test('host names are lower case and ASCII, with a star at the front at most', async (t) => {
  check(t, hostPattern(), [
    ['WWW.Example.com', ok('www.example.com')],
    ['*.example.com', ok('*.example.com')],
    ['example.com.', ok('example.com')],
    ['localhost', ok('localhost')],
    ['bücher.example', ok('xn--bcher-kva.example')],
    ['192.0.2.1', ok('192.0.2.1')],
    ['[2001:DB8::1]', ok('[2001:db8::1]')],
    ['my_app.internal', ok('my_app.internal')],
    ['https://a.example/x', no(/expected a host name/, 'a.example')],
    ['a.example:8080', no(/expected a host name/, 'a.example')],
    ['a.*.example', no(/expected a host name/)],
    ['*', no(/expected a host name/)],
    ['-a.example', no(/expected a host name/)],
    ['a..example', no(/expected a host name/)],
    [`${'a'.repeat(64)}.example`, no(/expected a host name/)],
    ['', no(/expected a host name/)],
    ['[::1', no(/not an IPv6 address/)],
    ['*.[::1]', no(/not an IPv6 address/)],
  ]);
});

t.test('header names are lower case tokens', async (t) => {
  check(t, headerName(), [
    ['X-Real-IP', ok('x-real-ip')],
    ['auto', ok('auto')],
    ['x real', no(/name of a header/)],
    ['x:', no(/name of a header/)],
    ['', no(/name of a header/)],
  ]);
});

t.test('secrets and paths are text that is not empty', async (t) => {
  for (const schema of [secret(), path()]) {
    t.equal(schema.parse('/a b'), '/a b');
    for (const value of ['', 3, null]) t.notOk(schema.safeParse(value).success, String(value));
  }
  t.notOk(path().safeParse('a\0b').success);
});

t.test('the pattern that editors see accepts whatever is accepted here', async (t) => {
  const digits = fc.nat({ max: 65_535 });
  const samples: [string, z.ZodType, fc.Arbitrary<string>][] = [
    [
      'duration',
      duration(),
      fc.oneof(
        fc.constant('0'),
        fc.tuple(digits, fc.constantFrom('ms', 's', 'm', 'h', 'd', 'us', 'µs')).map((parts) => parts.join('')),
      ),
    ],
    ['ipAddress', ipAddress(), fc.oneof(fc.ipV4(), fc.ipV6())],
    ['cidr', cidr(), fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat({ max: 128 })).map((parts) => parts.join('/'))],
    [
      'listenAddress',
      listenAddress(),
      fc
        .tuple(
          fc.oneof(
            fc.constant(''),
            fc.ipV4(),
            fc.domain(),
            fc.ipV6().map((ip) => `[${ip}]`),
          ),
          digits,
        )
        .map((parts) => parts.join(':')),
    ],
    [
      'httpOrigin',
      httpOrigin(),
      fc
        .tuple(fc.constantFrom('http://', 'HTTPS://'), fc.webAuthority({ withPort: true }), fc.constantFrom('', '/'))
        .map((parts) => parts.join('')),
    ],
    ['hostPattern', hostPattern(), fc.tuple(fc.constantFrom('', '*.'), fc.domain()).map((parts) => parts.join(''))],
    ['headerName', headerName(), fc.string({ maxLength: 20 })],
  ];
  for (const [name, schema, texts] of samples) {
    const pattern = new RegExp((z.toJSONSchema(schema, { io: 'input' }) as { pattern: string }).pattern, 'u');
    let accepted = 0;
    fc.assert(
      fc.property(texts, (text) => {
        if (!schema.safeParse(text).success) return;
        accepted++;
        if (!pattern.test(text)) throw new Error(`${name} takes ${text}, its pattern does not`);
      }),
      { seed: 6, numRuns: 300 },
    );
    t.ok(accepted > 10, `${name}: ${accepted} accepted texts compared`);
  }
});
