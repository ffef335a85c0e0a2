import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startBackend } from '../../../../detectors/waf/ftw/backend-server.ts';
import { createHttpSender, type SentRequest } from '../../../../detectors/waf/ftw/http-sender.ts';
import { parseRawResponse } from '../../../../detectors/waf/ftw/parse-raw-response.ts';
import { freePort } from '../../../support/servers/process.ts';

const noLog = { linesOf: async () => [] };

async function backendUrl(t: Test): Promise<URL> {
  const backend = await startBackend('127.0.0.1', 0);
  t.teardown(() => backend.close());
  return new URL(`http://${backend.address}`);
}

/** A server that does with each request what it is told. */
async function rawServer(t: Test, answer: (socket: Socket, received: string) => void): Promise<URL> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      answer(socket, received);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => new Promise((closed) => server.close(closed)));
  const address = server.address();
  return new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
}

t.test('a request arrives byte by byte as it was built, and its log is asked for by its port', async (t) => {
  const raw = 'GET /\xff HTTP/9.9\r\nA : \x01\r\n\r\n';
  const seen: string[] = [];
  let [remotePort, asked] = [0, null as SentRequest | null];
  const url = await rawServer(t, (socket, received) => {
    if (received.length < raw.length) return;
    seen.push(received);
    remotePort = socket.remotePort ?? 0;
    socket.write('HTTP/1.1 418 no\r\nContent-Length: 2\r\n\r\nok');
  });
  const log = {
    async linesOf(sent: SentRequest) {
      asked = sent;
      return ['[id "1"]'];
    },
  };
  const outcome = await createHttpSender(url, log).send(raw);
  t.strictSame(outcome, { error: null, status: 418, body: 'ok', lines: ['[id "1"]'] });
  t.strictSame(seen, [raw]);
  t.match(asked, { clientPort: remotePort, response: { status: 418 } });
});

t.test('what is no response is an error, and the log is read all the same', async (t) => {
  const log = { linesOf: async () => ['[id "2"]'] };
  const cases: readonly (readonly [answer: string, error: string])[] = [
    ['', 'the connection was closed without a response'],
    ['<html>', 'the response is none of HTTP/1'],
    ['HTTP/1.1 200 OK\r\nContent-', 'the response is none of HTTP/1'],
  ];
  for (const [answer, error] of cases) {
    const url = await rawServer(t, (socket) => socket.end(answer));
    t.strictSame(await createHttpSender(url, log).send('GET /\r\n\r\n'), {
      error,
      status: 0,
      body: '',
      lines: ['[id "2"]'],
    });
  }
  const nobody = new URL(`http://127.0.0.1:${await freePort()}`);
  t.match((await createHttpSender(nobody, noLog).send('GET / HTTP/1.1\r\n\r\n')).error, /ECONNREFUSED/);
  const broken = { linesOf: () => Promise.reject(new Error('gone')) };
  const outcome = await createHttpSender(await backendUrl(t), broken).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal(outcome.error, 'the log cannot be read: gone');
});

t.test('the simulated backend over the wire', async (t) => {
  const sender = createHttpSender(await backendUrl(t), noLog);
  const post = (body: string): string =>
    `POST /reflect HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  t.match(await sender.send('GET /anything HTTP/1.1\r\nHost: a\r\n\r\n'), { status: 200, body: '' });
  t.match(await sender.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'), { status: 200, body: '' });
  t.match(await sender.send(post('{"status": 500, "body": "ORA-00942"}')), { status: 500, body: 'ORA-00942' });
  t.match(await sender.send(post('{"headers": {"bad name": "x"}}')), { status: 400, error: null });
  t.match(await sender.send(post('{"encodedBody": "AP8="}')), { status: 200, body: '\0\xff' });
});

t.test('a second backend on the same address says so', async (t) => {
  const url = await backendUrl(t);
  await t.rejects(startBackend('127.0.0.1', Number(url.port)), { code: 'LISTEN_FAILED' });
});

t.test('responses are read as far as they have come', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\n';
  const cases: readonly (readonly [text: string, body: string | null, complete: boolean])[] = [
    [`${head}Content-Length: 3\r\n\r\nab`, 'ab', false],
    [`${head}Content-Length: 3\r\n\r\nabcd`, 'abc', true],
    [`${head}\r\nto the end`, 'to the end', false],
    [`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n`, 'abcde', true],
    [`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, 'abc', false],
    [`${head}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`, '', false],
    [`HTTP/1.1 100 Continue\r\n\r\n${head}Content-Length: 0\r\n\r\n`, '', true],
    ['HTTP/1.1 204 No Content\r\n\r\n', '', true],
    ['HTTP/1.1 abc\r\n\r\n', null, false],
    ['HTTP/1.1 200', null, false],
  ];
  for (const [text, body, complete] of cases) {
    const read = parseRawResponse(text, false);
    t.strictSame([read?.body ?? null, read?.complete ?? false], [body, complete], JSON.stringify(text));
  }
  t.equal(cases.length, 10);
  t.equal(parseRawResponse(`${head}Content-Length: 3\r\n\r\n`, true)?.complete, true, 'HEAD has no body');
});
