import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { createManualClock } from '../../../support/manual-clock.ts';
import { startFakeLapi } from './fake-lapi.ts';
import { clientOf, comesAbout, noTls } from './support.ts';

const machine = { kind: 'machine' as const, machineId: 'm1', password: 'secret-of-m1' };

async function serve(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  return listening(t, server, 'http');
}

async function listening(t: Test, server: Server, scheme: string): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

t.test('a machine logs in once, for as long as the token lives', async (t) => {
  const clock = createManualClock();
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  const client = clientOf(lapi.url, clock, { credentials: machine, scenarios: () => ['a/b', 'c'] });
  t.teardown(() => client.close());
  const beat = { method: 'GET' as const, path: 'v1/heartbeat' };
  const logins = (): number => lapi.requests.filter(({ url }) => url === '/v1/watchers/login').length;

  await Promise.all([client.demand(beat), client.demand(beat), client.demand(beat)]);
  t.equal(logins(), 1, 'three questions share one login');
  t.match(lapi.requests[0], {
    headers: { 'user-agent': 'portcullis/v0.1.0' },
    body: { machine_id: 'm1', password: 'secret-of-m1', scenarios: ['a/b', 'c'] },
  });
  clock.advance(58 * 60_000);
  await client.demand(beat);
  t.equal(logins(), 1);
  clock.advance(60_000);
  await client.demand(beat);
  t.equal(logins(), 2, 'a minute before it ends a new one is asked for');
  lapi.restart();
  t.equal((await client.demand(beat)).status, 200, 'a restarted server has forgotten it: logged in anew');
  t.equal(logins(), 3);
});

t.test('a machine that is refused in spite of its token logs in twice more, and then says so', async (t) => {
  const clock = createManualClock();
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  const client = clientOf(lapi.url, clock, { credentials: machine });
  t.teardown(() => client.close());
  for (let count = 0; count < 9; count++) lapi.faults.push({ kind: 'status', status: 401, path: '/v1/heartbeat' });
  await t.rejects(client.demand({ method: 'GET', path: 'v1/heartbeat' }), { code: 'LAPI_REFUSED' });
  t.equal(lapi.requests.filter(({ url }) => url === '/v1/watchers/login').length, 3);
  t.equal(lapi.requests.filter(({ url }) => url === '/v1/heartbeat').length, 3);
});

t.test('a login that is refused says what to do', async (t) => {
  const clock = createManualClock();
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  lapi.machines.set('m2', { password: 'x', validated: false });
  const rejected = async (credentials: typeof machine): Promise<unknown> => {
    const client = clientOf(lapi.url, clock, { credentials });
    t.teardown(() => client.close());
    return client.demand({ method: 'GET', path: 'v1/heartbeat' });
  };
  await t.rejects(rejected({ ...machine, machineId: 'm2', password: 'x' }), {
    code: 'LAPI_REFUSED',
    message: /answered 401: machine m2 not validated/,
    remedy: /cscli machines validate m2/,
  });
  await t.rejects(rejected({ ...machine, password: 'wrong-one' }), {
    message: /incorrect Username or Password/,
    remedy: /Check machineId and password/,
  });
});

t.test('large bodies are compressed, until a server does not understand that', async (t) => {
  const clock = createManualClock();
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  const client = clientOf(lapi.url, clock, { credentials: machine });
  t.teardown(() => client.close());
  const alert = { scenario: 's', message: 'x'.repeat(20_000) };
  const post = { method: 'POST' as const, path: 'v1/alerts', body: [alert] };
  const sent = (): readonly (string | undefined)[] =>
    lapi.requests.filter(({ url }) => url === '/v1/alerts').map(({ headers }) => headers['content-encoding']);
  await client.demand({ ...post, body: [{ scenario: 'small' }] });
  t.same((await client.demand(post)).status, 201);
  t.strictSame(sent(), [undefined, 'gzip']);
  t.ok((lapi.requests.at(-1)?.bytes ?? 0) < 1_000);
  lapi.generation = '1.4.6';
  t.equal((await client.demand(post)).status, 201);
  t.equal((await client.demand(post)).status, 201);
  t.strictSame(sent().slice(2), ['gzip', undefined, undefined], 'which is then remembered');
  t.equal(lapi.alerts.length, 4, 'nothing was taken twice');
  t.match(lapi.alerts[3], alert);
});

t.test('what keeps an answer from coming is named with what to do', async (t) => {
  const clock = createManualClock();
  const ask = async (url: string, message: RegExp, remedy: RegExp): Promise<void> => {
    const client = clientOf(url, clock, { credentials: { kind: 'key', key: 'very-secret' } });
    const question = { method: 'GET' as const, path: 'v1/decisions?ip=192.0.2.1' };
    await t.rejects(client.demand(question), { message, remedy }, String(message));
    const error: unknown = await client.demand(question).catch((thrown: unknown) => thrown);
    t.notMatch(JSON.stringify(error) + String(error), /very-secret/);
    await client.close();
  };
  const closed = await startFakeLapi(clock);
  await closed.close();
  await ask(closed.url, /main .*does not answer: nothing listens there/, /Check that it runs/);
  await ask('unix:/nonexistent/lapi.sock', /there is no such socket/, /Check that it runs/);
  await ask(await serve(t, (_, response) => response.destroy()), /closed the connection/, /Check that it runs/);
  const redirect = await serve(t, (_, response) => void response.writeHead(301, { Location: '/x' }).end());
  await ask(redirect, /answered 301/, /write the address that it redirects to/);
  await ask(await serve(t, (_, response) => void response.writeHead(404).end()), /answered 404/, /path of its url/);
  await ask(await serve(t, (_, response) => void response.end('<html>')), /not JSON/, /CrowdSec Local API/);
  const noise = '\n\u0007'.repeat(5) + 'x'.repeat(500);
  const broken = await serve(t, (_, response) => void response.writeHead(500).end(JSON.stringify({ message: noise })));
  await ask(broken, /answered 500: {1,2}x{100,200}$/, /Look into its log/);
  const packed = await serve(t, (_, response) => void response.writeHead(200, { 'Content-Encoding': 'br' }).end('x'));
  await ask(packed, /compressed \(br\)/, /nothing between/);
});

t.test('an answer has a largest size, and silence a limit', async (t) => {
  const clock = createManualClock();
  const big = await serve(t, (_, response) => void response.end(JSON.stringify('x'.repeat(2_000_000))));
  const client = clientOf(big, clock);
  t.teardown(() => client.close());
  await t.rejects(client.ask({ method: 'GET', path: 'x' }), {
    code: 'LAPI_ANSWER_INVALID',
    message: /longer than 1048576/,
  });

  let asked = 0;
  const silent = clientOf(await serve(t, () => void asked++), clock, { timeoutMs: 3_000 });
  t.teardown(() => silent.close());
  const answer = silent.ask({ method: 'GET', path: 'x' }).catch((thrown: unknown) => thrown);
  await comesAbout(() => asked === 1, 'the question arrives');
  clock.advance(3_000);
  t.match(await answer, { code: 'LAPI_UNREACHABLE', message: /no answer within 3 s/ });

  const dripping = clientOf(
    await serve(t, (_, response) => {
      response.write('[');
      const timer = setInterval(() => response.write(' '), 1);
      response.on('close', () => clearInterval(timer));
    }),
    clock,
    { timeoutMs: 3_000 },
  );
  t.teardown(() => dripping.close());
  let chunks = 0;
  const endless = dripping.stream({ method: 'GET', path: 'x' }, async () => {
    chunks++;
    clock.advance(2_000);
  });
  await t.rejects(endless, { message: /took longer than 1800 s in all/ }, 'one that never falls silent ends as well');
  t.ok(chunks > 100, 'though each byte was in time');

  const stop = new AbortController();
  const broken = silent.ask({ method: 'GET', path: 'x', signal: stop.signal });
  stop.abort();
  await t.rejects(broken, { code: 'LAPI_UNREACHABLE', message: /broken off here/ });
});

t.test('a unix socket and a path before the routes', async (t) => {
  const clock = createManualClock();
  const folder = mkdtempSync(join(tmpdir(), 'lapi-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const lapi = await startFakeLapi(clock, join(folder, 'l.sock'));
  t.teardown(() => lapi.close());
  lapi.add({ value: '192.0.2.1' });
  const client = clientOf(lapi.url, clock);
  t.teardown(() => client.close());
  t.match((await client.demand({ method: 'GET', path: 'v1/decisions?ip=192.0.2.1' })).body, [{ value: '192.0.2.1' }]);
  t.equal((await client.demand({ method: 'GET', path: 'v1/decisions?ip=192.0.2.2' })).body, null);

  const seen: (string | undefined)[] = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.url);
    response.end('null');
  });
  const below = clientOf(`${url}crowdsec/`, clock);
  t.teardown(() => below.close());
  await below.demand({ method: 'GET', path: 'v1/decisions?ip=192.0.2.2' });
  t.strictSame(seen, ['/crowdsec/v1/decisions?ip=192.0.2.2']);
});

t.test('a client certificate instead of a key; a server that is not trusted is left', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lapi-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2');
  for (const [name, subject] of [
    ['server', '/CN=lapi.test'],
    ['client', '/CN=gateway/OU=bouncer'],
  ] as const) {
    openssl(
      'req',
      ...ec,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
      '-addext',
      'subjectAltName=DNS:lapi.test',
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-copy_extensions',
      'copy',
      '-days',
      '2',
      '-out',
      `${name}.pem`,
    );
  }
  const text = (name: string): string => readFileSync(file(name), 'utf8');
  const seen: unknown[] = [];
  const server = createTlsServer(
    {
      cert: text('server.pem'),
      key: text('server.key'),
      ca: text('ca.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      seen.push([socket.authorized, socket.getPeerCertificate().subject?.CN, request.headers['x-api-key']]);
      response.end('null');
    },
  );
  const url = await listening(t, server, 'https');
  const clock = createManualClock();
  const question = { method: 'GET' as const, path: 'v1/decisions?ip=192.0.2.1' };
  const tls = {
    ...noTls,
    ca: text('ca.pem'),
    cert: text('client.pem'),
    key: text('client.key'),
    serverName: 'lapi.test',
  };
  const trusted = clientOf(url, clock, { credentials: { kind: 'certificate' }, tls });
  t.teardown(() => trusted.close());
  t.equal((await trusted.demand(question)).body, null);
  t.strictSame(seen, [[true, 'gateway', undefined]]);

  const doubting = clientOf(url, clock);
  t.teardown(() => doubting.close());
  await t.rejects(doubting.demand(question), {
    code: 'LAPI_UNREACHABLE',
    message: /certificate that is not trusted/,
    remedy: /tls\.caFile/,
  });
  const misnamed = clientOf(url, clock, { tls: { ...tls, serverName: 'other.test' } });
  t.teardown(() => misnamed.close());
  await t.rejects(misnamed.demand(question), { message: /certificate that is not trusted/ });
  t.equal(seen.length, 1, 'nothing was sent to it');
  const careless = clientOf(url, clock, { tls: { ...noTls, isVerified: false } });
  t.teardown(() => careless.close());
  t.equal((await careless.demand(question)).body, null, 'unless told to take any');
});
