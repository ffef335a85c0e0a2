/** The contract of `Store`: ids of decisions and alerts. */
import type { Test } from 'tap';
import type { StoredAlert } from '../../../remediation/store/store.ts';
import { sampleAlert, sampleDecision } from '../store-samples.ts';
import { type Open, added, deleted, followerOf } from './tools.ts';

export function identifiers(t: Test, open: Open): void {
  t.test('the id of a decision is the position of its first write, and stays', async (t) => {
    const { store } = await open(t);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    const [first, second, third] = [sampleDecision(1), sampleDecision(2), sampleDecision(3)];
    await store.apply([added(first), added(second), { kind: 'alert', alert: sampleAlert(1) }]);
    await store.apply([added(third), added({ ...first, type: 'captcha' }), deleted(second), added(first)]);
    const ids = async (): Promise<unknown[]> => {
      const rows = await store.decisions({ limit: 10, includeInactive: true });
      return rows.map(({ id, decision }) => [id, decision.uuid]).toSorted(([a], [b]) => Number(a) - Number(b));
    };
    const expected = [
      [1, first.uuid],
      [2, second.uuid],
      [3, third.uuid],
    ];
    t.same(await ids(), expected);
    for (const [id, uuid] of expected) {
      t.equal((await store.decisionByUuid(uuid as string))?.id, id);
      t.equal((await store.decisionById(id as number))?.decision.uuid, uuid);
    }
    t.match(await store.decisionById(1), { decision: first, deletedAt: null });
    t.type((await store.decisionById(2))?.deletedAt, 'number');
    for (const unknown of [0, -1, 4, 5, 6, 1.5, Number.NaN, Infinity, 2 ** 60]) {
      t.equal(await store.decisionById(unknown), null, `${unknown}`);
    }
    const told = new Map<string, Set<number>>();
    for (let last = ''; last !== first.uuid || (told.get(second.uuid)?.size ?? 0) === 0 || told.size < 3; ) {
      for (const change of await follower.nextChanges(1)) {
        if (!('decision' in change)) continue;
        last = change.decision.uuid;
        told.set(last, (told.get(last) ?? new Set()).add(change.id));
      }
    }
    t.same(
      told,
      new Map([
        [first.uuid, new Set([1])],
        [second.uuid, new Set([2])],
        [third.uuid, new Set([3])],
      ]),
    );
  });

  t.test('a snapshot tells the ids of decisions, and a deletion its time', async (t) => {
    const { store, runtime } = await open(t);
    const decision = sampleDecision(1);
    await store.apply([added(sampleDecision(2)), added(decision), added(sampleDecision(2))]);
    const follower = followerOf(t, store, null);
    const inSnapshot = await follower.nextChanges(2);
    t.same(
      inSnapshot.map((change) => ('id' in change ? [change.id, change.decision.uuid] : [])),
      [
        [2, decision.uuid],
        [1, sampleDecision(2).uuid],
      ],
    );
    const before = runtime.clock.now();
    await store.apply([deleted(decision)]);
    const [change] = await follower.nextChanges(1);
    const deletedAt = (await store.decisionById(2))?.deletedAt ?? 0;
    t.match(change, { kind: 'decision-deleted', id: 2, decision, deletedAt });
    t.ok(deletedAt >= before && deletedAt <= runtime.clock.now());
    runtime.clock.jump(1_000);
    await store.apply([deleted(decision)]);
    t.match(
      await follower.nextChanges(1),
      [{ kind: 'decision-deleted', id: 2, deletedAt }],
      'that of the first deletion',
    );
    await store.apply([added(decision)]);
    t.match(await follower.nextChanges(1), [{ kind: 'decision-added', id: 2 }]);
  });

  t.test('decisions of one batch that is larger than a unit have ids in order, repetitions included', async (t) => {
    const { store } = await open(t);
    const batch = Array.from({ length: 2_000 }, (_, index) => added(sampleDecision(index % 1_500)));
    await store.apply(batch);
    const rows = await store.decisions({ limit: 10_000 });
    t.equal(rows.length, 1_500);
    t.same(
      new Map(rows.map(({ id, decision }) => [decision.uuid, id])),
      new Map(Array.from({ length: 1_500 }, (_, index) => [sampleDecision(index).uuid, index + 1])),
    );
    t.equal((await store.decisionById(1_500))?.decision.uuid, sampleDecision(1_499).uuid);
    t.equal(await store.decisionById(1_501), null);
  });

  t.test('alerts have numbers that rise and stay, and are not given again', async (t) => {
    const { store } = await open(t);
    const ids = async (): Promise<number[]> => (await store.alerts({ limit: 10 })).map(({ id }) => id);
    await store.apply([5, 3, 4].map((index) => ({ kind: 'alert', alert: sampleAlert(index) })));
    await store.apply([{ kind: 'alert', alert: sampleAlert(3, { message: 'again' }) }]);
    t.same(await ids(), [3, 2, 1]);
    t.match(await store.alertById(2), { id: 2, alert: { uuid: sampleAlert(3).uuid, message: 'again' } });
    t.same(await store.alertByUuid(sampleAlert(5).uuid), await store.alertById(1));
    await store.apply([
      { kind: 'alert-deleted', uuid: sampleAlert(4).uuid },
      { kind: 'alert-deleted', uuid: 'never there' },
      added(sampleDecision(1, { alertUuid: sampleAlert(5).uuid })),
      { kind: 'alert-deleted', uuid: sampleAlert(5).uuid },
    ]);
    t.same(await ids(), [2]);
    t.equal(await store.alertById(1), null);
    t.equal(await store.alertByUuid(sampleAlert(4).uuid), null);
    t.equal((await store.decisions({ limit: 10 })).length, 1, 'its decisions are not deleted with it');
    await store.apply([4, 6].map((index) => ({ kind: 'alert', alert: sampleAlert(index) })));
    t.same((await ids())[0], (await store.alertByUuid(sampleAlert(6).uuid))?.id);
    t.ok(
      (await ids()).slice(0, 2).every((id) => id > 3),
      'new numbers',
    );
    for (const unknown of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 60]) t.equal(await store.alertById(unknown), null);
  });

  t.test('alerts are listed page by page, also while some come and go', async (t) => {
    const { store } = await open(t);
    await store.apply(Array.from({ length: 25 }, (_, index) => ({ kind: 'alert', alert: sampleAlert(index) })));
    const first = await store.alerts({ limit: 10 });
    await store.apply([
      { kind: 'alert', alert: sampleAlert(100) },
      { kind: 'alert-deleted', uuid: sampleAlert(0).uuid },
    ]);
    const second = await store.alerts({ limit: 10, before: first.at(-1)?.id ?? 0 });
    const third = await store.alerts({ limit: 10, before: second.at(-1)?.id ?? 0 });
    const idsOf = (page: readonly StoredAlert[]): number[] => page.map(({ id }) => id);
    t.same(idsOf(first), [25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
    t.same(idsOf(second), [15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
    t.same(idsOf(third), [5, 4, 3, 2]);
    for (const before of [0, -5, Number.NaN]) t.same(await store.alerts({ limit: 10, before }), [], `before ${before}`);
    t.equal((await store.alerts({ limit: 100, before: Infinity })).length, 25);
  });
}
