/** The contract of `Store`: the stream of changes. */
import type { Test } from 'tap';
import type { Decision } from '../../../remediation/decision.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { hour, sampleAlert, sampleDecision, sampleEntry, sampleRefusal, start } from '../store-samples.ts';
import { type Open, added, deleted, followerOf, play, collect, uuidOf } from './tools.ts';

export function stream(t: Test, open: Open): void {
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
