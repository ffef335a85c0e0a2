/** The strict front, on heads as Node's parser hands them over. The raw-socket cases are in smuggling.test.ts. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import t from 'tap';
import { type HeadFault, readHead, RequestHead } from '../../gateway/request-head.ts';

const limits = { headerCount: 20, targetBytes: 100, bodyBytes: 1_000 };

interface Given {
  readonly method?: string;
  readonly target?: string;
  readonly version?: [number, number];
  readonly headers?: readonly string[];
}

function read(given: Given): { head: RequestHead; fault: HeadFault | null } {
  const request = new IncomingMessage(new Socket());
  request.method = given.method ?? 'GET';
  request.url = given.target ?? '/';
  [request.httpVersionMajor, request.httpVersionMinor] = given.version ?? [1, 1];
  request.rawHeaders = [...(given.headers ?? ['Host', 'example.com'])];
  const head = new RequestHead(request.url);
  return { head, fault: readHead(request, head, limits) };
}

const refused: readonly (Given & { readonly name: string; readonly status: number })[] = [
  { name: 'no Host on HTTP/1.1', headers: [], status: 400 },
  { name: 'two Hosts', headers: ['Host', 'a', 'host', 'a'], status: 400 },
  { name: 'a Host that is no name', headers: ['Host', 'a b'], status: 400 },
  { name: 'a Host with a path', headers: ['Host', 'a/b'], status: 400 },
  { name: 'a Host with user information', headers: ['Host', 'a@b'], status: 400 },
  { name: 'HTTP/2 spoken as HTTP/1', version: [2, 0], status: 400 },
  { name: 'HTTP/0.9', version: [0, 9], status: 400 },
  { name: 'another transfer coding', headers: ['Host', 'a', 'Transfer-Encoding', 'gzip'], status: 400 },
  { name: 'a list of transfer codings', headers: ['Host', 'a', 'Transfer-Encoding', 'gzip, chunked'], status: 400 },
  { name: 'chunked in capitals', headers: ['Host', 'a', 'Transfer-Encoding', 'Chunked'], status: 400 },
  {
    name: 'chunked twice',
    headers: ['Host', 'a', 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
    status: 400,
  },
  { name: 'chunked on HTTP/1.0', version: [1, 0], headers: ['Host', 'a', 'Transfer-Encoding', 'chunked'], status: 400 },
  {
    name: 'length and coding',
    headers: ['Host', 'a', 'Transfer-Encoding', 'chunked', 'Content-Length', '3'],
    status: 400,
  },
  { name: 'two lengths', headers: ['Host', 'a', 'Content-Length', '3', 'Content-Length', '3'], status: 400 },
  { name: 'a signed length', headers: ['Host', 'a', 'Content-Length', '+3'], status: 400 },
  { name: 'a list of lengths', headers: ['Host', 'a', 'Content-Length', '3, 3'], status: 400 },
  { name: 'a hexadecimal length', headers: ['Host', 'a', 'Content-Length', '0x3'], status: 400 },
  { name: 'a length beyond all numbers', headers: ['Host', 'a', 'Content-Length', '9999999999999999'], status: 400 },
  { name: 'a body larger than allowed', headers: ['Host', 'a', 'Content-Length', '1001'], status: 413 },
  { name: 'a target longer than allowed', target: `/${'a'.repeat(100)}`, status: 414 },
  {
    name: 'more header lines than allowed',
    headers: Array.from({ length: 42 }, (_, index) => (index % 2 ? 'v' : `h${index}`)),
    status: 431,
  },
  { name: 'a target without slash', target: 'admin', status: 400 },
  { name: 'an asterisk for GET', target: '*', status: 400 },
  { name: 'a fragment', target: '/a#b', status: 400 },
  { name: 'absolute-form of another host', target: 'http://b/', headers: ['Host', 'a'], status: 400 },
  { name: 'absolute-form with user information', target: 'http://u@a/', headers: ['Host', 'a'], status: 400 },
  { name: 'absolute-form of another scheme', target: 'gopher://a/', headers: ['Host', 'a'], status: 400 },
  { name: 'CONNECT', method: 'CONNECT', target: 'a:443', headers: ['Host', 'a:443'], status: 405 },
  { name: 'an unknown expectation', headers: ['Host', 'a', 'Expect', 'tea'], status: 417 },
  { name: 'Connection names Host', headers: ['Host', 'a', 'Connection', 'close, host'], status: 400 },
  { name: 'Connection names a length', headers: ['Host', 'a', 'Connection', 'Content-Length'], status: 400 },
  { name: 'Connection names a coding', headers: ['Host', 'a', 'Connection', 'transfer-encoding'], status: 400 },
  { name: 'Connection names Cookie', headers: ['Host', 'a', 'Connection', 'cookie'], status: 400 },
  { name: 'Connection names Authorization', headers: ['Host', 'a', 'Connection', 'Authorization'], status: 400 },
  { name: 'Connection names X-Forwarded-For', headers: ['Host', 'a', 'Connection', 'x-forwarded-for'], status: 400 },
  { name: 'Connection names X-Real-IP', headers: ['Host', 'a', 'Connection', 'X-Real-IP'], status: 400 },
  { name: 'a control character in a value', headers: ['Host', 'a', 'X-A', 'b\x01c'], status: 400 },
  { name: 'a NUL in a value', headers: ['Host', 'a', 'X-A', 'b\0'], status: 400 },
];

t.test('ambiguous heads are refused', async (t) => {
  for (const given of refused) t.equal(read(given).fault?.status, given.status, given.name);
  t.equal(refused.length, 38);
});

t.test('ordinary heads pass', async (t) => {
  const passed: readonly Given[] = [
    {},
    { version: [1, 0], headers: [] },
    { headers: ['Host', '[2001:db8::1]:8080'] },
    { headers: ['Host', 'a:443', 'Connection', 'keep-alive, Upgrade', 'Upgrade', 'h2c'] },
    { method: 'OPTIONS', target: '*' },
    { method: 'DELETE', headers: ['Host', 'a', 'Transfer-Encoding', 'chunked'] },
    { headers: ['Host', 'a', 'Expect', '100-Continue', 'Content-Length', '1000'] },
    { target: '/ü?q=%00' },
  ];
  for (const given of passed) t.equal(read(given).fault, null, JSON.stringify(given));
  t.equal(passed.length, 8);
});

t.test('absolute-form is reduced to its path', async (t) => {
  t.equal(read({ target: 'HTTP://Example.com/a?b', headers: ['Host', 'example.com'] }).head.target, '/a?b');
  t.equal(read({ target: 'http://example.com', headers: ['Host', 'example.com'] }).head.target, '/');
  t.equal(read({ target: 'http://example.com?x=1', headers: ['Host', 'example.com'] }).head.target, '/?x=1');
});

t.test('what goes on to the origin, and what does not', async (t) => {
  const { head } = read({
    headers: Object.entries({
      Host: 'a',
      Accept: '*/*',
      TE: 'trailers',
      'Proxy-Authorization': 'x',
      'Keep-Alive': '1',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMA',
      'X-Forwarded-For': '1.1.1.1',
      X_Forwarded_For: '2.2.2.2',
      'X-Real_IP': '3.3.3.3',
      Connection: 'X-Hop, keep-alive',
      'X-Hop': 'secret',
      'X-Request-Id': 'forged',
      'True-Client-IP': '4.4.4.4',
    }).flat(),
  });
  t.same(head.ordinary, ['Accept', '*/*']);
  t.same(head.forwarding, ['True-Client-IP', '4.4.4.4']);
  t.equal(head.forwardedFor, '1.1.1.1');
});
