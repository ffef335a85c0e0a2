/**
 * Requests and responses that are made to hurt whoever looks into them: each gets a verdict, what is held is bounded, and the
 * gateway goes on serving others.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { type NodeOrigin, type NodeOriginOptions, startNodeOrigin } from '../support/servers/node-origin.ts';
import { startRawOrigin } from '../support/servers/raw-origin.ts';
import { encodeFrame, takeFrame } from '../support/servers/websocket-echo.ts';
import { suitePath } from '../support/suites.ts';
import { seededRandom } from '../support/waf-requests.ts';

interface Opened extends TestGateway {
  readonly origin: NodeOrigin;
  readonly ask: (target: string, init?: RequestInit) => Promise<Response>;
}

const quiet = { detection: { builtin: false } };

/** All rules block, and look at responses too. */
function strict(folder: string, more: object = {}): object {
  const coreRules = { mode: 'block', folder, paranoia: 4 };
  return { ...quiet, waf: { coreRules, responseBody: { inspect: true }, ...more } };
}

async function open(t: Test, settings: object, origin: NodeOriginOptions = {}): Promise<Opened> {
  const node = await startNodeOrigin(t, origin);
  const gateway = await startTestGateway(t, { origin: node.origin, ...settings });
  return {
    ...gateway,
    origin: node,
    ask: (target, init = {}) =>
      fetch(`http://127.0.0.1:${gateway.port}${target}`, {
        ...init,
        headers: { 'user-agent': 'Mozilla/5.0', accept: '*/*', ...init.headers },
      }),
  };
}

/** Nothing went wrong in the gateway, and it still answers. */
async function isWell(t: Test, { ask, log }: Opened): Promise<void> {
  t.equal((await ask('/alive')).status, 200);
  t.same(
    log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
}

const post = (type: string, body: string | Buffer): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': type },
});

const random = seededRandom(4_104_001);
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.fraction() * 256));

const multipart = 'multipart/form-data; boundary=sep';
const disposition = 'Content-Disposition: form-data; name="a"';

const bodies: Readonly<Record<string, readonly [type: string, body: string | Buffer]>> = {
  'a truncated multipart body': [multipart, `--sep\r\n${disposition}; filename="x"\r\n\r\nabc`],
  'a part that is all headers': [multipart, `--sep\r\n${'X: y\r\n'.repeat(20_000)}`],
  'boundaries without parts': [multipart, '--sep\r\n'.repeat(20_000)],
  'a boundary of nothing': ['multipart/form-data; boundary=', '--\r\n\r\n--\r\n--'],
  'a thousand parts': [multipart, `${`--sep\r\n${disposition}\r\n\r\n1\r\n`.repeat(1_000)}--sep--\r\n`],
  'JSON of a hundred thousand levels': ['application/json', '['.repeat(100_000)],
  'JSON of levels that end': ['application/json', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
  'JSON cut within an escape': ['application/json', '{"a":"\\ud83'],
  'JSON of one number': ['application/json', '9'.repeat(100_000)],
  'JSON with a key a hundred thousand times': ['application/json', `{${'"a":1,'.repeat(20_000)}"a":1}`],
  'JSON that names the prototype': ['application/json', '{"__proto__":{"a":1},"constructor":{"prototype":1}}'],
  'an entity bomb': [
    'text/xml',
    `<!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">${Array.from({ length: 20 }, (_, level) => `<!ENTITY a${level + 1} "${`&a${level};`.repeat(10)}">`).join('')}]><a>&a20;</a>`,
  ],
  'an external entity': ['text/xml', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
  'XML of a hundred thousand levels': ['text/xml', '<a>'.repeat(40_000)],
  'XML of attributes': ['text/xml', `<a ${Array.from({ length: 15_000 }, (_, index) => `b${index}=""`).join(' ')}/>`],
  'a hundred thousand arguments': ['application/x-www-form-urlencoded', 'a&'.repeat(100_000)],
  'a hundred thousand names': [
    'application/x-www-form-urlencoded',
    Array.from({ length: 20_000 }, (_, index) => `n${index}=1`).join('&'),
  ],
  'a form of percent signs': ['application/x-www-form-urlencoded', `a=${'%'.repeat(100_000)}`],
  'a form of quotes': ['application/x-www-form-urlencoded', `a=${'%22%27('.repeat(15_000)}`],
  'a form of broken UTF-8': [
    'application/x-www-form-urlencoded',
    Buffer.concat([Buffer.from('a='), Buffer.alloc(50_000, 0xff), Buffer.alloc(50_000, 0xc0)]),
  ],
  'nothing but zeros': ['application/x-www-form-urlencoded', Buffer.alloc(130_000)],
  'a form of noise': ['application/x-www-form-urlencoded', noise(130_000)],
  'JSON of noise': ['application/json', noise(130_000)],
  'XML of noise': ['text/xml', noise(130_000)],
  'multipart noise': [multipart, noise(130_000)],
};

t.test('bodies made to hurt get a verdict', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const opened = await open(t, strict(crs));
  const names = Object.keys(bodies);
  t.equal(names.length, 25);
  for (const name of names) {
    const [type, body] = bodies[name] ?? ['', ''];
    const { status } = await opened.ask('/a', post(type, body));
    t.ok(status === 200 || status === 400 || status === 403, `${name}: ${status}`);
  }
  await isWell(t, opened);
});

t.test('what rules pass of such bodies comes to the origin as it was sent', async (t) => {
  const opened = await open(t, { ...quiet, waf: { requestBody: { over: 'partial' } } });
  const names = Object.keys(bodies);
  for (const [index, name] of names.entries()) {
    const [type, body] = bodies[name] ?? ['', ''];
    t.equal((await opened.ask('/a', post(type, body))).status, 200, name);
    const received = (await opened.origin.received(index + 1))[index]?.body;
    t.ok(received?.equals(Buffer.from(body)), `${name}: ${received?.length} bytes`);
  }
});

t.test('responses that unpack to more than anybody can hold are passed as they came', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const zeros = Buffer.alloc(64 * 1024 ** 2);
  const encoders = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;
  const bombs = new Map<string, Buffer>(Object.entries(encoders).map(([name, encode]) => [name, encode(zeros)]));
  bombs.set('gzip, gzip', gzipSync(gzipSync(zeros)));
  bombs.set('gzip-cut', gzipSync(zeros).subarray(0, 1_000));
  bombs.set('gzip-not', Buffer.from('this is no gzip at all'));
  const opened = await open(t, strict(crs), {
    handler(request, response) {
      const name = decodeURIComponent(request.url?.slice(1) ?? '');
      const bomb = bombs.get(name);
      if (bomb === undefined) return false;
      response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': name.replace(/-.*/, '') }).end(bomb);
      return true;
    },
  });
  t.equal(bombs.size, 6);
  for (const [name, bomb] of bombs) {
    const answer = await send(
      opened.port,
      `GET /${encodeURIComponent(name)} HTTP/1.1\r\nHost: a.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n`,
    );
    t.equal(answer.responses[0]?.status, 200, name);
    t.ok(answer.responses[0]?.body.equals(bomb), `${name}: ${answer.responses[0]?.body.length} bytes`);
  }
  await isWell(t, opened);
});

t.test('a body that comes too slowly is cut off while it is held', async (t) => {
  const opened = await open(t, { ...quiet, limits: { minBodyRate: '100KiB', bodyGrace: '1s' } });
  const head = 'POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\nabc';
  const { responses } = await send(opened.port, head, { until: 'close' });
  t.equal(responses[0]?.status, 408);
  t.equal(opened.origin.requests.length, 0, 'the origin saw nothing of it');
  await isWell(t, opened);
});

t.test('requests behind a held body wait for it, and are answered in their order', async (t) => {
  const opened = await open(t, quiet);
  const held = 'POST /first HTTP/1.1\r\nHost: a.test\r\nContent-Length: 20\r\n\r\nabc';
  const behind = `${'d'.repeat(17)}GET /second HTTP/1.1\r\nHost: a.test\r\n\r\nGET /.env HTTP/1.1\r\nHost: a.test\r\n\r\nGET /fourth HTTP/1.1\r\nHost: a.test\r\n\r\n`;
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
    ...strict(crs),
    origin: raw.origin,
    upstream: { bodyTimeout: '1s' },
  });
  const request = 'GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n';
  const { responses } = await send(port, request);
  t.equal(responses[0]?.status, 504);
});

t.test('rules that run out of time: each site says what follows', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const origin = await startNodeOrigin(t);
  const site = (host: string, waf: object): object => ({ hosts: [host], origin: origin.origin, waf });
  const { port, log } = await startTestGateway(t, {
    ...strict(crs, { budget: '1ms' }),
    sites: [
      site('block.test', { onFailure: 'block' }),
      site('pass.test', { onFailure: 'pass' }),
      site('observe.test', { coreRules: 'observe' }),
      site('default.test', {}),
    ],
  });
  // No rule is against it, and many have to look closely to know.
  const body = Array.from(
    { length: 400 },
    (_, index) => `a${index}=${'select+a+union+of+words+or+so+'.repeat(8)}`,
  ).join('&');
  const statuses: number[] = [];
  for (const host of ['block', 'pass', 'observe', 'default']) {
    const headers = `Host: ${host}.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nContent-Type: application/x-www-form-urlencoded`;
    const { responses } = await send(
      port,
      `POST /a HTTP/1.1\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    statuses.push(responses[0]?.status ?? 0);
  }
  t.same(statuses, [403, 200, 200, 403]);
  const warnings = log.filter(({ msg }) => String(msg).includes('ran out of time'));
  t.equal(warnings.length, 1, 'the log hears of it once');
});

t.test('many uploads at a time are held one by one', async (t) => {
  const opened = await open(t, { ...quiet, waf: { requestBody: { bytes: '128KiB' } } });
  const size = 300_000;
  const body = Buffer.alloc(size, 'ab');
  const uploads = Array.from({ length: 100 }, () => opened.ask('/upload', post('application/octet-stream', body)));
  const statuses = (await Promise.all(uploads)).map(({ status }) => status);
  t.ok(statuses.every((status) => status === 200));
  const received = await opened.origin.received(100);
  t.ok(received.every((request) => request.body.equals(body)));
  await isWell(t, opened);
});
