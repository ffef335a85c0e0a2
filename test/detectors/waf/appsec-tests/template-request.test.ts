import t from 'tap';
import { createDslFunctions } from '../../../../detectors/waf/appsec-tests/dsl-functions.ts';
import { readTemplate, type RequestBlock } from '../../../../detectors/waf/appsec-tests/template-document.ts';
import {
  pathRequest,
  rawRequest,
  type TemplateRequest,
} from '../../../../detectors/waf/appsec-tests/template-request.ts';
import { requestScope, targetNames } from '../../../../detectors/waf/appsec-tests/template-scope.ts';
import { systemClock } from '../../../../core/clock.ts';
import { createSystemRandom } from '../../../../core/random.ts';

const random = createSystemRandom();
const functions = createDslFunctions({ clock: systemClock, random });
const scope = requestScope(targetNames(random), [['word', 'w&{{Port}}']], new Map([['p', '{{word}}!']]), functions);

function blockOf(yaml: string): RequestBlock {
  const [block] = readTemplate(`id: x\nhttp:\n  - ${yaml.trimEnd().replaceAll('\n', '\n    ')}\n`).requests;
  if (block === undefined) throw new Error('no block');
  return block;
}

function raw(text: string, unsafe = false): TemplateRequest {
  return rawRequest(text, { ...blockOf('raw: [x]'), unsafe }, scope);
}

function valueOf({ headers }: TemplateRequest, name: string): string | undefined {
  const index = headers.findIndex((one, at) => at % 2 === 0 && one === name);
  return index === -1 ? undefined : headers[index + 1];
}

t.test('a raw request is rebuilt as a client sends it', async (t) => {
  const request = raw('POST /a?b=c d HTTP/1.1\nHost: {{Hostname}}\nX-A: 1\nX-A: 2\nContent-Length: 99\n\none\ntwo\n');
  t.match(request, { method: 'POST', target: '/a?b=c+d', protocol: 'HTTP/1.1' });
  t.equal(request.body, 'one\r\ntwo');
  t.equal(valueOf(request, 'Host'), '127.0.0.1:7822');
  t.equal(valueOf(request, 'X-A'), '2');
  t.equal(valueOf(request, 'Content-Length'), '8');
  t.match(valueOf(request, 'User-Agent'), /Mozilla/);
});

const targets: readonly (readonly [line: string, target: string])[] = [
  ['GET / HTTP/1.1', '/'],
  ['GET HTTP/1.1', '/'],
  ['GET /a', '/a'],
  ['GET {{BaseURL}}/a HTTP/1.1', '/a'],
  ['GET {{RootURL}}?a HTTP/1.1', '/?a'],
  ['GET /%2e%2e/%zz?%2e%zz HTTP/1.1', '/%2e%2e/%zz?%2e%zz'],
  ['GET /a"<>`{|}^\\ HTTP/1.1', '/a%22%3C%3E%60%7B%7C%7D%5E%5C'],
  ['GET /a?"<>`{|}^\\ HTTP/1.1', '/a?"<>`{|}^\\'],
  ["GET /a;b=c/!$&'()*+,:@[] HTTP/1.1", "/a;b=c/!$&'()*+,:@[]"],
  ['GET /a?x=1#part HTTP/1.1', '/a?x=1'],
  ['GET /\u00fc?\u00fc HTTP/1.1', '/%C3%BC?%C3%BC'],
  ['GET /a/../b//c HTTP/1.1', '/a/../b//c'],
];

t.test('addresses as they are, but for what cannot stand in a request line', async (t) => {
  for (const [line, target] of targets) {
    t.equal(raw(Buffer.from(`${line}\nHost: x\n`, 'utf8').toString('latin1')).target, target, line);
  }
  t.equal(targets.length, 12);
});

t.test('annotations are no part of the request', async (t) => {
  const request = raw('@timeout: 20s\n@Host: https://other.example\nGET /a HTTP/1.1\nHost: {{Host}}\n');
  t.match(request, { method: 'GET', target: '/a', body: '' });
  t.equal(valueOf(request, 'Host'), '127.0.0.1');
});

t.test('bodies: one line end goes, multipart keeps it, blank lines stay', async (t) => {
  t.equal(raw('POST / HTTP/1.1\nHost: x\n\na=1\n\n').body, 'a=1\r\n');
  t.equal(raw('POST / HTTP/1.1\nHost: x\n\na\n\nb\n').body, 'a\r\n\r\nb');
  const multipart = 'POST / HTTP/1.1\nContent-Type: multipart/form-data; boundary=b\n\n--b--\n';
  t.equal(raw(multipart).body, '--b--\r\n');
  t.equal(raw('POST / HTTP/1.1\r\nHost: x\r\n\r\na\nb').body, 'a\nb', 'line ends of the author stay');
  t.equal(raw("POST / HTTP/1.1\nHost: x\n\n{{base64_decode('AP8=')}}").body, '\x00\xff');
});

t.test('a POST without a body has a length, a GET has none', async (t) => {
  t.equal(valueOf(raw('POST / HTTP/1.1\nHost: x\n'), 'Content-Length'), '0');
  t.equal(valueOf(raw('GET / HTTP/1.1\nHost: x\n'), 'Content-Length'), undefined);
});

t.test('an empty User-Agent is none', async (t) => {
  t.equal(valueOf(raw('GET / HTTP/1.1\nHost: x\nUser-Agent:\n'), 'User-Agent'), undefined);
  t.equal(valueOf(raw('GET / HTTP/1.1\nHost: x\nuser-agent: me\n'), 'user-agent'), 'me');
});

t.test('an unsafe request goes as it is', async (t) => {
  const request = raw('get /a b#c HTTP/1.0\nX: 1\nX: 2\nbroken\n\nbody', true);
  t.match(request, { method: 'get', target: '/a b#c', protocol: 'HTTP/1.0', body: 'body' });
  t.same(request.headers, ['X', '1', 'X', '2', 'broken', '', 'Content-Length', '4']);
  const framed = raw('POST / HTTP/1.1\nContent-Length: 2\n\nbody', true);
  t.same(framed.headers, ['Content-Length', '2']);
});

t.test('a raw text without a request line is refused', async (t) => {
  t.throws(() => raw('nothing\n'), /"nothing" is no request line/);
});

t.test('paths with method, headers and body; variables and payloads go through them', async (t) => {
  const block = blockOf(`method: PUT
path: ["{{BaseURL}}/x/{{p}}?q={{word}}"]
headers: {X-One: "{{p}}", Content-Type: text/plain}
body: "a={{p}}\\n"
`);
  const request = pathRequest(block.paths[0] ?? '', block, scope);
  t.match(request, { method: 'PUT', target: '/x/w&7822!?q=w&7822', body: 'a=w&7822!\n' });
  t.equal(valueOf(request, 'Host'), '127.0.0.1:7822');
  t.equal(valueOf(request, 'X-One'), 'w&7822!');
  t.equal(valueOf(request, 'Accept'), '*/*');
  const own = blockOf('path: ["{{BaseURL}}"]\nheaders: {Host: other.example}');
  const other = pathRequest(own.paths[0] ?? '', own, scope);
  t.match(other, { method: 'GET', target: '/' });
  t.equal(valueOf(other, 'Host'), 'other.example');
});
