/** The misbehaviour that the Node origin offers, route by route, as raw bytes on the wire. */
import t from 'tap';
import { headerOf } from '../http-response.ts';
import { send, type RawResult } from '../raw-client.ts';
import { startNodeOrigin } from './node-origin.ts';
import { startRawOrigin } from './raw-origin.ts';
import { encodeFrame, takeFrame, webSocketAccept } from './websocket-echo.ts';

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
const bodyOf = (answer: RawResult, index = 0): string => answer.responses[index]?.body.toString('latin1') ?? '';

t.test('records method, target, raw headers, body and connection', async (t) => {
  const origin = await startNodeOrigin(t);
  const post =
    'POST /echo?a=%20 HTTP/1.1\r\nHost: a.test\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 3\r\n\r\na\x00\xff';
  const answer = await send(origin.port, [post.slice(0, 60), post.slice(60), get('/plain')], { until: 2 });
  t.equal(bodyOf(answer), 'a\x00\xff');
  t.equal(bodyOf(answer, 1), 'origin GET /plain\n');
  const [first, second] = await origin.received(2);
  t.match(first, { method: 'POST', url: '/echo?a=%20', bodyEnd: 'complete', httpVersion: '1.1' });
  t.same(first?.rawHeaders, ['Host', 'a.test', 'X-One', '1', 'x-one', '2', 'Content-Length', '3']);
  t.equal(first?.body.toString('latin1'), 'a\x00\xff');
  t.equal(second?.connection, first?.connection);
  t.equal(origin.connections(), 1);
});

t.test('holds an answer until it is released', async (t) => {
  const origin = await startNodeOrigin(t);
  const answer = send(origin.port, get('/hold'));
  await origin.received(1);
  await origin.release();
  t.equal(bodyOf(await answer), 'released\n');
  const streamed = send(origin.port, [get('/sse?count=2'), { waitFor: 'data: 1' }, { waitFor: 'data: 2' }]);
  await origin.release();
  await origin.release();
  t.equal(bodyOf(await streamed), 'data: 1\n\ndata: 2\n\n');
});

t.test('breaks off in the ways that origins do', async (t) => {
  const origin = await startNodeOrigin(t);
  const close = { until: 'close' } as const;
  const reset = await send(origin.port, get('/reset'), close);
  t.match(reset, { reset: true, text: '' });
  const midBody = await send(origin.port, get('/reset-mid-body'), close);
  t.match(midBody, { closed: true, responses: [{ status: 200, complete: false }] });
  const truncated = await send(origin.port, get('/truncate'), close);
  t.match(truncated, { reset: false, responses: [{ complete: false }] });
  t.equal(bodyOf(truncated).length, 500);
  const chunks = await send(origin.port, get('/truncate-chunked'), close);
  t.match(chunks.responses, [{ complete: false }]);
  const idle = await send(origin.port, get('/close-idle'), close);
  t.match(idle.responses, [{ complete: true }]);
  const reused = await send(origin.port, [get('/close-on-reuse'), { waitFor: 'reuse\n' }, get('/next')], close);
  t.equal(reused.statusLines.length, 1);
  t.equal(origin.requests.length, 6, 'the request that met the end of the connection was not seen');
});

t.test('an unanswered request is reported as abandoned when its client goes', async (t) => {
  const origin = await startNodeOrigin(t);
  await send(origin.port, [get('/hang'), { abort: true }]);
  await origin.abandoned(1);
  t.equal(origin.requests[0]?.url, '/hang');
});

t.test('sends large, chunked and trailed bodies', async (t) => {
  const origin = await startNodeOrigin(t);
  const large = await send(origin.port, get('/large?bytes=1000000'));
  t.equal(large.responses[0]?.body.length, 1_000_000);
  t.equal(bodyOf(await send(origin.port, get('/chunked?count=3&size=2'))), 'aabbcc');
  const trailed = await send(origin.port, get('/trailers'));
  t.same(trailed.responses[0]?.trailers, [['X-Checksum', 'abc']]);
});

t.test('sends interim responses', async (t) => {
  const origin = await startNodeOrigin(t);
  const statuses = async (target: string): Promise<readonly number[]> =>
    (await send(origin.port, get(target))).responses.map((one) => one.status);
  t.same(await statuses('/early-hints'), [103, 200]);
  t.same(await statuses('/processing'), [102, 200]);
  const head = 'POST /continue HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n';
  const expected = await send(origin.port, [head, { waitFor: '100 Continue\r\n\r\n' }, 'ok']);
  t.same(
    expected.responses.map((one) => one.status),
    [100, 200],
  );
  t.equal(bodyOf(expected, 1), 'ok');
});

t.test('answers early, with any status and with awkward headers', async (t) => {
  const origin = await startNodeOrigin(t);
  const head = 'POST /early?close=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n';
  t.match(await send(origin.port, head, { until: 'close' }), { statusLines: ['HTTP/1.1 413 Payload Too Large'] });
  t.match((await send(origin.port, get('/status?code=204'))).responses, [{ status: 204, complete: true }]);
  const headers = await send(origin.port, get('/headers'));
  t.equal(headers.responses[0] && headerOf(headers.responses[0], 'set-cookie'), 'a=1, b=2');
});

t.test('echoes WebSocket messages of every length form', async (t) => {
  const origin = await startNodeOrigin(t);
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';
  const upgrade = `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
  const mask = Buffer.from([1, 2, 3, 4]);
  const sizes = [5, 126, 70_000];
  const frames = sizes.map((size) => encodeFrame({ opcode: 2, final: true, payload: Buffer.alloc(size, 'w') }, mask));
  const close = encodeFrame({ opcode: 8, final: true, payload: Buffer.from([3, 232]) }, mask);
  const answer = await send(origin.port, [upgrade, ...frames, close], { until: 'close' });
  t.equal(answer.responses[0] && headerOf(answer.responses[0], 'sec-websocket-accept'), webSocketAccept(key));
  t.equal(webSocketAccept(key), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'the example of RFC 6455');
  const lengths: number[] = [];
  let rest = answer.bytes.subarray(answer.bytes.indexOf('\r\n\r\n') + 4);
  for (let taken = takeFrame(rest); taken; taken = takeFrame(rest)) {
    lengths.push(taken.frame.payload.length);
    rest = taken.rest;
  }
  t.same(lengths, [...sizes, 2]);
});

t.test('the raw origin keeps the bytes as they came', async (t) => {
  const origin = await startRawOrigin(t, ({ socket, text }) => {
    if (text().endsWith('\r\n\r\n')) socket.end('HTTP/1.0 200 OK\r\n\r\nno length');
  });
  const answer = await send(origin.port, ['gEt  / HTTP/9\r\n', 'X : y\r\n\r\n'], { until: 'close' });
  t.equal(bodyOf(answer), 'no length');
  t.equal(origin.connections[0]?.text(), 'gEt  / HTTP/9\r\nX : y\r\n\r\n');
});

t.test('a wait that gets nowhere fails with what had arrived', async (t) => {
  const origin = await startNodeOrigin(t);
  await t.rejects(send(origin.port, get('/hold-body'), { timeoutMs: 200 }), /received: "HTTP\/1.1 200 OK.*first/);
  const answered = send(origin.port, [get('/'), { waitFor: 'never' }], { timeoutMs: 200 });
  await t.rejects(answered, /no end within 200 ms/);
});
