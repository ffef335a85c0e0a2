/**
 * Requests and responses that are made to hurt whoever looks into them: each gets a verdict, what is held is bounded, and the
 * gateway goes on serving others.
 */
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { suitePath } from '../support/suites.ts';
import { isWell, open, post, quiet, strict } from './strict-gateway.ts';
import { seeded } from '../support/seeded.ts';

const random = seeded(4_104_001);
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random() * 256));

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

t.test('rules that run out of time: each site says what follows', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const origin = await startNodeOrigin(t);
  const site = (host: string, waf: object): object => ({ hosts: [host], origin: origin.origin, waf });
  const { port, log } = await startTestGateway(t, {
    waf: {},
    ...strict(crs, { budget: '1ms' }),
    sites: [
      site('block.test', { onFailure: 'block' }),
      site('pass.test', { onFailure: 'pass' }),
      site('observe.test', { coreRules: 'observe', virtualPatches: 'observe' }),
      site('default.test', {}),
    ],
  });
  // Many rules have to look closely, a hundred times as long as they may.
  const value = (index: number): string => `say "it's" (${index}); cat & echo $x | select * from y -- `.repeat(12);
  const body = Array.from({ length: 100 }, (_, index) => `a${index}=${encodeURIComponent(value(index))}`).join('&');
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
  const warnings = log.filter(({ msg, layer }) => layer === 'core-rules' && String(msg).includes('ran out of time'));
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
