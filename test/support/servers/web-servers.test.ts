/** The real servers that other tests lean on: that they start, log what they saw, and end with the test. */
import t from 'tap';
import { headerOf } from '../http-response.ts';
import { send } from '../raw-client.ts';
import { startApache } from './apache.ts';
import { startNginx } from './nginx.ts';
import { findProgram, ProcessFailure, startProcess } from './process.ts';

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${more}\r\n`;

t.test('nginx logs every request of a pipeline with its body', async (t) => {
  const nginx = await startNginx(t);
  const body = 'GET /inner HTTP/1.1\r\n\ttab "q" \\ \xff';
  const post = `POST /b HTTP/1.1\r\nHost: b.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const chunked =
    'PUT /c HTTP/1.1\r\nHost: c.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
  const answer = await send(nginx.port, [get('/a?x=1') + post + chunked], { until: 3 });
  t.equal(answer.statusLines.length, 3);
  t.same(
    answer.responses.map((one) => one.body.toString()),
    ['nginx GET /a?x=1\n', 'nginx POST /b\n', 'nginx PUT /c\n'],
  );
  const logged = await nginx.log.requests();
  t.match(logged, [
    { requestLine: 'GET /a?x=1 HTTP/1.1', status: 200, host: 'a.test', body: '', contentLength: '' },
    { requestLine: 'POST /b HTTP/1.1', host: 'b.test', body, contentLength: String(body.length) },
    { requestLine: 'PUT /c HTTP/1.1', host: 'c.test', body: 'abcde', transferEncoding: 'chunked' },
  ]);
  t.equal(logged.length, 3);
  t.equal(new Set(logged.map((one) => one.connection)).size, 1, 'they shared a connection');
});

t.test('nginx shows a smuggled request as one of its own', async (t) => {
  const nginx = await startNginx(t);
  await send(nginx.port, `POST /front HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n${get('/smuggled')}`, {
    until: 2,
  });
  const lines = (await nginx.log.waitFor(2)).map((one) => one.requestLine);
  t.same(lines, ['POST /front HTTP/1.1', 'GET /smuggled HTTP/1.1']);
});

t.test('nginx takes further configuration and names its mistakes', async (t) => {
  const nginx = await startNginx(t, { server: 'location /teapot { return 418 "short"; }', files: { 'a.txt': 'file' } });
  const answer = await send(nginx.port, get('/teapot'));
  t.equal(answer.statusLines[0]?.slice(0, 12), 'HTTP/1.1 418');
  await t.rejects(startNginx(t, { server: 'no_such_directive;' }), /unknown directive "no_such_directive"/);
});

t.test('Apache logs every request of a pipeline and echoes a body', async (t) => {
  const apache = await startApache(t, { files: { 'page.html': 'page\n' } });
  const post = 'POST /echo HTTP/1.1\r\nHost: b.test\r\nContent-Length: 5\r\n\r\nhello';
  const answer = await send(apache.port, get('/page.html') + post, { until: 2 });
  t.same(
    answer.responses.map((one) => one.body.toString()),
    ['page\n', 'hello'],
  );
  const logged = await apache.log.waitFor(2);
  t.match(logged, [
    { requestLine: 'GET /page.html HTTP/1.1', status: 200, host: 'a.test', body: null },
    { requestLine: 'POST /echo HTTP/1.1', status: 200, host: 'b.test', contentLength: '5' },
  ]);
  t.same((await apache.log.requests()).length, 2);
  t.equal(logged[0]?.connection, logged[1]?.connection);
});

t.test('Apache takes further configuration and names its mistakes', async (t) => {
  const apache = await startApache(t, { modules: ['headers'], config: 'Header set X-From apache' });
  const answer = await send(apache.port, get('/'));
  t.equal(answer.responses[0] && headerOf(answer.responses[0], 'x-from'), 'apache');
  await t.rejects(startApache(t, { config: 'NoSuchDirective on' }), /Invalid command 'NoSuchDirective'/);
});

t.test('a server that is stopped is gone', async (t) => {
  const nginx = await startNginx(t);
  await nginx.process.stop();
  await t.rejects(send(nginx.port, get('/')), { code: 'ECONNREFUSED' });
  await nginx.process.stop();
});

t.test('a program that is absent is named with its package', async (t) => {
  t.throws(() => findProgram('portcullis-no-such-program', 'such-package'), /install the Debian package such-package/);
  const failing = startProcess(t, {
    command: 'sh',
    args: ['-c', 'echo Address already in use; exit 3'],
    ready: /never/,
  });
  await t.rejects(failing, { name: 'ProcessFailure', output: /already in use/ });
  t.type(await failing.catch((error: unknown) => error), ProcessFailure);
});
