/** What the one change stream means to the ledger. */
import t from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import type { Decision } from '../../../remediation/decision.ts';
import { followStore } from '../../../remediation/exchange/follow.ts';
import { createDecisionLedger } from '../../../remediation/ledger/decision-ledger.ts';
import type { ChangeBatch, StoreChange, StoredDecision } from '../../../remediation/store/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createFakeChanges } from '../fakes.ts';
import { idsOf, joined, questionOf } from '../ledger/support.ts';
import { collectedLog, decisionOf, settle } from '../support.ts';

const hour = 3_600_000;

function setUp() {
  const clock = createManualClock();
  const { log, lines } = collectedLog();
  const runtime = { clock, random: createSystemRandom(), log };
  const index = createDecisionIndex(runtime);
  const ledger = createDecisionLedger(runtime);
  const store = createFakeChanges();
  const start = () => followStore({ ...runtime, index, history: createDecisionHistory(runtime), ledger, store });
  const delta = (lastPull: number | null) => idsOf(joined(ledger.stream(questionOf(clock.now(), { lastPull }))));
  const made = (id: number, agoMs: number): Decision =>
    decisionOf({ value: `192.0.2.${id}`, createdAt: clock.now() - agoMs, until: clock.now() + hour });
  const ended = (id: number, agoMs: number): StoredDecision => ({
    id,
    decision: decisionOf({ value: `198.51.100.${id}`, until: clock.now() + hour }),
    deletedAt: clock.now() - agoMs,
    cursor: `${id}`,
  });
  return { clock, ledger, store, start, delta, made, ended, lines };
}

function batchOf(cursor: string, changes: readonly StoreChange[], snapshotEnd = false): ChangeBatch {
  return { cursor, changes, snapshotEnd };
}

function added(id: number, decision: Decision): StoreChange {
  return { kind: 'decision-added', decision, id };
}

t.test(
  'after a restart bouncers go on with deltas: what they were told is not told again, what they missed is',
  async (t) => {
    const { clock, store, start, delta, made, ended } = setUp();
    const lastPull = clock.now() - 60_000;
    store.ended = [ended(8, 30_000), ended(7, 90_000)];
    const follower = start();
    await settle();
    const onItsWay = added(4, made(4, 90_000));
    store.streams[0]?.push(batchOf('1', [added(1, made(1, 130_000)), onItsWay, added(2, made(2, 10_000))], true));
    await follower.ready;
    t.strictSame(
      delta(lastPull),
      { new: [2, 4], deleted: [8] },
      'the store may have had one of them after the question',
    );
    t.strictSame(delta(null), { new: [1, 2, 4], deleted: [7, 8] });
    store.streams[0]?.push(batchOf('2', [added(3, made(3, 500_000))]));
    await settle();
    clock.advance(1);
    t.strictSame(delta(clock.now() - 1), { new: [3], deleted: [] }, 'later ones count from when they are heard of');
    await follower.close();
  },
);

t.test('what was lifted while the first snapshot was read is announced', async (t) => {
  const { clock, store, start, delta, made, ended } = setUp();
  store.ended = [ended(7, 90_000)];
  const follower = start();
  await settle();
  store.ended = [ended(9, 0), ...store.ended];
  store.streams[0]?.push(batchOf('1', [added(1, made(1, 120_000))], true));
  await follower.ready;
  clock.advance(3_000);
  t.strictSame(delta(clock.now() - 3_000), { new: [], deleted: [9] });
  await follower.close();
});

t.test('a store that does not tell what ended costs no readiness', async (t) => {
  const { store, start, delta, made, lines } = setUp();
  store.decisions = () => Promise.reject(new Error('busy'));
  const follower = start();
  await settle();
  store.streams[0]?.push(batchOf('1', [added(1, made(1, 0))], true));
  await follower.ready;
  t.strictSame(delta(null), { new: [1], deleted: [] });
  t.ok(lines.some(({ msg }) => String(msg).startsWith('what was lifted before this start is not known')));
  await follower.close();
});

t.test('a fresh snapshot after a break: what it lacks is announced as lifted, what is new as new', async (t) => {
  const { clock, ledger, store, start, delta, made } = setUp();
  const follower = start();
  await settle();
  const [one, two] = [made(1, 0), made(2, 0)];
  store.streams[0]?.push(batchOf('1', [added(1, one), added(2, two)], true));
  await follower.ready;
  delta(null);
  const lastPull = clock.now();
  clock.advance(10_000);
  store.streams[0]?.break(new Error('gone'));
  await settle();
  clock.advance(60_000);
  // The index is marked in many small steps first.
  await settle(500);
  store.streams[1]?.push(batchOf('9', [added(1, one), added(3, made(3, 20_000))], true));
  await settle(500);
  t.strictSame(delta(lastPull), { new: [3], deleted: [2] });
  t.strictSame(ledger.size, { live: 2, ended: 1 });
  await follower.close();
});

t.test('deletions of the stream end decisions at their time', async (t) => {
  const { clock, ledger, store, start, delta, made } = setUp();
  const follower = start();
  await settle();
  const one = made(1, 0);
  store.streams[0]?.push(batchOf('1', [added(1, one)], true));
  await follower.ready;
  clock.advance(5_000);
  store.streams[0]?.push(
    batchOf('2', [{ kind: 'decision-deleted', decision: one, id: 1, deletedAt: clock.now() - 1_000 }]),
  );
  await settle();
  t.strictSame(delta(clock.now()), { new: [], deleted: [1] });
  t.strictSame([...ledger.active({}, clock.now())], []);
  await follower.close();
});
