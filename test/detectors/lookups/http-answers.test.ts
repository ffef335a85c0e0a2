import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import t, { type Test } from 'tap';
import type { DnsResolver } from '../../../core/dns-resolver.ts';
import type { HttpAnswer, HttpFailure, HttpQuestion } from '../../../detectors/expr/dependencies.ts';
import { createHttpAnswers, type HttpAnswers } from '../../../detectors/lookups/http-answers.ts';
import type { HttpReach } from '../../../detectors/lookups/http-request.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

interface Fixture {
  readonly http: HttpAnswers;
  readonly clock: ManualClock;
  /** Where the server is, by a name that only the fake DNS knows. */
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[];
  readonly ask: (question: Partial<HttpQuestion> & { url: string }) => Promise<HttpAnswer | HttpFailure>;
}

const hosts: Readonly<Record<string, readonly string[]>> = {
  'inside.example': ['127.0.0.1'],
  'other.example': ['127.0.0.1'],
  'mixed.example': ['::1', '169.254.169.254'],
};

const dns: DnsResolver = {
  reverse: async () => [],
  forward: async (name, version) => (hosts[name] ?? []).filter((text) => text.includes(':') === (version === 6)),
};

async function fixture(t: Test, listener: RequestListener, reach: HttpReach = 'any'): Promise<Fixture> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = createManualClock();
  const http = createHttpAnswers({ clock, reach, dns });
  t.teardown(() => {
    http.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask: Fixture['ask'] = (question) => answerOf(http, { method: 'GET', headers: {}, body: '', ...question });
  return { http, clock, port, url: `http://inside.example:${port}`, requests, ask };
}

async function answerOf(http: HttpAnswers, question: HttpQuestion): Promise<HttpAnswer | HttpFailure> {
  const first = http.ask(question);
  if (first.kind === 'asked') await first.ready;
  const settled = http.ask(question);
  return settled.kind === 'known' ? settled.value : { failure: 'still asked' };
}

t.test('a question is sent as it is put, and its answer has the names of Go', async (t) => {
  const { ask, url, requests, port } = await fixture(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(418, { 'x-one-two': 'a', 'Set-Cookie': ['b=1', 'c=2'] });
      response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()} ünd`);
    });
  });
  const headers = { 'X-Asked': 'yes', Host: 'forged', 'Content-Length': '3', 'Transfer-Encoding': 'chunked' };
  const answer = await ask({ method: 'PUT', url: `${url}/path?q=1`, headers, body: 'bödy' });
  t.match(answer, { StatusCode: 418n, Body: 'PUT /path?q=1 bödy ünd' });
  t.match('Headers' in answer && answer.Headers, { 'X-One-Two': ['a'], 'Set-Cookie': ['b=1', 'c=2'] });
  t.equal(requests[0]?.headers['x-asked'], 'yes');
  t.equal(requests[0]?.headers.host, `inside.example:${port}`, 'what the client decides is not for the expression');
  t.equal(requests[0]?.headers['content-length'], '5');
  t.equal(requests[0]?.headers['transfer-encoding'], undefined);
  t.match(await ask({ method: 'HEAD', url }), { StatusCode: 418n, Body: '' });
});

t.test('equal questions are asked once a minute, others at once', async (t) => {
  const { ask, url, requests, clock } = await fixture(t, (_request, response) => response.end('x'));
  await Promise.all([ask({ url }), ask({ url }), ask({ url, headers: { B: '2', A: '1' } })]);
  await ask({ url, headers: { A: '1', B: '2' } });
  t.equal(requests.length, 2);
  await ask({ url, headers: { A: '1', B: '3' } });
  await ask({ url, body: 'x' });
  t.equal(requests.length, 4);
  clock.advance(59_999);
  await ask({ url });
  t.equal(requests.length, 4);
  clock.advance(1);
  await ask({ url });
  t.equal(requests.length, 5);
});

t.test('redirects: methods as in Go, secrets stay at home, five and no more', async (t) => {
  const { ask, url, port, requests } = await fixture(t, (request, response) => {
    const [, status = '', left = ''] = (request.url ?? '').split('/');
    const location =
      left === 'away' ? `http://other.example:${port}/` : left === '0' ? '/' : `/${status}/${Number(left) - 1}`;
    if (request.url === '/') response.end(request.method);
    else response.writeHead(Number(status), left === 'none' ? {} : { location }).end('ignored');
  });
  const post = { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain', Authorization: 'secret' } };
  t.match(await ask({ ...post, url: `${url}/302/0` }), { Body: 'GET' });
  t.equal(requests.at(-1)?.headers['content-type'], undefined);
  t.equal(requests.at(-1)?.headers.authorization, 'secret');
  t.match(await ask({ ...post, url: `${url}/307/0` }), { Body: 'POST' });
  t.equal(requests.at(-1)?.headers['content-length'], '1');
  t.match(await ask({ ...post, url: `${url}/308/away` }), { Body: 'POST' });
  t.equal(requests.at(-1)?.headers.authorization, undefined);
  t.match(await ask({ url: `${url}/301/none` }), { StatusCode: 301n });
  t.match(await ask({ url: `${url}/303/4` }), { Body: 'GET' });
  t.strictSame(await ask({ url: `${url}/303/5` }), { failure: 'more than 5 redirects' });
});

t.test('private targets: by address however it is written, by name, and by redirect', async (t) => {
  const { ask, port, url, requests } = await fixture(t, (_request, response) => response.end('inside'), 'public');
  const written = [
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
  ];
  for (const host of [...written, 'inside.example', 'mixed.example', 'user:pass@127.0.0.1']) {
    t.match(await ask({ url: `http://${host}:${port}/` }), { failure: /is not on the public internet/ }, host);
  }
  t.match(await ask({ url: 'http://nowhere.example/' }), { failure: 'nowhere.example has no address' });
  t.match(await ask({ url: 'http://localhost/' }), { failure: 'localhost has no address' }, 'the DNS alone is asked');
  t.match(await ask({ url }), { failure: /is not on the public internet/ });
  t.equal(requests.length, 0);
});

t.test('what was looked at is what is connected to: a name is not asked for twice', async (t) => {
  const { port } = await fixture(t, (_request, response) => response.end('here'));
  let asked = 0;
  const rebinding: DnsResolver = {
    reverse: async () => [],
    forward: async (_name, version) => (version === 6 ? [] : [asked++ === 0 ? '127.0.0.1' : '127.0.0.2']),
  };
  const http = createHttpAnswers({ clock: createManualClock(), reach: 'any', dns: rebinding });
  t.teardown(() => http.close());
  const question = { method: 'GET', url: `http://twice.example:${port}/`, headers: {}, body: '' };
  t.match(await answerOf(http, question), { Body: 'here' });
  t.equal(asked, 1);
});

t.test('mistakes in questions are answered at once', async (t) => {
  const { http, url, requests } = await fixture(t, (_request, response) => response.end());
  const cases: readonly (readonly [Partial<HttpQuestion>, RegExp])[] = [
    [{ method: 'get' }, /"get" is no method/],
    [{ method: 'CONNECT' }, /CONNECT is not sent/],
    [{ method: 'GET /x HTTP/1.1\r\n' }, /is no method/],
    [{ url: `${url}/${'x'.repeat(9_000)}` }, /longer than 8192/],
    [{ body: 'x'.repeat(1_048_577) }, /longer than 1048576/],
    [{ headers: { a: 'x'.repeat(40_000) } }, /too many headers/],
    [{ headers: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`h${at}`, ''])) }, /too many headers/],
  ];
  for (const [more, failure] of cases) {
    t.match(http.ask({ method: 'GET', url, headers: {}, body: '', ...more }), { kind: 'known', value: { failure } });
  }
  const later: readonly (readonly [Partial<HttpQuestion>, RegExp])[] = [
    [{ url: 'file:///etc/passwd' }, /no http or https address/],
    [{ url: 'nonsense' }, /no http or https address/],
    [{ url: 'http://%/' }, /no http or https address/],
    [{ headers: { 'a b': 'x' } }, /Header name/],
    [{ headers: { a: 'x\r\nInjected: y' } }, /Invalid character/],
  ];
  for (const [more, failure] of later) {
    t.match(await answerOf(http, { method: 'GET', url, headers: {}, body: '', ...more }), { failure });
  }
  t.equal(cases.length + later.length, 12);
  t.equal(requests.length, 0);
});

t.test('a server that says nothing is given ten seconds', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const { http, url, clock } = await fixture(t, () => arrived.resolve());
  const question = { method: 'GET', url, headers: {}, body: '' };
  const asked = http.ask(question);
  await arrived.promise;
  clock.advance(9_999);
  t.equal(http.ask(question), asked);
  clock.advance(1);
  if (asked.kind === 'asked') await asked.ready;
  t.strictSame(http.ask(question), { kind: 'known', value: { failure: 'no answer within 10 s' } });
});

t.test('so is one that drips, and one that never ends is cut off at 10 MiB', async (t) => {
  const dripped = Promise.withResolvers<void>();
  const { http, ask, url, clock } = await fixture(t, (request, response) => {
    if (request.url === '/drip') {
      response.write('a');
      dripped.resolve();
      return;
    }
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const question = { method: 'GET', url: `${url}/drip`, headers: {}, body: '' };
  const asked = http.ask(question);
  await dripped.promise;
  clock.advance(10_000);
  if (asked.kind === 'asked') await asked.ready;
  t.match(http.ask(question), { value: { failure: 'no answer within 10 s' } });
  t.strictSame(await ask({ url: `${url}/flood` }), { failure: 'the answer is larger than 10 MiB' });
});

t.test('sixty-four questions at once', async (t) => {
  const { http, url, clock } = await fixture(t, () => undefined);
  const question = (at: number): HttpQuestion => ({ method: 'GET', url: `${url}/${at}`, headers: {}, body: '' });
  const all = Array.from({ length: 64 }, (_, at) => http.ask(question(at)));
  t.ok(all.every(({ kind }) => kind === 'asked'));
  t.match(http.ask(question(64)), { kind: 'known', value: { failure: /64 requests are under way/ } });
  clock.advance(10_000);
  for (const one of all) if (one.kind === 'asked') await one.ready;
  t.equal(http.ask(question(64)).kind, 'asked');
});

t.test('bodies under way have 64 MiB together, and so have those remembered', async (t) => {
  const nineMiB = Buffer.alloc(9 * 1_048_576);
  const { http, ask, url, requests } = await fixture(t, (request, response) => {
    if (request.url?.startsWith('/held') !== true) response.end(nineMiB);
    else response.write(nineMiB);
  });
  for (let at = 0; at < 4; at++) t.match(await ask({ url: `${url}/${at}` }), { StatusCode: 200n });
  t.equal(requests.length, 4);
  await ask({ url: `${url}/3` });
  t.equal(requests.length, 4, 'the newest is remembered');
  await ask({ url: `${url}/0` });
  t.equal(requests.length, 5, 'four of 18 MiB, as texts are kept, are too much');
  const held = (at: number): HttpQuestion => ({ method: 'GET', url: `${url}/held${at}`, headers: {}, body: '' });
  const asked = Array.from({ length: 8 }, (_, at) => http.ask(held(at)));
  await Promise.race(asked.map((one) => (one.kind === 'asked' ? one.ready : new Promise(() => undefined))));
  const failures = asked.map((_, at) => http.ask(held(at))).filter(({ kind }) => kind === 'known');
  t.match(failures, [{ value: { failure: 'all answers together are too large' } }]);
});

t.test('answers that are none, and servers that are not there', async (t) => {
  const raw = createRawServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      const path = data.toString().split(' ')[1];
      if (path === '/upgrade')
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
      else if (path === '/garbage') socket.end('no http at all\r\n\r\n');
      else if (path === '/cut') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort');
      else if (path === '/headers') socket.end(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`);
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  const { port } = raw.address() as AddressInfo;
  const { ask } = await fixture(t, (_request, response) => response.end());
  for (const path of ['/upgrade', '/garbage', '/cut', '/headers', '/reset']) {
    const answer = await ask({ url: `http://inside.example:${port}${path}` });
    t.match(answer, { failure: /\w/ }, `${path}: ${JSON.stringify(answer, (_, value) => String(value))}`);
  }
  await new Promise((resolve) => raw.close(resolve));
  t.match(await ask({ url: `http://inside.example:${port}/` }), { failure: /ECONNREFUSED/ });
});
