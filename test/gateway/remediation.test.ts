/** What a client meets when there is a decision about it: pages, problem documents, rates, modes, sites. */
import t, { type Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { headerOf, type RawResponse } from '../support/http-response.ts';
import { send } from '../support/raw-client.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { accessLines, type Control, controlOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const banned = '203.0.113.5';
const free = '203.0.113.6';

const ask = (method: string, target: string, from: string, ...headers: readonly string[]): string =>
  `${[`${method} ${target} HTTP/1.1`, 'Host: site.test', `X-Forwarded-For: ${from}`, ...headers].join('\r\n')}\r\n\r\n`;

interface Opened extends TestGateway {
  readonly origin: NodeOrigin;
  readonly control: Control;
}

async function open(t: Test, settings: object = {}): Promise<Opened> {
  const origin = await startNodeOrigin(t);
  const gateway = await startTestGateway(t, { origin: origin.origin, ...settings });
  return { ...gateway, origin, control: controlOf(gateway.gateway.controlSocket) };
}

async function answerTo(port: number, bytes: string, method = 'GET'): Promise<RawResponse> {
  const { responses } = await send(port, bytes, { methods: [method] });
  const [response] = responses;
  if (response === undefined) throw new Error('no response');
  return response;
}

t.test('a banned client', async (t) => {
  const { port, origin, control, folder, gateway } = await open(t);
  await control.ban('Ip', banned);

  const forms: readonly (readonly [name: string, type: string, headers: readonly string[]])[] = [
    ['a browser gets a page', 'text/html', ['Accept: text/html,application/xhtml+xml,*/*;q=0.8']],
    ['a program gets a problem document', 'application/problem+json', ['Accept: application/json']],
    ['a program that takes both prefers JSON', 'application/problem+json', ['Accept: application/json, text/html']],
    ['a client that says nothing', 'application/problem+json', []],
    ['a client that takes anything', 'application/problem+json', ['Accept: */*']],
    ['a fetch from a page', 'application/problem+json', ['Accept: text/html', 'X-Requested-With: XMLHttpRequest']],
  ];
  t.equal(forms.length, 6);
  for (const [name, type, headers] of forms) {
    await t.test(name, async (t) => {
      const response = await answerTo(port, ask('GET', '/', banned, ...headers));
      t.equal(response.status, 403);
      t.match(headerOf(response, 'content-type'), type);
      t.equal(headerOf(response, 'cache-control'), 'no-store');
      t.equal(headerOf(response, 'vary'), 'Accept');
      const id = headerOf(response, 'x-request-id') ?? '';
      t.ok(id.length > 8 && response.body.includes(id), 'the answer names its request');
      t.notMatch(response.body.toString(), new RegExp(banned.replaceAll('.', '\\.')), 'the address is masked');
      if (type !== 'text/html') {
        t.match(JSON.parse(response.body.toString()), { status: 403, request_id: id, client: '203.0.113.x' });
      }
    });
  }

  await t.test('HEAD gets no body', async (t) => {
    const both = ask('HEAD', '/', banned) + ask('GET', '/', free);
    const { responses } = await send(port, both, { until: 2, methods: ['HEAD'] });
    t.strictSame(
      responses.map(({ status }) => status),
      [403, 200],
    );
    t.ok(Number(responses[0] && headerOf(responses[0], 'content-length')) > 0);
  });

  await t.test('every method is refused, and the connection goes on', async (t) => {
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
    const all = methods.map((method) => ask(method, '/', banned, ...(method === 'GET' ? [] : ['Content-Length: 0'])));
    const { responses } = await send(port, [...all, ask('GET', '/last', free)], { until: 7 });
    t.strictSame(
      responses.map(({ status }) => status),
      [403, 403, 403, 403, 403, 403, 200],
    );
  });

  await t.test('its body is not asked for, and is thrown away when it comes', async (t) => {
    const expecting = await send(port, ask('POST', '/', banned, 'Content-Length: 5', 'Expect: 100-continue'), {
      until: 'close',
    });
    t.strictSame(
      expecting.responses.map(({ status }) => status),
      [403],
      'no 100 before the decision',
    );
    t.ok(expecting.closed);
    const small = await send(port, `${ask('POST', '/', banned, 'Content-Length: 5')}hello${ask('GET', '/x', free)}`, {
      until: 2,
    });
    t.strictSame(
      small.responses.map(({ status }) => status),
      [403, 200],
    );
    const large = [ask('POST', '/', banned, 'Content-Length: 500000'), 'x'.repeat(500_000)];
    const closed = await send(port, large, { until: 'close' });
    t.strictSame(
      closed.responses.map(({ status }) => status),
      [403],
    );
    t.ok(closed.closed && !closed.reset);
  });

  await t.test('a request that is bad as well is refused all the same, and its connection ends', async (t) => {
    const { responses, closed } = await send(port, ask('GET', '/', banned, 'Host: b.test') + ask('GET', '/y', free), {
      until: 'close',
    });
    t.strictSame(
      responses.map(({ status }) => status),
      [403],
    );
    t.ok(closed);
  });

  t.strictSame(
    origin.requests.map(({ url, headers }) => [url, headers['x-forwarded-for']]),
    [
      ['/', free],
      ['/last', free],
      ['/x', free],
    ],
    'the origin heard of the free client only',
  );
  await gateway.stop();
  const lines = accessLines(`${folder}/access.log`).filter(({ clientIp }) => clientIp === banned);
  t.ok(lines.every(({ outcome }) => outcome === 'refused'));
});

t.test('refusals are not poured: they lead to no further alert', async (t) => {
  const { port, control } = await open(t);
  await control.ban('Ip', banned);
  const probes = Array.from({ length: 60 }, (_, index) => ask('GET', `/wp-login-${index}.php`, banned));
  const { responses } = await send(port, probes.join(''), { until: 60 });
  t.strictSame(new Set(responses.map(({ status }) => status)), new Set([403]));
  // The record of a refusal is written later than any alert would be.
  await eventually(
    () => control.refusals(),
    (found) => found.length >= 60,
  );
  t.strictSame(
    await control
      .alerts({ ip: banned })
      .then((alerts) => alerts.filter(({ scenario }) => !scenario.includes('manual'))),
    [],
  );
});

t.test('a throttled client gets its rate and then 429', async (t) => {
  const { port, control, origin } = await open(t, { remediation: { throttle: { rate: 0.01, burst: 3 } } });
  await control.ban('Range', '203.0.113.0/24', { type: 'throttle' });
  const { responses } = await send(port, ask('GET', '/', banned).repeat(5) + ask('GET', '/', free), { until: 6 });
  t.strictSame(
    responses.map(({ status }) => status),
    [200, 200, 200, 429, 429, 200],
    'each client has a rate of its own',
  );
  const retryAfter = Number(responses[3] && headerOf(responses[3], 'retry-after'));
  t.ok(retryAfter >= 1 && retryAfter <= 100, `Retry-After: ${retryAfter}`);
  t.equal(origin.requests.length, 4);
});

t.test('a captcha is enforced as a ban, and said once', async (t) => {
  const { port, control, log } = await open(t);
  await control.ban('Ip', banned, { type: 'captcha' });
  for (const _ of [1, 2, 3]) t.equal((await answerTo(port, ask('GET', '/', banned))).status, 403);
  t.equal(log.filter(({ msg }) => String(msg).includes('captcha')).length, 1);
});

t.test('the allowlist wins over every decision', async (t) => {
  const { port, control } = await open(t, { remediation: { allowlist: [{ value: `${banned}/32`, comment: 'ours' }] } });
  await control.ban('Range', '203.0.113.0/24', { bypassAllowlist: true });
  t.equal((await answerTo(port, ask('GET', '/', banned))).status, 200);
  t.equal((await answerTo(port, ask('GET', '/', free))).status, 403);
});

t.test('observe passes every request, and says what would have been done', async (t) => {
  const { port, control, gateway, folder } = await open(t, { mode: 'observe' });
  await control.ban('Ip', banned);
  t.equal((await answerTo(port, ask('GET', '/', banned))).status, 200);
  await gateway.stop();
  t.match(accessLines(`${folder}/access.log`), [{ outcome: 'passed', observed: 'ban', clientIp: banned }]);
});

t.test('a lifted ban is lifted at once', async (t) => {
  const { port, control } = await open(t);
  await control.ban('Ip', banned);
  t.equal((await answerTo(port, ask('GET', '/', banned))).status, 403);
  await control.lift({ ip: banned });
  t.equal((await answerTo(port, ask('GET', '/', banned))).status, 200);
});

t.test('several sites by host', async (t) => {
  const [shop, wild, rest] = [await startNodeOrigin(t), await startNodeOrigin(t), await startNodeOrigin(t)];
  const sites = [
    { hosts: ['shop.test'], origin: shop.origin },
    { hosts: ['*.wild.test'], origin: wild.origin, mode: 'observe' },
  ];
  const { gateway, port } = await startTestGateway(t, { origin: rest.origin, sites });
  const strict = await startTestGateway(t, { origin: rest.origin, sites, unknownHost: 'reject' });
  const at = (host: string, from = free): string =>
    `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: ${from}\r\n\r\n`;
  const hosts = ['shop.test', 'SHOP.test:8080', 'a.b.wild.test', 'wild.test', 'other.test', 'shop.test.'];
  const { responses } = await send(port, hosts.map((host) => at(host)).join(''), { until: hosts.length });
  t.ok(responses.every(({ status }) => status === 200));
  const seenAt = (origin: NodeOrigin): (string | undefined)[] => origin.requests.map(({ headers }) => headers.host);
  t.strictSame(seenAt(shop), ['shop.test', 'SHOP.test:8080', 'shop.test.']);
  t.strictSame(seenAt(wild), ['a.b.wild.test']);
  t.strictSame(seenAt(rest), ['wild.test', 'other.test']);

  const unknown = await send(strict.port, at('other.test') + at('shop.test'), { until: 2 });
  t.strictSame(
    unknown.responses.map(({ status }) => status),
    [421, 200],
    '421 leaves the connection as it is',
  );

  await controlOf(gateway.controlSocket).ban('Ip', banned);
  t.equal((await answerTo(port, at('shop.test', banned))).status, 403);
  t.equal((await answerTo(port, at('x.wild.test', banned))).status, 200, 'this site observes');
});

t.test('OPTIONS * is about the gateway', async (t) => {
  const { port, origin, control } = await open(t);
  const response = await answerTo(port, ask('OPTIONS', '*', free));
  t.equal(response.status, 204);
  t.match(headerOf(response, 'allow'), /GET/);
  await control.ban('Ip', banned);
  t.equal((await answerTo(port, ask('OPTIONS', '*', banned))).status, 403);
  t.equal(origin.requests.length, 0);
});
