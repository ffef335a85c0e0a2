import t from 'tap';
import { buildRequest } from '../../../../detectors/waf/ftw/build-request.ts';
import type { FtwInput } from '../../../../detectors/waf/ftw/ftw-test.ts';

const plain: FtwInput = {
  destination: 'localhost',
  port: 80,
  method: 'GET',
  uri: '/',
  version: 'HTTP/1.1',
  headers: [['Host', 'localhost']],
  data: null,
  encodedRequest: null,
  autocompleteHeaders: true,
};

const form = { ...plain, method: 'POST', headers: [] };
const formHead = (length: number): string =>
  `POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;

t.test('the headers of a test come first and in order, then those that are missing', async (t) => {
  t.equal(buildRequest(plain), 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  t.equal(
    buildRequest({
      ...plain,
      method: 'PUT',
      headers: [
        ['X', ''],
        ['connection', 'keep-alive'],
        ['x', '1'],
      ],
    }),
    'PUT / HTTP/1.1\r\nX: \r\nconnection: keep-alive\r\nx: 1\r\nContent-Length: 0\r\n\r\n',
  );
  t.equal(buildRequest({ ...plain, version: '' }), 'GET / \r\nHost: localhost\r\nConnection: close\r\n\r\n');
});

t.test('nothing is added where a test forbids it', async (t) => {
  const bare = { ...form, autocompleteHeaders: false, data: 'a=b c' };
  t.equal(buildRequest(bare), 'POST / HTTP/1.1\r\n\r\na=b c');
});

t.test('form data that nobody has encoded is encoded by name and value', async (t) => {
  const cases: readonly (readonly [data: string, body: string])[] = [
    ['a=b c&d=<e>', 'a=b+c&d=%3Ce%3E'],
    ['z=1&a=2', 'z=1&a=2'],
    ['a;b=c=d', 'a%3Bb=c%3Dd'],
    ['flag&a=ü', 'flag&a=%C3%BC'],
    // Encoded already, or meant to be broken.
    ['a=b%20c&d=<e>', 'a=b%20c&d=<e>'],
    ['a=1+<', 'a=1+<'],
    ['a=%zz<', 'a=%zz<'],
    // No value at all: this is no form.
    ['<xml/>', '<xml/>'],
    ['<a>=', '<a>='],
  ];
  for (const [data, body] of cases) t.equal(buildRequest({ ...form, data }), formHead(body.length) + body, data);
  t.equal(cases.length, 9);
});

t.test('other data is sent as UTF-8, as it is', async (t) => {
  const headers = [['Content-Type', 'application/json']] as const;
  const body = '{"a": "\xc3\xbc b"}';
  const head = 'POST / HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n';
  t.equal(
    buildRequest({ ...form, headers, data: '{"a": "ü b"}' }),
    `${head}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
});

t.test('multipart bodies get the line ends of MIME, and their length is counted after that', async (t) => {
  const headers = [['Content-Type', 'multipart/form-data; boundary=x']] as const;
  const sent = buildRequest({ ...form, headers, data: '--x\n\r\n\n--x--' });
  t.match(sent, /\r\nContent-Length: 14\r\n\r\n--x\r\n\r\n\r\n--x--$/);
});

t.test('an encoded request is sent byte by byte', async (t) => {
  const encodedRequest = Buffer.from([0x47, 0x0d, 0xff, 0x00]).toString('base64');
  t.equal(buildRequest({ ...plain, encodedRequest }), 'G\r\xff\0');
});
