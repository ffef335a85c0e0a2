import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import { createPublisher } from '../../../remediation/exchange/publish.ts';
import type { RefusalEvent, StoreWrite } from '../../../remediation/store/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createFakeStore } from '../fakes.ts';
import { alertOf, collectedLog, decisionOf, ip, settle } from '../support.ts';

const away = (): GatewayError => new GatewayError('STORE_UNAVAILABLE', 'the store does not answer');

function setUp(limits: { maxQueued?: number; batch?: number; bulk?: number } = {}) {
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
  t.equal(publisher.oldestPendingAt(), first.createdAt);
  t.ok(index.lookup({ address: ip('192.0.2.2') }, clock.now()), 'enforced all the while');
  store.failure = null;
  clock.advance(30_000);
  await settle();
  t.same(
    store.applied.map((write) => (write.kind === 'decision-added' ? write.decision.uuid : '')),
    [first.uuid, second.uuid],
  );
  t.equal(publisher.oldestPendingAt(), null);
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

t.test('an import of any length is committed in slices, in order, in bulk, and others get their turn', async (t) => {
  const { clock, index, store, publisher } = setUp({ maxQueued: 10, bulk: 2_500, batch: 10 });
  const decisions = Array.from({ length: 25_500 }, (_, n) => decisionOf({ value: `10.0.${n >> 8}.${n & 255}` }));
  let turns = 0;
  let mostQueued = 0;
  const done = new AbortController();
  const watch = async (): Promise<void> => {
    for (; !done.signal.aborted; turns++) {
      mostQueued = Math.max(mostQueued, publisher.status().queued);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const watching = watch();
  await publisher.add(decisions);
  done.abort();
  await watching;
  t.ok(index.lookup({ address: ip('10.0.99.155') }, clock.now()), 'the last one is in force');
  t.equal(index.size.total, 25_500);
  t.same(
    store.applied.map((write) => (write.kind === 'decision-added' ? write.decision.uuid : '')),
    decisions.map(({ uuid }) => uuid),
  );
  t.ok(mostQueued <= 6_000, `at most ${mostQueued} waited`);
  t.ok(turns >= 20, `others had ${turns} turns`);
  t.ok(store.batches.length <= 60, `${store.batches.length} batches`);
  t.equal(publisher.status().dropped, 0);
});

t.test('an import leaves its room to what happens meanwhile, and an outage does not let imports pile up', async (t) => {
  const { clock, store, publisher } = setUp({ maxQueued: 10, bulk: 2_000 });
  store.hangs = true;
  const decisions = Array.from({ length: 9_000 }, () => decisionOf());
  const first = t.rejects(publisher.add(decisions), { code: 'STORE_UNAVAILABLE' });
  await settle(50);
  t.equal(publisher.status().queued, 4_500, 'twice the bulk, and the slice that went beyond');
  await t.rejects(publisher.add(decisions), { code: 'STORE_UNAVAILABLE' }, 'there is no room for another');
  publisher.write([{ kind: 'decision-added', decision: decisionOf() }, refusal('a')]);
  t.equal(publisher.status().queued, 4_502);
  const closed = publisher.close(1_000);
  clock.advance(1_000);
  await closed;
  await first;
});

t.test('an import ends where the store fails, and says so', async (t) => {
  const { store, publisher, index } = setUp({ bulk: 2_000 });
  const decisions = Array.from({ length: 25_000 }, (_, n) => decisionOf({ value: `10.0.${n >> 8}.${n & 255}` }));
  store.failure = away();
  await t.rejects(publisher.add(decisions), { code: 'STORE_UNAVAILABLE' });
  t.ok(index.size.total > 0 && index.size.total < 25_000, 'what came after it was not begun');
  t.equal(publisher.status().queued, index.size.total, 'what is in force waits for the store');
});

t.test('writes that may not be repeated do not go in bulk', async (t) => {
  const { store, publisher } = setUp({ bulk: 100, batch: 10 });
  const many = Array.from({ length: 30 }, (): StoreWrite => ({ kind: 'decision-added', decision: decisionOf() }));
  publisher.write([...many, ...Array.from({ length: 25 }, (_, n) => refusal(`${n}`)), ...many]);
  await settle();
  t.same(store.batches, [30, 10, 10, 10, 25]);
});

t.test('a call that finds room is taken whole, the next one is not', async (t) => {
  const { store, publisher } = setUp({ maxQueued: 10 });
  store.failure = away();
  const many = Array.from({ length: 30 }, (): StoreWrite => ({ kind: 'decision-added', decision: decisionOf() }));
  publisher.write(many);
  publisher.write(many);
  t.match(publisher.status(), { queued: 30, dropped: 30 });
});

t.test('one write that the store refuses among thousands is found soon', async (t) => {
  const { clock, store, publisher } = setUp({ maxQueued: 20_000 });
  const bad = decisionOf();
  store.failure = (writes: readonly StoreWrite[]) =>
    writes.some((write) => write.kind === 'decision-added' && write.decision === bad)
      ? new GatewayError('DECISION_INVALID', 'too long')
      : null;
  const decisions = Array.from({ length: 10_000 }, (_, n) => (n === 7_777 ? bad : decisionOf()));
  publisher.write(decisions.map((decision) => ({ kind: 'decision-added', decision })));
  for (let tenth = 0; tenth < 50; tenth++) {
    await settle();
    clock.advance(100);
  }
  t.match(publisher.status(), { queued: 0, dropped: 1, failures: 0 });
  t.equal(new Set(store.applied).size, 9_999);
});

t.test('an alert with very many decisions does not fill the log', async (t) => {
  const { publisher, lines, index } = setUp();
  const decisions = Array.from({ length: 3_000 }, (_, n) => decisionOf({ value: `10.0.${n >> 8}.${n & 255}` }));
  publisher.publish({ alert: alertOf(), decisions, matched: [] });
  t.equal(index.size.total, 3_000);
  t.equal(lines.filter(({ msg }) => msg === 'decision made').length, 50);
  t.match(
    lines.filter(({ decisions }) => decisions === 3_000),
    { length: 1 },
  );
});

t.test('a removed allowlist is lifted at once', async (t) => {
  const { publisher, index, clock } = setUp();
  const entry = { list: 'office', value: '192.0.2.9', comment: '', createdAt: clock.now(), until: null };
  await publisher.allow(entry);
  t.ok(index.isAllowed(ip('192.0.2.9')));
  await publisher.commit([{ kind: 'allowlist-removed', name: 'other' }]);
  t.ok(index.isAllowed(ip('192.0.2.9')));
  await publisher.commit([{ kind: 'allowlist-removed', name: 'office' }]);
  t.notOk(index.isAllowed(ip('192.0.2.9')));
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
