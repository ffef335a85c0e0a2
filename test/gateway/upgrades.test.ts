/** WebSocket upgrades: the same decisions as every request, then bytes both ways until either side or the gateway ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { headerOf } from '../support/http-response.ts';
import { send } from '../support/raw-client.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { freePort } from '../support/servers/process.ts';
import { startRawOrigin } from '../support/servers/raw-origin.ts';
import { encodeFrame, takeFrame, webSocketAccept } from '../support/servers/websocket-echo.ts';
import { controlOf } from './visitors.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const mask = Buffer.from([1, 2, 3, 4]);
const text = (payload: string): Buffer => encodeFrame({ opcode: 1, final: true, payload: Buffer.from(payload) }, mask);

const upgrade = (target: string, ...headers: readonly string[]): string =>
  [
    `GET ${target} HTTP/1.1`,
    'Host: site.test',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    ...headers,
    '\r\n',
  ].join('\r\n');

async function open(t: Test, settings: object = {}): Promise<TestGateway & { readonly origin: NodeOrigin }> {
  const origin = await startNodeOrigin(t);
  return {
    ...(await startTestGateway(t, { origin: origin.origin, limits: { drainTimeout: '300ms' }, ...settings })),
    origin,
  };
}

/** An open WebSocket; `next` waits for the payload of the next frame. */
async function openSocket(t: Test, port: number): Promise<{ socket: Socket; readonly next: () => Promise<string> }> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  t.teardown(() => socket.destroy());
  let bytes = Buffer.alloc(0);
  let changed = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    changed.resolve();
    changed = Promise.withResolvers();
  });
  const until = async <Found>(find: () => Found | null): Promise<Found> => {
    for (;;) {
      const found = find();
      if (found !== null) return found;
      await changed.promise;
    }
  };
  socket.write(upgrade('/ws'));
  await until(() => {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) return null;
    bytes = bytes.subarray(end + 4);
    return true;
  });
  return {
    socket,
    next: () =>
      until(() => {
        const taken = takeFrame(bytes);
        if (taken === null) return null;
        bytes = Buffer.from(taken.rest);
        return taken.frame.payload.toString();
      }),
  };
}

t.test('an upgrade is carried, with the headers of every request', async (t) => {
  const { port, origin } = await open(t);
  const headers = [
    'X-Forwarded-For: 192.0.2.7',
    'X_Forwarded_For: 1',
    'Sec-WebSocket-Protocol: chat, other',
    'Cookie: a=1',
    'Cookie: b=2',
  ];
  const { responses } = await send(port, upgrade('//ws//x?y=//z', ...headers));
  const [response] = responses;
  t.equal(response?.status, 101);
  t.equal(response && headerOf(response, 'sec-websocket-accept'), webSocketAccept(key));
  t.equal(response && headerOf(response, 'sec-websocket-protocol'), 'chat');
  const [seen] = await origin.arrived(1);
  t.equal(seen?.url, '//ws//x?y=//z', 'the target is the one that was judged');
  t.match(seen?.headers, {
    host: 'site.test',
    upgrade: 'websocket',
    'x-forwarded-for': '192.0.2.7',
    'x-real-ip': '192.0.2.7',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'site.test',
    cookie: 'a=1; b=2',
  });
  t.match(seen?.headers['connection'], /^upgrade$/i);
  t.notOk(seen?.rawHeaders.some((name) => name.toLowerCase() === 'x_forwarded_for'));
});

t.test('bytes go both ways, those sent ahead of the answer too', async (t) => {
  const { port } = await open(t);
  const { socket, next } = await openSocket(t, port);
  for (const payload of ['one', 'two', 'x'.repeat(100_000)]) {
    socket.write(text(payload));
    t.equal(await next(), payload);
  }
  const { bytes } = await send(port, [
    Buffer.concat([Buffer.from(upgrade('/ws')), text('early')]),
    { waitFor: 'early' },
  ]);
  t.match(bytes.toString('latin1'), /101 Switching[\s\S]*early/);
});

t.test('the end of either side is the end of the other', async (t) => {
  const { port, origin } = await open(t);
  const first = await openSocket(t, port);
  const closed = once(first.socket, 'close');
  origin.dropConnections();
  await closed;
  const raw = await startRawOrigin(t, ({ socket }) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
  });
  const other = await startTestGateway(t, { origin: raw.origin, limits: { drainTimeout: '300ms' } });
  const second = await openSocket(t, other.port);
  const [connection] = raw.connections;
  if (connection === undefined) throw new Error('no connection');
  const ended = once(connection.socket, 'close');
  second.socket.resetAndDestroy();
  await ended;
  t.pass();
});

t.test('an origin that refuses, fails or is not there', async (t) => {
  const { port } = await open(t);
  const refused = await send(port, upgrade('/ws-refuse'), { until: 'close' });
  t.equal(refused.responses[0]?.status, 403);
  t.equal(
    refused.responses[0] && headerOf(refused.responses[0], 'x-request-id'),
    null,
    'the answer is the origin’s own',
  );

  const absent = await startTestGateway(t, { origin: `http://127.0.0.1:${await freePort()}` });
  for (const _ of [1, 2]) {
    const { responses, closed } = await send(absent.port, upgrade('/ws'), { until: 'close' });
    t.strictSame(
      responses.map(({ status }) => status),
      [502],
    );
    t.ok(closed);
  }
  const raw = await startRawOrigin(t, ({ socket }) => socket.destroy());
  const failing = await startTestGateway(t, { origin: raw.origin, limits: { drainTimeout: '300ms' } });
  t.equal((await send(failing.port, upgrade('/ws'), { until: 'close' })).responses[0]?.status, 502);
});

t.test('a banned client is refused before the origin hears of it', async (t) => {
  const { port, gateway, origin } = await open(t);
  await controlOf(gateway.controlSocket).ban('Ip', '203.0.113.5');
  const { responses, closed } = await send(port, upgrade('/ws', 'X-Forwarded-For: 203.0.113.5'), { until: 'close' });
  t.strictSame(
    responses.map(({ status }) => status),
    [403],
  );
  t.ok(closed);
  t.equal(origin.requests.length, 0);
  t.equal((await send(port, upgrade('/ws', 'X-Forwarded-For: 203.0.113.6'))).responses[0]?.status, 101);
});

t.test('a rejected upgrade is answered like any request', async (t) => {
  const { port, origin } = await open(t);
  const { responses, closed } = await send(port, upgrade('/ws', 'Host: other.test'), { until: 'close' });
  t.strictSame(
    responses.map(({ status }) => status),
    [400],
  );
  t.ok(closed);
  t.equal(origin.requests.length, 0);
});

t.test('behind a request that is not answered yet: that one is answered, and the connection ends', async (t) => {
  const { port, origin } = await open(t);
  for (const behind of [upgrade('/ws'), 'CONNECT site.test:443 HTTP/1.1\r\nHost: site.test\r\n\r\n']) {
    const before = origin.requests.length;
    const conversation = send(port, `GET /hold HTTP/1.1\r\nHost: site.test\r\n\r\n${behind}`, { until: 'close' });
    await origin.arrived(before + 1);
    await origin.release();
    const { responses, closed } = await conversation;
    t.strictSame(
      responses.map(({ status }) => status),
      [200],
    );
    t.ok(closed);
    t.equal(origin.requests.length, before + 1);
  }
  t.equal((await send(port, upgrade('/ws'))).responses[0]?.status, 101, 'the gateway goes on');
});

t.test('a client that ends its side is not waited for long', async (t) => {
  // The echo would stay open for ever.
  const { port } = await open(t, { limits: { drainTimeout: '1h' } });
  const { socket } = await openSocket(t, port);
  const closed = once(socket, 'close');
  socket.end();
  await closed;
  t.pass();
});

t.test('one over which nothing passes is closed', async (t) => {
  const { port } = await open(t, { limits: { upgradeIdleTimeout: '1s', drainTimeout: '300ms' } });
  const { socket } = await openSocket(t, port);
  await once(socket, 'close');
  t.pass();
});

t.test('those still open when the drain is over are cut', async (t) => {
  const { port, gateway } = await open(t, { limits: { drainTimeout: '300ms' } });
  const { socket, next } = await openSocket(t, port);
  const stopped = gateway.stop();
  socket.write(text('still there'));
  t.equal(await next(), 'still there');
  await Promise.all([once(socket, 'close'), stopped]);
  t.pass();
});
