/** TLS of the Local API, with an authority and certificates that openssl makes here. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import type { LogLine } from '../../support.ts';
import { ask, type Asking, bouncerKey, loginOf, openWorld, type WorldOptions } from './world.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

type TlsInput = NonNullable<NonNullable<WorldOptions['options']>['tls']>;

interface Authority {
  readonly folder: string;
  path(name: string): string;
  read(name: string): Buffer;
  /** Makes `<name>.pem` and `<name>.key`. */
  issue(name: string, subject: string, more?: readonly string[]): void;
  revoke(name: string): void;
  /** Writes `crl.pem`. */
  list(more?: readonly string[]): void;
}

function createAuthority(t: Test): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const openssl = (...args: readonly string[]): void => {
    const done = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
  };
  const path = (name: string): string => join(folder, name);
  mkdirSync(path('new'));
  writeFileSync(path('index.txt'), '');
  for (const file of ['serial', 'crlnumber']) writeFileSync(path(file), '1000\n');
  writeFileSync(
    path('ca.conf'),
    `[ca]\ndefault_ca = own\n[own]\ndir = ${folder}\ndatabase = ${folder}/index.txt\nserial = ${folder}/serial
crlnumber = ${folder}/crlnumber\nnew_certs_dir = ${folder}/new\ncertificate = ${folder}/ca.pem\nprivate_key = ${folder}/ca.key
default_md = sha256\ndefault_days = 1\ndefault_crl_days = 1\npolicy = any\nunique_subject = no
[any]\norganizationalUnitName = optional\ncommonName = supplied\n`,
  );
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority', '-days', '2');
  return {
    folder,
    path,
    read: (name) => readFileSync(path(name)),
    issue(name, subject, more = []) {
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
      openssl('ca', '-batch', '-notext', '-config', 'ca.conf', '-in', `${name}.csr`, '-out', `${name}.pem`, ...more);
    },
    revoke: (name) => openssl('ca', '-config', 'ca.conf', '-revoke', `${name}.pem`),
    list: (more = []) => openssl('ca', '-config', 'ca.conf', '-gencrl', '-out', 'crl.pem', ...more),
  };
}

async function open(t: Test, { crlFile, ...over }: Partial<TlsInput> = {}, more: Partial<WorldOptions> = {}) {
  const authority = createAuthority(t);
  authority.issue('server', '/CN=lapi');
  authority.issue('bouncer', '/OU=bouncers/CN=haproxy');
  authority.issue('agent', '/OU=agents/CN=web1');
  authority.issue('expired', '/OU=bouncers/CN=old', ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z']);
  authority.list();
  const tls = {
    certFile: authority.path('server.pem'),
    keyFile: authority.path('server.key'),
    caFile: authority.path('ca.pem'),
    agentsAllowedOu: ['agents'],
    bouncersAllowedOu: ['others', 'bouncers'],
    ...over,
    ...(typeof crlFile === 'string' && { crlFile: authority.path(crlFile) }),
  };
  const world = await openWorld(t, { ...more, options: { tls } });
  const ca = authority.read('ca.pem');
  /** Asks with the certificate of this name. */
  const as = (name: string | null, asking: Asking) =>
    ask({
      port: world.port,
      ...asking,
      tls: { ca, ...(name !== null && { cert: authority.read(`${name}.pem`), key: authority.read(`${name}.key`) }) },
    });
  return { world, authority, as, ca };
}

const live: Asking = { path: '/v1/decisions?ip=192.0.2.1' };
const login = (): Asking => ({ ...loginOf('x'), body: '{"scenarios":["a/b"]}' });

t.test('without a certificate everything is as it is without TLS', { skip }, async (t) => {
  const { world, as } = await open(t);
  await world.addBouncer();
  await world.addMachine();
  t.equal((await as(null, { path: '/health' })).body, '{"status":"up"}');
  t.equal((await as(null, { ...live, key: bouncerKey })).body, '[{"name":"nginx"}]');
  t.equal((await as(null, loginOf('m1'))).status, 200);
  t.equal((await as(null, live)).status, 403);
  await t.rejects(ask({ port: world.port, path: '/health' }), 'not in the clear');
});

t.test(
  'a certificate of the right unit is a bouncer, any other is refused, even beside a good key',
  { skip },
  async (t) => {
    const { world, as } = await open(t);
    await world.addBouncer();
    t.equal((await as('bouncer', live)).body, '[{"name":"haproxy@127.0.0.1"}]');
    t.equal((await as('bouncer', { ...live, key: 'wrong' })).status, 200, 'the key does not count');
    t.equal((await as('bouncer', { ...live, localAddress: '127.0.0.7' })).body, '[{"name":"haproxy@127.0.0.7"}]');
    const agent = await as('agent', { ...live, key: bouncerKey });
    t.equal(agent.status, 403);
    t.equal(agent.body, '{"message":"access forbidden"}');
    t.equal((await as('bouncer', { ...live, method: 'HEAD' })).status, 200);
    await world.bouncers.close();
    const rows = (await world.store.bouncers()).filter(({ authType }) => authType === 'tls');
    t.strictSame(
      rows.map(({ name }) => name),
      ['haproxy@127.0.0.1', 'haproxy@127.0.0.7'],
    );
  },
);

t.test('a certificate of the right unit is a machine that needs nobody’s consent', { skip }, async (t) => {
  const { world, as } = await open(t);
  const answer = await as('agent', login());
  t.equal(answer.status, 200);
  const { token } = JSON.parse(answer.body) as { token: string };
  t.equal((await as('agent', { path: '/v1/heartbeat', token })).status, 200);
  t.equal((await as(null, { path: '/v1/heartbeat', token })).status, 200, 'the token is enough');
  t.match(await world.machines.list(), [
    { id: 'web1@127.0.0.1', authType: 'tls', validated: true, scenarios: ['a/b'] },
  ]);
  t.equal((await as('agent', login())).status, 200, 'again');
  t.equal((await as('bouncer', login())).status, 401);
  t.equal((await as(null, login())).status, 401);
  await world.addMachine('web1@127.0.0.8');
  t.equal((await as('agent', { ...login(), localAddress: '127.0.0.8' })).status, 401, 'a name that has a password');
  const password = { ...loginOf('web1@127.0.0.1'), localAddress: '127.0.0.9' };
  t.equal((await as(null, password)).status, 401, 'and one that has a certificate');
});

/** Asks again and again over one connection. */
function steadyClient(t: Test, port: number, authority: Authority) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const identity = {
    ca: authority.read('ca.pem'),
    cert: authority.read('bouncer.pem'),
    key: authority.read('bouncer.key'),
  };
  return () =>
    new Promise<{ status: number; connection: string | undefined; port: number | undefined }>((resolve, reject) => {
      const where = { agent, host: '127.0.0.1', port, path: '/v1/decisions?ip=192.0.2.1', servername: 'lapi' };
      const request = httpsRequest({ ...where, ...identity });
      request.on('error', reject).on('response', (response) => {
        const { localPort } = response.socket;
        const { connection } = response.headers;
        response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, connection, port: localPort }));
      });
      request.end();
    });
}

/** Waits until the log says it. */
function said(lines: readonly LogLine[], text: string): Promise<boolean> {
  return eventually(() => lines.some(({ msg }) => String(msg).includes(text)));
}

t.test('certificates that are expired or somebody else’s end the connection', { skip }, async (t) => {
  const { world, as, ca } = await open(t);
  await t.rejects(as('expired', live));
  const other = createAuthority(t);
  other.issue('stranger', '/OU=bouncers/CN=haproxy');
  const tls = { ca, cert: other.read('stranger.pem'), key: other.read('stranger.key') };
  await t.rejects(ask({ port: world.port, ...live, tls }));
  t.ok(world.lines.some(({ msg }) => String(msg).includes('is not good')));
  t.equal((await as('bouncer', live)).status, 200, 'others are served as ever');
});

t.test('a list of revoked certificates is read anew, also for connections that are open', { skip }, async (t) => {
  const clock = createManualClock(Date.now());
  const { authority, world, as } = await open(t, { crlFile: 'crl.pem' }, { clock });
  const once = steadyClient(t, world.port, authority);
  const first = await once();
  t.equal(first.status, 200);
  t.equal((await once()).port, first.port, 'one connection for both');
  authority.revoke('bouncer');
  authority.list();
  clock.advance(30_000);
  t.ok(await said(world.lines, 'read anew'));
  // The connection may be closed while it is asked over.
  const later = await once().catch(() => once());
  t.equal(later.status, 403);
  t.not(later.port, first.port, 'the connection was closed');
  t.equal((await as('agent', login())).status, 200, 'others are good');
  t.equal((await as('bouncer', login())).status, 401);
});

t.test('after a while a connection’s certificate is to be verified anew', { skip }, async (t) => {
  const clock = createManualClock(Date.now());
  const { authority, world } = await open(t, { cacheExpiration: '1h' }, { clock });
  const once = steadyClient(t, world.port, authority);
  const first = await once();
  clock.advance(3_500_000);
  const second = await once();
  t.equal(second.port, first.port);
  t.equal(second.connection, 'keep-alive');
  clock.advance(200_000);
  const third = await once();
  t.equal(third.port, first.port);
  t.equal(third.connection, 'close');
  t.not((await once()).port, first.port);
});

t.test('a renewed certificate is served without a restart; one without its key is not', { skip }, async (t) => {
  const clock = createManualClock(Date.now());
  const { authority, world, ca } = await open(t, {}, { clock });
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port: world.port, host: '127.0.0.1', ca, servername: 'lapi' }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const before = await serial();
  authority.issue('renewed', '/CN=lapi');
  copyFileSync(authority.path('renewed.pem'), authority.path('server.pem'));
  utimesSync(authority.path('server.pem'), 1, 1);
  clock.advance(30_000);
  t.ok(await said(world.lines, 'cannot be used'), 'the key is not there yet');
  t.equal(await serial(), before);
  copyFileSync(authority.path('renewed.key'), authority.path('server.key'));
  utimesSync(authority.path('server.key'), 1, 1);
  clock.advance(30_000);
  t.ok(await said(world.lines, 'read anew'));
  t.not(await serial(), before);
});

t.test('who has to show a certificate and has none is not connected', { skip }, async (t) => {
  const { as } = await open(t, { clientVerification: 'required' });
  await t.rejects(as(null, { path: '/health' }));
  t.equal((await as('bouncer', { path: '/health' })).status, 200);
});

t.test('where nobody is asked for a certificate none counts', { skip }, async (t) => {
  const { as, world } = await open(t, { clientVerification: 'none' });
  await world.addBouncer();
  t.equal((await as('bouncer', live)).status, 403);
  t.equal((await as('bouncer', { ...live, key: bouncerKey })).status, 200);
});

t.test('TLS before 1.2 is not spoken', { skip }, async (t) => {
  const { world, ca } = await open(t);
  const over = (maxVersion: 'TLSv1.1' | 'TLSv1.2') =>
    new Promise<string>((resolve) => {
      const where = { port: world.port, host: '127.0.0.1', ca, servername: 'lapi' };
      // A client that would accept it.
      const socket = connect({ ...where, minVersion: 'TLSv1.1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
  t.equal(await over('TLSv1.2'), 'TLSv1.2');
  t.equal(await over('TLSv1.1'), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

t.test('files that are no certificate keep it from starting, and say so', { skip }, async (t) => {
  const authority = createAuthority(t);
  authority.issue('server', '/CN=lapi');
  authority.issue('other', '/CN=lapi');
  const certFile = authority.path('server.pem');
  for (const keyFile of [authority.path('missing.key'), authority.path('other.key'), certFile]) {
    await t.rejects(openWorld(t, { options: { tls: { certFile, keyFile } } }), {
      code: 'LISTEN_FAILED',
      remedy: /lapi\.tls/,
    });
  }
});
