/** The Local API of a gateway whose disk is full or whose Redis is away, and among clients that are slow, gone or hostile. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createControlClient } from '../../../cli/control-client.ts';
import type { BouncerModel } from '../../../gateway/admin/operator-models.ts';
import { manualAlert } from '../../real/lapi/samples.ts';
import { startRedis } from '../../support/redis.ts';
import { startNodeOrigin } from '../../support/servers/node-origin.ts';
import { startProcess, temporaryFolder } from '../../support/servers/process.ts';
import { type ChildGateway, startChildGateway } from '../child-gateway.ts';
import { createVisitor } from '../visitors.ts';
import {
  addBouncer,
  addMachine,
  asAgent,
  askLapi,
  createBouncer,
  lapiUrlOf,
  type LapiAnswer,
  logIn,
  type Machine,
  passwordOf,
} from './lapi-client.ts';
import { eventually } from '../../support/eventually.ts';

t.setTimeout(240_000);

interface Served {
  readonly gateway: ChildGateway;
  readonly url: string;
  readonly key: string;
  readonly machine: Machine;
  readonly statusFor: (address: string) => Promise<number>;
}

interface Where {
  readonly folder?: string;
  readonly inside?: readonly string[];
  /** Of an earlier start. */
  readonly key?: string;
}

async function serve(t: Test, settings: Readonly<Record<string, unknown>>, where: Where = {}): Promise<Served> {
  const origin = await startNodeOrigin(t);
  const complete = { origin: origin.origin, lapi: { listen: '127.0.0.1:0' }, ...settings };
  const gateway = await startChildGateway(t, complete, where.folder, where.inside);
  const url = await lapiUrlOf(gateway.control);
  const key = where.key ?? (await addBouncer(gateway.control, 'edge'));
  if (where.key === undefined) await addMachine(gateway.control, 'web-1');
  const statusFor = async (address: string): Promise<number> =>
    (await createVisitor(t, gateway.port, address).ask('/')).status;
  return { gateway, url, key, machine: await logIn(url, 'web-1'), statusFor };
}

/** About 30 KB that bans one address. */
function bigAlert(address: string): object {
  const events = Array.from({ length: 40 }, (_, index) => ({
    meta: [{ key: 'path', value: `/${index}/${'x'.repeat(700)}` }],
    timestamp: '2026-01-01T00:00:00Z',
  }));
  return manualAlert([{ value: address }], Date.now(), { events, events_count: events.length });
}

const addressOf = (index: number): string => `45.10.${index >> 8}.${index & 255}`;

interface Filled {
  /** Id of each alert that was acknowledged, by its address. */
  readonly kept: ReadonlyMap<string, string>;
  readonly refusedAddress: string;
  readonly refusedBody: object;
  readonly answer: LapiAnswer;
}

/** Posts alerts until one is not taken. */
async function fill(machine: Machine, most: number): Promise<Filled> {
  const kept = new Map<string, string>();
  for (let index = 0; index < most; index++) {
    const address = addressOf(index);
    const body = bigAlert(address);
    const answer = await machine.ask('POST', '/v1/alerts', [body]);
    if (answer.status !== 201) return { kept, refusedAddress: address, refusedBody: body, answer };
    kept.set(address, (JSON.parse(answer.text) as [string])[0]);
  }
  throw new Error(`${most} alerts found room`);
}

/** What holds while the store takes nothing. */
async function goesOn(t: Test, served: Served, { kept, refusedAddress, answer }: Filled, cause: RegExp): Promise<void> {
  t.equal(answer.status, 500);
  t.match((JSON.parse(answer.text) as { message: string }).message, cause, 'the answer names the cause');
  t.equal(await served.statusFor(refusedAddress), 403, 'what was not stored is enforced');
  const bouncer = createBouncer(served.url, served.key);
  await bouncer.poll(true);
  for (const address of kept.keys()) {
    if (!bouncer.held.has(`Ip:${address}`)) t.fail(`${address} is not in the stream`);
  }
  const [known] = kept.keys();
  if (known !== undefined) t.equal(await served.statusFor(known), 403, 'what was stored too');
  t.equal(await served.statusFor('203.0.113.200'), 200, 'and nobody else');
}

/** The alert is sent again, as an agent does, and is one alert. */
async function acceptedAgain(t: Test, served: Served, { refusedAddress, refusedBody }: Filled): Promise<void> {
  const { text } = await eventually(
    () => served.machine.ask('POST', '/v1/alerts', [refusedBody]),
    ({ status }) => status === 201,
  );
  const [id] = JSON.parse(text) as [string];
  const found = await served.machine.ask('GET', `/v1/alerts?ip=${refusedAddress}`);
  const ids = (JSON.parse(found.text) as { id: number }[]).map((alert) => String(alert.id));
  t.same(ids, [id], 'once, however often it was sent');
  const bouncer = createBouncer(served.url, served.key);
  // The change stream is taken up again a moment after the first write finds the store.
  await eventually(
    () => bouncer.poll(true),
    () => bouncer.held.has(`Ip:${refusedAddress}`),
  );
  t.ok(bouncer.held.has(`Ip:${refusedAddress}`));
}

async function allKept(t: Test, { machine }: Served, { kept }: Filled): Promise<void> {
  const statuses = await Promise.all(Array.from(kept.values(), (id) => machine.ask('GET', `/v1/alerts/${id}`)));
  t.same(new Set(statuses.map(({ status }) => status)), new Set([200]), `${kept.size} alerts can be read`);
}

t.test('a store file that may not grow: said, enforced from memory, and all there when it may', async (t) => {
  const small = await serve(t, { store: { type: 'embedded', maxBytes: '1MiB' } });
  const filled = await fill(small.machine, 200);
  t.ok(filled.kept.size > 5, `${filled.kept.size} alerts found room`);
  await goesOn(t, small, filled, /store\.db cannot grow/);
  await allKept(t, small, filled);
  const health = (await (await fetch(`${small.gateway.adminUrl}/health`)).json()) as { status: string };
  t.equal(health.status, 'degraded');
  await small.gateway.process.stop('SIGKILL');
  const store = { type: 'embedded', maxBytes: '64MiB' };
  const large = await serve(t, { store }, { folder: small.gateway.folder, key: small.key });
  await allKept(t, large, filled);
  await acceptedAgain(t, large, filled);
});

const asRoot = process.getuid?.() === 0;

t.test('a full disk: said, enforced from memory, and accepted when there is room', async (t) => {
  const home = await temporaryFolder(t, 'full-disk');
  const disk = join(home, 'disk');
  mkdirSync(disk);
  const unshare = [...(asRoot ? [] : ['--user', '--map-root-user']), '--mount'];
  const mount = `mount -t tmpfs -o size=4m none '${disk}'`;
  const tried = spawnSync('unshare', [...unshare, 'sh', '-c', mount], { encoding: 'utf8' });
  if (tried.status !== 0) {
    const reason = `no file system can be mounted in a namespace on this machine: ${tried.stderr.trim()}`;
    t.pass(reason, { skip: reason });
    return;
  }
  const args = [...unshare, 'sh', '-c', `${mount} && echo ready && exec sleep infinity`];
  const holder = await startProcess(t, { command: 'unshare', args, ready: /ready/ });
  const user = asRoot ? [] : ['--user', '--preserve-credentials'];
  const inside = ['nsenter', ...user, `--target=${holder.pid}`, '--mount', '--'];
  const store = { type: 'embedded', file: join(disk, 'store.db') };
  const served = await serve(t, { store }, { folder: home, inside });
  const [id = ''] = await served.machine.post([bigAlert('45.20.0.1')]);
  const ballast = `/proc/${holder.pid}/root${disk}/ballast`;
  t.throws(() => {
    for (;;) appendFileSync(ballast, Buffer.alloc(65_536));
  }, /ENOSPC/);
  const { kept, ...rest } = await fill(served.machine, 200);
  const filled = { ...rest, kept: new Map([...kept, ['45.20.0.1', id]]) };
  await goesOn(t, served, filled, /the store file .*store\.db cannot/);
  await allKept(t, served, filled);
  rmSync(ballast);
  await acceptedAgain(t, served, filled);
  await allKept(t, served, filled);
});

t.test('Redis away: said, enforced from memory, keys stay good, and accepted when it is back', async (t) => {
  const redis = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const served = await serve(t, { store: { type: 'redis', redis: { url: redis.url } } });
  const known = addressOf(1);
  const [id = ''] = await served.machine.post([bigAlert(known)]);
  await createBouncer(served.url, served.key).poll(true);
  await redis.kill();
  const [refusedAddress, refusedBody] = ['45.30.0.1', bigAlert('45.30.0.1')];
  const answer = await served.machine.ask('POST', '/v1/alerts', [refusedBody]);
  const filled = { kept: new Map([[known, id]]), refusedAddress, refusedBody, answer };
  await goesOn(t, served, filled, /Redis/i);
  t.equal((await served.machine.ask('GET', `/v1/alerts/${id}`)).status, 500, 'alerts are in the store alone');
  t.equal((await askLapi(served.url, 'GET', '/v1/decisions/stream', { 'x-api-key': 'wrong' })).status, 403);
  await redis.restart();
  await acceptedAgain(t, served, filled);
  await allKept(t, served, filled);
});

const many = 50_000;

async function serveMany(t: Test): Promise<Served> {
  const served = await serve(t, {
    store: { type: 'memory' },
    lapi: { listen: '127.0.0.1:0', trustedProxies: ['127.0.0.1/32'] },
  });
  async function* rows(): AsyncGenerator<string> {
    for (let at = 0; at < many; at += 1_000) {
      yield JSON.stringify(
        Array.from({ length: 1_000 }, (_, index) => [
          at + index + 1,
          `46.0.${(at + index) >> 8}.${(at + index) & 255}`,
        ]),
      );
    }
  }
  await createControlClient(join(served.gateway.folder, 'admin.sock')).send('/v1/decisions/import', {}, rows());
  const bouncer = createBouncer(served.url, served.key);
  await eventually(
    () => bouncer.poll(true),
    () => bouncer.held.size === many,
  );
  return served;
}

/** Bytes that a process holds in memory. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

/** A bouncer that has asked for everything and reads nothing of it. */
async function stalled({ url }: Served, key: string): Promise<IncomingMessage> {
  const headers = { 'x-api-key': key };
  const asking = request(`${url}/v1/decisions/stream?startup=true`, { headers, agent: false });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.pause();
  return answer;
}

/** The whole answer, and how many decisions are new in it. */
async function readOn(answer: IncomingMessage): Promise<number> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return (JSON.parse(Buffer.concat(pieces).toString()) as { new: unknown[] }).new.length;
}

t.test('fifty bouncers that start and do not read hold neither memory nor others', async (t) => {
  const served = await serveMany(t);
  const { pid } = served.gateway.process;
  const before = residentBytes(pid);
  const readers = await Promise.all(Array.from({ length: 50 }, () => stalled(served, served.key)));
  let most = 0;
  for (let round = 0; round < 40; round++) {
    t.equal(await served.statusFor('203.0.113.200'), 200);
    most = Math.max(most, residentBytes(pid));
  }
  const quick = createBouncer(served.url, await addBouncer(served.gateway.control, 'quick'));
  await quick.poll(true);
  t.equal(quick.held.size, many, 'who reads is served');
  await served.machine.post([bigAlert('45.40.0.1')]);
  await quick.poll(false);
  t.ok(quick.held.has('Ip:45.40.0.1'), 'and so are agents');
  most = Math.max(most, residentBytes(pid));
  // Held in memory the fifty answers would be 400 MB.
  t.ok(most - before < 128 * 2 ** 20, `${Math.round((most - before) / 2 ** 20)} MB more`);
  for (const [index, reader] of readers.entries()) if (index % 2 === 1) reader.destroy();
  for (const [index, reader] of readers.entries()) {
    if (index % 2 === 0) t.ok((await readOn(reader)) >= many, 'who reads on at last has everything');
  }
  t.ok(residentBytes(pid) - before < 128 * 2 ** 20);
});

t.test('a bouncer that goes away in the middle has the place that it had', async (t) => {
  const served = await serveMany(t);
  const { control } = served.gateway;
  const lastPull = async (): Promise<string | null> =>
    (await control.ask<{ bouncer: BouncerModel }>('GET', '/v1/bouncers/moody')).bouncer.last_pull;
  const key = await addBouncer(control, 'moody');
  const fresh = await stalled(served, key);
  fresh.destroy();
  const bouncer = createBouncer(served.url, key);
  await bouncer.poll(false);
  t.equal(bouncer.held.size, many, 'before its first whole answer a delta is everything');
  const place = await eventually(lastPull, (at) => at !== null);

  await served.machine.post([bigAlert('45.40.0.2')]);
  const broken = await stalled(served, key);
  broken.destroy();
  await bouncer.poll(false);
  t.ok(bouncer.held.has('Ip:45.40.0.2'), 'what was in the answer that broke off comes with the next');
  await eventually(lastPull, (at) => at !== place);
});

t.test('a flood of wrong keys and passwords does not shut out the right ones', async (t) => {
  const served = await serveMany(t);
  const { url, key } = served;
  const agent = new Agent({ keepAlive: true, maxSockets: 40 });
  t.teardown(() => agent.destroy());
  const over = new AbortController();
  const seen = new Set<number>();
  const flood = async (ask: () => Promise<LapiAnswer>): Promise<number> => {
    let asked = 0;
    for (; !over.signal.aborted; asked++) seen.add((await ask()).status);
    return asked;
  };
  const bad = { 'x-forwarded-for': '198.51.100.9' };
  const wrongKey = (): Promise<LapiAnswer> =>
    askLapi(url, 'GET', '/v1/decisions?ip=46.0.0.1', { ...bad, 'x-api-key': 'wrong' }, undefined, agent);
  const wrongLogin = (): Promise<LapiAnswer> =>
    askLapi(
      url,
      'POST',
      '/v1/watchers/login',
      { ...asAgent, ...bad },
      { machine_id: 'web-1', password: 'wrong' },
      agent,
    );
  const floods = [wrongKey, wrongLogin].flatMap((ask) => Array.from({ length: 20 }, () => flood(ask)));
  for (let round = 0; round < 5; round++) {
    const headers = { 'x-api-key': key, 'x-forwarded-for': '198.51.100.10' };
    const { status, text } = await askLapi(url, 'GET', '/v1/decisions?ip=46.0.0.1', headers);
    t.same([status, (JSON.parse(text) as unknown[]).length], [200, 1]);
    const login = await askLapi(
      url,
      'POST',
      '/v1/watchers/login',
      { ...asAgent, 'x-forwarded-for': '198.51.100.11' },
      {
        machine_id: 'web-1',
        password: passwordOf('web-1'),
      },
    );
    t.equal(login.status, 200);
  }
  // A neighbour behind the same address whose key is known is not shut out either.
  const shared = await askLapi(url, 'GET', '/v1/decisions?ip=46.0.0.1', { ...bad, 'x-api-key': key });
  t.equal(shared.status, 200);
  over.abort();
  const asked = (await Promise.all(floods)).reduce((sum, count) => sum + count, 0);
  t.ok(asked > 200, `${asked} wrong questions meanwhile`);
  t.same(seen, new Set([401, 403]));
});
