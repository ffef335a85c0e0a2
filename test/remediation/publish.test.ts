import t from 'tap';
import { GatewayError } from '../../core/errors.ts';
import { createSystemRandom } from '../../core/random.ts';
import { createDecisionHistory } from '../../remediation/decision-history.ts';
import { createDecisionIndex } from '../../remediation/decision-index.ts';
import { createPublisher } from '../../remediation/publish.ts';
import type { RefusalEvent, StoreWrite } from '../../remediation/store/store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createFakeStore } from './fakes.ts';
import { alertOf, collectedLog, decisionOf, ip, settle } from './support.ts';

const away = (): GatewayError => new GatewayError('STORE_UNAVAILABLE', 'the store does not answer');

function setUp(limits: { maxQueued?: number; batch?: number } = {}) {
  const clock = createManualClock();
  const random = createSystemRandom();
  const { log, lines } = collectedLog();
  const index = createDecisionIndex({ clock, random, log });
  const history = createDecisionHistory({ clock });
  const store = createFakeStore();
  const publisher = createPublisher({ clock, random, log, index, history, store, ...limits });
  return { clock, index, history, store, publisher, lines };
}

function refusal(requestId: string): StoreWrite {
  return { kind: 'refusal', event: { requestId } as RefusalEvent };
}

t.test(
  'a decision is in force before publish returns, then stored behind its alert, and listeners hear of it',
  async (t) => {
    const { index, history, store, publisher, clock } = setUp();
    const heard: string[] = [];
    publisher.listen(({ decisions }) => {
      t.ok(index.lookup({ address: ip('192.0.2.1') }, clock.now()), 'indexed before listeners are called');
      heard.push(...decisions.map(({ uuid }) => uuid));
    });
    const alert = alertOf();
    const decision = decisionOf();
    publisher.publish({ alert, decisions: [decision], matched: [] });
    t.ok(index.lookup({ address: ip('192.0.2.1') }, clock.now()));
    t.equal(history.total('192.0.2.1'), 1);
    t.same(heard, [decision.uuid]);
    t.equal(store.applied.length, 0, 'the caller did not wait for the store');
    await settle();
    t.same(store.applied, [
      { kind: 'alert', alert },
      { kind: 'decision-added', decision },
    ]);
    t.same(store.batches, [2]);
  },
);

t.test('a listener that throws disturbs nobody, and one that left is not called', async (t) => {
  const { publisher, lines } = setUp();
  let called = 0;
  publisher.listen(() => {
    throw new Error('no');
  });
  const leave = publisher.listen(() => called++);
  publisher.publish({ alert: alertOf(), decisions: [], matched: [] });
  leave();
  publisher.publish({ alert: alertOf(), decisions: [], matched: [] });
  t.equal(called, 1);
  t.equal(lines.filter(({ msg }) => msg === 'a listener to decisions failed').length, 2);
});

t.test('while the store is away writes wait, in order, and are tried again with growing pauses', async (t) => {
  const { clock, index, store, publisher, lines } = setUp();
  store.failure = away();
  const first = decisionOf({ value: '192.0.2.1' });
  const second = decisionOf({ value: '192.0.2.2' });
  publisher.write([{ kind: 'decision-added', decision: first }]);
  await settle();
  publisher.write([{ kind: 'decision-added', decision: second }]);
  for (let second = 0; second < 30; second++) {
    clock.advance(1_000);
    await settle();
  }
  const { failures } = publisher.status();
  t.ok(failures >= 5 && failures <= 10, `${failures} attempts in 30 seconds`);
  t.same(publisher.pendingDecisions(), [first, second]);
  t.ok(index.lookup({ address: ip('192.0.2.2') }, clock.now()), 'enforced all the while');
  store.failure = null;
  clock.advance(30_000);
  await settle();
  t.same(
    store.applied.map((write) => (write.kind === 'decision-added' ? write.decision.uuid : '')),
    [first.uuid, second.uuid],
  );
  t.match(publisher.status(), { queued: 0, dropped: 0, failures: 0, lastSuccessAt: clock.now() });
  t.ok(lines.some(({ msg }) => msg === 'the store takes writes again'));
});

t.test('a full queue drops visibly, refusals first', async (t) => {
  const { clock, store, publisher, lines } = setUp({ maxQueued: 10 });
  store.failure = away();
  for (let n = 0; n < 50; n++) publisher.write([refusal(`r${n}`)]);
  t.match(publisher.status(), { queued: 5, dropped: 45 });
  for (let n = 0; n < 8; n++)
    publisher.write([{ kind: 'decision-added', decision: decisionOf({ value: `192.0.2.${n}` }) }]);
  t.match(publisher.status(), { queued: 10, dropped: 48 });
  t.equal(lines.filter(({ msg }) => msg === 'writes do not reach the store').length, 1, 'not a line for each');
  store.failure = null;
  await settle();
  clock.advance(60_000);
  await settle();
  t.equal(store.applied.length, 10);
});

t.test('a write that the store never takes does not hold up the others', async (t) => {
  const { clock, store, publisher, lines } = setUp({ batch: 16 });
  const bad = decisionOf({ value: '192.0.2.7' });
  store.failure = (writes: readonly StoreWrite[]) =>
    writes.some((write) => write.kind === 'decision-added' && write.decision === bad) ? new TypeError('bad') : null;
  for (let n = 0; n < 16; n++) {
    const decision = n === 7 ? bad : decisionOf({ value: `192.0.2.${n}` });
    publisher.write([{ kind: 'decision-added', decision }]);
  }
  for (let second = 0; second < 120; second++) {
    await settle();
    clock.advance(1_000);
  }
  t.equal(store.applied.length, 15);
  t.match(publisher.status(), { queued: 0, dropped: 1, failures: 0 });
  t.ok(lines.some(({ reason }) => reason === 'the store refuses it'));
});

t.test('commit resolves when stored and rejects when the store is away, in force either way', async (t) => {
  const { clock, index, store, publisher } = setUp();
  const decision = decisionOf();
  await publisher.add([decision]);
  t.equal(store.applied.length, 1);
  await publisher.remove([decision]);
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now()), null);
  await publisher.allow({ list: 'default', value: '192.0.2.9', comment: '', createdAt: clock.now(), until: null });
  t.ok(index.isAllowed(ip('192.0.2.9')));
  await publisher.disallow('default', '192.0.2.9');
  t.notOk(index.isAllowed(ip('192.0.2.9')));
  t.equal(store.applied.length, 4);

  store.failure = away();
  await t.rejects(publisher.add([decision]), { code: 'STORE_UNAVAILABLE' });
  t.ok(index.lookup({ address: ip('192.0.2.1') }, clock.now()));
  store.failure = null;
  await publisher.remove([decision]);
  t.same(
    store.applied.slice(4).map(({ kind }) => kind),
    ['decision-added', 'decision-deleted'],
    'in the order they were made',
  );
});

t.test('commit says so when the queue is full', async (t) => {
  const { store, publisher } = setUp({ maxQueued: 1 });
  store.failure = away();
  publisher.write([{ kind: 'decision-added', decision: decisionOf() }]);
  await t.rejects(publisher.add([decisionOf()]), { code: 'STORE_UNAVAILABLE' });
});

t.test('close waits for the queue, but not for ever', async (t) => {
  const healthy = setUp();
  healthy.publisher.write([refusal('a')]);
  await healthy.publisher.close();
  t.equal(healthy.store.applied.length, 1);
  await healthy.publisher.close();
  healthy.publisher.write([refusal('late')]);
  t.equal(healthy.publisher.status().dropped, 1);

  const { clock, store, publisher } = setUp();
  store.hangs = true;
  publisher.write([refusal('a'), refusal('b')]);
  await settle();
  const closed = publisher.close(5_000);
  clock.advance(5_000);
  await closed;
  t.match(publisher.status(), { queued: 0, dropped: 2 });
});
