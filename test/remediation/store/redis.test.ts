import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import type { GatewayError } from '../../../core/errors.ts';
import { newBouncer } from '../../../remediation/bouncer.ts';
import { storeOptions } from '../../../remediation/store/options.ts';
import { createRedisStore, type RedisStoreSettings } from '../../../remediation/store/redis.ts';
import type { Store } from '../../../remediation/store/store.ts';
import { createTestRuntime, type TestRuntime } from '../../contracts/store-runtime.ts';
import { sampleAlert, sampleDecision, sampleEntry, sampleMachine, start } from '../../contracts/store-samples.ts';
import { storeContract } from '../../contracts/store.ts';
import { added, contractRetention, deleted, followerOf, rejectsWith, snapshot } from '../../contracts/store/tools.ts';
import { startRedis } from '../../support/redis.ts';
import { temporaryFolder } from '../../support/servers/process.ts';
import { eventually } from '../../support/eventually.ts';

const { redis: defaults } = storeOptions.parse({});
const password = 'correct horse battery';

t.test('contract', async (t) => {
  const server = await startRedis(t);
  let stores = 0;
  storeContract(t, async (t) => {
    const runtime = createTestRuntime();
    const prefix = `contract-${stores++}`;
    const open = (): Promise<Store> => openStore(t, { url: server.url, prefix }, runtime);
    return { store: await open(), runtime, reopen: open };
  });
});

t.test('rows of gateways before there were ids, lists and sightings are read, and go on', async (t) => {
  const server = await startRedis(t);
  const admin = adminOf(t, server.socketPath);
  const key = (name: string): string => `{portcullis}:store:${name}`;
  const decisions = [1, 2, 3].map((index) => sampleDecision(index, { alertUuid: index === 2 ? null : 'a' }));
  for (const [index, decision] of decisions.entries()) {
    const deleted = index === 2 ? String(start + 5) : '';
    await admin.hset(key('decisions'), decision.uuid, `${deleted}|${index + 4}|${JSON.stringify(decision)}`);
    await admin.zadd(key('order'), index + 4, decision.uuid);
    await admin.zadd(key('ends'), index === 2 ? start + 5 : decision.until, decision.uuid);
    const kind = index === 2 ? 'deleted' : 'added';
    await admin.xadd(key('changes'), `${index + 4}-0`, 'kind', kind, 'body', JSON.stringify(decision));
  }
  const entries = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((value) => sampleEntry(value));
  for (const [index, { list: _, ...entry }] of entries.entries()) {
    await admin.hset(key('allowlist'), entry.value, JSON.stringify(entry));
    await admin.zadd(key('allowlistOrder'), index + 1, entry.value);
  }
  await admin.xadd(key('changes'), '7-0', 'kind', 'entryDeleted', 'body', '192.0.2.9');
  for (const index of [2, 1]) {
    await admin.hset(key('alerts'), sampleAlert(index).uuid, JSON.stringify(sampleAlert(index)));
    await admin.zadd(key('alertOrder'), sampleAlert(index).createdAt, sampleAlert(index).uuid);
  }
  await admin.hset(key('bouncers'), 'nginx', '{"name":"nginx","keyHash":"hash","createdAt":5}');
  await admin.hset(key('bouncers'), 'cloud', '{"name":"cloud","keyHash":"h","createdAt":5}');
  await admin.hset(key('history'), 'epoch', 'before', 'seq', '7');

  const store = await openStore(t, { url: server.url });
  const ids = async (alertUuid?: string): Promise<number[]> => {
    const rows = await store.decisions({ limit: 10, includeInactive: true, ...(alertUuid && { alertUuid }) });
    return rows.map(({ id }) => id);
  };
  t.same(await ids(), [6, 5, 4]);
  t.same(await ids('a'), [6, 4], 'they are entered into the index of alerts');
  t.match(await store.decisionById(4), { decision: decisions[0] });
  const changes = await followerOf(t, store, 'before-3').nextChanges(4);
  t.match(changes, [
    { kind: 'decision-added', id: 4 },
    { kind: 'decision-added', id: 5 },
    { kind: 'decision-deleted', id: 6, deletedAt: Number },
    { kind: 'allowlist-deleted', list: 'default', value: '192.0.2.9' },
  ]);
  t.strictSame(await store.allowlist(), entries);
  t.strictSame(await store.allowlists(), [{ name: 'default', description: '', createdAt: start, updatedAt: start }]);
  t.strictSame(await store.alerts({ limit: 10 }), [
    { id: 2, alert: sampleAlert(2) },
    { id: 1, alert: sampleAlert(1) },
  ]);
  t.strictSame(await store.bouncers(), [newBouncer('cloud', 'h', 5), newBouncer('nginx', 'hash', 5)]);

  const follower = followerOf(t, store, null);
  await follower.untilSnapshotEnd();
  await store.apply([
    { kind: 'bouncer-seen', name: 'nginx', seen: { ip: '192.0.2.7', lastPull: 6 } },
    { kind: 'alert', alert: sampleAlert(1, { message: 'again' }) },
    { kind: 'alert', alert: sampleAlert(3) },
    added(decisions[1] ?? sampleDecision(2)),
    { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { comment: 'changed' }) },
    { kind: 'allowlist-deleted', list: 'default', value: '192.0.2.2' },
  ]);
  const [, nginx] = await store.bouncers();
  t.strictSame(nginx, { ...newBouncer('nginx', 'hash', 5), ip: '192.0.2.7', lastPull: 6 });
  t.match(await store.alerts({ limit: 10 }), [{ id: 3 }, { id: 2 }, { id: 1, alert: { message: 'again' } }]);
  t.match(await store.decisionById(5), { decision: decisions[1] });
  t.match(await store.allowlist(), [{ value: '192.0.2.3' }, { value: '192.0.2.1', comment: 'changed' }]);
  t.equal((await store.allowlist()).length, 2);
  await store.apply([{ kind: 'allowlist-removed', name: 'default' }]);
  t.same(await store.allowlist(), []);
  t.same(
    (await follower.next(5)).slice(-2).map((change) => 'value' in change && change.value),
    ['192.0.2.3', '192.0.2.1'],
  );
});

t.test('an alert that a gateway of before wrote meanwhile gets its number when it is looked at', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url });
  await store.apply([{ kind: 'alert', alert: sampleAlert(1) }]);
  const admin = adminOf(t, server.socketPath);
  await admin.hset('{portcullis}:store:alerts', sampleAlert(2).uuid, JSON.stringify(sampleAlert(2)));
  await admin.zadd('{portcullis}:store:alertOrder', sampleAlert(2).createdAt, sampleAlert(2).uuid);
  t.match(await store.alertByUuid(sampleAlert(2).uuid), { id: 2 });
  await admin.hdel('{portcullis}:store:alerts', sampleAlert(1).uuid);
  await admin.zrem('{portcullis}:store:alertOrder', sampleAlert(1).uuid);
  await store.apply([{ kind: 'alert', alert: sampleAlert(3) }]);
  t.match(await store.alerts({ limit: 10 }), [{ id: 3 }, { id: 2 }]);
  t.equal((await store.alerts({ limit: 10 })).length, 2);
});

t.test('a history that was lost while rows stayed gives no number twice', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url });
  await store.apply([added(sampleDecision(1)), added(sampleDecision(2)), { kind: 'alert', alert: sampleAlert(1) }]);
  await adminOf(t, server.socketPath).del('{portcullis}:store:history');
  await store.apply([added(sampleDecision(3)), { kind: 'alert', alert: sampleAlert(2) }]);
  t.same(
    (await store.decisions({ limit: 10 })).map(({ id }) => id),
    [3, 2, 1],
  );
  t.same(
    (await store.alerts({ limit: 10 })).map(({ id }) => id),
    [2, 1],
  );
});

t.test('sightings from several gateways at once are all kept', async (t) => {
  const { url } = await startRedis(t);
  const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(t, { url })));
  await stores[0]?.apply([{ kind: 'machine-added', machine: sampleMachine('m1') }]);
  const sightings = [{ ip: '192.0.2.1' }, { version: '2' }, { lastPush: 3 }, { scenarios: [] }];
  await Promise.all(
    stores.map((store, index) => store.apply([{ kind: 'machine-seen', id: 'm1', seen: sightings[index] ?? {} }])),
  );
  t.strictSame(await stores[1]?.machines(), [Object.assign(sampleMachine('m1'), ...sightings)]);
});

t.test('two gateways see each other: what there is, and what changes', async (t) => {
  const { url } = await startRedis(t);
  const here = await openStore(t, { url });
  const there = await openStore(t, { url });
  await here.apply([added(sampleDecision(1))]);
  const follower = followerOf(t, there, null);
  t.same(await follower.untilSnapshotEnd(), [added(sampleDecision(1))]);
  await here.apply([added(sampleDecision(2)), { kind: 'allowlist-added', entry: sampleEntry('192.0.2.7') }]);
  await there.apply([deleted(sampleDecision(1))]);
  t.same(await follower.next(3), [
    added(sampleDecision(2)),
    { kind: 'allowlist-added', entry: sampleEntry('192.0.2.7') },
    deleted(sampleDecision(1)),
  ]);
  t.same([...(await snapshot(here)).keys()], [sampleDecision(2).uuid]);
});

t.test('many gateways write at once: all tell the same story in the same order', async (t) => {
  const { url } = await startRedis(t);
  const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(t, { url })));
  const followers = stores.map((store) => followerOf(t, store, null));
  await Promise.all(followers.map((follower) => follower.untilSnapshotEnd()));
  await Promise.all(
    stores.map(async (store, index) => {
      for (let round = 0; round < 50; round++) await store.apply([added(sampleDecision(index * 100 + round))]);
    }),
  );
  const told = await Promise.all(followers.map((follower) => follower.next(200)));
  t.equal(told[0]?.length, 200);
  for (const other of told.slice(1)) t.same(other, told[0]);
});

t.test('gateways with different prefixes know nothing of each other', async (t) => {
  const { url } = await startRedis(t);
  const one = await openStore(t, { url, prefix: 'one' });
  const other = await openStore(t, { url, prefix: 'other' });
  await one.apply([added(sampleDecision(1))]);
  t.same(await other.decisions({ limit: 10, includeInactive: true }), []);
});

t.test('a server that hangs: writes fail soon, later ones at once, and all is well when it goes on', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url, commandTimeout: 100 });
  await store.apply([added(sampleDecision(1))]);
  const follower = followerOf(t, store, null);
  await follower.untilSnapshotEnd();
  server.pause();
  await rejectsWith(t, store.apply([added(sampleDecision(2))]), 'STORE_UNAVAILABLE');
  t.notOk(store.health().ok);
  const flood = await Promise.allSettled(Array.from({ length: 2_000 }, () => store.apply([added(sampleDecision(3))])));
  t.ok(flood.every(({ status }) => status === 'rejected'));
  await rejectsWith(t, store.decisions({ limit: 1 }), 'STORE_UNAVAILABLE');
  server.resume();
  await untilItWorks(store, 4);
  t.ok(store.health().ok);
  const told = await follower.next(1);
  while (!told.some((change) => 'decision' in change && change.decision.uuid === sampleDecision(4).uuid)) {
    told.push(...(await follower.next(1)));
  }
  t.equal(follower.snapshotEnds, 1, 'the stream goes on where it was');
});

t.test('a server that crashes and comes back with its data: streams go on', async (t) => {
  const server = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const store = await openStore(t, { url: server.url, commandTimeout: 500 });
  await store.apply([added(sampleDecision(1))]);
  const follower = followerOf(t, store, null);
  await follower.untilSnapshotEnd();
  await server.kill();
  await rejectsWith(t, store.apply([added(sampleDecision(2))]), 'STORE_UNAVAILABLE');
  t.match(store.health(), { ok: false });
  await server.restart();
  await untilItWorks(store, 3);
  t.same(await follower.next(1), [added(sampleDecision(3))]);
  t.ok(await store.decisionByUuid(sampleDecision(1).uuid));
});

t.test('a server that comes back empty: streams lose their place and start anew', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url, commandTimeout: 500 });
  await store.apply([added(sampleDecision(1))]);
  const follower = followerOf(t, store, null);
  await follower.untilSnapshotEnd();
  await server.kill();
  await server.restart();
  await untilItWorks(store, 2);
  await rejectsWith(t, follower.next(1), 'STORE_UNAVAILABLE');
  const fresh = followerOf(t, store, follower.cursor);
  t.same(await fresh.untilSnapshotEnd(), [added(sampleDecision(2))]);
});

t.test('a gateway starts while Redis is away, and finds it when it comes', async (t) => {
  const server = await startRedis(t);
  await server.kill();
  const store = await openStore(t, { url: server.url });
  t.notOk(store.health().ok);
  await rejectsWith(t, store.apply([added(sampleDecision(1))]), 'STORE_UNAVAILABLE');
  const follower = followerOf(t, store, null);
  const initial = follower.untilSnapshotEnd();
  await server.restart();
  await untilItWorks(store, 2);
  const told = await initial;
  // The snapshot may have been taken before or after that write.
  if (told.length === 0) told.push(...(await follower.next(1)));
  t.same(told, [added(sampleDecision(2))]);
  t.ok(store.health().ok);
});

t.test('a full server is reported as STORE_FULL, goes on answering, and is well again with room', async (t) => {
  const server = await startRedis(t, { args: ['--maxmemory', '4mb'] });
  const store = await openStore(t, { url: server.url });
  let error: GatewayError | null = null;
  let kept = 0;
  for (let from = 0; error === null && from < 100_000; from += 500) {
    try {
      await store.apply(Array.from({ length: 500 }, (_, index) => added(sampleDecision(from + index))));
      kept += 500;
    } catch (thrown) {
      error = thrown as GatewayError;
    }
  }
  t.equal(error?.code, 'STORE_FULL');
  t.equal((await snapshot(store)).size, kept, 'what was acknowledged is there, the rest is not');
  t.notOk(store.health().ok);
  const admin = adminOf(t, server.socketPath);
  await admin.config('SET', 'maxmemory', '0');
  await store.apply([added(sampleDecision(1))]);
  t.ok(store.health().ok);
});

t.test('scripts that the server forgot are sent again', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url });
  await store.apply([added(sampleDecision(1))]);
  await adminOf(t, server.socketPath).script('FLUSH');
  await store.apply([added(sampleDecision(2))]);
  t.equal((await store.decisions({ limit: 10 })).length, 2);
});

t.test('the stream of changes is bounded', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url, streamLength: 1_000 });
  await store.apply(Array.from({ length: 6_000 }, (_, index) => added(sampleDecision(index))));
  const length = await adminOf(t, server.socketPath).xlen('{portcullis}:store:changes');
  t.ok(length >= 1_000 && length <= 1_200, `${length} entries`);
});

t.test('a follower that is too far behind loses its place instead of changes', async (t) => {
  const { url } = await startRedis(t);
  const store = await openStore(t, { url, streamLength: 1_000 });
  const follower = followerOf(t, store, null);
  await follower.untilSnapshotEnd();
  await store.apply(Array.from({ length: 6_000 }, (_, index) => added(sampleDecision(index))));
  await rejectsWith(t, follower.next(1), 'STORE_UNAVAILABLE');
  t.equal((await snapshot(store, follower.cursor)).size, 6_000);
});

t.test('all keys are in one hash slot, so that a cluster can hold them', async (t) => {
  const server = await startRedis(t);
  const store = await openStore(t, { url: server.url, prefix: 'shop' });
  await store.apply([added(sampleDecision(1)), { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1') }]);
  const keys = await adminOf(t, server.socketPath).keys('*');
  t.ok(keys.length > 3);
  t.same(
    keys.filter((key) => !key.startsWith('{shop}:store:')),
    [],
  );
});

t.test('a password is used, and never shown', async (t) => {
  const acl = ['--user', 'default', 'off', '--user', 'gateway', 'on', `>${password}`, '~*', '+@all'];
  const server = await startRedis(t, { port: 'plain', args: acl });
  const good = await openStore(t, { url: server.url, username: 'gateway', password });
  await good.apply([added(sampleDecision(1))]);
  const inUrl = `redis://gateway:${encodeURIComponent(password)}@127.0.0.1:${server.port}/2`;
  const byUrl = await openStore(t, { url: inUrl });
  t.same(await byUrl.decisions({ limit: 1 }), [], 'another database of the same server');
  const wrong = `wrong ${password}`;
  const runtime = createTestRuntime();
  const refused = await openStore(t, { url: server.url, username: 'gateway', password: wrong }, runtime);
  const refusedByUrl = await openStore(t, { url: inUrl.replace('horse', 'cow') }, runtime);
  for (const store of [refused, refusedByUrl]) {
    try {
      await store.apply([added(sampleDecision(2))]);
      t.fail('written with a wrong password');
    } catch (error) {
      t.equal((error as GatewayError).code, 'STORE_UNAVAILABLE');
      t.notMatch(JSON.stringify([(error as Error).message, (error as GatewayError).remedy]), /horse|cow/);
    }
    t.match(store.health(), { ok: false, message: /user or the password/ });
  }
  t.match(runtime.lines.join(''), /user or the password/);
  t.notMatch(runtime.lines.join(''), /horse|cow/);
});

t.test('TLS: a certificate of a known authority is accepted, others are not', async (t) => {
  const folder = await temporaryFolder(t, 'tls');
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=redis.test', '-addext', 'subjectAltName=DNS:redis.test'];
  const made = spawnSync('openssl', [...kind, ...names, '-keyout', key, '-out', cert]);
  if (!t.equal(made.status, 0, 'openssl makes a certificate; install the package openssl')) return;
  const args = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no'];
  const server = await startRedis(t, { port: 'tls', args });
  const url = `rediss://127.0.0.1:${server.port}`;
  const store = await openStore(t, { url, tls: { caFile: cert, serverName: 'redis.test' } });
  await store.apply([added(sampleDecision(1))]);
  t.equal((await snapshot(store)).size, 1);
  const untrusted = await openStore(t, { url });
  await rejectsWith(t, untrusted.apply([added(sampleDecision(2))]), 'STORE_UNAVAILABLE');
  const otherName = await openStore(t, { url, tls: { caFile: cert, serverName: 'other.test' } });
  await rejectsWith(t, otherName.apply([added(sampleDecision(2))]), 'STORE_UNAVAILABLE');
  await rejectsWith(t, openStore(t, { url, tls: { caFile: join(folder, 'none.pem') } }), 'SETTINGS_UNREADABLE');
});

t.test('an address that is none is a mistake in the settings, told without its password', async (t) => {
  const wrong = ['redis://u:secret@', 'redis://u:secret@host:99999', 'redis://u:secret@host/db', 'redis://u:%@host'];
  for (const url of wrong) {
    try {
      await openStore(t, { url });
      t.fail(`accepted ${url}`);
    } catch (error) {
      t.equal((error as GatewayError).code, 'SETTINGS_INVALID', url);
      t.notMatch(`${(error as Error).message} ${(error as GatewayError).remedy}`, /secret/);
    }
  }
  t.equal(wrong.length, 4);
});

t.test('eviction policies that would lose decisions are warned of', async (t) => {
  const server = await startRedis(t, { args: ['--maxmemory-policy', 'allkeys-lru'] });
  const runtime = createTestRuntime();
  await openStore(t, { url: server.url }, runtime);
  await eventually(
    async () => runtime.lines.join(''),
    (lines) => lines.includes('allkeys-lru'),
  );
  t.match(runtime.lines.join(''), /"level":"warn".*allkeys-lru.*may forget decisions/);
});

async function openStore(
  t: Test,
  changes: Partial<RedisStoreSettings['redis']>,
  runtime: TestRuntime = createTestRuntime(),
): Promise<Store> {
  const redis = { ...defaults, streamLength: 4_000, ...changes };
  const store = await createRedisStore({ retention: contractRetention, redis }, runtime);
  t.teardown(() => store.close());
  return store;
}

/** Applies a decision again and again until the store takes it. */
async function untilItWorks(store: Store, index: number): Promise<void> {
  await eventually(
    () =>
      store.apply([added(sampleDecision(index))]).then(
        () => true,
        () => false,
      ),
    (worked) => worked,
  );
}

function adminOf(t: Test, path: string): Redis {
  const redis = new Redis({ path });
  t.teardown(() => redis.disconnect());
  return redis;
}
