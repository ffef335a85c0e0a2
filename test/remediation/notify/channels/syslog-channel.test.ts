import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { certificates, channelOf, issuesOf, listening, never, socketPath } from '../support.ts';

const time = '2026-01-01T00:00:00.000Z';

/** Everything that a connection brought, when it has ended. */
function collector(): { readonly onConnection: (socket: Socket) => void; readonly next: () => Promise<string> } {
  const done: Promise<string>[] = [];
  const waiting: ((text: Promise<string>) => void)[] = [];
  return {
    onConnection: (socket) => {
      const text = (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
        return Buffer.concat(chunks).toString('utf8');
      })();
      const first = waiting.shift();
      if (first) first(text);
      else done.push(text);
    },
    next: () => done.shift() ?? new Promise<string>((resolve) => waiting.push(resolve)),
  };
}

t.test('UDP: one datagram of RFC 5424', async (t) => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const channel = channelOf('syslog', { address: `udp://127.0.0.1:${socket.address().port}` });
  const got = once(socket, 'message');
  await channel.send('ban 192.0.2.1\n', never);
  t.equal(String((await got)[0]), `<132>1 ${time} gw.example portcullis - - - ban 192.0.2.1`);
  const long = once(socket, 'message');
  await channel.send('é'.repeat(3_000), never);
  const [bytes] = (await long) as [Buffer];
  t.ok(bytes.length <= 2_048 && bytes.length > 2_040);
  t.notMatch(bytes.toString('utf8'), /\ufffd/, 'no half character');
});

t.test('TCP: counted octets, facility and severity, and no line of an alert begins a message', async (t) => {
  const { onConnection, next } = collector();
  const server = createServer(onConnection);
  const port = await listening(server);
  t.teardown(() => server.close());
  const channel = channelOf('syslog', {
    address: `tcp://127.0.0.1:${port}`,
    facility: 'auth',
    severity: 'crit',
    app_name: 'gw',
  });
  await channel.send('one é\n<0>1 - - forged - - - x\u0000', never);
  const message = `<34>1 ${time} gw.example gw - - - one é#012<0>1 - - forged - - - x#000`;
  t.equal(await next(), `${Buffer.byteLength(message)} ${message}`);
  await channelOf('syslog', { address: `tcp://127.0.0.1:${port}` }, { hostname: 'ho st\n' }).send('x', never);
  t.equal(await next(), `55 <132>1 ${time} host portcullis - - - x`);
});

t.test('TLS, verified', async (t) => {
  const made = certificates(t.testdir({}));
  const { onConnection, next } = collector();
  const server = createTlsServer(made.server, onConnection);
  server.on('tlsClientError', () => undefined);
  const port = await listening(server);
  t.teardown(() => server.close());
  const address = `tls://localhost:${port}`;
  await t.rejects(channelOf('syslog', { address }).send('x', never), { message: /certificate|self-signed|verify/i });
  await channelOf('syslog', { address, ca_cert_path: join(made.folder, 'ca.pem') }).send('x', never);
  t.match(await next(), / portcullis - - - x$/);
});

t.test('a stream socket of this machine', async (t) => {
  const { onConnection, next } = collector();
  const server = createServer(onConnection);
  const path = socketPath(t);
  await listening(server, path);
  t.teardown(() => server.close());
  await channelOf('syslog', { address: `unix://${path}` }).send('x', never);
  t.match(await next(), /^[0-9]+ <132>1 /);
});

t.test('nobody there, or nobody who listens', async (t) => {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  await t.rejects(channelOf('syslog', { address: `tcp://127.0.0.1:${port}` }).send('x', never), {
    code: 'NOTIFICATION_FAILED',
    message: /^tcp:\/\/127\.0\.0\.1:[0-9]+: .*ECONNREFUSED/,
  });
  const stop = AbortSignal.abort();
  await t.rejects(channelOf('syslog', { address: `tcp://127.0.0.1:${port}` }).send('x', stop), {
    message: /no answer in time/,
  });
});

t.test('wrong keys are named', async (t) => {
  const address = 'address: expected udp://host:514, tcp://host:601, tls://host:6514 or unix:///run/socket';
  const wrong = ['host', 'udp://', 'udp://a:99999', 'unix://', 'http://x', 'udp://a b'];
  for (const each of wrong) t.strictSame(issuesOf('syslog', { address: each }), [address], each);
  t.equal(wrong.length, 6);
  const right = ['udp://h', 'tcp://[::1]:1', 'tls://a.example', 'unix:///x', 'udp://127.0.0.1'];
  for (const each of right) t.strictSame(issuesOf('syslog', { address: each }), [], each);
  t.equal(right.length, 5);
  t.match(issuesOf('syslog', { address: 'udp://h', facility: 'x', severity: 'warn', app_name: 'a b' }), [
    /^facility: expected one of kern, /,
    /^severity: expected one of emerg, /,
    /^app_name: expected ASCII/,
  ]);
});
