import t from 'tap';
import { simulatedResponse } from '../../../../detectors/waf/ftw/simulated-backend.ts';
import { sniffType } from '../../../../detectors/waf/ftw/sniff-type.ts';

const reflect = (description: unknown) =>
  simulatedResponse('POST', '/reflect', Buffer.from(JSON.stringify(description)).toString('latin1'));

t.test('every request but one gets an empty 200', async (t) => {
  const empty = { status: 200, headers: ['Content-Length', '0'], body: '' };
  for (const [method, target] of [
    ['GET', '/'],
    ['GET', '/reflect'],
    ['POST', '/post?a=/reflect'],
    ['PURGE', '*'],
    ['POST', '/reflect/more'],
  ] as const) {
    t.strictSame(simulatedResponse(method, target, '{"status": 500}'), empty, `${method} ${target}`);
  }
});

t.test('reflect answers as it is told', async (t) => {
  t.strictSame(reflect({ status: 503, headers: { 'X-A': 'ü', 'Content-Type': 'text/x' }, body: 'ü' }), {
    status: 503,
    headers: ['X-A', '\xc3\xbc', 'Content-Type', 'text/x', 'Content-Length', '2'],
    body: '\xc3\xbc',
  });
  t.strictSame(reflect({ BODY: 'plain' }), {
    status: 200,
    headers: ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', '5'],
    body: 'plain',
  });
  t.equal(reflect({ encodedBody: 'AP8=', body: 'not this' }).body, '\0\xff');
  t.equal(simulatedResponse('POST', 'http://localhost/reflect?a=b', '{"status":404}').status, 404);
  t.equal(reflect({ unknown: 1, logMessage: 'seen' }).status, 200);
});

t.test('a description that makes no sense is answered 400', async (t) => {
  const wrong = ['', '<%- no json %>', '[]', 'null', '{"status": 99}', '{"status": 600}', '{"status": "200"}'];
  wrong.push('{"body": 7}', '{"encodedBody": "***"}', '{"headers": "X: y"}');
  for (const body of wrong) t.equal(simulatedResponse('POST', '/reflect', body).status, 400, body);
  t.equal(wrong.length, 10);
});

t.test('the type of a body without one is guessed from its beginning', async (t) => {
  const cases: readonly (readonly [body: string, type: string])[] = [
    ['\n <!doctype html>', 'text/html; charset=utf-8'],
    ['<a >', 'text/html; charset=utf-8'],
    ['<abbr>', 'text/plain; charset=utf-8'],
    ['<!-- x', 'text/html; charset=utf-8'],
    [' <?xml version', 'text/xml; charset=utf-8'],
    ['{"a": 1}', 'text/plain; charset=utf-8'],
    ['\x89PNG\r\n\x1a\nIHDR', 'image/png'],
    ['\x1f\x8b\x08', 'application/x-gzip'],
    ['text\0', 'application/octet-stream'],
    [`${'a'.repeat(512)}\0`, 'text/plain; charset=utf-8'],
    ['\x1b[0m', 'text/plain; charset=utf-8'],
  ];
  for (const [body, type] of cases) t.equal(sniffType(body), type, JSON.stringify(body.slice(0, 20)));
  t.equal(cases.length, 11);
});
