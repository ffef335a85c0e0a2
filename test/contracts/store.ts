/**
 * The contract of `Store`, run against every store that `createStore` knows. One file, because it is one text: what a store
 * promises, in the order in which the interface says it.
 */
import * as fc from 'fast-check';
import type { Test } from 'tap';
import { GatewayError, type ErrorCode } from '../../core/errors.ts';
import type { Alert } from '../../detectors/alert.ts';
import { type Bouncer, hashKey, newBouncer } from '../../remediation/bouncer.ts';
import type { Decision } from '../../remediation/decision.ts';
import type { ChangeBatch, Store, StoreChange, StoreWrite } from '../../remediation/store/store.ts';
import type { TestRuntime } from './store-runtime.ts';
import { hour, sampleAlert, sampleDecision, sampleEntry, sampleRefusal, start } from './store-samples.ts';

export interface StoreFixture {
  readonly store: Store;
  readonly runtime: TestRuntime;
  /** Opens what the store left behind once more, after it was closed; null where nothing outlives the process. */
  readonly reopen: (() => Promise<Store>) | null;
}

/** Retention that tests can reach: 10 rows, or one day. */
export const contractRetention = {
  alerts: { maxAge: 24 * hour, maxRows: 10 },
  refusals: { maxAge: 24 * hour, maxRows: 10 },
  decisions: { maxAge: 24 * hour, maxRows: 10 },
  usage: { maxAge: 24 * hour, maxRows: 10 },
};

type Open = (t: Test) => Promise<StoreFixture>;

/** Registers the whole suite. `open` makes an empty store of `contractRetention` and frees it when its test ends. */
export function storeContract(t: Test, open: Open): void {
  writes(t, open);
  stream(t, open);
  queries(t, open);
  records(t, open);
  limits(t, open);
  forgetting(t, open);
  lifetime(t, open);
  model(t, open);
}

function writes(t: Test, open: Open): void {
  t.test('the last write of a decision wins, in the order of apply', async (t) => {
    const { store } = await open(t);
    const first = sampleDecision(1, { type: 'captcha' });
    const second = sampleDecision(1, { type: 'ban', until: start + 8 * hour });
    await store.apply([added(first), deleted(first), added(second)]);
    const stored = await store.decisionByUuid(first.uuid);
    t.match(stored, { decision: second, deletedAt: null });
    await store.apply([added(first)]);
    t.same((await store.decisionByUuid(first.uuid))?.decision, first);
  });

  t.test('a deleted decision leaves the live ones and stays in history', async (t) => {
    const { store, runtime } = await open(t);
    const decision = sampleDecision(1);
    await store.apply([added(decision), added(sampleDecision(2))]);
    await store.apply([deleted(decision)]);
    const deletedAt = (await store.decisionByUuid(decision.uuid))?.deletedAt ?? 0;
    t.ok(deletedAt >= start && deletedAt <= runtime.clock.now(), 'the time of deletion is known');
    t.same(uuids(await store.decisions({ limit: 10 })), [sampleDecision(2).uuid]);
    t.equal((await store.decisions({ limit: 10, includeInactive: true })).length, 2);
    runtime.clock.jump(1_000);
    await store.apply([deleted(decision)]);
    t.equal((await store.decisionByUuid(decision.uuid))?.deletedAt, deletedAt, 'deleting again changes nothing');
  });

  t.test('deleting a decision that the store has never seen is remembered', async (t) => {
    const { store } = await open(t);
    await store.apply([deleted(sampleDecision(7))]);
    t.type((await store.decisionByUuid(sampleDecision(7).uuid))?.deletedAt, 'number');
    t.same(await store.decisions({ limit: 10 }), []);
  });

  t.test('an empty apply resolves', async (t) => {
    const { store } = await open(t);
    await store.apply([]);
    t.same(await store.decisions({ limit: 10, includeInactive: true }), []);
  });

  t.test('large batches are kept whole and in order', async (t) => {
    const { store } = await open(t);
    const batch = Array.from({ length: 5_003 }, (_, index) => added(sampleDecision(index)));
    batch.push(deleted(sampleDecision(5_002)));
    await store.apply(batch);
    t.equal((await store.decisions({ limit: 10_000 })).length, 5_002);
    const state = await snapshot(store);
    t.equal(state.size, 5_002);
  });

  t.test('concurrent writers: each keeps its own order', async (t) => {
    const { store } = await open(t);
    const writers = 8;
    const rounds = 40;
    const writer = async (index: number): Promise<void> => {
      const applied: Promise<void>[] = [];
      for (let round = 0; round < rounds; round++) {
        const own = sampleDecision(index, { until: start + hour + round });
        applied.push(store.apply([added(own), added(sampleDecision(1_000 + index * rounds + round))]));
      }
      await Promise.all(applied);
    };
    await Promise.all(Array.from({ length: writers }, (_, index) => writer(index)));
    const stored = await store.decisions({ limit: 1_000 });
    t.equal(stored.length, writers + writers * rounds);
    const finals = stored.filter(({ decision }) => decision.until !== sampleDecision(0).until);
    t.same(new Set(finals.map(({ decision }) => decision.until)), new Set([start + hour + rounds - 1]));
  });

  t.test('what was applied outlives the store', async (t) => {
    const fixture = await open(t);
    const { store, reopen } = fixture;
    if (!reopen) {
      t.pass('the memory store forgets, as it says');
      return;
    }
    const bouncer = newBouncer('nginx', hashKey('key'), 1);
    await store.apply([
      added(sampleDecision(1)),
      added(sampleDecision(2)),
      deleted(sampleDecision(2)),
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.0/24') },
      { kind: 'alert', alert: sampleAlert(1) },
      { kind: 'refusal', event: sampleRefusal(1) },
      { kind: 'bouncer-added', bouncer },
    ]);
    await store.close();
    const again = await reopen();
    t.same(uuids(await again.decisions({ limit: 10 })), [sampleDecision(1).uuid]);
    t.type((await again.decisionByUuid(sampleDecision(2).uuid))?.deletedAt, 'number');
    t.same(await again.allowlist(), [sampleEntry('192.0.2.0/24')]);
    t.same(await again.alertByUuid(sampleAlert(1).uuid), { id: 1, alert: sampleAlert(1) });
    t.same(await again.refusals({ limit: 10 }), [sampleRefusal(1)]);
    t.same(await again.bouncers(), [bouncer]);
  });
}

function stream(t: Test, open: Open): void {
  t.test('a stream starts with a snapshot, says where it ends, and goes on live', async (t) => {
    const { store } = await open(t);
    await store.apply([
      added(sampleDecision(1)),
      added(sampleDecision(2)),
      deleted(sampleDecision(2)),
      added(sampleDecision(3, { until: start - 1 })),
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.9') },
    ]);
    const follower = followerOf(t, store, null);
    const initial = await follower.untilSnapshotEnd();
    t.same(initial, [added(sampleDecision(1)), { kind: 'allowlist-added', entry: sampleEntry('192.0.2.9') }]);
    const live: StoreWrite[] = [
      added(sampleDecision(4)),
      deleted(sampleDecision(1)),
      { kind: 'allowlist-deleted', list: 'default', value: '192.0.2.9' },
      { kind: 'allowlist-added', entry: sampleEntry('198.51.100.0/24', { until: start + hour }) },
    ];
    await store.apply([
      ...live,
      { kind: 'alert', alert: sampleAlert(1) },
      { kind: 'refusal', event: sampleRefusal(1) },
    ]);
    t.same(await follower.next(live.length), live, 'changes in order; alerts and refusals are not told');
  });

  t.test('the snapshot of an empty store is one empty batch', async (t) => {
    const { store } = await open(t);
    const follower = followerOf(t, store, null);
    t.same(await follower.untilSnapshotEnd(), []);
    await store.apply([added(sampleDecision(1))]);
    t.same(await follower.next(1), [added(sampleDecision(1))]);
  });

  t.test('a cursor resumes after what was read, without a snapshot', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1))]);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    await store.apply([added(sampleDecision(2))]);
    await follower.next(1);
    await follower.stop();
    await store.apply([added(sampleDecision(3)), deleted(sampleDecision(1))]);
    const resumed = followerOf(t, store, follower.cursor);
    t.same(await resumed.next(2), [added(sampleDecision(3)), deleted(sampleDecision(1))]);
    t.equal(resumed.snapshotEnds, 0);
  });

  t.test('a cursor outlives the store', async (t) => {
    const { store, reopen } = await open(t);
    if (!reopen) {
      t.pass('the memory store forgets, as it says');
      return;
    }
    await store.apply([added(sampleDecision(1))]);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    await follower.stop();
    await store.apply([added(sampleDecision(2))]);
    await store.close();
    const again = await reopen();
    const resumed = followerOf(t, again, follower.cursor);
    t.same(await resumed.next(1), [added(sampleDecision(2))]);
    t.equal(resumed.snapshotEnds, 0);
  });

  t.test('a cursor from the middle of a snapshot loses nothing', async (t) => {
    const { store } = await open(t);
    await store.apply(Array.from({ length: 3_000 }, (_, index) => added(sampleDecision(index))));
    const seen = new Set<string>();
    let cursor: string | null = null;
    const abort = new AbortController();
    for await (const batch of store.changes(null, abort.signal)) {
      for (const change of batch.changes) if (change.kind === 'decision-added') seen.add(change.decision.uuid);
      cursor = batch.cursor;
      break;
    }
    t.ok(seen.size > 0 && seen.size < 3_000, 'a snapshot comes in batches');
    const rest = followerOf(t, store, cursor);
    while (seen.size < 3_000) {
      for (const change of await rest.next(1)) if (change.kind === 'decision-added') seen.add(change.decision.uuid);
    }
    t.equal(seen.size, 3_000);
  });

  const foreign = [
    ['nothing a store ever wrote', 'gibberish'],
    ['empty', ''],
    ['of another history', `${'0'.repeat(32)}-3`],
    ['hostile', '9'.repeat(100_000)],
    ['with a NUL', 'abc\0-1'],
  ] as const;
  for (const [what, cursor] of foreign) {
    t.test(`a cursor that is ${what} yields a fresh snapshot`, async (t) => {
      const { store } = await open(t);
      await store.apply([added(sampleDecision(1))]);
      const follower = followerOf(t, store, cursor);
      t.same(await follower.untilSnapshotEnd(), [added(sampleDecision(1))]);
    });
  }

  t.test('a cursor ahead of the history yields a fresh snapshot', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1))]);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    const ahead = follower.cursor.replace(/\d+$/, '999999');
    t.not(ahead, follower.cursor);
    t.same(await followerOf(t, store, ahead).untilSnapshotEnd(), [added(sampleDecision(1))]);
  });

  t.test('followers are independent, and a slow one holds up no one', async (t) => {
    const { store } = await open(t);
    const slow = followerOf(t, store, null);
    const quick = followerOf(t, store, null);
    await Promise.all([slow.untilSnapshotEnd(), quick.untilSnapshotEnd()]);
    for (let index = 0; index < 3_000; index += 500) {
      const some = Array.from({ length: 500 }, (_, offset) => added(sampleDecision(index + offset)));
      await store.apply(some);
      t.same(await quick.next(500), some);
    }
    const late = await slow.next(3_000);
    t.same(
      late.map(uuidOf),
      Array.from({ length: 3_000 }, (_, index) => sampleDecision(index).uuid),
    );
  });

  t.test('writes during a snapshot come after it and are not lost', async (t) => {
    const { store } = await open(t);
    await store.apply(Array.from({ length: 2_500 }, (_, index) => added(sampleDecision(index))));
    const state = new Map<string, Decision>();
    const abort = new AbortController();
    let wrote = false;
    let ended = false;
    for await (const batch of store.changes(null, abort.signal)) {
      for (const change of batch.changes) play(state, change);
      ended ||= batch.snapshotEnd;
      if (!wrote) {
        wrote = true;
        await store.apply([deleted(sampleDecision(0)), deleted(sampleDecision(2_499)), added(sampleDecision(5_000))]);
      }
      if (ended && state.has(sampleDecision(5_000).uuid)) break;
    }
    t.equal(state.size, 2_499);
    t.notOk(state.has(sampleDecision(0).uuid));
    t.notOk(state.has(sampleDecision(2_499).uuid));
  });

  t.test('an abort ends the stream promptly: before it starts, in a snapshot, while it waits', async (t) => {
    const { store } = await open(t);
    await store.apply(Array.from({ length: 2_500 }, (_, index) => added(sampleDecision(index))));
    t.same(await collect(store.changes(null, AbortSignal.abort())), []);
    const inSnapshot = new AbortController();
    const iterator = store.changes(null, inSnapshot.signal)[Symbol.asyncIterator]();
    t.notOk((await iterator.next()).done);
    const pending = iterator.next();
    inSnapshot.abort();
    await pending;
    t.ok((await iterator.next()).done);
    const waiting = followerOf(t, store, null);
    await waiting.untilSnapshotEnd();
    const next = waiting.next(1);
    await waiting.stop();
    t.same(await next, []);
  });

  t.test('many followers come and go without leaving anything behind', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1))]);
    for (let round = 0; round < 20; round++) {
      const follower = followerOf(t, store, null);
      t.same(await follower.untilSnapshotEnd(), [added(sampleDecision(1))]);
      await follower.stop();
    }
    t.ok(store.health().ok);
  });
}

function queries(t: Test, open: Open): void {
  t.test('decisions are selected by each field, live ones unless asked', async (t) => {
    const { store } = await open(t);
    const rows = [
      sampleDecision(0),
      sampleDecision(1, { scope: 'Range', value: '192.0.2.0/24' }),
      sampleDecision(2, { type: 'captcha' }),
      sampleDecision(3, { origin: 'CAPI' }),
      sampleDecision(4, { scenario: 'crowdsecurity/ssh-bf' }),
      sampleDecision(5, { until: start - 1 }),
      sampleDecision(6, { simulated: true }),
    ];
    await store.apply(rows.map(added));
    const table = [
      [{}, [6, 4, 3, 2, 1, 0]],
      [{ includeInactive: true }, [6, 5, 4, 3, 2, 1, 0]],
      [{ scope: 'Range' }, [1]],
      [{ scope: 'range' }, []],
      [{ value: '192.0.2.0/24' }, [1]],
      [{ value: sampleDecision(5).value }, []],
      [{ value: sampleDecision(5).value, includeInactive: true }, [5]],
      [{ type: 'captcha' }, [2]],
      [{ origin: 'CAPI' }, [3]],
      [{ scenario: 'crowdsecurity/ssh-bf' }, [4]],
      [{ type: 'ban', origin: 'crowdsec', scope: 'Ip' }, [6, 4, 0]],
      [{ type: 'captcha', origin: 'CAPI' }, []],
    ] as const;
    for (const [query, expected] of table) {
      const found = await store.decisions({ ...query, limit: 100 });
      t.same(
        found.map(({ decision }) => decision),
        expected.map((index) => rows[index]),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 12);
  });

  t.test('a listing goes on page by page, also while rows come and go', async (t) => {
    const { store } = await open(t);
    await store.apply(Array.from({ length: 25 }, (_, index) => added(sampleDecision(index))));
    const first = await store.decisions({ limit: 10 });
    const after = first.at(-1)?.cursor ?? '';
    await store.apply([added(sampleDecision(100)), deleted(sampleDecision(15)), deleted(sampleDecision(0))]);
    const second = await store.decisions({ limit: 10, after });
    const third = await store.decisions({ limit: 10, after: second.at(-1)?.cursor ?? '' });
    t.same(uuids(first), range(24, 15));
    t.same(uuids(second), range(14, 5));
    t.same(uuids(third), range(4, 1));
    t.same(await store.decisions({ limit: 10, after: third.at(-1)?.cursor ?? '' }), []);
    for (const limit of [0, -1, Number.NaN]) t.same(await store.decisions({ limit }), [], `limit ${limit}`);
    t.same(uuids(await store.decisions({ limit: 2, after: 'gibberish' })), uuids(await store.decisions({ limit: 2 })));
  });

  t.test('what has expired is no longer live, without anyone removing it', async (t) => {
    const { store, runtime } = await open(t);
    await store.apply([added(sampleDecision(1, { until: start + hour })), added(sampleDecision(2))]);
    await store.apply([{ kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { until: start + hour }) }]);
    t.equal((await store.decisions({ limit: 10 })).length, 2);
    t.equal((await store.allowlist()).length, 1);
    runtime.clock.jump(2 * hour);
    t.same(uuids(await store.decisions({ limit: 10 })), [sampleDecision(2).uuid]);
    t.same(await store.allowlist(), []);
    t.same([...(await snapshot(store)).keys()], [sampleDecision(2).uuid]);
  });

  t.test('decisions are counted by value: own ones, expired and deleted included', async (t) => {
    const { store } = await open(t);
    const of = (index: number, value: string, changes: Partial<Decision> = {}): StoreWrite =>
      added(sampleDecision(index, { value, ...changes }));
    await store.apply([
      of(1, 'a'),
      of(2, 'a', { until: start - 1 }),
      of(3, 'b'),
      of(4, 'a', { origin: 'CAPI' }),
      of(5, 'b', { simulated: true }),
      of(6, 'c'),
      of(7, 'old', { createdAt: start - hour }),
      of(8, 'a'),
      deleted(sampleDecision(6, { value: 'c' })),
    ]);
    t.same(await store.decisionCounts(start, 10), [
      { value: 'a', count: 3 },
      { value: 'c', count: 1 },
      { value: 'b', count: 1 },
    ]);
    t.same(await store.decisionCounts(start, 1), [{ value: 'a', count: 3 }]);
    t.same(await store.decisionCounts(start + hour, 10), []);
    t.equal((await store.decisionCounts(start - hour, 10)).length, 4);
  });
}

function records(t: Test, open: Open): void {
  t.test('an alert comes back as it was, events and all', async (t) => {
    const { store } = await open(t);
    await store.apply([{ kind: 'alert', alert: sampleAlert(1) }]);
    t.strictSame(await store.alertByUuid(sampleAlert(1).uuid), { id: 1, alert: sampleAlert(1) });
    t.equal(await store.alertByUuid('none'), null);
    const changed = sampleAlert(1, { message: 'again' });
    await store.apply([{ kind: 'alert', alert: changed }]);
    t.strictSame(
      await store.alerts({ limit: 10 }),
      [{ id: 1, alert: changed }],
      'an alert of the same uuid is replaced',
    );
  });

  t.test('alerts are listed by id, the highest first, and selected by each field', async (t) => {
    const { store } = await open(t);
    const alerts = [
      sampleAlert(3),
      sampleAlert(1, { scenario: 'crowdsecurity/ssh-bf' }),
      sampleAlert(2, { source: { ...sampleAlert(2).source, scope: 'Range', value: '192.0.2.0/24' } }),
    ];
    await store.apply(alerts.map((alert) => ({ kind: 'alert', alert })));
    const table = [
      [{}, [2, 1, 0]],
      [{ scenario: 'crowdsecurity/ssh-bf' }, [1]],
      [{ scope: 'Range' }, [2]],
      [{ value: '192.0.2.3' }, [0]],
      [{ since: start + 2 }, [2, 0]],
      [{ since: start + 4 }, []],
      [{ scope: 'Ip', scenario: 'none' }, []],
      [{ before: 3 }, [1, 0]],
      [{ before: 3, since: start + 2 }, [0]],
      [{ before: 1 }, []],
    ] as const;
    for (const [query, expected] of table) {
      const found = await store.alerts({ ...query, limit: 10 });
      t.same(
        found,
        expected.map((index) => ({ id: index + 1, alert: alerts[index] })),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 10);
    t.same(await store.alerts({ limit: 1 }), [{ id: 3, alert: alerts[2] }]);
    t.same(await store.alerts({ limit: 0 }), []);
  });

  t.test('alerts are found by the address however they spell it, and keep their spelling', async (t) => {
    const { store } = await open(t);
    const spelled = [
      { scope: 'Ip', value: '2001:0DB8:0000::0001' },
      { scope: 'Range', value: '192.0.2.77/24' },
      { scope: 'Agent', value: '2001:0DB8::1' },
    ];
    const alerts = spelled.map((source, index) =>
      sampleAlert(index + 1, { source: { ...sampleAlert(1).source, ...source } }),
    );
    await store.apply(alerts.map((alert) => ({ kind: 'alert', alert })));
    const found = async (value: string): Promise<Alert[]> =>
      (await store.alerts({ value, limit: 10 })).map(({ alert }) => alert);
    t.same(await found('2001:db8::1'), [alerts[0]]);
    t.same(await found('192.0.2.0/24'), [alerts[1]]);
    t.same(await found('2001:0DB8::1'), [alerts[2]], 'other scopes mean what they say');
  });

  t.test('bouncers are kept by name, replaced and deleted', async (t) => {
    const { store } = await open(t);
    const bouncer = (name: string, createdAt: number): Bouncer => newBouncer(name, hashKey(name), createdAt);
    await store.apply(
      ['nginx', 'cloud', 'firewall'].map((name) => ({ kind: 'bouncer-added', bouncer: bouncer(name, 1) })),
    );
    t.same(await store.bouncers(), [bouncer('cloud', 1), bouncer('firewall', 1), bouncer('nginx', 1)]);
    await store.apply([
      { kind: 'bouncer-deleted', name: 'firewall' },
      { kind: 'bouncer-deleted', name: 'nobody' },
      { kind: 'bouncer-added', bouncer: bouncer('cloud', 2) },
    ]);
    t.same(await store.bouncers(), [bouncer('cloud', 2), bouncer('nginx', 1)]);
  });

  t.test('refusals are listed newest first and selected by each field', async (t) => {
    const { store } = await open(t);
    const events = [3, 1, 2].map((index) => sampleRefusal(index));
    await store.apply(events.map((event) => ({ kind: 'refusal', event })));
    const table = [
      [{}, [0, 2, 1]],
      [{ clientIp: '192.0.2.1' }, [1]],
      [{ requestId: 'request-2' }, [2]],
      [{ since: start + 2 }, [0, 2]],
      [{ clientIp: '192.0.2.1', since: start + 2 }, []],
    ] as const;
    for (const [query, expected] of table) {
      const found = await store.refusals({ ...query, limit: 10 });
      t.strictSame(
        found,
        expected.map((index) => events[index]),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 5);
    t.same(await store.refusals({ limit: 1 }), [events[0]]);
    const same = sampleRefusal(1, { detail: 'the same request, told twice' });
    await store.apply([{ kind: 'refusal', event: same }]);
    t.equal((await store.refusals({ requestId: 'request-1', limit: 10 })).length, 2);
  });

  t.test('the allowlist holds one entry for each value', async (t) => {
    const { store } = await open(t);
    const entries = [sampleEntry('192.0.2.1'), sampleEntry('198.51.100.0/24', { until: start + hour })];
    await store.apply(entries.map((entry) => ({ kind: 'allowlist-added', entry })));
    t.strictSame(await store.allowlist(), entries);
    const changed = sampleEntry('192.0.2.1', { comment: 'changed' });
    await store.apply([
      { kind: 'allowlist-added', entry: changed },
      { kind: 'allowlist-deleted', list: 'default', value: '198.51.100.0/24' },
      { kind: 'allowlist-deleted', list: 'default', value: 'never there' },
    ]);
    t.strictSame(await store.allowlist(), [changed]);
  });
}

const hostile = [
  ['NUL', 'a\0b'],
  ['quotes', `"'\`;--\\`],
  ['line breaks', 'a\r\nb\u2028c'],
  ['SQL', `'); DROP TABLE decisions; --`],
  ['Lua and Redis', '*3\r\n$3\r\nSET\r\n ]] .. redis.call("FLUSHALL") .. [['],
  ['beyond the BMP', '\u{1F4A3}\u{10FFFF}'],
  ['right to left', '\u202Egnp.exe'],
  ['empty', ''],
  ['prototype', '__proto__'],
  ['constructor', 'constructor'],
  ['JSON', '{"uuid":"x"}'],
  ['wildcards', '%_*?[a-z]'],
] as const;

function limits(t: Test, open: Open): void {
  for (const [what, text] of hostile) {
    t.test(`hostile strings come back as they were: ${what}`, async (t) => {
      const { store } = await open(t);
      const decision = sampleDecision(1, {
        uuid: `${text}-1`,
        origin: text,
        scenario: text,
        scope: text,
        value: text,
        type: text,
        alertUuid: text,
      });
      const entry = sampleEntry(text, { list: text, comment: text });
      const alert = sampleAlert(1, {
        uuid: `${text}-1`,
        message: text,
        scenario: text,
        labels: { [`${text}.`]: text },
      });
      const event = sampleRefusal(1, { target: text, userAgent: text, requestId: text, clientIp: text });
      await store.apply([
        added(decision),
        { kind: 'allowlist-added', entry },
        { kind: 'alert', alert },
        { kind: 'refusal', event },
      ]);
      t.strictSame((await store.decisionByUuid(decision.uuid))?.decision, decision);
      const query = { scope: text, value: text, type: text, origin: text, scenario: text, limit: 10 };
      t.strictSame(
        (await store.decisions(query)).map((row) => row.decision),
        [decision],
      );
      t.strictSame(await store.allowlist(), [entry]);
      t.strictSame(await store.alerts({ scenario: text, limit: 10 }), [{ id: 1, alert }]);
      t.strictSame(await store.refusals({ clientIp: text, requestId: text, limit: 10 }), [event]);
      const follower = followerOf(t, store, null);
      t.strictSame(await follower.untilSnapshotEnd(), [added(decision), { kind: 'allowlist-added', entry }]);
      await store.apply([{ kind: 'allowlist-deleted', list: text, value: text }, deleted(decision)]);
      t.strictSame(await follower.next(2), [{ kind: 'allowlist-deleted', list: text, value: text }, deleted(decision)]);
      t.same(await store.allowlist(), []);
    });
  }

  t.test('lone surrogates become U+FFFD everywhere alike', async (t) => {
    const { store } = await open(t);
    const lone = 'x\ud800y';
    const mended = 'x\ufffdy';
    await store.apply([
      added(sampleDecision(1, { value: lone })),
      { kind: 'allowlist-added', entry: sampleEntry(lone) },
      { kind: 'alert', alert: sampleAlert(1, { message: lone }) },
      { kind: 'refusal', event: sampleRefusal(1, { userAgent: lone }) },
    ]);
    t.equal((await store.decisions({ value: mended, limit: 1 }))[0]?.decision.value, mended);
    t.equal((await store.allowlist())[0]?.value, mended);
    t.equal((await store.alertByUuid(sampleAlert(1).uuid))?.alert.message, mended);
    t.equal((await store.refusals({ limit: 1 }))[0]?.userAgent, mended);
  });

  t.test('a field that says what a decision applies to is refused when it is too long', async (t) => {
    const { store } = await open(t);
    const huge = 'x'.repeat(1_048_576);
    const refused: StoreWrite[] = [
      ...(['uuid', 'origin', 'scenario', 'scope', 'value', 'type', 'alertUuid'] as const).map((field) =>
        added(sampleDecision(2, { [field]: huge })),
      ),
      added(sampleDecision(2, { until: Number.NaN })),
      { kind: 'allowlist-added', entry: sampleEntry(huge) },
      { kind: 'allowlist-deleted', list: 'default', value: huge },
      { kind: 'alert', alert: sampleAlert(2, { uuid: huge }) },
    ];
    for (const write of refused) {
      await rejectsWith(t, store.apply([added(sampleDecision(1)), write]), 'DECISION_INVALID');
    }
    t.equal(refused.length, 11);
    t.same(await store.decisions({ limit: 10, includeInactive: true }), [], 'nothing of such an apply is kept');
    const large = Array.from({ length: 1_200 }, (_, index) => added(sampleDecision(10 + index)));
    await rejectsWith(
      t,
      store.apply([...large, added(sampleDecision(2, { value: huge })), ...large]),
      'DECISION_INVALID',
    );
    await store.apply([added(sampleDecision(1))]);
    t.ok(await store.decisionByUuid(sampleDecision(1).uuid), 'the next apply works');
    t.equal(await store.decisionByUuid(sampleDecision(2).uuid), null);
  });

  t.test('what people read is cut to its limit', async (t) => {
    const { store } = await open(t);
    const huge = 'x'.repeat(1_048_576);
    const event = { timestamp: '2026-01-01T00:00:00Z', meta: [{ key: 'k', value: huge }] };
    const alert = sampleAlert(1, {
      message: huge,
      events: Array.from({ length: 2_000 }, () => event),
      labels: { huge, deep: { huge }, cycle: cycle(), fine: [1] },
      requestIds: Array.from({ length: 5_000 }, (_, index) => `${index}`),
    });
    await store.apply([
      { kind: 'alert', alert },
      { kind: 'refusal', event: sampleRefusal(1, { target: huge, userAgent: huge, detail: huge }) },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { comment: huge }) },
    ]);
    const stored = (await store.alertByUuid(alert.uuid))?.alert;
    t.ok(JSON.stringify(stored).length <= 262_144);
    t.ok((stored?.events.length ?? 0) >= 1, 'the newest events that fit');
    t.same(Object.keys(stored?.labels ?? {}), ['huge', 'fine']);
    t.equal(stored?.eventsCount, alert.eventsCount);
    t.equal(stored?.requestIds.at(-1), '4999');
    const refusal = (await store.refusals({ limit: 1 }))[0];
    t.same([refusal?.target.length, refusal?.userAgent.length, refusal?.detail.length], [2_048, 2_048, 2_048]);
    t.equal((await store.allowlist())[0]?.comment.length, 4_096);
  });

  t.test('times are whole milliseconds, and the end of time is a time', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1, { until: Infinity, createdAt: start + 0.75 }))]);
    const stored = await store.decisionByUuid(sampleDecision(1).uuid);
    t.equal(stored?.decision.until, 8.64e15);
    t.equal(stored?.decision.createdAt, start);
    t.equal((await store.decisions({ limit: 1 })).length, 1);
  });
}

function forgetting(t: Test, open: Open): void {
  t.test('alerts and refusals beyond their number are forgotten, those of active decisions are not', async (t) => {
    const { store, runtime } = await open(t);
    await store.apply([
      added(sampleDecision(1, { alertUuid: sampleAlert(0).uuid })),
      ...Array.from({ length: 30 }, (_, index): StoreWrite => ({ kind: 'alert', alert: sampleAlert(index) })),
      ...Array.from({ length: 30 }, (_, index): StoreWrite => ({ kind: 'refusal', event: sampleRefusal(index) })),
    ]);
    runtime.clock.jump(2 * 60_000);
    const alerts = await eventually(
      () => store.alerts({ limit: 100 }),
      (rows) => rows.length <= 11,
    );
    t.same(
      alerts.map(({ alert }) => alert.createdAt - start),
      [29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 0],
    );
    const refusals = await eventually(
      () => store.refusals({ limit: 100 }),
      (rows) => rows.length <= 10,
    );
    t.same(
      refusals.map((event) => event.at - start),
      [29, 28, 27, 26, 25, 24, 23, 22, 21, 20],
    );
  });

  t.test('old records are forgotten; what is live never is', async (t) => {
    const { store, runtime } = await open(t);
    await store.apply([
      added(sampleDecision(1)),
      added(sampleDecision(2, { until: start + 100 * 24 * hour })),
      added(sampleDecision(3, { until: start + 100 * 24 * hour })),
      deleted(sampleDecision(3, { until: start + 100 * 24 * hour })),
      { kind: 'alert', alert: sampleAlert(1) },
      { kind: 'refusal', event: sampleRefusal(1) },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1') },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.2', { until: start + hour }) },
    ]);
    runtime.clock.jump(48 * hour);
    await eventually(
      () => store.decisions({ limit: 10, includeInactive: true }),
      (rows) => rows.length === 1,
    );
    await eventually(
      async () => [...(await store.alerts({ limit: 10 })), ...(await store.refusals({ limit: 10 }))],
      (rows) => rows.length === 0,
    );
    t.same(uuids(await store.decisions({ limit: 10 })), [sampleDecision(2).uuid]);
    t.same(await store.allowlist(), [sampleEntry('192.0.2.1')]);
  });

  t.test('ended decisions beyond their number are forgotten', async (t) => {
    const { store, runtime } = await open(t);
    const ended = Array.from({ length: 30 }, (_, index) => added(sampleDecision(index, { until: start - 1 })));
    await store.apply([...ended, ...range(0, 19).map((_, index) => added(sampleDecision(100 + index)))]);
    runtime.clock.jump(2 * 60_000);
    const rows = await eventually(
      () => store.decisions({ limit: 100, includeInactive: true }),
      (found) => found.length <= 30,
    );
    t.equal(rows.length, 30);
    t.equal((await store.decisions({ limit: 100 })).length, 20);
  });

  t.test('a cursor older than what was forgotten yields a fresh snapshot', async (t) => {
    const { store, runtime } = await open(t);
    const lasting = { until: start + 100 * 24 * hour };
    await store.apply([added(sampleDecision(1, lasting)), added(sampleDecision(2, lasting))]);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    await follower.stop();
    await store.apply([deleted(sampleDecision(1, lasting)), ...manyWrites(6_000, lasting)]);
    runtime.clock.jump(48 * hour);
    await eventually(
      () => store.decisionByUuid(sampleDecision(1).uuid),
      (row) => row === null,
    );
    const state = await snapshot(store, follower.cursor);
    t.notOk(state.has(sampleDecision(1).uuid), 'the deletion that the follower missed is made good');
    t.equal(state.size, 6_001);
  });
}

function lifetime(t: Test, open: Open): void {
  t.test('health tells of the last success', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1))]);
    const health = store.health();
    t.ok(health.ok);
    t.ok((health.lastSuccessAt ?? 0) >= start);
    t.type(health.message, 'string');
    await store.close();
    t.notOk(store.health().ok);
  });

  t.test('closing twice is one closing', async (t) => {
    const { store } = await open(t);
    await Promise.all([store.close(), store.close()]);
    await store.close();
    t.notOk(store.health().ok);
  });

  t.test('after closing everything is refused with STORE_CLOSED, and streams end', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1))]);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    const next = follower.next(1);
    await store.close();
    t.same(await next, [], 'the stream ended without an error');
    const refused = [
      () => store.apply([added(sampleDecision(2))]),
      () => store.decisions({ limit: 1 }),
      () => store.decisionByUuid('x'),
      () => store.allowlist(),
      () => store.alerts({ limit: 1 }),
      () => store.alertByUuid('x'),
      () => store.refusals({ limit: 1 }),
      () => store.decisionCounts(0, 1),
    ];
    for (const ask of refused) await rejectsWith(t, ask(), 'STORE_CLOSED');
    t.equal(refused.length, 8);
    t.same(await collect(store.changes(null, new AbortController().signal)), []);
  });

  t.test('closing waits for what was applied before', async (t) => {
    const { store, reopen } = await open(t);
    const batch = Array.from({ length: 2_000 }, (_, index) => added(sampleDecision(index)));
    const applied = store.apply(batch);
    const small = store.apply([added(sampleDecision(5_000))]);
    await store.close();
    await Promise.all([applied, small]);
    if (!reopen) return;
    const again = await reopen();
    t.equal((await again.decisions({ limit: 10_000 })).length, 2_001);
  });
}

function model(t: Test, open: Open): void {
  t.test('any sequence of writes leaves what the model leaves, for queries and for followers', async (t) => {
    const { store } = await open(t);
    const follower = new Map<string, Decision>();
    const abort = new AbortController();
    const live = store.changes(null, abort.signal)[Symbol.asyncIterator]();
    t.match(await live.next(), { value: { snapshotEnd: true } });
    const expected = new Map<string, Decision>();
    const write = fc.record({ index: fc.nat(20), remove: fc.boolean(), hours: fc.integer({ min: 1, max: 99 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(write, { maxLength: 6 }), { minLength: 1, maxLength: 6 }), async (batches) => {
        const marker = sampleDecision(999, { until: start + 1000 * hour, createdAt: start + expected.size });
        const changes = batches.map((batch) =>
          batch.map(({ index, remove, hours }) => {
            const decision = sampleDecision(index, { until: start + hours * hour });
            return remove ? deleted(decision) : added(decision);
          }),
        );
        for (const batch of changes) for (const change of batch) play(expected, change);
        await Promise.all([...changes, [deleted(marker)]].map((batch) => store.apply(batch)));
        for (let told = false; !told; ) {
          const { value } = await live.next();
          const batch = value as ChangeBatch;
          for (const change of batch.changes) play(follower, change);
          told = batch.changes.some((change) => uuidOf(change) === marker.uuid);
        }
        const stored = await store.decisions({ limit: 1_000 });
        const found = new Map(stored.map(({ decision }) => [decision.uuid, decision]));
        return sameState(found, expected) && sameState(follower, expected);
      }),
      { seed: 20260101, numRuns: 60, endOnFailure: true },
    );
    t.same(await snapshot(store), expected);
    abort.abort();
  });
}

export type DecisionWrite = Extract<StoreWrite, { readonly decision: Decision }>;

export function added(decision: Decision): DecisionWrite {
  return { kind: 'decision-added', decision };
}

export function deleted(decision: Decision): DecisionWrite {
  return { kind: 'decision-deleted', decision };
}

/** A change as the write that it tells of: without its id and its time. */
function asWrite(change: StoreChange): StoreWrite {
  return 'decision' in change ? { kind: change.kind, decision: change.decision } : change;
}

export interface Follower {
  readonly cursor: string;
  /** Batches that ended a snapshot. */
  readonly snapshotEnds: number;
  /** The changes up to the end of the snapshot, as writes. */
  untilSnapshotEnd(): Promise<StoreWrite[]>;
  /** At least `count` changes as writes, fewer only when the stream ends. */
  next(count: number): Promise<StoreWrite[]>;
  /** As `next`, with ids and times. */
  nextChanges(count: number): Promise<StoreChange[]>;
  stop(): Promise<void>;
}

/** Reads a stream step by step; stopped at the end of the test at the latest. */
export function followerOf(t: Test, store: Store, from: string | null): Follower {
  const abort = new AbortController();
  const iterator = store.changes(from, abort.signal)[Symbol.asyncIterator]();
  t.teardown(() => abort.abort());
  let cursor = from ?? '';
  let snapshotEnds = 0;
  const read = async (enough: (changes: StoreChange[], batch: ChangeBatch) => boolean): Promise<StoreChange[]> => {
    const changes: StoreChange[] = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      cursor = next.value.cursor;
      if (next.value.snapshotEnd) snapshotEnds += 1;
      changes.push(...next.value.changes);
      if (enough(changes, next.value)) break;
    }
    return changes;
  };
  return {
    get cursor() {
      return cursor;
    },
    get snapshotEnds() {
      return snapshotEnds;
    },
    untilSnapshotEnd: async () => (await read((_changes, batch) => batch.snapshotEnd)).map(asWrite),
    next: async (count) => (await read((changes) => changes.length >= count)).map(asWrite),
    nextChanges: (count) => read((changes) => changes.length >= count),
    async stop() {
      abort.abort();
    },
  };
}

/** The live decisions as a follower sees them. */
export async function snapshot(store: Store, cursor: string | null = null): Promise<Map<string, Decision>> {
  const state = new Map<string, Decision>();
  const abort = new AbortController();
  for await (const batch of store.changes(cursor, abort.signal)) {
    for (const change of batch.changes) play(state, change);
    if (batch.snapshotEnd) break;
  }
  return state;
}

/** Asks again until the answer is right; tap's own limit ends it when it never is. */
export async function eventually<T>(ask: () => Promise<T>, right: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function rejectsWith(t: Test, promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await promise;
    t.fail(`expected ${code}`);
  } catch (error) {
    t.type(error, GatewayError);
    t.equal((error as GatewayError).code, code);
  }
}

function play(state: Map<string, Decision>, change: StoreWrite): void {
  if (change.kind === 'decision-added') state.set(change.decision.uuid, change.decision);
  if (change.kind === 'decision-deleted') state.delete(change.decision.uuid);
}

function sameState(a: Map<string, Decision>, b: Map<string, Decision>): boolean {
  return (
    a.size === b.size && [...a].every(([uuid, decision]) => JSON.stringify(b.get(uuid)) === JSON.stringify(decision))
  );
}

async function collect(stream: AsyncIterable<ChangeBatch>): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = [];
  for await (const batch of stream) batches.push(batch);
  return batches;
}

function uuids(rows: readonly { readonly decision: Decision }[]): string[] {
  return rows.map(({ decision }) => decision.uuid);
}

function uuidOf(change: StoreWrite): string {
  return 'decision' in change ? change.decision.uuid : '';
}

/** The uuids of the sample decisions from one index to another. */
function range(from: number, to: number): string[] {
  const step = from > to ? -1 : 1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => sampleDecision(from + index * step).uuid);
}

function manyWrites(count: number, changes: Partial<Decision>): StoreWrite[] {
  return Array.from({ length: count }, (_, index) => added(sampleDecision(10_000 + index, changes)));
}

function cycle(): object {
  const ring: { self?: object } = {};
  ring.self = ring;
  return ring;
}
