/** A gateway that stops: nothing in flight is lost, nothing new is begun, and nobody holds it up for ever. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { headerOf } from '../support/http-response.ts';
import { send } from '../support/raw-client.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { startChildGateway } from './child-gateway.ts';

const get = (target: string, ...headers: readonly string[]): string =>
  `${[`GET ${target} HTTP/1.1`, 'Host: site.test', ...headers].join('\r\n')}\r\n\r\n`;
const post = (target: string, length: number): string =>
  `POST ${target} HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${length}\r\n\r\n`;

t.test('SIGTERM to the program: everything in flight is finished', async (t) => {
  const origin = await startNodeOrigin(t);
  const gateway = await startChildGateway(t, { origin: origin.origin, store: { type: 'memory' } });
  const { port } = gateway;
  const idle = await openIdle(port);
  const held = Array.from({ length: 5 }, (_, index) => send(port, get(`/hold?${index}`)));
  const half = send(port, get('/hold-body'));
  await origin.arrived(7);
  const upload = new Upload(port);
  const download = connect({ port, host: '127.0.0.1' });
  download.write(get('/large?bytes=30000000', 'Connection: close'));
  await once(download, 'readable');
  const pipelined = send(port, [get('/hold?a') + get('/b') + get('/c')], { until: 'close' });
  await origin.arrived(10);

  const idleClosed = once(idle, 'close');
  process.kill(gateway.process.pid, 'SIGTERM');
  await idleClosed;
  t.pass('idle connections are closed at once');
  await t.rejects(send(port, get('/new')), 'new connections are refused');
  upload.finish();
  for (let index = 0; index < 7; index += 1) await origin.release();

  for (const { responses } of await Promise.all(held)) {
    t.equal(responses[0]?.body.toString(), 'released\n');
    t.equal(responses[0] && headerOf(responses[0], 'connection'), 'close');
  }
  t.equal((await half).responses[0]?.body.toString(), 'first\nsecond');
  let downloaded = 0;
  for await (const chunk of download as AsyncIterable<Buffer>) downloaded += chunk.length;
  t.ok(downloaded > 30_000_000, `${downloaded} bytes`);
  t.match(await upload.answer, /^HTTP\/1\.1 200 OK[\s\S]*origin POST \/upload\n/);
  t.strictSame(
    (await pipelined).responses.map(({ body }) => body.toString()),
    ['released\n', 'origin GET /b\n', 'origin GET /c\n'],
  );
  t.equal(await gateway.process.exited, 0);
  t.notOk(origin.requests.some(({ url }) => url === '/new'));
  t.notOk(origin.requests.some(({ bodyEnd }) => bodyEnd === 'aborted'));
});

t.test('the last answer of a connection says so, not one before it', async (t) => {
  const origin = await startNodeOrigin(t);
  const { port, gateway } = await startTestGateway(t, { origin: origin.origin });
  const conversation = send(port, get('/hold?1') + get('/hold?2') + get('/x', 'Host: twice'), { until: 'close' });
  await origin.arrived(1);
  const stopped = gateway.stop();
  await origin.release();
  await origin.release();
  const { responses } = await conversation;
  t.strictSame(
    responses.map((response) => [response.status, headerOf(response, 'connection')]),
    [
      [200, 'keep-alive'],
      [200, 'keep-alive'],
      [400, 'close'],
    ],
  );
  await stopped;
});

t.test('a client that never sends its request does not hold it up', async (t) => {
  const origin = await startNodeOrigin(t);
  const { port, gateway } = await startTestGateway(t, {
    origin: origin.origin,
    limits: { headersTimeout: '1s', drainTimeout: '1h' },
  });
  const sockets = ['', 'GET / HT', 'GET / HTTP/1.1\r\nX: y\r\n'].map((bytes) => {
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    socket.write(bytes);
    t.teardown(() => socket.destroy());
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await send(port, get('/'));
  await gateway.stop();
  t.pass();
});

t.test('what is still open when the drain is over is cut', async (t) => {
  const origin = await startNodeOrigin(t);
  const { port, gateway, log } = await startTestGateway(t, {
    origin: origin.origin,
    limits: { drainTimeout: '200ms' },
  });
  const hanging = send(port, get('/hang'), { until: 'close' });
  await origin.arrived(1);
  await gateway.stop();
  t.strictSame((await hanging).responses, []);
  await origin.abandoned(1);
  t.ok(log.some(({ msg }) => String(msg).includes('drain timeout')));
});

/** A kept connection on which one request was answered. */
async function openIdle(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  socket.write(get('/idle'));
  await once(socket, 'data');
  return socket.resume();
}

/** A body of which the second half is sent when the test says so. */
class Upload {
  readonly answer: Promise<string>;
  readonly #socket: Socket;

  constructor(port: number) {
    const socket = connect({ port, host: '127.0.0.1' });
    this.#socket = socket;
    socket.write(`${post('/upload', 20)}first half`);
    this.answer = (async () => {
      let text = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1');
      return text;
    })();
  }

  finish(): void {
    this.#socket.write('secondhalf');
  }
}
