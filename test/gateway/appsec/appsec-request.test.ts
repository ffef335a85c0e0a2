import fc from 'fast-check';
import t from 'tap';
import {
  type AppsecArrival,
  AppsecRequestError,
  apiKeyOf,
  readAppsecRequest,
} from '../../../gateway/appsec/appsec-request.ts';

const facts = ['X-Crowdsec-Appsec-Ip', '192.0.2.1', 'X-Crowdsec-Appsec-Uri', '/a?b=c', 'X-Crowdsec-Appsec-Verb', 'GET'];
const arrival = (rawHeaders: readonly string[], bodyBytes = 0): AppsecArrival => ({
  rawHeaders,
  bodyBytes,
  now: 5,
  id: 'made-up',
});
const read = (rawHeaders: readonly string[], bodyBytes = 0) => readAppsecRequest(arrival(rawHeaders, bodyBytes));
const headersOf = (rawHeaders: readonly string[], bodyBytes = 0): readonly string[] =>
  read([...facts, ...rawHeaders], bodyBytes).request.headers;

t.test('the facts make the request, whatever the case of their names', async (t) => {
  t.same(read([...facts.map((text, at) => (at % 2 === 0 ? text.toUpperCase() : text)), 'Accept', '*/*']), {
    request: {
      id: 'made-up',
      clientAddress: '192.0.2.1',
      clientPort: 0,
      serverAddress: '',
      serverPort: 0,
      method: 'GET',
      target: '/a?b=c',
      protocol: 'HTTP/1.1',
      headers: ['Accept', '*/*'],
      startedAt: 5,
    },
    host: '',
  });
  t.equal(apiKeyOf(['x-crowdsec-appsec-api-key', 'k', 'X-Crowdsec-Appsec-Api-Key', 'other']), 'k', 'the first counts');
  t.equal(apiKeyOf([]), '');
});

t.test('address, target and method are mandatory', async (t) => {
  for (const missing of [0, 2, 4]) {
    const rest = facts.toSpliced(missing, 2);
    const name = facts[missing] ?? '';
    const message = `the header ${name.toLowerCase()} is missing`;
    t.throws(() => read(rest), { message }, name);
    t.throws(() => read([...rest, name, '']), { message }, `empty ${name}`);
  }
  for (const address of ['unknown', '192.0.2.1:80', '192.0.2.256', 'fe80::1%eth0x y']) {
    t.throws(
      () => read(['X-Crowdsec-Appsec-Ip', address, ...facts.slice(2)]),
      { message: /is not an IP address/ },
      address,
    );
  }
  const mapped = read(['X-Crowdsec-Appsec-Ip', '::ffff:192.0.2.9', ...facts.slice(2)]);
  t.equal(mapped.request.clientAddress, '192.0.2.9');
});

t.test('versions are two digits', async (t) => {
  const versions: readonly (readonly [string, string])[] = [
    ['10', 'HTTP/1.0'],
    ['11', 'HTTP/1.1'],
    ['20', 'HTTP/2.0'],
    ['30', 'HTTP/3.0'],
    ['09', 'HTTP/0.9'],
    ['2', 'HTTP/1.1'],
    ['HTTP/2', 'HTTP/1.1'],
    ['1.1', 'HTTP/1.1'],
    ['111', 'HTTP/1.1'],
    ['', 'HTTP/1.1'],
  ];
  for (const [given, expected] of versions) {
    t.equal(read([...facts, 'X-Crowdsec-Appsec-Http-Version', given]).request.protocol, expected, given);
  }
});

t.test('User-Agent and Host are those of the visitor, or none: never those of the bouncer', async (t) => {
  const own = ['User-Agent', 'bouncer/1', 'Host', 'waf.internal:7422'];
  t.same(headersOf(own), []);
  t.same(headersOf([...own, 'X-Crowdsec-Appsec-User-Agent', 'curl/8', 'X-Crowdsec-Appsec-Host', 'shop.example']), [
    'Host',
    'shop.example',
    'User-Agent',
    'curl/8',
  ]);
  t.same(headersOf([...own, 'X-Crowdsec-Appsec-User-Agent', '']), []);
});

t.test('all facts and the headers of the hop are taken out, everything else stays in its order', async (t) => {
  const visitors = [
    'Cookie',
    'a=1',
    'X-Forwarded-For',
    '10.0.0.1',
    'cookie',
    'b=2',
    'Upgrade',
    'h2c',
    'X-Crowdsec',
    'no',
  ];
  t.same(
    headersOf([
      'Connection',
      'keep-alive',
      'X-Crowdsec-Appsec-Api-Key',
      'secret',
      'x-crowdsec-appsec-anything',
      '1',
      ...visitors,
      'Expect',
      '100-continue',
      'X-CROWDSEC-APPSEC-',
      'x',
    ]),
    visitors,
  );
});

t.test('a length is the declared one, else that of the body; none beside a transfer encoding', async (t) => {
  t.same(headersOf(['Content-Length', '0']), ['Content-Length', '0']);
  t.same(headersOf(['Content-Length', '500'], 20), ['Content-Length', '500'], 'more than was read');
  t.same(headersOf(['Transfer-Encoding', 'chunked'], 20), ['Content-Length', '20']);
  t.same(headersOf(['Transfer-Encoding', 'chunked'], 0), []);
  t.same(headersOf(['Content-Length', '20', 'X-Crowdsec-Appsec-Transfer-Encoding', 'chunked'], 20), [
    'Transfer-Encoding',
    'chunked',
  ]);
});

t.test('transaction ids are kept where they can be stored and typed', async (t) => {
  const idOf = (id: string): string => read([...facts, 'X-Crowdsec-Appsec-Transaction-Id', id]).request.id;
  for (const id of ['1f0b7e46-8f5c-4a4e-9d1c-4f0f8e8f3a11', 'A1B2', '4d1c4f0f8e8f3a114d1c4f0f8e8f3a11'])
    t.equal(idOf(id), id);
  for (const id of ['', 'two words', 'x'.repeat(101), 'caf\xe9']) t.equal(idOf(id), 'made-up');
});

t.test(
  'whatever headers come, nothing of the protocol or the hop reaches the rules, and nothing else is lost',
  async () => {
    const hop = ['host', 'user-agent', 'connection', 'transfer-encoding', 'content-length', 'expect'];
    const name = fc.oneof(
      fc.constantFrom(...hop, ...facts.filter((_, at) => at % 2 === 0), 'X-Crowdsec-Appsec-Host', 'Cookie', 'Accept'),
      fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
    );
    const text = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 40,
    });
    const headers = fc.array(fc.tuple(name, text), { maxLength: 30 }).map((pairs) => pairs.flat());
    fc.assert(
      fc.property(headers, fc.nat(1_000), (rawHeaders, bodyBytes) => {
        let found: readonly string[];
        try {
          found = read([...rawHeaders, ...facts], bodyBytes).request.headers;
        } catch (thrown) {
          // A first fact that is empty or no address.
          return thrown instanceof AppsecRequestError;
        }
        const isOurs = (header: string): boolean =>
          hop.includes(header.toLowerCase()) || header.toLowerCase().startsWith('x-crowdsec-appsec-');
        const pairs = (list: readonly string[]): string[] =>
          list.flatMap((header, at) => (at % 2 === 0 && !isOurs(header) ? [`${header}: ${list[at + 1]}`] : []));
        const leaked = found.some(
          (header, at) => at % 2 === 0 && header.toLowerCase().startsWith('x-crowdsec-appsec-'),
        );
        return !leaked && JSON.stringify(pairs(found)) === JSON.stringify(pairs(rawHeaders));
      }),
      { seed: 41, numRuns: 2_000 },
    );
  },
);
