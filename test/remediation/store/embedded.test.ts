import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import type { GatewayError } from '../../../core/errors.ts';
import { newBouncer } from '../../../remediation/bouncer.ts';
import { uuidKey } from '../../../remediation/store/embedded-decision-keys.ts';
import { startStoreWorker } from '../../../remediation/store/embedded-link.ts';
import { migrate, migrations } from '../../../remediation/store/embedded-schema.ts';
import { createEmbeddedStore, type EmbeddedParts } from '../../../remediation/store/embedded.ts';
import type { createStore } from '../../../remediation/store/index.ts';
import type { Store } from '../../../remediation/store/store.ts';
import { limitWrite, type AlertWrite } from '../../../remediation/store/write-limits.ts';
import { createTestRuntime, type TestRuntime } from '../../contracts/store-runtime.ts';
import { hour, sampleAlert, sampleDecision, sampleEntry, sampleRefusal, start } from '../../contracts/store-samples.ts';
import { added, contractRetention, deleted, followerOf, rejectsWith, snapshot } from '../../contracts/store/tools.ts';
import { temporaryFolder } from '../../support/servers/process.ts';
import { eventually } from '../../support/eventually.ts';

t.test('the file and its folder are for the owner only', async (t) => {
  const { file, open } = await place(t, 'deep/folder/store.db');
  await open();
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(statSync(`${file}-wal`).mode & 0o777, 0o600);
  t.equal(statSync(dirname(file)).mode & 0o777, 0o700);
});

t.test('a file that cannot be opened is reported, with the cause and a remedy', async (t) => {
  const { open, file } = await place(t);
  await (await open()).close();
  const inTheWay = join(file, 'store.db');
  try {
    await open({}, inTheWay);
    t.fail('a folder that is a file was opened');
  } catch (error) {
    t.match(error, { code: 'STORE_UNAVAILABLE', remedy: /folder exists/ });
    t.match((error as Error).message, /ENOTDIR|EEXIST/);
  }
});

t.test('a second gateway on the same file is refused, and harms nothing', async (t) => {
  const { open } = await place(t);
  const store = await open();
  await rejectsWith(t, open(), 'STORE_UNAVAILABLE');
  await store.apply([added(sampleDecision(1))]);
  t.equal((await store.decisions({ limit: 1 })).length, 1);
});

t.test('a file that is no database is set aside and reported', async (t) => {
  const { file, open, runtime } = await place(t);
  writeFileSync(file, 'these are not the pages of a database'.repeat(500));
  const reported: GatewayError[] = [];
  const store = await open({ report: (error) => void reported.push(error) });
  await store.apply([added(sampleDecision(1))]);
  const aside = readdirSync(dirname(file)).filter((name) => name.includes('.corrupt-'));
  t.same(aside, [`${basename(file)}.corrupt-${new Date(start).toISOString().slice(0, 13)}${aside[0]?.slice(-11)}`]);
  t.match(readFileSync(join(dirname(file), aside[0] ?? ''), 'utf8'), /^these are not the pages/);
  t.match(reported, [{ code: 'STORE_CORRUPT' }]);
  t.equal(reported.length, 1);
  t.match(runtime.lines.join(''), /"code":"STORE_CORRUPT"/);
  t.match(store.health(), { ok: true, message: /damaged.*set aside/ });
  t.equal(statSync(file).mode & 0o777, 0o600);
});

t.test('damage found while running is set aside; the store goes on with a new file', async (t) => {
  const { file, open } = await place(t);
  const first = await open();
  await first.apply(Array.from({ length: 5_000 }, (_, index) => added(sampleDecision(index))));
  await first.close();
  damage(file);
  const reported: string[] = [];
  const store = await open({ report: (error) => void reported.push(error.code) });
  await rejectsWith(t, store.decisions({ value: 'none', limit: 1 }), 'STORE_CORRUPT');
  await store.apply([added(sampleDecision(9_999))]);
  t.same([...(await snapshot(store)).keys()], [sampleDecision(9_999).uuid]);
  t.ok(reported.includes('STORE_CORRUPT'));
  t.equal(readdirSync(dirname(file)).filter((name) => name.includes('.corrupt-')).length, 1);
  await store.close();
  const again = await open();
  t.equal((await again.decisions({ limit: 10 })).length, 1);
});

t.test('a follower whose file was replaced loses its place and gets a fresh snapshot', async (t) => {
  const { file, open } = await place(t);
  const first = await open();
  await first.apply(Array.from({ length: 5_000 }, (_, index) => added(sampleDecision(index))));
  await first.close();
  damage(file);
  const store = await open();
  const follower = followerOf(t, store, null);
  await rejectsWith(t, follower.untilSnapshotEnd(), 'STORE_UNAVAILABLE');
  t.same(await followerOf(t, store, follower.cursor).untilSnapshotEnd(), []);
});

t.test('no more than three damaged files are kept', async (t) => {
  const { file, open, runtime } = await place(t);
  for (let round = 0; round < 5; round++) {
    writeFileSync(file, `damaged ${round} `.repeat(500));
    await (await open()).close();
    runtime.clock.jump(hour);
  }
  const aside = readdirSync(dirname(file)).filter((name) => name.includes('.corrupt-'));
  t.equal(aside.length, 3);
  const newest = aside.sort().at(-1) ?? '';
  t.match(readFileSync(join(dirname(file), newest), 'utf8'), /^damaged 4/);
});

t.test('a file of any earlier version is brought to this one', async (t) => {
  for (let version = 0; version < migrations.length; version++) {
    const { file, open } = await place(t);
    const db = new DatabaseSync(file);
    migrate(db, migrations.slice(0, version));
    t.equal(db.prepare('PRAGMA user_version').get()?.user_version, version);
    db.close();
    const store = await open();
    await store.apply([added(sampleDecision(1))]);
    await store.close();
    const after = new DatabaseSync(file);
    t.equal(after.prepare('PRAGMA user_version').get()?.user_version, migrations.length);
    after.close();
  }
});

t.test(
  'a file of version 2 keeps all that it has: ids, order, allowlist, bouncers, alerts and their decisions',
  async (t) => {
    const { file, open } = await place(t);
    const db = new DatabaseSync(file);
    migrate(db, migrations.slice(0, 2));
    const { hash_seed: seed, epoch } = db.prepare('SELECT hash_seed, epoch FROM history').get() as {
      hash_seed: number;
      epoch: string;
    };
    const addKind = db.prepare('INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?)');
    addKind.run(1, 'crowdsec', 'crowdsecurity/http-probing', 'Ip', 'ban', 0);
    addKind.run(2, 'CAPI', 'crowdsecurity/http-probing', 'Ip', 'ban', 0);
    const addDecision = db.prepare('INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const decisions = Array.from({ length: 700 }, (_, index) =>
      sampleDecision(index, {
        origin: index % 2 === 0 ? 'crowdsec' : 'CAPI',
        alertUuid: index % 3 === 0 ? sampleAlert(index % 6).uuid : null,
      }),
    );
    for (const [index, { uuid, value, until, createdAt, alertUuid }] of decisions.entries()) {
      // Positions with gaps, as rewriting leaves them.
      const [seq, own] = index % 2 === 0 ? [10 + 2 * index, 1] : [10 + 2 * index, null];
      const deletedAt = index === 5 ? start + 7 : null;
      addDecision.run(
        seq,
        uuidKey(uuid, seed),
        uuid,
        (index % 2) + 1,
        value,
        until,
        createdAt,
        deletedAt,
        alertUuid,
        own,
      );
    }
    const addEntry = db.prepare('INSERT INTO allowlist VALUES (?, ?, ?, ?, ?, ?)');
    addEntry.run(3, '192.0.2.1', 'why 192.0.2.1', start, null, null);
    addEntry.run(4, '192.0.2.2', '', start, null, start);
    addEntry.run(2_000, '192.0.2.0/24', 'why 192.0.2.0/24', start + 5, null, null);
    const addAlert = db.prepare(
      'INSERT INTO alerts (id, uuid, scope, value, scenario, created_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    for (const index of [0, 3]) {
      const { record } = limitWrite({ kind: 'alert', alert: sampleAlert(index) }) as AlertWrite;
      addAlert.run(40 + index, record.uuid, record.scope, record.value, record.scenario, record.createdAt, record.body);
    }
    db.prepare('INSERT INTO bouncers VALUES (?, ?, ?)').run('"nginx"', 'hash', start);
    db.exec('UPDATE history SET head = 2000');
    db.close();

    const store = await open();
    const stored = (await store.decisions({ limit: 1_000, includeInactive: true })).toReversed();
    t.same(
      stored.map(({ decision }) => decision),
      decisions,
    );
    t.same(
      stored.map(({ id }) => id),
      decisions.map((_, index) => 10 + 2 * index),
      'the id of a decision is its position',
    );
    t.match(await store.decisionByUuid(sampleDecision(5).uuid), { id: 20, deletedAt: start + 7 });
    t.match(await store.decisionById(1_408), { decision: decisions[699] });
    t.equal((await store.decisions({ alertUuid: sampleAlert(3).uuid, limit: 1_000 })).length, 117);
    t.equal((await store.decisionCounts(start, 1_000)).length, 350);
    t.strictSame(await store.allowlist(), [
      sampleEntry('192.0.2.1'),
      sampleEntry('192.0.2.0/24', { createdAt: start + 5 }),
    ]);
    t.strictSame(await store.allowlists(), [
      { name: 'default', description: '', createdAt: start, updatedAt: start + 5 },
    ]);
    t.strictSame(await store.bouncers(), [newBouncer('"nginx"', 'hash', start)]);
    t.strictSame(await store.alerts({ limit: 10 }), [
      { id: 43, alert: sampleAlert(3) },
      { id: 40, alert: sampleAlert(0) },
    ]);
    const resumed = followerOf(t, store, `${epoch}-1400`);
    const told = await resumed.nextChanges(1);
    t.match(told[0], { kind: 'decision-added', id: 1_402, decision: decisions[696] }, 'cursors go on');
    t.match(told.at(-1), { kind: 'allowlist-added', entry: { list: 'default', value: '192.0.2.0/24' } });
    await store.apply([added(sampleDecision(0)), { kind: 'alert', alert: sampleAlert(9) }]);
    t.match(await store.decisionByUuid(sampleDecision(0).uuid), { id: 10 });
    t.equal((await store.alertByUuid(sampleAlert(9).uuid))?.id, 44);
    await store.close();
    const after = new DatabaseSync(file);
    t.same({ ...after.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
    after.close();
  },
);

t.test('a file of version 2 without an allowlist gets no list', async (t) => {
  const { file, open } = await place(t);
  const db = new DatabaseSync(file);
  migrate(db, migrations.slice(0, 2));
  db.exec(`INSERT INTO allowlist VALUES (1, '192.0.2.2', '', ${start}, NULL, ${start})`);
  db.close();
  t.same(await (await open()).allowlists(), []);
});

t.test('migrations run once each, in order, and a failing one leaves the file as it was', (t) => {
  const db = new DatabaseSync(':memory:');
  const steps = ['CREATE TABLE a (x)', 'INSERT INTO a VALUES (1)'];
  migrate(db, steps);
  migrate(db, steps);
  t.equal(db.prepare('SELECT count(*) AS n FROM a').get()?.n, 1);
  const failing = [...steps, 'INSERT INTO a VALUES (2); INSERT INTO missing VALUES (1)'];
  t.throws(() => migrate(db, failing), /missing/);
  if (db.isTransaction) db.exec('ROLLBACK');
  t.equal(db.prepare('SELECT count(*) AS n FROM a').get()?.n, 1);
  t.equal(db.prepare('PRAGMA user_version').get()?.user_version, 2);
  migrate(db, [...steps, 'INSERT INTO a VALUES (2)']);
  t.equal(db.prepare('SELECT count(*) AS n FROM a').get()?.n, 2);
  db.close();
  t.end();
});

t.test('a file of a later Portcullis is refused and left alone', async (t) => {
  const { file, open } = await place(t);
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 9999; CREATE TABLE later (x)');
  db.close();
  await rejectsWith(t, open(), 'STORE_UNAVAILABLE');
  t.same(
    readdirSync(dirname(file)).filter((name) => name.includes('corrupt')),
    [],
  );
});

t.test('a full store says so, keeps what it has, and works again when there is room', async (t) => {
  const { file, runtime } = await place(t);
  const reported: string[] = [];
  const store = await openStore(t, file, runtime, { report: (error) => void reported.push(error.code) }, 2 ** 20);
  const until = start + hour;
  let kept = 0;
  let code = '';
  for (let from = 0; code === '' && from < 100_000; from += 500) {
    const batch = Array.from({ length: 500 }, (_, index) => added(sampleDecision(from + index, { until })));
    try {
      await store.apply(batch);
      kept += 500;
    } catch (error) {
      code = (error as GatewayError).code;
    }
  }
  t.equal(code, 'STORE_FULL');
  t.same(reported, ['STORE_FULL']);
  t.ok(kept > 0);
  t.match(store.health(), { ok: false, message: /cannot grow/ });
  t.equal((await snapshot(store)).size, kept, 'what was acknowledged is there, the rest is not');
  t.notOk(store.health().ok, 'reading does not make it well');
  runtime.clock.jump(48 * hour);
  await eventually(
    () => store.decisions({ limit: 1, includeInactive: true }),
    (rows) => rows.length === 0,
  );
  await store.apply([added(sampleDecision(1, { until: runtime.clock.now() + hour }))]);
  t.ok(store.health().ok);
});

t.test('a large write that fails half way is refused once, and what follows is not affected', async (t) => {
  const { file, runtime } = await place(t);
  const store = await openStore(t, file, runtime, {}, 2 ** 20);
  const large = Array.from({ length: 40_000 }, (_, index) => added(sampleDecision(index)));
  await rejectsWith(t, store.apply(large), 'STORE_FULL');
  const kept = (await snapshot(store)).size;
  t.ok(kept < 40_000);
  t.equal(kept % 500, 0, 'whole units, in order');
  t.same(
    (await store.decisions({ limit: 1 })).map(({ decision }) => decision.uuid),
    kept === 0 ? [] : [sampleDecision(kept - 1).uuid],
  );
  const removal = Array.from({ length: 3 }, (_, index) => deleted(sampleDecision(index)));
  await store.apply(removal).catch(() => undefined);
  t.equal((await store.decisions({ limit: 10 })).length, Math.min(10, kept));
});

t.test('questions are answered in the middle of a large write, and after one that ends half way', async (t) => {
  const { open } = await place(t);
  const store = await open();
  // More slices than are ever on their way at once, so that the first answer cannot be about the end.
  const large = Array.from({ length: 240_000 }, (_, index) => added(sampleDecision(index)));
  const written = store.apply(large);
  const seen: number[] = [];
  for (let newest = 0; newest < large.length; seen.push(newest)) {
    newest = (await store.decisions({ limit: 1 }))[0]?.id ?? 0;
  }
  await written;
  t.ok(seen.length > 1, `${seen.length} answers`);
  t.same(
    seen.filter((id) => id % 500 !== 0),
    [],
    'whole units',
  );
  const bad = added(sampleDecision(100_000, { value: 'x'.repeat(5_000) }));
  const refused = rejectsWith(t, store.apply([...large.slice(0, 1_700), bad, ...large]), 'DECISION_INVALID');
  const [answer] = await Promise.all([store.decisionById(1), refused]);
  t.equal(answer?.decision.uuid, sampleDecision(0).uuid);
  t.equal((await store.decisions({ limit: 10_000 })).length, 10_000);
});

t.test('a thread that dies is noticed: what waited is refused, and another one is started', async (t) => {
  const { file, runtime } = await place(t);
  const threads: Worker[] = [];
  const reported: string[] = [];
  const store = await openStore(t, file, runtime, {
    report: (error) => void reported.push(error.code),
    startWorker: (settings) => {
      const worker = startStoreWorker(settings);
      threads.push(worker);
      return worker;
    },
  });
  await store.apply([added(sampleDecision(1))]);
  const follower = followerOf(t, store, null);
  await follower.untilSnapshotEnd();
  const waiting = store.apply(Array.from({ length: 20_000 }, (_, index) => added(sampleDecision(10 + index))));
  const refused = rejectsWith(t, waiting, 'STORE_UNAVAILABLE');
  await threads[0]?.terminate();
  await refused;
  t.notOk(store.health().ok);
  await rejectsWith(t, store.apply([added(sampleDecision(2))]), 'STORE_UNAVAILABLE');
  await eventually(
    () =>
      store.apply([added(sampleDecision(3))]).then(
        () => true,
        () => false,
      ),
    (worked) => worked,
  );
  t.ok(store.health().ok);
  t.equal(threads.length, 2);
  t.same(reported, ['STORE_UNAVAILABLE']);
  let told = await follower.next(1);
  while (!told.some((change) => 'decision' in change && change.decision.uuid === sampleDecision(3).uuid)) {
    told = await follower.next(1);
  }
  t.equal(follower.snapshotEnds, 1, 'the stream goes on where it was');
  t.ok(await store.decisionByUuid(sampleDecision(1).uuid), 'what was acknowledged is there');
});

t.test('closing while the thread is being started again does not hang', async (t) => {
  const { file, runtime } = await place(t);
  let thread: Worker | null = null;
  const store = await openStore(t, file, runtime, {
    startWorker: (settings) => (thread = startStoreWorker(settings)),
  });
  await (thread as Worker | null)?.terminate();
  await store.close();
  await rejectsWith(t, store.apply([added(sampleDecision(1))]), 'STORE_CLOSED');
});

t.test('refusals cannot crowd out decisions', async (t) => {
  const { open } = await place(t);
  const store = await open();
  const refusal = {
    kind: 'refusal',
    event: sampleRefusal(1),
  } as const;
  const flood = Array.from({ length: 200 }, () => store.apply(Array.from({ length: 400 }, () => refusal)));
  const decision = store.apply([added(sampleDecision(1))]);
  const outcomes = await Promise.allSettled(flood);
  await decision;
  t.ok(outcomes.some(({ status }) => status === 'fulfilled'));
  t.ok(
    outcomes.some(({ status }) => status === 'rejected'),
    'what does not fit is refused, not queued without bound',
  );
  t.ok(await store.decisionByUuid(sampleDecision(1).uuid));
});

t.test('the compiled store finds its compiled worker', async (t) => {
  const folder = await temporaryFolder(t, 'build');
  const root = join(import.meta.dirname, '..', '..', '..');
  // Without the check of types, which is slow, and whose faults are not what this test is about.
  const compilerOptions = { noCheck: true, rootDir: root, outDir: folder };
  const files = ['index.ts', 'embedded-worker.ts'].map((name) => join(root, 'remediation/store', name));
  const settings = { extends: join(root, 'tsconfig.build.json'), compilerOptions, include: [], files };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  // tap puts its own loader into NODE_OPTIONS of every child, and the compiler does not start with it.
  spawnSync('env', ['-u', 'NODE_OPTIONS', join(root, 'node_modules/.bin/tsc'), '-p', folder]);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const url = pathToFileURL(join(folder, 'remediation/store/index.js')).href;
  const { storeOptions } = (await import(
    url.replace('index.js', 'options.js')
  )) as typeof import('../../../remediation/store/options.ts');
  const compiled = (await import(url)) as { createStore: typeof createStore };
  const store = await compiled.createStore(storeOptions.parse({ file: join(folder, 'store.db') }), createTestRuntime());
  await store.apply([added(sampleDecision(1))]);
  t.equal((await store.decisions({ limit: 1 })).length, 1);
  await store.close();
});

interface Place {
  readonly file: string;
  readonly runtime: TestRuntime;
  readonly open: (parts?: EmbeddedParts, file?: string) => Promise<Store>;
}

async function place(t: Test, name = 'store.db'): Promise<Place> {
  const file = join(await temporaryFolder(t, 'store'), name);
  const runtime = createTestRuntime();
  return { file, runtime, open: (parts = {}, at = file) => openStore(t, at, runtime, parts) };
}

async function openStore(
  t: Test,
  file: string,
  runtime: TestRuntime,
  parts: EmbeddedParts,
  maxBytes = 2 ** 30,
): Promise<Store> {
  const store = await createEmbeddedStore({ file, maxBytes, retention: contractRetention }, runtime, parts);
  t.teardown(() => store.close());
  return store;
}

/** Overwrites pages in the middle of a closed file, as a failing disk does. */
function damage(file: string): void {
  const { size } = statSync(file);
  const handle = openSync(file, 'r+');
  const noise = Buffer.alloc(64 * 1024, 0xa5);
  writeSync(handle, noise, 0, noise.length, Math.floor(size / 8_192) * 4_096);
  closeSync(handle);
}
