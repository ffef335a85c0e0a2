/** The endpoint on the wire, with real keys and a judge that remembers what it was asked. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type Clock, systemClock } from '../../../core/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { IpAddress } from '../../../core/ip.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import {
  type AppsecJudge,
  type AppsecQuestion,
  type AppsecVerdict,
  createAppsecEndpoint,
} from '../../../gateway/appsec/appsec-endpoint.ts';
import type { ListenAddress } from '../../../gateway/options.ts';
import type { Bouncer } from '../../../remediation/bouncer.ts';
import { createBouncerKeys } from '../../../remediation/callers/bouncer-keys.ts';
import { bouncerOf } from '../../remediation/callers/callers.ts';
import { collectedLog } from '../../remediation/support.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { send } from '../../support/raw-client.ts';
import { answersOf, ask, bouncerKey, converse, headOf, questionOf } from './bouncer.ts';

const allow: AppsecVerdict = { action: 'allow', userStatus: 200, status: 200 };
const ban: AppsecVerdict = { action: 'ban', userStatus: 403, status: 403 };

interface Opening {
  readonly clock?: Clock;
  readonly listen?: ListenAddress;
  readonly bodyBytes?: number;
  readonly verdict?: (question: AppsecQuestion) => AppsecVerdict;
}

async function open(t: Test, opening: Opening = {}) {
  const { clock = systemClock, bodyBytes = 1_000, verdict = () => allow } = opening;
  const asked: AppsecQuestion[] = [];
  const order: string[] = [];
  const log: Record<string, unknown>[] = [];
  const bouncers: Bouncer[] = [bouncerOf('nginx', bouncerKey)];
  const store = { reads: 0, away: false };
  const keys = createBouncerKeys({
    store: {
      bouncers: () => {
        store.reads++;
        return store.away
          ? Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'away'))
          : Promise.resolve([...bouncers]);
      },
      apply: () => Promise.resolve(),
    },
    clock,
    log: collectedLog().log,
  });
  const judge: AppsecJudge = {
    bodyBytes,
    pass: allow,
    judge(question) {
      asked.push({ ...question, body: question.body && Buffer.from(question.body) });
      order.push('judged');
      return { verdict: verdict(question), later: () => void order.push('later') };
    },
  };
  const endpoint = createAppsecEndpoint(
    { listen: opening.listen ?? { host: '127.0.0.1', port: 0 }, bodyDeadline: 1_000 },
    {
      clock,
      random: createSystemRandom(),
      log: createLog('info', { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) }),
      keys,
      judge,
      index: { isAllowed: ({ text }: IpAddress) => text === '198.51.100.1' },
    },
  );
  t.teardown(() => endpoint.close());
  const port = await endpoint.listen();
  return { port, endpoint, asked, order, log, bouncers, store, keys };
}

t.test('what a verdict says is what the bouncer is told', async (t) => {
  const verdicts: Record<string, AppsecVerdict> = {
    '/allow': allow,
    '/ban': ban,
    '/captcha': { action: 'captcha', userStatus: 403, status: 403 },
    '/own': { action: 'slow-down', userStatus: 429, status: 418 },
  };
  const { port, asked } = await open(t, { verdict: ({ request }) => verdicts[request.target] ?? allow });
  const seen: unknown[] = [];
  for (const uri of Object.keys(verdicts)) {
    const { status, text, headers } = await ask(port, { uri });
    seen.push([status, text]);
    t.equal(headers.get('content-type'), 'application/json');
  }
  t.same(seen, [
    [200, '{"action":"allow","http_status":200}'],
    [403, '{"action":"ban","http_status":403}'],
    [403, '{"action":"captcha","http_status":403}'],
    [418, '{"action":"slow-down","http_status":429}'],
  ]);
  t.match(asked[0], {
    request: { clientAddress: '203.0.113.7', method: 'GET', target: '/allow', id: /^[0-9a-f-]{36}$/ },
    host: 'shop.example',
    body: null,
    bodyComplete: true,
    bodyIsOver: false,
    bouncer: { name: 'nginx' },
    bouncerAddress: '127.0.0.1',
  });
  t.not(asked[0]?.request.id, asked[1]?.request.id, 'random where the bouncer has none');
});

t.test('no key and a wrong one are 401, an incomplete question is 500, and neither has a body', async (t) => {
  const { port, asked } = await open(t);
  const cases: readonly (readonly [object, number])[] = [
    [{ key: null }, 401],
    [{ key: '' }, 401],
    [{ key: `${bouncerKey}x` }, 401],
    [{ key: null, ip: null, uri: null, verb: null }, 401],
    [{ ip: null }, 500],
    [{ uri: null }, 500],
    [{ verb: null }, 500],
    [{ ip: 'nobody' }, 500],
    [{ ip: null, body: 'a=1' }, 500],
    [{ host: null, userAgent: null }, 200],
    [{ path: '/any/path?x=1' }, 200],
  ];
  for (const [visit, expected] of cases) {
    const { status, text } = await ask(port, visit);
    t.equal(status, expected, JSON.stringify(visit));
    if (expected !== 200) t.equal(text, '');
  }
  t.equal(asked.length, 2);
});

t.test('methods and targets of visitors are theirs, whatever the bouncer asks with', async (t) => {
  const { port, asked } = await open(t);
  const uri = '/a%00b/../c?q=%zz&caf\xe9=%u0041#x';
  t.equal((await ask(port, { verb: 'PROPFIND', uri, body: 'x' })).status, 200);
  t.match(asked[0]?.request, { method: 'PROPFIND', target: uri });
  const [put] = await converse(port, questionOf({ verb: 'GET', body: 'late' }).replace('POST', 'PUT'));
  t.equal(put?.status, 200);
  t.equal(String(asked[1]?.body), 'late');
});

t.test('an upgrade that the visitor asks for is a header like any other', async (t) => {
  const { port, asked } = await open(t);
  const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZQ=='];
  t.equal((await ask(port, { headers })).status, 200);
  t.same(asked[0]?.request.headers.slice(-4), headers.slice(2));
});

t.test('the bouncer has its answer before anything else is done', async (t) => {
  const { port, order } = await open(t);
  const result = await send(port, [questionOf({}), { waitFor: '"allow"' }, questionOf({})], { until: 2 });
  t.equal(result.responses.length, 2);
  t.same(order.slice(0, 3), ['judged', 'later', 'judged']);
});

t.test('allowlisted clients are judged by nobody', async (t) => {
  const { port, asked } = await open(t, { verdict: () => ban });
  t.equal((await ask(port, { ip: '198.51.100.1', body: 'x'.repeat(5_000) })).status, 200);
  t.equal((await ask(port, { ip: '::ffff:198.51.100.1' })).status, 200);
  t.equal((await ask(port, { ip: '198.51.100.2' })).status, 403);
  t.equal(asked.length, 1);
});

t.test('a body is read to the limit, and the connection stays of use', async (t) => {
  const { port, asked } = await open(t);
  const bodies = ['', 'x', 'x'.repeat(999), 'x'.repeat(1_000), 'x'.repeat(1_001), 'x'.repeat(300_000)];
  const chunked = `${headOf({ body: '' }, ['Transfer-Encoding: chunked'])}\r\n`;
  const chunks = `${'1\r\ny\r\n'.repeat(1_500)}0\r\n\r\n`;
  const answers = await converse(
    port,
    [...bodies.map((body) => questionOf({ body })), chunked, chunks, questionOf({ uri: '/last' })],
    { until: bodies.length + 2 },
  );
  t.same(
    answers.map(({ status }) => status),
    Array.from({ length: bodies.length + 2 }, () => 200),
  );
  t.same(
    asked.map(({ body, bodyComplete, bodyIsOver }) => [body?.length ?? 0, bodyComplete, bodyIsOver]),
    [
      [0, true, false],
      [1, true, false],
      [999, true, false],
      [1_000, true, false],
      [1_000, false, true],
      [1_000, false, true],
      [1_000, false, true],
      [0, true, false],
    ],
  );
  t.equal(asked.at(-1)?.request.target, '/last', 'nothing of an unread body was taken for a question');
});

t.test('a rest that never ends costs the connection', async (t) => {
  const { port } = await open(t);
  const head = headOf({ body: '' }, [`Content-Length: ${64 * 1024 ** 2}`]);
  const flood = Array.from({ length: 64 }, () => Buffer.alloc(1024 ** 2, 0x78));
  const result = await send(port, [`${head}\r\n`, ...flood, questionOf({})], { until: 'close' });
  t.ok(result.closed);
  t.ok(result.responses.length <= 1);
});

t.test('what has come by the deadline is judged', async (t) => {
  const clock = createManualClock();
  const deadline = Promise.withResolvers<void>();
  const watched: Clock = {
    ...clock,
    after(delayMs, run) {
      if (delayMs === 1_000) deadline.resolve();
      return clock.after(delayMs, run);
    },
  };
  const { port, asked } = await open(t, { clock: watched });
  const slow = send(port, [`${headOf({ body: '' }, ['Content-Length: 10'])}\r\nabc`, { waitFor: '"allow"' }], {
    until: 'close',
  });
  await deadline.promise;
  // The three bytes came with the head.
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(999);
  t.equal(asked.length, 0);
  clock.advance(1);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match(asked, [{ body: Buffer.from('abc'), bodyComplete: false, bodyIsOver: false }]);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(2_000);
  const result = await slow;
  t.ok(result.closed, 'nobody waits for the rest');
  t.match(answersOf(result), [{ status: 200 }]);
});

t.test('an expectation is met for those with a key only', async (t) => {
  const { port, asked } = await open(t);
  const head = (key?: string) =>
    `${headOf(key === undefined ? { body: '' } : { key, body: '' }, ['Expect: 100-continue', 'Content-Length: 3'])}\r\n`;
  const good = await send(port, [head(), { waitFor: '100 Continue' }, 'abc']);
  t.same(
    good.responses.map(({ status }) => status),
    [100, 200],
  );
  t.equal(String(asked[0]?.body), 'abc');
  const bad = await send(port, head('wrong'), { until: 'close' });
  t.same(
    bad.responses.map(({ status }) => status),
    [401],
  );
});

t.test('whoever has no key keeps no connection, and his body is not read', async (t) => {
  const { port } = await open(t);
  const result = await send(port, [`${headOf({ key: null, body: '' }, ['Content-Length: 900000'])}\r\nabc`], {
    until: 'close',
  });
  t.match(answersOf(result), [{ status: 401, text: '' }]);
  t.equal(answersOf(result)[0]?.headers.get('connection'), 'close');
});

t.test('wrong keys are told of a few times, and soon no longer looked up; good ones always are', async (t) => {
  const clock = createManualClock();
  const { port, log, store, bouncers } = await open(t, { clock });
  for (let round = 0; round < 50; round++) {
    t.equal((await ask(port, { key: `wrong-${round}` })).status, 401);
    // The next unknown key would have the list read again.
    clock.advance(1_000);
  }
  const complaints = log.filter(({ msg }) => String(msg).includes('no bouncer has'));
  t.equal(complaints.length, 14, '10 at once, and one in ten seconds of the 49');
  t.equal(complaints[0]?.bouncerAddress, '127.0.0.1');
  t.notOk(JSON.stringify(log).includes('wrong-1'), 'keys are secrets');
  t.ok(store.reads <= 16, `${store.reads} reads`);
  t.equal((await ask(port, {})).status, 200, 'from the same address');
  bouncers.push(bouncerOf('new', 'a-new-key'));
  clock.advance(60_000);
  t.equal((await ask(port, { key: 'a-new-key' })).status, 200);
});

t.test('keys are known while the store is away, and unknown once they are revoked', async (t) => {
  const clock = createManualClock();
  const { port, bouncers, store, keys } = await open(t, { clock });
  t.equal((await ask(port, {})).status, 200);
  t.equal(store.reads, 1);
  store.away = true;
  clock.advance(3_600_000);
  t.equal((await ask(port, {})).status, 200);
  t.equal((await ask(port, { key: 'a-key-that-nobody-has' })).status, 401);
  store.away = false;
  bouncers.pop();
  t.equal((await ask(port, {})).status, 200, 'remembered');
  keys.changed();
  t.equal((await ask(port, {})).status, 401, 'revoked here');
});

t.test('bytes that two programs could read in two ways are refused and never judged', async (t) => {
  const { port, asked } = await open(t);
  const smuggled = 'GET /smuggled HTTP/1.1\r\n\r\n';
  const heads = [
    `${headOf({ body: '' }, ['Content-Length: 5', 'Transfer-Encoding: chunked'])}\r\n0\r\n\r\n${smuggled}`,
    `${headOf({ body: '' }, ['Content-Length: 5', 'Content-Length: 6'])}\r\nabcdef`,
    `${headOf({ body: '' }, ['Transfer-Encoding: chunked, identity'])}\r\nabc`,
    `${headOf({ body: '' }, ['Content-Length: +5'])}\r\nabcde`,
    `${headOf({}, ['No colon here'])}\r\n`,
    `${headOf({}, [' folded: x'])}\r\n`.replace('Host: 127', ' Host : 127'),
    'not HTTP at all\r\n\r\n',
  ];
  for (const head of heads) {
    const result = await send(port, head, { until: 'close' });
    t.equal(result.responses[0]?.status, 400, JSON.stringify(head.slice(-60)));
  }
  const long = await send(port, `${headOf({}, [`X-Long: ${'x'.repeat(70_000)}`])}\r\n`, { until: 'close' });
  t.equal(long.responses[0]?.status, 431);
  t.same(asked, []);
});

t.test('large and many headers of visitors reach the judge', async (t) => {
  const { port, asked } = await open(t);
  const headers = Array.from({ length: 2_500 }, (_, at) => [`X-${at}`, 'v'.repeat(10)]).flat();
  t.equal((await ask(port, { headers, uri: `/${'u'.repeat(8_000)}` })).status, 200);
  t.equal(asked[0]?.request.headers.filter((name) => name.startsWith('X-')).length, 2_500);
});

t.test('a bouncer that breaks off is not judged, and nobody else notices', async (t) => {
  const { port, asked, log } = await open(t);
  for (let round = 0; round < 20; round++) {
    await send(port, [`${headOf({ body: '' }, ['Content-Length: 10'])}\r\nabc`, { abort: true }]);
  }
  t.equal((await ask(port, {})).status, 200);
  t.equal(asked.length, 1);
  t.same(log, []);
});

t.test('a judge that fails is a 500 and a line of the log', async (t) => {
  const { port, log } = await open(t, {
    verdict: ({ request }) => {
      if (request.target === '/boom') throw new Error('boom');
      return allow;
    },
  });
  t.match(await ask(port, { uri: '/boom' }), { status: 500, text: '' });
  t.match(log, [{ cause: 'boom' }]);
  t.equal((await ask(port, {})).status, 200);
});

t.test('pipelined and concurrent questions get answers of their own', async (t) => {
  const { port } = await open(t, {
    verdict: ({ request, body }) => ({ ...allow, action: `${request.target}:${String(body ?? '').length}` }),
  });
  const questions = Array.from({ length: 40 }, (_, at) => ({
    uri: `/${at}`,
    ...(at % 3 === 0 ? {} : { body: 'x'.repeat(at) }),
  }));
  const expected = questions.map(({ uri }, at) => `{"action":"${uri}:${at % 3 === 0 ? 0 : at}","http_status":200}`);
  const bytes = questions.map((visit) => questionOf(visit)).join('');
  const connections = await Promise.all(
    Array.from({ length: 25 }, () => converse(port, bytes, { until: questions.length })),
  );
  for (const answers of connections) {
    t.same(
      answers.map(({ text }) => text),
      expected,
    );
  }
});

t.test('no bytes stop the endpoint', async (t) => {
  const { port } = await open(t);
  const piece = fc.oneof(
    fc.constantFrom(
      questionOf({}),
      questionOf({ body: 'a=1' }),
      'GET / HTTP/1.1\r\n',
      'X-Crowdsec-Appsec-Ip: 1.2.3.4\r\n',
      `X-Crowdsec-Appsec-Api-Key: ${bouncerKey}\r\n`,
      'Transfer-Encoding: chunked\r\n',
      'Content-Length: 5\r\n',
      '\r\n',
      '5\r\nabcde\r\n',
      '0\r\n\r\n',
      'Expect: 100-continue\r\n',
      'Connection: upgrade\r\nUpgrade: websocket\r\n',
    ),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 8 }), async (pieces) => {
      const { responses } = await send(port, [pieces.join(''), { half: 'close' }], { until: 'close' }).catch(() => ({
        responses: [],
      }));
      return responses.every(({ status }) => [100, 200, 400, 401, 408, 417, 431, 500].includes(status));
    }),
    { seed: 42, numRuns: 300 },
  );
  t.equal((await ask(port, {})).status, 200);
});

t.test('addresses that cannot be opened are named, with the setting', async (t) => {
  const { port } = await open(t);
  await t.rejects(open(t, { listen: { host: '127.0.0.1', port } }), {
    code: 'ADDRESS_IN_USE',
    message: `127.0.0.1:${port} is already in use by another program`,
    remedy: /`appsec\.listen`/,
  });
  await t.rejects(open(t, { listen: { host: '203.0.113.1', port: 7_422 } }), { code: 'LISTEN_FAILED' });
});

t.test('a unix socket is for its user and group, and a dead one is replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'appsec-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = join(folder, 'appsec.sock');
  const { endpoint, asked } = await open(t, { listen: { socketPath } });
  t.equal(statSync(socketPath).mode & 0o777, 0o660);
  const status = await new Promise((resolve, reject) => {
    const headers = {
      'X-Crowdsec-Appsec-Ip': '192.0.2.1',
      'X-Crowdsec-Appsec-Uri': '/',
      'X-Crowdsec-Appsec-Verb': 'GET',
      'X-Crowdsec-Appsec-Api-Key': bouncerKey,
    };
    httpRequest({ socketPath, headers, agent: false }, (response) => resolve(response.statusCode))
      .once('error', reject)
      .end();
  });
  t.equal(status, 200);
  t.equal(asked[0]?.bouncerAddress, '');
  await t.rejects(open(t, { listen: { socketPath } }), { code: 'ADDRESS_IN_USE' });
  await endpoint.close();
  await endpoint.close();
  mkdirSync(socketPath);
  await t.rejects(open(t, { listen: { socketPath } }), { code: 'LISTEN_FAILED' });
});

t.test('who asks while it closes is answered, and nobody after that', async (t) => {
  const { port, endpoint } = await open(t);
  const closing = Promise.withResolvers<void>();
  const status = await new Promise((resolve, reject) => {
    const headers = Object.fromEntries(
      headOf({ body: '' }, ['Expect: 100-continue', 'Content-Length: 3'])
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(': ', 2)),
    ) as Record<string, string>;
    const question = httpRequest({ port, method: 'POST', headers, agent: false }, (response) => {
      resolve(response.resume().statusCode);
    });
    question.once('error', reject).once('continue', () => {
      endpoint.close().then(closing.resolve, closing.reject);
      question.end('abc');
    });
    question.flushHeaders();
  });
  t.equal(status, 200);
  await closing.promise;
  await t.rejects(send(port, questionOf({})), { code: 'ECONNREFUSED' });
});
