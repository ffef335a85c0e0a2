/** Clients that send too much, too slowly, or do not read: each is cut within its limit while good ones are served. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { headerOf } from '../support/http-response.ts';
import { send } from '../support/raw-client.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { metricsOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const get = (target: string, ...headers: readonly string[]): string =>
  `${[`GET ${target} HTTP/1.1`, 'Host: site.test', ...headers].join('\r\n')}\r\n\r\n`;
const post = (target: string, ...headers: readonly string[]): string =>
  `${[`POST ${target} HTTP/1.1`, 'Host: site.test', ...headers].join('\r\n')}\r\n\r\n`;

t.test('too much', async (t) => {
  const origin = await startNodeOrigin(t);
  const limits = { headerBytes: 4096, headerCount: 20, targetBytes: 512, bodyBytes: 10_000 };
  const { port } = await startTestGateway(t, { origin: origin.origin, limits });
  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: y`);

  const heads: readonly (readonly [name: string, status: number, bytes: string])[] = [
    ['header bytes', 431, get('/', `X: ${'y'.repeat(5_000)}`)],
    ['header bytes without end', 431, `GET / HTTP/1.1\r\nX: ${'y'.repeat(900_000)}`],
    ['bytes of a target without end', 431, `GET /${'y'.repeat(900_000)}`],
    ['header lines', 431, get('/', ...many(20))],
    ['header lines, empty ones too', 431, get('/', ...many(20).map((line) => line.slice(0, -1)))],
    ['target', 414, get(`/${'y'.repeat(512)}`)],
    ['an announced body', 413, post('/', 'Content-Length: 10001')],
  ];
  t.equal(heads.length, 7);
  for (const [name, status, bytes] of heads) {
    await t.test(name, async (t) => {
      const { responses, closed, reset } = await send(port, bytes, { until: 'close' });
      t.strictSame(
        responses.map((one) => one.status),
        [status],
      );
      t.ok(closed && !reset, 'the answer can be read before the connection ends');
    });
  }
  t.strictSame(origin.requests.length, 0, 'the origin saw none of them');

  await t.test('as much as allowed', async (t) => {
    const bytes = [
      get(`/${'y'.repeat(511)}`),
      get('/', ...many(19)),
      post('/', 'Content-Length: 10000') + 'x'.repeat(10_000),
    ];
    const { responses } = await send(port, bytes, { until: 3 });
    t.strictSame(
      responses.map((one) => one.status),
      [200, 200, 200],
    );
  });

  await t.test('a body that grows in chunks', async (t) => {
    const before = origin.requests.length;
    const chunk = `3e8\r\n${'x'.repeat(1_000)}\r\n`;
    const steps = [post('/', 'Transfer-Encoding: chunked'), ...Array.from({ length: 40 }, () => chunk)];
    const { responses, reset } = await send(port, steps, { until: 'close' });
    t.strictSame(
      responses.map((one) => one.status),
      [413],
    );
    t.notOk(reset);
    const requests = await origin.received(before + 1);
    t.equal(requests[before]?.bodyEnd, 'aborted', 'the origin knows that the body is not whole');
  });

  await t.test('connections', async (t) => {
    const few = await startTestGateway(t, {
      origin: origin.origin,
      limits: { connections: 3 },
      admin: { listen: '127.0.0.1:0' },
    });
    const held = Array.from({ length: 3 }, () => connect({ port: few.port, host: '127.0.0.1' }));
    t.teardown(() => held.forEach((socket) => socket.destroy()));
    for (const socket of held) socket.write(get('/'));
    await Promise.all(held.map((socket) => once(socket, 'data')));
    const above = connect({ port: few.port, host: '127.0.0.1' }).on('error', () => {});
    await once(above, 'close');
    held[0]?.end();
    await eventually(
      () => send(few.port, get('/')).catch(() => null),
      (result) => result?.responses[0]?.status === 200,
    );
    const metrics = await metricsOf(few.gateway.adminUrl ?? '');
    t.ok((metrics.get('portcullis_dropped_connections_total') ?? 0) >= 1);
  });

  await t.test('requests on one connection', async (t) => {
    const few = await startTestGateway(t, { origin: origin.origin, limits: { requestsPerConnection: 2 } });
    const { responses, closed } = await send(few.port, [get('/1'), get('/2')], { until: 'close' });
    t.strictSame(
      responses.map((one) => one.status),
      [200, 200],
    );
    t.equal(headerOf(responses[1] ?? fail('no response'), 'connection'), 'close');
    t.ok(closed);
  });
});

t.test('too slow', async (t) => {
  const origin = await startNodeOrigin(t);
  const limits = { headersTimeout: '1s', bodyGrace: '1s', minBodyRate: 10_000, keepAliveTimeout: '500ms' };
  const gateway = await startTestGateway(t, { origin: origin.origin, limits });
  const { port } = gateway;

  /** Sends a byte of `drip` now and then until the gateway ends the connection; resolves with what came back. */
  const dripping = async (start: string, drip: string): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false }).on('error', () => {});
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(start);
    const timer = setInterval(() => socket.write(drip), 50);
    await once(socket, 'close');
    clearInterval(timer);
    return text;
  };

  const cases: readonly (readonly [name: string, expected: RegExp, start: string, drip: string])[] = [
    ['headers that never end', /^HTTP\/1\.1 408 /, 'GET / HTTP/1.1\r\nHost: site.test\r\n', 'X: y\r\n'],
    ['a request line that never ends', /^HTTP\/1\.1 408 /, 'GET /', 'x'],
    ['headers that stop', /^HTTP\/1\.1 408 /, 'GET / HTTP/1.1\r\nHost: site', ''],
    ['a connection that says nothing', /^(?:HTTP\/1\.1 408 |$)/, '', ''],
    ['the second request of a connection', /200 OK[\s\S]*HTTP\/1\.1 408 /, `${get('/')}GET /`, 'x'],
    ['a body with a length', /^HTTP\/1\.1 408 /, post('/', 'Content-Length: 100000'), 'x'],
    ['a body in chunks', /^HTTP\/1\.1 408 /, post('/', 'Transfer-Encoding: chunked'), '1\r\nx\r\n'],
    ['a body that stops', /^HTTP\/1\.1 408 /, `${post('/', 'Content-Length: 100')}begun`, ''],
    [
      'a body that is waited for with 100',
      /100 Continue[\s\S]*HTTP\/1\.1 408 /,
      post('/', 'Content-Length: 9', 'Expect: 100-continue'),
      '',
    ],
    ['an idle connection', /^HTTP\/1\.1 200 OK[\s\S]*origin GET \/\n/, get('/'), ''],
  ];
  t.equal(cases.length, 10);
  const running = cases.map(async ([name, expected, start, drip]) => ({
    name,
    expected,
    text: await dripping(start, drip),
  }));

  // Good clients are served while all of the above drip.
  let served = 0;
  const stop = new AbortController();
  const good = (async () => {
    while (!stop.signal.aborted) {
      const { responses } = await send(port, get('/good'));
      if (responses[0]?.status === 200) served += 1;
    }
  })();
  for (const { name, expected, text } of await Promise.all(running)) t.match(text, expected, name);
  stop.abort();
  await good;
  t.ok(served > 10, `${served} good requests were served meanwhile`);
  t.notOk(
    origin.requests.some(({ url, bodyEnd, method }) => url === '/' && method === 'POST' && bodyEnd === 'complete'),
  );
});

t.test('a slow origin does not make a good upload look slow', async (t) => {
  const origin = await startNodeOrigin(t, {
    handler(request, response) {
      request.pause();
      // Reads only once the gateway has looked at rates several times.
      setTimeout(() => {
        request.resume();
        request.once('end', () => response.end('taken'));
      }, 2_500).unref();
      return true;
    },
  });
  const limits = { bodyGrace: '1s', minBodyRate: 1_000_000 };
  const { port } = await startTestGateway(t, { origin: origin.origin, limits });
  const body = Buffer.alloc(20 * 1024 * 1024);
  const { responses } = await send(port, [post('/', `Content-Length: ${body.length}`), body]);
  t.equal(responses[0]?.status, 200);
});

t.test('a client that does not read is cut, one that reads slowly is not', async (t) => {
  const origin = await startNodeOrigin(t);
  const { port, gateway } = await startTestGateway(t, {
    origin: origin.origin,
    limits: { minResponseRate: 100_000_000, bodyGrace: '1s' },
    admin: { listen: '127.0.0.1:0' },
  });
  const open = (): Socket => {
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    socket.write(get('/large?bytes=40000000', 'Connection: close'));
    t.teardown(() => socket.destroy());
    return socket;
  };
  const deaf = open();
  deaf.pause();
  const slow = open();
  let received = 0;
  const taken = (async () => {
    for await (const chunk of slow as AsyncIterable<Buffer>) {
      received += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await origin.abandoned(1);
  await taken;
  t.ok(received > 40_000_000);
  const metrics = await metricsOf(gateway.adminUrl ?? '');
  t.equal(metrics.get('portcullis_slow_clients_total'), 1);
});

function fail(message: string): never {
  throw new Error(message);
}
