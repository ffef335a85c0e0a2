import fc from 'fast-check';
import t from 'tap';
import { type Oddity, parseRawRequest } from '../../../../detectors/waf/ftw/parse-raw-request.ts';
import { serverAnswer } from '../../../../detectors/waf/ftw/server-answer.ts';

t.test('an ordinary request has nothing odd about it', async (t) => {
  const raw = 'POST /a?b=c HTTP/1.1\r\nHost: h\r\nX-Y:  z \t\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n';
  t.strictSame(parseRawRequest(raw), {
    method: 'POST',
    target: '/a?b=c',
    protocol: 'HTTP/1.1',
    headers: ['Host', 'h', 'X-Y', 'z', 'Content-Length', '3'],
    body: 'abc',
    oddities: new Set(),
  });
});

t.test('requests that strict parsers refuse are read, and what is odd is noted', async (t) => {
  const cases: readonly (readonly [head: string, method: string, target: string, protocol: string, ...Oddity[]])[] = [
    ['\r\n\nGET / HTTP/1.1', 'GET', '/', 'HTTP/1.1'],
    [' \tGET / HTTP/1.1', 'GET', '/', 'HTTP/1.1', 'blank before the method'],
    ['GET /a b HTTP/1.1', 'GET', '/a b', 'HTTP/1.1', 'blank in the target'],
    ['GET /', 'GET', '/', ''],
    ['GET / ', 'GET', '/', ''],
    ['GET', 'GET', '', ''],
    ['GET / HTTP/1.1\r\nnocolon', 'GET', '/', 'HTTP/1.1', 'header line without a colon'],
    ['GET / HTTP/1.1\r\nA : b', 'GET', '/', 'HTTP/1.1', 'blank in a header name'],
    ['GET / HTTP/1.1\r\nA: b\r\n c', 'GET', '/', 'HTTP/1.1', 'folded header line'],
    ['GET / HTTP/1.1\r\nA: b\rC: d', 'GET', '/', 'HTTP/1.1', 'control character in a header'],
  ];
  for (const [head, method, target, protocol, ...oddities] of cases) {
    const read = parseRawRequest(`${head}\r\n\r\n`);
    t.strictSame(
      [read.method, read.target, read.protocol, ...read.oddities],
      [method, target, protocol, ...oddities],
      head,
    );
    t.equal(read.body, null);
  }
  t.equal(cases.length, 10);
  t.strictSame(parseRawRequest('GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n').headers, ['A', 'b c']);
  t.ok(parseRawRequest('GET / HTTP/1.1\r\nA: b').oddities.has('head without an end'));
});

t.test('chunks are joined, and win over a length', async (t) => {
  const head = 'POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n';
  const cases: readonly (readonly [chunks: string, body: string, ...Oddity[]])[] = [
    ['3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n', 'abc0123456789'],
    ['3\nabc\n0\n\n', 'abc'],
    ['5\r\nabc', 'abc', 'damaged chunks'],
    ['3\r\nabcz\r\n', 'abc', 'damaged chunks'],
    ['', '', 'damaged chunks'],
  ];
  for (const [chunks, body, ...oddities] of cases) {
    const read = parseRawRequest(head + chunks);
    t.strictSame([read.body, ...read.oddities], [body, ...oddities], JSON.stringify(chunks));
  }
  t.equal(cases.length, 5);
});

t.test('a shorter body than announced is what there is', async (t) => {
  const read = parseRawRequest('POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc');
  t.strictSame([read.body, ...read.oddities], ['abc', 'body shorter than announced']);
});

t.test('the server in front answers what never reaches rules', async (t) => {
  const host = 'Host: localhost';
  const cases: readonly (readonly [head: string, status: number | null | 'passes'])[] = [
    [`GET / HTTP/1.1\r\n${host}`, 'passes'],
    ['GET / HTTP/1.0', 'passes'],
    ['GET / HTTP/1.1', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: a', 400],
    ['GET / HTTP/1.1\r\nHost: a%00', 400],
    ['GET / HTTP/1.1\r\nHost: [::1]:80', 'passes'],
    ['GET / HTTP/1.1\r\nHost: a_b.c:8080', 'passes'],
    [`|GET / HTTP/1.1\r\n${host}`, 'passes'],
    [`G(T / HTTP/1.1\r\n${host}`, 400],
    [`GET / HTTP/4.0\r\n${host}`, 'passes'],
    [`GET / HTTP/0.9\r\n${host}`, 400],
    [`GET / HTTP\\1.0\r\n${host}`, 400],
    [`GET / \r\n${host}`, null],
    [`GET /#a HTTP/1.1\r\n${host}`, 400],
    [`GET \\a HTTP/1.1\r\n${host}`, 400],
    [`GET /a\xff HTTP/1.1\r\n${host}`, 'passes'],
    [`GET http://localhost HTTP/1.1\r\n${host}`, 'passes'],
    [`GET * HTTP/1.1\r\n${host}`, 400],
    [`OPTIONS * HTTP/1.1\r\n${host}`, 'passes'],
    [`CONNECT a:80 HTTP/1.1\r\n${host}`, 'passes'],
    [`CONNECT a HTTP/1.1\r\n${host}`, 400],
    [`POST / HTTP/1.1\r\n${host}\r\nContent-Length: 3x`, 400],
    [`POST / HTTP/1.1\r\n${host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked`, 'passes'],
    [`GET / HTTP/1.1\r\n${host}\r\nA: b\rC: d`, 400],
  ];
  for (const [head, status] of cases) {
    const answer = serverAnswer(parseRawRequest(`${head}\r\n\r\n`));
    t.equal(answer === null ? 'passes' : answer.status, status, JSON.stringify(head));
  }
  t.equal(cases.length, 24);
});

t.test('whatever bytes come, they are read to the end and none is made up', async () => {
  const pieces = [
    'GET |POST |/| |\t|HTTP/1.1|HTTP/0.9|:|A|\0|\xff|Content-Length: 4|Transfer-Encoding: chunked|Host: a'.split('|'),
    ['\r\n', '\n', '\r', '\r\n\r\n', '4\r\n', '0\r\n\r\n', 'ffffffff\r\n', '-1', '99999999999999999999'],
  ].flat();
  const piece = fc.constantFrom(...pieces);
  const request = fc.array(piece, { maxLength: 60 }).map((chosen) => chosen.join(''));
  fc.assert(
    fc.property(request, (raw) => {
      const read = parseRawRequest(raw);
      const parts = [read.method, read.target, read.protocol, read.body ?? '', ...read.headers];
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      return bytes <= raw.length && read.headers.length % 2 === 0 && serverAnswer(read)?.status !== 200;
    }),
    { seed: 42, numRuns: 20_000 },
  );
});
