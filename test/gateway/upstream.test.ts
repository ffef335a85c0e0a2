/** The way to the origin and back, by both origin clients: headers, bodies, faults, retries, aborts, back-pressure. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { headerOf, type RawResponse } from '../support/http-response.ts';
import { send } from '../support/raw-client.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { freePort } from '../support/servers/process.ts';
import { type RawConnection, startRawOrigin } from '../support/servers/raw-origin.ts';

/** Bodies flow from their first byte: nothing of them is held for rules. */
const withoutRules = { detection: { builtin: false }, waf: { virtualPatches: { mode: 'off' } } };

const kinds = ['http1', 'undici'] as const;

const get = (target: string, ...headers: readonly string[]): string => request('GET', target, headers);
const post = (target: string, body: string, ...headers: readonly string[]): string =>
  request('POST', target, [`Content-Length: ${body.length}`, ...headers], body);

function request(method: string, target: string, headers: readonly string[], body = ''): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: site.test', ...headers].join('\r\n')}\r\n\r\n${body}`;
}

function only(responses: readonly RawResponse[]): RawResponse {
  const [first] = responses.filter(({ status }) => status >= 200);
  if (first === undefined) throw new Error('no response');
  return first;
}

/** What the origin's `/inspect` saw: names in lower case and values, without the request id. */
function inspected(response: RawResponse): string[] {
  const { rawHeaders } = JSON.parse(response.body.toString()) as { rawHeaders: string[] };
  const lines: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    // The connection is the client's own business.
    if (name !== 'connection') lines.push(`${name}: ${name === 'x-request-id' ? 'id' : rawHeaders[index + 1]}`);
  }
  return lines.toSorted();
}

async function accessLogOf({ gateway, folder }: TestGateway): Promise<Record<string, unknown>[]> {
  await gateway.stop();
  const lines = readFileSync(join(folder, 'access.log'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** How many requests a raw connection has received, bodiless ones. */
const requestsOn = ({ text }: RawConnection): number => text().split('\r\n\r\n').length - 1;
const answer = (body: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

for (const client of kinds) {
  const open = (t: Test, origin: string, upstream: object = {}, more: object = {}): Promise<TestGateway> =>
    startTestGateway(t, { origin, upstream: { client, ...upstream }, ...withoutRules, ...more });

  t.test(`${client}: headers`, async (t) => {
    const stranger = [
      'Accept: */*',
      'X-Forwarded-For: 192.0.2.7',
      'X_Forwarded_For: 192.0.2.7',
      'x-forwarded_for: 192.0.2.7',
      'X-Real-IP: 192.0.2.7',
      'X_Real_Ip: 192.0.2.7',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Port: 1',
      'X-Request-Id: mine',
      'Forwarded: for=192.0.2.7',
      'True-Client-IP: 192.0.2.7',
      'CF-Connecting-IP: 192.0.2.7',
      'Keep-Alive: timeout=1',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eA==',
      'TE: trailers',
      'Upgrade-Insecure-Requests: 1',
      'X-Portcullis-Selftest: guess',
      'X-Hop: 1',
      'Connection: keep-alive, X-Hop',
      'Cookie: a=1',
      'Cookie: b=2',
      'X-Latin: caf\xe9',
    ];
    const origin = await startNodeOrigin(t);

    await t.test('of a stranger: what speaks for the client is ours', async (t) => {
      const { port } = await open(t, origin.origin, {}, { client: { trustedProxies: [] } });
      const { responses } = await send(port, get('/inspect', ...stranger));
      t.strictSame(inspected(only(responses)), [
        'accept: */*',
        'cookie: a=1',
        'cookie: b=2',
        'host: site.test',
        'upgrade-insecure-requests: 1',
        'x-forwarded-for: 127.0.0.1',
        'x-forwarded-host: site.test',
        'x-forwarded-proto: http',
        'x-latin: caf\xe9',
        'x-real-ip: 127.0.0.1',
        'x-request-id: id',
      ]);
    });

    await t.test('of a trusted proxy: its word on the client is passed on', async (t) => {
      const { port } = await open(t, origin.origin);
      const { responses } = await send(port, get('/inspect', ...stranger.slice(1, 9)));
      t.strictSame(inspected(only(responses)), [
        'host: site.test',
        'x-forwarded-for: 192.0.2.7',
        'x-forwarded-host: site.test',
        'x-forwarded-port: 1',
        'x-forwarded-proto: https',
        'x-real-ip: 192.0.2.7',
        'x-request-id: id',
      ]);
    });

    await t.test('one length, and one coding', async (t) => {
      const { port } = await open(t, origin.origin);
      const withLength = await send(port, post('/inspect', 'hello'));
      t.strictSame(
        inspected(only(withLength.responses)).filter((line) => /^(content-length|transfer-encoding)/.test(line)),
        ['content-length: 5'],
      );
      const inChunks = await send(
        port,
        request('POST', '/inspect', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nX-T: y\r\n\r\n'),
      );
      t.strictSame(
        inspected(only(inChunks.responses)).filter((line) => /^(content-length|transfer-encoding)/.test(line)),
        ['transfer-encoding: chunked'],
      );
    });

    await t.test('of an answer: those for one hop are removed', async (t) => {
      const { port } = await open(t, origin.origin);
      const { responses } = await send(port, get('/headers'));
      const names = only(responses).headers.filter(([name]) => !/^(date|keep-alive)$/i.test(name));
      t.strictSame(names, [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Multi', 'one'],
        ['X-Multi', 'two'],
        ['Server', 'origin/1'],
        // As the origin's UTF-8 reads in latin1.
        ['X-Latin', 'caf\xc3\xa9'],
        ['Content-Length', '8'],
        ['Connection', 'keep-alive'],
      ]);
      t.equal(headerOf(only(responses), 'keep-alive'), 'timeout=65', 'the one of the gateway');
    });

    await t.test('of an answer cannot inject others', async (t) => {
      for (const bad of [
        'X: a\rSet-Cookie: b=1',
        'X: a\nSet-Cookie: b=1',
        'X: a\r\n\tb',
        'X: a\x00b',
        'X y: z',
        ': z',
      ]) {
        const raw = await startRawOrigin(t, ({ socket }) => socket.end(answer('evil', `${bad}\r\n`)));
        const { port } = await open(t, raw.origin);
        const { responses, text } = await send(port, get('/'));
        t.equal(only(responses).status, 502, JSON.stringify(bad));
        t.notMatch(text, /Set-Cookie|evil/i);
      }
    });
  });

  t.test(`${client}: bodies`, async (t) => {
    const origin = await startNodeOrigin(t);
    const { port } = await open(t, origin.origin);

    await t.test('every framing comes through', async (t) => {
      const targets = ['/echo', '/large?bytes=300000', '/chunked?count=50&size=2000', '/trailers', '/processing'];
      // undici takes an unasked 100 for a fault.
      if (client === 'http1') targets.push('/continue');
      for (const target of targets) {
        const { responses } = await send(port, post(target, 'hello'));
        const { status, body, complete } = only(responses);
        t.ok(status === 200 && complete && body.length > 0, target);
        t.strictSame(
          responses.filter((one) => one.status < 200).map((one) => one.status),
          [],
          `${target}: no interim answer`,
        );
      }
    });

    await t.test('none where none may be', async (t) => {
      const head = await send(port, `${request('HEAD', '/large?bytes=5', [])}${get('/a')}`, {
        until: 2,
        methods: ['HEAD'],
      });
      t.equal(headerOf(only(head.responses), 'content-length'), '5');
      t.equal(head.responses[1]?.body.toString(), 'origin GET /a\n');
      for (const code of [204, 304]) {
        const { responses } = await send(port, `${get(`/status?code=${code}`)}${get('/a')}`, { until: 2 });
        t.strictSame(
          responses.map(({ status }) => status),
          [code, 200],
        );
        t.equal(responses[1]?.body.toString(), 'origin GET /a\n');
      }
    });

    await t.test('an HTTP/1.0 client gets a body that ends with the connection', async (t) => {
      const { responses, closed } = await send(port, 'GET /chunked HTTP/1.0\r\n\r\n', { until: 'close' });
      t.equal(headerOf(only(responses), 'transfer-encoding'), null);
      t.equal(only(responses).body.length, 30);
      t.ok(closed);
    });

    await t.test('early hints are passed on', async (t) => {
      const { responses } = await send(port, get('/early-hints'));
      t.strictSame(
        responses.map(({ status }) => status),
        [103, 200],
      );
      t.match(headerOf(responses[0] as RawResponse, 'link'), /style\.css/);
    });

    await t.test('events are not held back', async (t) => {
      const conversation = send(port, [get('/sse?count=2'), { waitFor: 'data: 1' }, { waitFor: 'data: 2' }]);
      await origin.arrived(origin.requests.length);
      await origin.release();
      await origin.release();
      const { responses } = await conversation;
      t.ok(only(responses).complete);
    });

    await t.test('an answer before the body has come is delivered, and the connection ends', async (t) => {
      for (const target of ['/early', '/early?close=1']) {
        const before = origin.requests.length;
        const { responses, closed, reset } = await send(
          port,
          [request('POST', target, ['Content-Length: 100000']), 'x'.repeat(10_000)],
          { until: 'close' },
        );
        t.equal(only(responses).status, 413, target);
        t.ok(only(responses).complete);
        t.equal(headerOf(only(responses), 'connection'), 'close');
        t.ok(closed && !reset);
        t.equal(origin.requests.length, before + 1);
      }
    });

    await t.test('an expectation is answered here and not passed on', async (t) => {
      const { responses } = await send(port, [
        request('POST', '/inspect', ['Content-Length: 5', 'Expect: 100-Continue']),
        { waitFor: '100 Continue' },
        'hello',
      ]);
      t.strictSame(
        responses.map(({ status }) => status),
        [100, 200],
      );
      t.notOk(inspected(only(responses)).some((line) => line.startsWith('expect')));
      const unknown = await send(port, request('POST', '/never', ['Content-Length: 5', 'Expect: x'], 'hello'));
      t.equal(only(unknown.responses).status, 417);
      t.notOk(origin.requests.some(({ url }) => url === '/never'));
    });
  });

  t.test(`${client}: an origin that fails`, async (t) => {
    const limits = { headersTimeout: '300ms', bodyTimeout: '300ms', responseHeaderBytes: 8192 };

    await t.test('before it answers: 502 or 504, and the connection goes on', async (t) => {
      const origin = await startNodeOrigin(t);
      const { port } = await open(t, origin.origin, limits);
      const cases = [
        ['/hang', 504],
        ['/reset', 502],
        ['/garbage', 502],
        ['/big-headers?bytes=12000', 502],
      ] as const;
      for (const [target, status] of cases) {
        const { responses } = await send(port, [get(target), get('/after')], { until: 2 });
        t.strictSame(
          responses.map((one) => one.status),
          [status, 200],
          target,
        );
        t.equal(headerOf(only(responses), 'content-type'), 'application/problem+json');
      }
      const { port: refused } = await open(t, `http://127.0.0.1:${await freePort()}`);
      t.equal(only((await send(refused, get('/'))).responses).status, 502, 'nobody listens');
    });

    await t.test('within its answer: the client sees that it is not whole', async (t) => {
      const origin = await startNodeOrigin(t);
      const gateway = await open(t, origin.origin, limits);
      for (const target of ['/reset-mid-body', '/truncate', '/truncate-chunked', '/hold-body']) {
        const { responses, closed } = await send(gateway.port, get(target), { until: 'close' });
        t.ok(closed, target);
        t.notOk(only(responses).complete, target);
      }
      for (const line of await accessLogOf(gateway)) t.match(line, { status: 200, outcome: 'failed' });
    });

    await t.test('behind a head without a body: it is given up', async (t) => {
      const raw = await startRawOrigin(
        t,
        ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
      );
      const { port } = await open(t, raw.origin, limits);
      const { closed, responses } = await send(port, get('/'), { until: 'close' });
      t.ok(closed);
      t.notOk(responses.some(({ complete }) => complete));
    });

    await t.test('but one that streams events may be silent', async (t) => {
      const origin = await startNodeOrigin(t);
      const { port } = await open(t, origin.origin, { bodyTimeout: '50ms' });
      const conversation = send(port, [get('/sse?count=2'), { waitFor: 'data: 2' }]);
      await origin.arrived(1);
      // Another answer is given up for being silent; only then do the events go on.
      await send(port, get('/hold-body'), { until: 'close' });
      await origin.release();
      await origin.release();
      await origin.release();
      t.ok(only((await conversation).responses).complete);
    });

    await t.test('with more requests than may wait: 503', async (t) => {
      const origin = await startNodeOrigin(t);
      const { port } = await open(t, origin.origin, { queue: 2, connections: 1 });
      const held = [send(port, get('/hold')), send(port, get('/hold'))];
      await origin.arrived(1);
      // The second has no connection to be seen on; a third finds the queue full once it is there.
      let refused = await send(port, get('/status'));
      while (only(refused.responses).status !== 503) refused = await send(port, get('/status'));
      t.equal(headerOf(only(refused.responses), 'retry-after'), '2');
      await origin.release();
      await origin.release();
      for (const { responses } of await Promise.all(held)) t.equal(only(responses).status, 200);
    });
  });

  t.test(`${client}: a kept connection that turns out to be closed`, async (t) => {
    /** Answers the first request of each connection, then closes at the next; `behind` comes before that. */
    const closing = (behind = ''): Promise<Awaited<ReturnType<typeof startRawOrigin>>> =>
      startRawOrigin(t, (connection) => {
        if (requestsOn(connection) === 1) connection.socket.write(answer('ok'));
        else connection.socket.end(behind);
      });

    await t.test('GET, HEAD and OPTIONS are tried once more, with the same headers', async (t) => {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const raw = await closing();
        const { port } = await open(t, raw.origin, { connections: 1 });
        const both = [get('/1'), { waitFor: 'ok' }, request(method, '/2', ['X: y'])];
        const { responses } = await send(port, both, { until: 2, methods: ['GET', method] });
        t.strictSame(
          responses.map(({ status }) => status),
          [200, 200],
          method,
        );
        const [first = '', second = ''] = raw.connections.map(({ text }) => text());
        t.equal(second, first.slice(first.indexOf(`${method} /2`)), 'the second try is the first again');
      }
    });

    await t.test('POST, PUT, DELETE and whatever has a body are not', async (t) => {
      for (const [method, body] of [
        ['POST', ''],
        ['POST', 'x'],
        ['PUT', 'x'],
        ['DELETE', ''],
        ['GET', 'x'],
      ] as const) {
        const raw = await closing();
        const { port } = await open(t, raw.origin, { connections: 1 });
        const second = request(method, '/2', [`Content-Length: ${body.length}`], body);
        const { responses } = await send(port, [get('/1'), { waitFor: 'ok' }, second], { until: 2 });
        t.strictSame(
          responses.map(({ status }) => status),
          [200, 502],
          `${method} ${body}`,
        );
        const heads = raw.connections.map(({ text }) => text().split(`${method} /2 `).length - 1);
        t.ok(heads.reduce((sum, count) => sum + count, 0) <= 1, 'the origin saw it once at most');
      }
    });

    await t.test('nor is a GET of which some of the answer had come', async (t) => {
      const raw = await closing('HTTP/1.1 102 Processing\r\n\r\n');
      const { port } = await open(t, raw.origin, { connections: 1 });
      const { responses } = await send(port, [get('/1'), { waitFor: 'ok' }, get('/2')], { until: 2 });
      t.strictSame(
        responses.map(({ status }) => status),
        [200, 502],
      );
    });

    await t.test('a try that fails again is the last', async (t) => {
      let requests = 0;
      const raw = await startRawOrigin(t, ({ socket }) => {
        requests += 1;
        if (requests === 1) socket.write(answer('ok'));
        else socket.destroy();
      });
      const { port } = await open(t, raw.origin, { connections: 1 });
      const { responses } = await send(port, [get('/1'), { waitFor: 'ok' }, get('/2')], { until: 2 });
      t.strictSame(
        responses.map(({ status }) => status),
        [200, 502],
      );
      t.equal(requests, 3);
    });
  });

  t.test(`${client}: a client that goes away`, async (t) => {
    const origin = await startNodeOrigin(t);
    const gateway = await open(t, origin.origin);
    const { port } = gateway;

    await t.test('while the origin thinks, while it answers, and while it sends its body', async (t) => {
      const first = send(port, post('/hang', 'x'));
      await origin.arrived(1);
      await openAndReset(port, get('/hang?2'), () => origin.arrived(2));
      await origin.abandoned(1);
      await openAndReset(port, get('/large?bytes=50000000'), (socket) => once(socket, 'data'));
      await origin.abandoned(2);
      const body = request('POST', '/hold', ['Content-Length: 1000'], 'begun');
      await openAndReset(port, body, () => origin.arrived(4));
      const requests = await origin.received(3);
      t.ok(requests.some(({ url, bodyEnd }) => url === '/hold' && bodyEnd === 'aborted'));
      origin.dropConnections();
      t.equal(only((await first).responses).status, 502);
    });

    await t.test('is told apart from an origin that failed', async (t) => {
      const lines = await accessLogOf(gateway);
      t.strictSame(lines.map(({ target, outcome }) => `${String(target)} ${String(outcome)}`).toSorted(), [
        '/hang failed',
        '/hang?2 aborted',
        '/hold aborted',
        '/large?bytes=50000000 aborted',
      ]);
      t.equal(gateway.log.filter(({ level }) => level === 'warn').length, 1);
    });
  });

  t.test(`${client}: back-pressure`, async (t) => {
    await t.test('a client that does not read holds the origin back, and loses nothing', async (t) => {
      const bytes = 64 * 1024 * 1024;
      const origin = await startNodeOrigin(t);
      const { port } = await open(t, origin.origin);
      const socket = connect({ port, host: '127.0.0.1' });
      t.teardown(() => socket.destroy());
      socket.write(get(`/large?bytes=${bytes}`, 'Connection: close'));
      await once(socket, 'readable');
      const before = process.memoryUsage().arrayBuffers;
      // Good clients are served meanwhile.
      for (let index = 0; index < 20; index += 1) await send(port, get('/'));
      t.ok(process.memoryUsage().arrayBuffers - before < 24 * 1024 * 1024, 'little is held in memory');
      let received = 0;
      for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.length;
      t.ok(received > bytes && received < bytes + 1_000, `${received} bytes`);
    });

    await t.test('an origin that does not read holds the client back', async (t) => {
      const raw = await startRawOrigin(t, ({ socket }) => void socket.pause());
      const { port } = await open(t, raw.origin, { headersTimeout: '500ms' });
      const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
      t.teardown(() => socket.destroy());
      let written = 0;
      socket.write(request('POST', '/', ['Content-Length: 500000000']));
      const block = Buffer.alloc(65_536);
      const pour = (): void => {
        do written += block.length;
        while (socket.write(block));
      };
      socket.on('drain', pour);
      pour();
      if (client === 'http1') {
        const [first] = (await once(socket, 'data')) as [Buffer];
        t.match(first.toString('latin1'), /^HTTP\/1\.1 504 /, 'and is given up in time');
      } else {
        // undici counts from the end of the request; the client's own patience decides.
        await new Promise<void>((resolve) => {
          let last = -1;
          const look = setInterval(() => {
            if (written === last) resolve(clearInterval(look));
            last = written;
          }, 150);
        });
      }
      t.ok(written < 64 * 1024 * 1024, `${written} bytes were taken`);
    });
  });
}

/** Sends bytes, waits for something to happen, and resets the connection. */
async function openAndReset(port: number, bytes: string, until: (socket: Socket) => Promise<unknown>): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(bytes, 'latin1');
  await until(socket);
  socket.resetAndDestroy();
}
