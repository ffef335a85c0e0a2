import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { DeliveryError } from '../../../../remediation/notify/channels/channel.ts';
import {
  certificates,
  channelOf,
  issuesOf,
  keep,
  listening,
  never,
  type Received,
  socketPath,
  webhook,
} from '../support.ts';

async function faultOf(sending: Promise<void>): Promise<DeliveryError> {
  const thrown: unknown = await sending.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (thrown instanceof DeliveryError) return thrown;
  throw new Error(`no delivery error: ${String(thrown)}`);
}

t.test('a text is posted with the headers of the document', async (t) => {
  const hook = await webhook(t);
  const channel = channelOf('http', {
    url: `${hook.url}/in?x=1`,
    headers: { Authorization: 'Bearer s3cret', 'X-A': 'b' },
  });
  await channel.send('[{"é":1}]', never);
  const [request] = hook.received;
  t.match(request, { method: 'POST', url: '/in?x=1', body: '[{"é":1}]' });
  t.match(request?.headers, {
    authorization: 'Bearer s3cret',
    'x-a': 'b',
    'content-length': '10',
    'user-agent': 'portcullis',
  });
  await channelOf('http', { url: hook.url, method: 'put' }).send('', never);
  t.match(hook.received[1], { method: 'PUT', body: '' });
});

t.test('an answer that is no success says what to do, without the secrets', async (t) => {
  const rows: readonly (readonly [status: number, remedy: RegExp])[] = [
    [400, /does not take the message/],
    [401, /token/],
    [403, /token/],
    [404, /nothing is there/],
    [429, /fewer messages/],
    [500, /fault of its own/],
    [503, /fault of its own/],
  ];
  for (const [status, remedy] of rows) {
    const hook = await webhook(t, ({ headers, url }, response) => {
      response.writeHead(status, { 'retry-after': '7' });
      response.end(`you sent\n${headers.authorization} to ${url}`);
    });
    const fault = await faultOf(
      channelOf('http', { url: `${hook.url}/hooks/T0KEN`, headers: { authorization: 'Splunk abcdef' } }).send(
        'x',
        never,
      ),
    );
    t.equal(fault.message, `${hook.url}: answered ${status}: you sent [redacted] to /[redacted]`);
    t.match(fault.remedy, remedy);
    t.equal(fault.retryAfterMs, 7_000);
    t.equal(fault.code, 'NOTIFICATION_FAILED');
  }
  t.equal(rows.length, 7);
});

t.test('a redirect is not followed: the secrets go to nobody else', async (t) => {
  const thief = await webhook(t);
  const hook = await webhook(t, (_, response) => {
    response.writeHead(307, { location: `${thief.url}/take?it` });
    response.end();
  });
  const fault = await faultOf(channelOf('http', { url: hook.url, headers: { authorization: 'k' } }).send('x', never));
  t.equal(fault.message, `${hook.url}: answered with a redirect to ${thief.url}, which is not followed`);
  t.equal(thief.received.length, 0);
});

t.test('an attempt ends when its time is up, also in the middle of an answer', async (t) => {
  for (const begins of [false, true]) {
    const stop = new AbortController();
    const hook = await webhook(t, (_, response) => {
      if (begins) response.write('so ');
      stop.abort();
    });
    const fault = await faultOf(channelOf('http', { url: hook.url }).send('x', stop.signal));
    t.equal(fault.message, `${hook.url}: no answer in time`);
    t.match(fault.remedy, /longer timeout/);
  }
});

t.test('an endless answer is read up to a bound', async (t) => {
  const hook = await webhook(t, (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more);
    more();
  });
  await channelOf('http', { url: hook.url }).send('x', never);
  t.equal(hook.received.length, 1);
});

t.test('nobody there, or no such name: said plainly', async (t) => {
  const hook = await webhook(t);
  hook.server.close();
  hook.server.closeAllConnections();
  const fault = await faultOf(channelOf('http', { url: hook.url }).send('x', never));
  t.match(fault.message, /ECONNREFUSED/);
  t.match(fault.remedy, /reached/);
});

t.test('a unix socket', async (t) => {
  const received: Received[] = [];
  const server = createServer((request, response) => void keep(request, received).then(() => response.end()));
  const path = socketPath(t);
  await listening(server, path);
  t.teardown(() => server.close());
  await channelOf('http', { url: 'http://hook.example/in', unix_socket: path }).send('hi', never);
  t.match(received, [{ url: '/in', headers: { host: 'hook.example' }, body: 'hi' }]);
});

t.test('TLS: verified by default, an authority or certificates of its own, or not verified when told so', async (t) => {
  const made = certificates(t.testdir({}));
  const received: Received[] = [];
  const peers: string[] = [];
  const server = createTlsServer(
    { ...made.server, ca: made.ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as import('node:tls').TLSSocket;
      const subject = socket.authorized ? socket.getPeerCertificate().subject.CN : '-';
      peers.push(String(subject));
      void keep(request, received).then(() => response.end());
    },
  );
  const port = await listening(server);
  t.teardown(() => server.close());
  const url = `https://localhost:${port}/`;
  const refused = await faultOf(channelOf('http', { url }).send('x', never));
  t.match(refused.remedy, /ca_cert_path/);
  const file = (name: string): string => join(made.folder, name);
  await channelOf('http', { url, ca_cert_path: file('ca.pem') }).send('trusted', never);
  await channelOf('http', {
    url,
    ca_cert_path: file('ca.pem'),
    cert_path: file('client.pem'),
    key_path: file('client.key'),
  }).send('mutual', never);
  await channelOf('http', { url, skip_tls_verification: 'true' }).send('anything', never);
  t.strictSame(
    received.map(({ body }) => body),
    ['trusted', 'mutual', 'anything'],
  );
  t.strictSame(peers, ['-', 'client', '-']);
  t.throws(() => channelOf('http', { url, ca_cert_path: file('nope.pem') }), {
    code: 'NOTIFICATION_INVALID',
    message: /cannot read/,
  });
});

t.test('wrong keys are named', async (t) => {
  t.strictSame(issuesOf('http', {}), ['url: is missing']);
  t.strictSame(issuesOf('http', { url: 'ftp://x' }), ['url: expected a URL that begins with http:// or https://']);
  t.strictSame(issuesOf('http', { url: 'http://x', method: 'P T' }), ['method: expected a method such as POST']);
  t.strictSame(issuesOf('http', { url: 'http://x', headers: { 'a b': 'x' } }), ['headers.a b: is no name of a header']);
  t.strictSame(issuesOf('http', { url: 'http://x', headers: { a: 'x\ny' } }), [
    'headers.a: holds characters that a header cannot carry',
  ]);
  t.strictSame(issuesOf('http', { url: 'http://x', cert_path: '/a' }), [
    'cert_path: cert_path and key_path stand together',
  ]);
  t.strictSame(issuesOf('http', { url: 'http://x', skip_tls_verification: 'maybe' }), [
    'skip_tls_verification: expected true or false',
  ]);
});
