/**
 * The shapes of request smuggling, each with what must become of it. A shape is bytes for one connection; every target in it
 * starts with the shape's own path, so that the origin's log tells which shape a request came from. RFC 9112 §11.2.
 */

export interface Passed {
  readonly method: string;
  /** The target behind the shape's own path. */
  readonly rest: string;
  readonly body: string;
}

export interface Shape {
  readonly name: string;
  readonly bytes: (path: string) => string;
  /** What the origin sees, in order. */
  readonly origin: readonly Passed[];
  /** Statuses that the gateway gives itself, in order; `origin` stands for an answer of the origin. */
  readonly answers: readonly (number | 'origin')[];
  /** The gateway ends the connection. Otherwise the shape is followed by a request that must be answered. */
  readonly closed: boolean;
}

type Bytes = Shape['bytes'];

const rejected = (name: string, bytes: Bytes, status = 400): Shape => ({
  name,
  bytes,
  origin: [],
  answers: [status],
  closed: true,
});

/** `origin`: method, rest of the target and body of each request, the latter two where there are any. */
const passed = (name: string, origin: readonly string[], bytes: Bytes): Shape => ({
  name,
  bytes,
  origin: origin.map(read),
  answers: origin.map(() => 'origin' as const),
  closed: false,
});

/** A good request, and then bytes that end the connection without being passed on. */
const cut = (name: string, origin: readonly string[], bytes: Bytes): Shape => ({
  ...passed(name, origin, bytes),
  closed: true,
});

function read(text: string): Passed {
  const [, method = '', rest = '', body = ''] = /^([A-Z]+)(?: (\/\S+))?(?: ([\s\S]*))?$/.exec(text) ?? [];
  return { method, rest, body };
}

/** A request from its line, headers and body. */
const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  `${[`${line} HTTP/1.1`, 'Host: site.test', ...headers].join('\r\n')}\r\n\r\n${body}`;

const post = (path: string, headers: readonly string[], body: string): string => request(`POST ${path}`, headers, body);
const smuggled = (path: string): string => request(`GET ${path}/smuggled`);

/** A POST whose one framing header is `header`, with a body that both a length of 5 and no length would leave in step. */
const lengthCase = (header: string): Shape =>
  rejected(`length: ${shown(header)}`, (path) => post(path, [header], 'hello'));

/** The classic CL.TE and TE.CL: what one reader takes for the body is a request to the other. */
const codingCase = (header: string): Shape =>
  rejected(`coding: ${shown(header)}`, (path) => post(path, [header], `5\r\nhello\r\n0\r\n\r\n${smuggled(path)}`));

const bothCase = (header: string): Shape =>
  rejected(`length and coding: ${shown(header)}`, (path) =>
    post(path, ['Content-Length: 4', header], `5\r\nhello\r\n0\r\n\r\n${smuggled(path)}`),
  );

const chunksCase = (name: string, body: string): Shape =>
  rejected(`chunks: ${name}`, (path) => post(path, ['Transfer-Encoding: chunked'], `${body}${smuggled(path)}`));

function shown(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const lengths: readonly Shape[] = [
  passed('length: plain', ['POST hello'], (path) => post(path, ['Content-Length: 5'], 'hello')),
  passed('length: zero', ['POST'], (path) => post(path, ['Content-Length: 0'], '')),
  passed('length: leading zeros', ['POST hello'], (path) => post(path, ['Content-Length: 0000000005'], 'hello')),
  passed('length: blanks around', ['POST hello'], (path) => post(path, ['Content-Length:  \t5 \t'], 'hello')),
  passed('length: none', ['POST'], (path) => post(path, [], '')),
  passed('length: underscored name is no length', ['POST'], (path) => post(path, ['Content_Length: 5'], '')),
  passed('length: other spelling', ['POST hello'], (path) => post(path, ['cONTENT-lENGTH: 5'], 'hello')),
  passed('length: what follows it is the next request', ['POST hello', 'GET /smuggled'], (path) =>
    post(path, ['Content-Length: 5'], `hello${smuggled(path)}`),
  ),
  passed('length: a body that looks like a request', ['POST GET / HTTP/1.1\r\n\r\n'], (path) =>
    post(path, ['Content-Length: 18'], 'GET / HTTP/1.1\r\n\r\n'),
  ),
  lengthCase('Content-Length: +5'),
  lengthCase('Content-Length: -5'),
  lengthCase('Content-Length: 5, 5'),
  lengthCase('Content-Length: 5,6'),
  lengthCase('Content-Length: 5 5'),
  lengthCase('Content-Length: 5;'),
  lengthCase('Content-Length: 0x5'),
  lengthCase('Content-Length: 5.0'),
  lengthCase('Content-Length: 5e0'),
  lengthCase('Content-Length: "5"'),
  lengthCase('Content-Length:'),
  lengthCase('Content-Length: five'),
  lengthCase('Content-Length: \xb2'),
  lengthCase('Content-Length: 5\x00'),
  lengthCase('Content-Length: \x0b5'),
  lengthCase('Content-Length : 5'),
  lengthCase('Content-Length\t: 5'),
  lengthCase('Content-Length\x00: 5'),
  lengthCase(' Content-Length: 5'),
  lengthCase('Content-Length: \r\n 5'),
  lengthCase('Content-Length: 1\r\n\t5'),
  lengthCase('Content-Length: 5\r\nContent-Length: 5'),
  lengthCase('Content-Length: 5\r\nContent-Length: 6'),
  lengthCase('Content-Length: 5\r\ncontent-length: 0'),
  lengthCase('Content-Length: 18446744073709551621'),
  lengthCase('X: y\nContent-Length: 5'),
  lengthCase('X: y\rContent-Length: 5'),
  rejected('length: larger than any body', (path) => post(path, ['Content-Length: 1073741825'], 'hello'), 413),
];

const codings: readonly Shape[] = [
  passed('coding: chunked', ['POST hello'], (path) =>
    post(path, ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  passed('coding: blanks around', ['POST hello'], (path) =>
    post(path, ['transfer-encoding: \t chunked  '], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  passed('coding: underscored name is no coding', ['POST'], (path) => post(path, ['Transfer_Encoding: chunked'], '')),
  passed('coding: what follows the last chunk is the next request', ['POST hello', 'GET /smuggled'], (path) =>
    post(path, ['Transfer-Encoding: chunked'], `5\r\nhello\r\n0\r\n\r\n${smuggled(path)}`),
  ),
  codingCase('Transfer-Encoding: Chunked'),
  codingCase('Transfer-Encoding: CHUNKED'),
  codingCase('Transfer-Encoding: identity'),
  codingCase('Transfer-Encoding: identity, chunked'),
  codingCase('Transfer-Encoding: chunked, identity'),
  codingCase('Transfer-Encoding: gzip, chunked'),
  codingCase('Transfer-Encoding: chunked, chunked'),
  codingCase('Transfer-Encoding: chunked,'),
  codingCase('Transfer-Encoding: ,chunked'),
  codingCase('Transfer-Encoding: chunked;q=1'),
  codingCase('Transfer-Encoding: "chunked"'),
  codingCase('Transfer-Encoding: xchunked'),
  codingCase('Transfer-Encoding: chunkedx'),
  codingCase('Transfer-Encoding:'),
  codingCase('Transfer-Encoding: chunked\t'),
  codingCase('Transfer-Encoding: \x0bchunked'),
  codingCase('Transfer-Encoding: chunked\x0c'),
  codingCase('Transfer-Encoding: chunked\x00'),
  codingCase('Transfer-Encoding: chunk\xe9d'),
  codingCase('Transfer-Encoding : chunked'),
  codingCase('Transfer-Encoding\t: chunked'),
  codingCase('Transfer-Encoding\x00: chunked'),
  codingCase(' Transfer-Encoding: chunked'),
  codingCase('Transfer-Encoding:\r\n chunked'),
  codingCase('Transfer-Encoding: identity\r\n , chunked'),
  codingCase('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  codingCase('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
  codingCase('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked'),
  codingCase('X: y\nTransfer-Encoding: chunked'),
  codingCase('X: y\rTransfer-Encoding: chunked'),
  codingCase('X: y\r\n\rTransfer-Encoding: chunked'),
  bothCase('Transfer-Encoding: chunked'),
  bothCase('transfer-encoding:chunked'),
  bothCase('Transfer-Encoding: identity'),
  bothCase('Transfer-Encoding: xchunked'),
  bothCase('Transfer-Encoding : chunked'),
  rejected('coding before length', (path) =>
    post(path, ['Transfer-Encoding: chunked', 'Content-Length: 4'], `5\r\nhello\r\n0\r\n\r\n${smuggled(path)}`),
  ),
  rejected(
    'coding on HTTP/1.0',
    (path) => `POST ${path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${smuggled(path)}`,
  ),
];

const chunks: readonly Shape[] = [
  passed('chunks: several, upper case and leading zeros', ['POST hello world'], (path) =>
    post(path, ['Transfer-Encoding: chunked'], '000000A\r\nhello worl\r\n1\r\nd\r\n000\r\n\r\n'),
  ),
  passed('chunks: extensions', ['POST hello'], (path) =>
    post(path, ['Transfer-Encoding: chunked'], '5;a=b;c="d;e"\r\nhello\r\n0;last\r\n\r\n'),
  ),
  passed('chunks: trailers are for one hop', ['POST hello'], (path) =>
    post(
      path,
      ['Transfer-Encoding: chunked', 'Trailer: X-Sum'],
      '5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Forwarded-For: 192.0.2.1\r\nHost: evil.test\r\n\r\n',
    ),
  ),
  passed('chunks: DELETE', ['DELETE hello'], (path) =>
    request(`DELETE ${path}`, ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  passed('chunks: DELETE with a request as its body', ['DELETE GET /x HTTP/1.1\r\n\r\n'], (path) =>
    request(`DELETE ${path}`, ['Transfer-Encoding: chunked'], '13\r\nGET /x HTTP/1.1\r\n\r\n\r\n0\r\n\r\n'),
  ),
  passed('chunks: OPTIONS', ['OPTIONS hello'], (path) =>
    request(`OPTIONS ${path}`, ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  passed('chunks: GET', ['GET hello'], (path) =>
    request(`GET ${path}`, ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  passed('chunks: PUT of nothing', ['PUT'], (path) =>
    request(`PUT ${path}`, ['Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ),
  passed('length: GET with a request as its body', ['GET GET /x HTTP/1.1\r\n\r\n'], (path) =>
    request(`GET ${path}`, ['Content-Length: 19'], 'GET /x HTTP/1.1\r\n\r\n'),
  ),
  passed('length: DELETE', ['DELETE hello'], (path) => request(`DELETE ${path}`, ['Content-Length: 5'], 'hello')),
  chunksCase('size with sign', '+5\r\nhello\r\n0\r\n\r\n'),
  chunksCase('negative size', '-5\r\nhello\r\n0\r\n\r\n'),
  chunksCase('size with prefix', '0x5\r\nhello\r\n0\r\n\r\n'),
  chunksCase('blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'),
  chunksCase('blank behind the size', '5 \r\nhello\r\n0\r\n\r\n'),
  chunksCase('no size', '\r\nhello\r\n0\r\n\r\n'),
  chunksCase('size that is no number', 'zz\r\nhello\r\n0\r\n\r\n'),
  chunksCase('size beyond 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  chunksCase('size line ends with LF', '5\nhello\r\n0\r\n\r\n'),
  chunksCase('size line ends with CR', '5\rhello\r\n0\r\n\r\n'),
  chunksCase('extension holds LF', '5;a\nb\r\nhello\r\n0\r\n\r\n'),
  chunksCase('extension holds CR', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
  chunksCase('extension holds NUL', '5;a\x00b\r\nhello\r\n0\r\n\r\n'),
  chunksCase('data longer than its size', '5\r\nhello!\r\n0\r\n\r\n'),
  chunksCase('data ends with LF', '5\r\nhello\n0\r\n\r\n'),
  chunksCase('data ends without a line end', '5\r\nhello0\r\n\r\n'),
  chunksCase('last chunk ends with LF', '5\r\nhello\r\n0\n\r\n'),
  chunksCase('trailers end with LF', '5\r\nhello\r\n0\r\nX: y\n\r\n'),
  chunksCase('trailer without a colon', '5\r\nhello\r\n0\r\nGET /x HTTP/1.1\r\n\r\n'),
  chunksCase('trailer that is a length', '5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n'),
  chunksCase('trailer that is a coding', '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  chunksCase('folded trailer', '5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n'),
  chunksCase('extensions without end', `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
];

const lines: readonly Shape[] = [
  passed('line: an empty line before it', ['GET'], (path) => `\r\n${request(`GET ${path}`)}`),
  passed('line: three in a row', ['GET /1', 'GET /2', 'GET /3'], (path) =>
    [1, 2, 3].map((index) => request(`GET ${path}/${index}`)).join(''),
  ),
  passed('line: absolute form of the same host', ['GET'], (path) => request(`GET http://site.test${path}`)),
  rejected('line: absolute form of another host', (path) => request(`GET http://evil.test${path}`)),
  rejected('line: absolute form with a user', (path) => request(`GET http://site.test@evil.test${path}`)),
  rejected('line: another scheme', (path) => request(`GET ftp://site.test${path}`)),
  rejected('line: a fragment', (path) => request(`GET ${path}#x`)),
  rejected('line: no path', () => request('GET site.test')),
  rejected('line: "*" on GET', () => request('GET *')),
  rejected('line: CONNECT', () => request('CONNECT site.test:443'), 405),
  rejected('line: HTTP/0.9', (path) => `GET ${path}\r\n\r\n`),
  rejected('line: HTTP/0.9 by name', (path) => `GET ${path} HTTP/0.9\r\nHost: site.test\r\n\r\n`),
  rejected('line: HTTP/1.2', (path) => `GET ${path} HTTP/1.2\r\nHost: site.test\r\n\r\n`),
  rejected('line: HTTP/2.0', (path) => `GET ${path} HTTP/2.0\r\nHost: site.test\r\n\r\n`),
  rejected('line: the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  rejected('line: HTTP/1.10', (path) => `GET ${path} HTTP/1.10\r\nHost: site.test\r\n\r\n`),
  rejected('line: version in lower case', (path) => `GET ${path} http/1.1\r\nHost: site.test\r\n\r\n`),
  rejected('line: words after the version', (path) => `GET ${path} HTTP/1.1 x\r\nHost: site.test\r\n\r\n`),
  rejected('line: a blank in the target', (path) => `GET ${path} /x HTTP/1.1\r\nHost: site.test\r\n\r\n`),
  rejected('line: tabs', (path) => `GET\t${path}\tHTTP/1.1\r\nHost: site.test\r\n\r\n`),
  rejected('line: a blank before it', (path) => ` ${request(`GET ${path}`)}`),
  rejected('line: method in lower case', (path) => request(`get ${path}`)),
  rejected('line: unknown method', (path) => request(`SMUGGLE ${path}`)),
  rejected('line: LF ends all lines', (path) => `GET ${path} HTTP/1.1\nHost: site.test\n\n`),
  rejected('line: LF ends the first', (path) => `GET ${path} HTTP/1.1\nHost: site.test\r\n\r\n`),
  rejected('line: CR ends the first', (path) => `GET ${path} HTTP/1.1\rHost: site.test\r\n\r\n`),
  rejected('line: NUL in the target', (path) => request(`GET ${path}\x00`)),
  rejected('line: a TLS handshake', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
];

const headers: readonly Shape[] = [
  rejected('header: none, not even Host', (path) => `GET ${path} HTTP/1.1\r\n\r\n`),
  rejected('header: two Hosts', (path) => `${request(`GET ${path}`, ['Host: site.test'])}${smuggled(path)}`),
  rejected('header: two Hosts that differ', (path) => `${request(`GET ${path}`, ['host: b.test'])}${smuggled(path)}`),
  rejected('header: Host with a path', (path) => `GET ${path} HTTP/1.1\r\nHost: site.test/x\r\n\r\n`),
  rejected('header: Host with a user', (path) => `GET ${path} HTTP/1.1\r\nHost: u@site.test\r\n\r\n`),
  rejected('header: Host with a blank', (path) => `GET ${path} HTTP/1.1\r\nHost: site.test b.test\r\n\r\n`),
  rejected('header: Host with a comma', (path) => `GET ${path} HTTP/1.1\r\nHost: site.test,b.test\r\n\r\n`),
  rejected('header: folded Host', (path) => `GET ${path} HTTP/1.1\r\nHost:\r\n site.test\r\n\r\n`),
  rejected('header: folded', (path) => request(`GET ${path}`, ['X-Long: a\r\n b'])),
  rejected('header: first line folded', (path) => `GET ${path} HTTP/1.1\r\n X: y\r\nHost: site.test\r\n\r\n`),
  rejected('header: no colon', (path) => request(`GET ${path}`, ['X-Nothing'])),
  rejected('header: no name', (path) => request(`GET ${path}`, [': value'])),
  rejected('header: blank in the name', (path) => request(`GET ${path}`, ['X Y: z'])),
  rejected('header: NUL in a value', (path) => request(`GET ${path}`, ['X: a\x00b'])),
  rejected('header: control character in a value', (path) => request(`GET ${path}`, ['X: a\x01b'])),
  rejected('header: DEL in a value', (path) => request(`GET ${path}`, ['X: a\x7fb'])),
  rejected('header: LF within a value', (path) => request(`GET ${path}`, ['X: a\nGET /x HTTP/1.1'])),
  rejected('header: CR within a value', (path) => request(`GET ${path}`, ['X: a\rb'])),
  rejected('header: the empty line has no CR', (path) => `GET ${path} HTTP/1.1\r\nHost: site.test\r\n\nGET /x`),
  rejected('header: Connection names Content-Length', (path) =>
    post(path, ['Content-Length: 5', 'Connection: Content-Length'], 'hello'),
  ),
  rejected('header: Connection names Transfer-Encoding', (path) =>
    post(path, ['Transfer-Encoding: chunked', 'Connection: transfer-encoding'], '0\r\n\r\n'),
  ),
  rejected('header: Connection names Host', (path) => request(`GET ${path}`, ['Connection: keep-alive, host'])),
  rejected('header: Connection names X-Forwarded-For', (path) =>
    request(`GET ${path}`, ['Connection: X-Forwarded-For']),
  ),
  rejected('header: Connection names Cookie', (path) => request(`GET ${path}`, ['Connection: close, Cookie'])),
];

const leftovers: readonly Shape[] = [
  cut(
    'leftover: behind "Connection: close"',
    ['GET'],
    (path) => `${request(`GET ${path}`, ['Connection: close'])}${smuggled(path)}`,
  ),
  cut('leftover: garbage behind a good request', ['GET'], (path) => `${request(`GET ${path}`)}\x00\x01garbage\r\n\r\n`),
  cut(
    'leftover: a bad request behind a good one',
    ['GET'],
    (path) => `${request(`GET ${path}`)}${post(`${path}/bad`, ['Content-Length: +5'], 'hello')}${smuggled(path)}`,
  ),
  {
    name: 'leftover: an ambiguous request between two good ones',
    bytes: (path) => `${request(`GET ${path}`)}${request(`GET ${path}/bad`, ['Host: b.test'])}${smuggled(path)}`,
    origin: [read('GET')],
    answers: ['origin', 400],
    closed: true,
  },
  rejected('leftover: behind a fragment', (path) => `${request(`GET ${path}#x`)}${smuggled(path)}`),
  rejected('leftover: behind HTTP/0.9', (path) => `GET ${path}\r\n\r\n${smuggled(path)}`),
  rejected('leftover: behind CONNECT', (path) => `${request('CONNECT site.test:443')}${smuggled(path)}`, 405),
  rejected(
    'leftover: behind a body that is too large',
    (path) => `${post(path, ['Content-Length: 2000000000'], '')}${smuggled(path)}`,
    413,
  ),
  // What came with an upgrade that is not taken is dropped, and the answer says that the connection ends.
  cut(
    'upgrade: h2c is a plain request',
    ['GET'],
    (path) =>
      `${request(`GET ${path}`, ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'])}${smuggled(path)}`,
  ),
  cut('upgrade: h2c with a body', ['POST hello'], (path) =>
    post(path, ['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5'], `hello${smuggled(path)}`),
  ),
  cut('upgrade: WebSocket by POST is a plain request', ['POST hello'], (path) =>
    post(path, ['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5'], `hello${smuggled(path)}`),
  ),
  cut('upgrade: WebSocket with a body is a plain request', ['GET hello'], (path) =>
    request(
      `GET ${path}`,
      ['Connection: Upgrade', 'Upgrade: websocket', 'Transfer-Encoding: chunked'],
      `5\r\nhello\r\n0\r\n\r\n${smuggled(path)}`,
    ),
  ),
  cut(
    'upgrade: an unknown protocol',
    ['GET'],
    (path) => `${request(`GET ${path}`, ['Connection: Upgrade', 'Upgrade: raw/1'])}${smuggled(path)}`,
  ),
];

export const smugglingShapes: readonly Shape[] = [
  ...lengths,
  ...codings,
  ...chunks,
  ...lines,
  ...headers,
  ...leftovers,
];
