import t from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import type { Decision } from '../../../remediation/decision.ts';
import { followStore } from '../../../remediation/exchange/follow.ts';
import type { ChangeBatch } from '../../../remediation/store/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createFakeChanges } from '../fakes.ts';
import { collectedLog, decisionOf, ip, settle } from '../support.ts';

function setUp(pending: () => readonly Decision[] = () => []) {
  const clock = createManualClock();
  const random = createSystemRandom();
  const { log, lines } = collectedLog();
  const index = createDecisionIndex({ clock, random, log });
  const history = createDecisionHistory({ clock });
  const store = createFakeChanges();
  const progress: number[] = [];
  const onProgress = (changes: number): void => void progress.push(changes);
  const follower = followStore({ clock, random, log, index, history, store, pending, onProgress });
  const finds = (text: string): boolean => index.lookup({ address: ip(text) }, clock.now()) !== null;
  return { clock, index, history, store, follower, progress, lines, finds };
}

function batchOf(cursor: string, decisions: readonly Decision[], snapshotEnd = false): ChangeBatch {
  return { cursor, changes: decisions.map((decision, id) => ({ kind: 'decision-added', decision, id })), snapshotEnd };
}

t.test('the first snapshot is awaited and its progress told; then the stream is live', async (t) => {
  const { store, follower, progress, finds, clock } = setUp();
  await settle();
  let isReady = false;
  void follower.ready.then(() => (isReady = true));
  t.equal(store.streams[0]?.cursor, null);
  store.streams[0]?.push(batchOf('1', [decisionOf({ value: '192.0.2.1' })]));
  await settle();
  t.notOk(isReady);
  t.match(follower.status(), { live: false, ageMs: null });
  t.ok(finds('192.0.2.1'), 'what is read is in force before the snapshot ends');
  store.streams[0]?.push(batchOf('2', [decisionOf({ value: '192.0.2.2' })], true));
  await follower.ready;
  t.same(progress, [1, 2]);
  const third = decisionOf({ value: '192.0.2.3' });
  store.streams[0]?.push(batchOf('3', [third]));
  store.streams[0]?.push({
    cursor: '4',
    changes: [
      { kind: 'decision-deleted', decision: third, id: 3, deletedAt: clock.now() },
      {
        kind: 'allowlist-added',
        entry: { list: 'default', value: '192.0.2.1', comment: '', createdAt: 0, until: null },
      },
    ],
    snapshotEnd: false,
  });
  await settle();
  t.notOk(finds('192.0.2.3'));
  t.notOk(finds('192.0.2.1'));
  clock.advance(3_600_000);
  t.match(follower.status(), { live: true, changes: 5, ageMs: 0, interruptions: 0 });
  await follower.close();
  await follower.close();
});

t.test('an own decision that comes back changes nothing', async (t) => {
  const { store, follower, index, history } = setUp();
  await settle();
  const decision = decisionOf();
  index.add(decision);
  history.record(decision);
  store.streams[0]?.push(batchOf('1', [decision, decision], true));
  await follower.ready;
  t.equal(index.size.total, 1);
  t.equal(history.total(decision.value), 1);
  await follower.close();
});

t.test('a broken stream resumes at its cursor, enforces what it knew meanwhile and shows its age', async (t) => {
  const { store, follower, finds, clock, lines } = setUp();
  await settle();
  store.streams[0]?.push(batchOf('7', [decisionOf({ value: '192.0.2.1' })], true));
  await follower.ready;
  store.streams[0]?.break(new Error('connection reset'));
  await settle();
  clock.advance(50);
  t.match(follower.status(), { live: false, ageMs: 50, interruptions: 1, lastError: 'connection reset' });
  t.ok(finds('192.0.2.1'));
  clock.advance(1_000);
  await settle(800);
  t.equal(store.streams[1]?.cursor, '7');
  t.match(follower.status(), { live: true, ageMs: 0 });
  store.streams[1]?.push(batchOf('8', [decisionOf({ value: '192.0.2.2' })]));
  await settle();
  t.ok(finds('192.0.2.1') && finds('192.0.2.2'));
  t.ok(lines.some(({ reason }) => reason === 'connection reset'));
  await follower.close();
});

t.test('pauses grow while the stream cannot be opened, and the age with them', async (t) => {
  const { store, follower, clock } = setUp();
  await settle();
  store.streams[0]?.push(batchOf('1', [], true));
  await follower.ready;
  for (let second = 0; second < 100; second++) {
    store.streams.at(-1)?.break(new Error('down'));
    await settle(400);
    clock.advance(1_000);
  }
  const { interruptions } = follower.status();
  t.ok(interruptions >= 6 && interruptions <= 14, `${interruptions} attempts in 100 seconds`);
  await follower.close();
});

t.test('a snapshot that broke off halfway is begun anew', async (t) => {
  const { store, follower, clock } = setUp();
  await settle();
  store.streams[0]?.push(batchOf('1', [decisionOf()]));
  store.streams[0]?.break(new Error('down'));
  await settle();
  clock.advance(1_000);
  await settle();
  t.equal(store.streams[1]?.cursor, null);
  await follower.close();
});

t.test(
  'a fresh snapshot instead of a resume: what it lacks is forgotten, what waits to be stored is not',
  async (t) => {
    const kept = decisionOf({ value: '192.0.2.1' });
    const deleted = decisionOf({ value: '192.0.2.2' });
    const unsaved = decisionOf({ value: '192.0.2.3' });
    const { store, follower, finds, clock, index } = setUp(() => [unsaved]);
    await settle();
    store.streams[0]?.push(batchOf('1', [kept, deleted], true));
    await follower.ready;
    index.add(unsaved);
    store.streams[0]?.break(new Error('down'));
    await settle();
    clock.advance(1_000);
    await settle(800);
    store.streams[1]?.push(batchOf('900', [kept], true));
    await settle(1_600);
    t.same([finds('192.0.2.1'), finds('192.0.2.2'), finds('192.0.2.3')], [true, false, true]);
    await follower.close();
  },
);

t.test('a stream that hangs while the store is unwell shows as age', async (t) => {
  const { store, follower, clock } = setUp();
  await settle();
  store.streams[0]?.push(batchOf('1', [], true));
  await follower.ready;
  store.lastSuccessAt = clock.now();
  clock.advance(9_000);
  store.ok = false;
  t.equal(follower.status().ageMs, 9_000);
  await follower.close();
});
