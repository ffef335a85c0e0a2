/** What flows keeps flowing through rules that look at everything, and whoever breaks off at any moment harms nobody else. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { startRawOrigin } from '../support/servers/raw-origin.ts';
import { encodeFrame, takeFrame } from '../support/servers/websocket-echo.ts';
import { suitePath } from '../support/suites.ts';
import { isWell, open, quiet, strict } from './strict-gateway.ts';

t.test('requests behind a held body wait for it, and are answered in their order', async (t) => {
  const opened = await open(t, quiet);
  const held = 'POST /first HTTP/1.1\r\nHost: a.test\r\nContent-Length: 20\r\n\r\nabc';
  const behind = `${'d'.repeat(17)}GET /second HTTP/1.1\r\nHost: a.test\r\n\r\nGET /eval-stdin.php HTTP/1.1\r\nHost: a.test\r\n\r\nGET /fourth HTTP/1.1\r\nHost: a.test\r\n\r\n`;
  const { responses } = await send(opened.port, [held, behind], { until: 4 });
  t.same(
    responses.map(({ status }) => status),
    [200, 200, 403, 200],
  );
  t.same(
    opened.origin.requests.map(({ url }) => url),
    ['/first', '/second', '/fourth'],
  );
});

t.test('event streams flow through rules that look at responses', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const events = Promise.withResolvers<(event: string) => void>();
  const opened = await open(t, strict(crs), {
    handler(request, response) {
      if (request.url !== '/events') return false;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      events.resolve((event) => void response.write(`data: ${event}\n\n`));
      return true;
    },
  });
  const answer = await opened.ask('/events');
  t.equal(answer.status, 200);
  const reader = answer.body?.getReader();
  const write = await events.promise;
  for (const event of ['one', 'two', 'three']) {
    write(event);
    const { value } = (await reader?.read()) ?? {};
    t.equal(Buffer.from(value ?? []).toString(), `data: ${event}\n\n`, 'each comes before the next is written');
  }
  await reader?.cancel();
  await opened.origin.abandoned(1);
});

t.test('WebSockets flow through rules that look at everything', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { port } = await open(t, strict(crs));
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  t.teardown(() => socket.destroy());
  const headers = 'Host: a.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nConnection: Upgrade\r\nUpgrade: websocket';
  socket.write(
    `GET /socket HTTP/1.1\r\n${headers}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  let received = Buffer.alloc(0);
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) received = Buffer.concat([received, ((await once(socket, 'data')) as [Buffer])[0]]);
  };
  await until(() => received.includes('\r\n\r\n'));
  t.match(received.toString('latin1'), /^HTTP\/1\.1 101 /);
  received = received.subarray(received.indexOf('\r\n\r\n') + 4);
  const attack = "' UNION SELECT password FROM users; -- <script>alert(1)</script>";
  socket.write(encodeFrame({ opcode: 1, final: true, payload: Buffer.from(attack) }, Buffer.from([1, 2, 3, 4])));
  await until(() => takeFrame(received) !== null);
  t.equal(takeFrame(received)?.frame.payload.toString(), attack, 'what goes through it is none of their business');
});

t.test('clients that leave at any moment of a held body', async (t) => {
  const opened = await open(t, quiet);
  const head = 'POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n';
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const moments: readonly string[] = [
    `${head}Content-Length: 500000\r\n\r\n`,
    `${head}Content-Length: 500000\r\nExpect: 100-continue\r\n\r\n`,
    `${head}Content-Length: 500000\r\n\r\n{"a":"`,
    `${chunked}6\r\n{"a":"\r\n`,
    `${chunked}6\r\n{"a":"\r\n5`,
    `${chunked}ffff\r\n{"a":"`,
  ];
  for (const moment of moments) {
    await send(opened.port, [moment, { abort: true }]);
    await send(opened.port, [moment, { half: 'close' }], { until: 'close' });
  }
  t.equal(opened.origin.requests.length, 0, 'the origin saw none of them');
  await send(opened.port, [`${head}Content-Length: 500000\r\n\r\n${'a'.repeat(200_000)}`, { abort: true }]);
  await isWell(t, opened);
});

t.test('clients that leave while a response is held, and origins that break it off', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const begun = Promise.withResolvers<void>();
  const opened = await open(t, strict(crs), {
    handler(request, response) {
      if (request.url === '/held') {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.write('<html>', () => begun.resolve());
        return true;
      }
      if (request.url !== '/broken') return false;
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': '1000' });
      response.write('<html>', () => response.socket?.resetAndDestroy());
      return true;
    },
  });
  const leaving = new AbortController();
  const held = opened.ask('/held', { signal: leaving.signal });
  await begun.promise;
  leaving.abort();
  await t.rejects(held);
  await opened.origin.abandoned(1);
  t.equal((await opened.ask('/broken')).status, 502, 'nothing of it has been passed: it can still be said');
  await isWell(t, opened);
});

t.test('an origin that stalls within a held response is given up', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const raw = await startRawOrigin(t, ({ socket, text }) => {
    if (text().endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<html>');
  });
  const { port } = await startTestGateway(t, {
    waf: {},
    ...strict(crs),
    origin: raw.origin,
    upstream: { bodyTimeout: '1s' },
  });
  const request = 'GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n';
  const { responses } = await send(port, request);
  t.equal(responses[0]?.status, 504);
});
