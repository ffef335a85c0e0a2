/** Changes told from memory, beside what the file tells of the same writes. */
import fc from 'fast-check';
import { join } from 'node:path';
import t from 'tap';
import { createEmbeddedStore } from '../../../remediation/store/embedded.ts';
import { RecentChanges, type RecentSlice } from '../../../remediation/store/embedded-recent.ts';
import type { StoreChange, StoreWrite } from '../../../remediation/store/store.ts';
import { limitWrite } from '../../../remediation/store/write-limits.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { sampleAlert, sampleDecision, sampleEntry } from '../../contracts/store-samples.ts';
import { added, contractRetention, deleted, followerOf } from '../../contracts/store/tools.ts';
import { temporaryFolder } from '../../support/servers/process.ts';

t.test('what a follower that keeps up is told is what the file tells later', async (t) => {
  const runtime = createTestRuntime();
  const file = join(await temporaryFolder(t, 'recent'), 'store.db');
  const retention = { ...contractRetention, decisions: { maxAge: 1e12, maxRows: 1e6 } };
  const store = await createEmbeddedStore({ file, maxBytes: 2 ** 30, retention }, runtime);
  t.teardown(() => store.close());
  const write = fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 30 }).map((n): StoreWrite => added(sampleDecision(n))) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.nat({ max: 30 }), fc.double({ min: 0, max: 1e13, noNaN: true }))
        .map(([n, until]): StoreWrite => added(sampleDecision(n, { until, scenario: '\ud800 lone', alertUuid: null }))),
    },
    { weight: 3, arbitrary: fc.nat({ max: 30 }).map((n): StoreWrite => deleted(sampleDecision(n))) },
    { weight: 1, arbitrary: fc.nat({ max: 5 }).map((n): StoreWrite => ({ kind: 'alert', alert: sampleAlert(n) })) },
    {
      weight: 1,
      arbitrary: fc
        .nat({ max: 5 })
        .map((n): StoreWrite => ({ kind: 'allowlist-added', entry: sampleEntry(`192.0.2.${n}`) })),
    },
  );
  let fromMemory = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { minLength: 1, maxLength: 40 }), { maxLength: 6 }), async (calls) => {
      const live = followerOf(t, store, null);
      await live.untilSnapshotEnd();
      const { cursor } = live;
      const told: StoreChange[] = [];
      for (const writes of calls) {
        await store.apply([...writes, added(sampleDecision(1_000))]);
        // The last is told last.
        do told.push(...(await live.nextChanges(1)));
        while (!isAbout(told.at(-1), sampleDecision(1_000).uuid));
      }
      if (calls.length === 0) return;
      const read = followerOf(t, store, cursor);
      const later: StoreChange[] = [];
      do later.push(...(await read.nextChanges(1)));
      while (!isAbout(later.at(-1), sampleDecision(1_000).uuid));
      await Promise.all([live.stop(), read.stop()]);
      fromMemory += told.length;
      t.strictSame(lastOf(told), lastOf(later));
    }),
    { seed: 11, numRuns: 200 },
  );
  t.ok(fromMemory > 2_000, `${fromMemory} changes`);
});

function isAbout(change: StoreChange | undefined, uuid: string): boolean {
  return change !== undefined && 'decision' in change && change.decision.uuid === uuid;
}

/** The last that is said of each decision and entry: the file folds earlier changes away. */
function lastOf(changes: readonly StoreChange[]): Map<string, StoreChange> {
  const last = new Map<string, StoreChange>();
  for (const change of changes) {
    if ('decision' in change) last.set(change.decision.uuid, change);
    else if (change.kind === 'allowlist-added') last.set(change.entry.value, change);
  }
  return new Map([...last].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const sliceOf = (from: number, count: number, over: Partial<RecentSlice> = {}): RecentSlice => ({
  from,
  to: from + count,
  writes: Array.from({ length: count }, (_, row) => limitWrite(added(sampleDecision(from + row + 1)))),
  now: 0,
  known: [],
  ...over,
});
const idsOf = (changes: readonly StoreChange[] | undefined): number[] | undefined =>
  changes?.map((change) => ('id' in change ? change.id : 0));

t.test('a place between two writes of a slice is a place to go on from', (t) => {
  const recent = new RecentChanges();
  recent.begin('e', 10);
  recent.note(sliceOf(10, 3));
  recent.note(sliceOf(13, 2));
  t.strictSame(idsOf(recent.after(11)?.changes), [12, 13, 14, 15]);
  t.equal(recent.after(11)?.position, 15);
  t.strictSame(recent.after(15), { epoch: 'e', floor: 15, position: 15, changes: [] });
  t.equal(recent.after(9), null, 'before it began');
  t.equal(recent.after(16), null, 'nothing is known of that');
  t.end();
});

t.test('a decision that had been written before keeps its number, and the time of its end', (t) => {
  const recent = new RecentChanges();
  recent.begin('e', 10);
  const writes = [added(sampleDecision(1)), deleted(sampleDecision(2)), deleted(sampleDecision(3))].map(limitWrite);
  const known = [
    { row: 0, id: 4, deletedAt: 5 },
    { row: 2, id: 6, deletedAt: 7 },
  ];
  recent.note(sliceOf(10, 3, { writes, now: 99, known }));
  t.match(recent.after(10)?.changes, [
    { kind: 'decision-added', id: 4 },
    { kind: 'decision-deleted', id: 12, deletedAt: 99 },
    { kind: 'decision-deleted', id: 6, deletedAt: 7 },
  ]);
  t.strictSame(idsOf(recent.after(12)?.changes), [6], 'from the middle on too');
  t.end();
});

t.test('a gap, another file or a change of an allowlist sends followers to the file', (t) => {
  const recent = new RecentChanges();
  recent.begin('e', 0);
  recent.note(sliceOf(0, 2));
  recent.note(sliceOf(5, 2));
  t.equal(recent.after(0), null, 'something is missing');
  t.equal(recent.after(5), null, 'what showed the gap is not kept either');
  t.strictSame(recent.after(7)?.changes, []);
  recent.note(sliceOf(7, 2, { to: 12 }));
  t.equal(recent.after(7), null, 'one write moved further than its decisions');
  recent.note(sliceOf(12, 1));
  t.equal(recent.after(12)?.changes.length, 1);
  recent.begin('f', 12);
  t.match(recent.after(12), { epoch: 'f', changes: [] });
  t.end();
});

t.test('what nobody reads does not pile up', (t) => {
  const recent = new RecentChanges();
  recent.begin('e', 0);
  for (let slice = 0; slice < 500; slice++) recent.note(sliceOf(slice * 500, 500));
  t.equal(recent.after(49_999), null);
  let position = 50_000;
  let pages = 0;
  for (let page = recent.after(position); page !== null && page.changes.length > 0; page = recent.after(position)) {
    t.ok(page.changes.length <= 500);
    ({ position } = page);
    pages++;
  }
  t.equal(position, 250_000);
  t.equal(pages, 400);
  t.end();
});
