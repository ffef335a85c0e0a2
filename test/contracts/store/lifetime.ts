/** The contract of `Store`: health and closing. */
import type { Test } from 'tap';
import { sampleDecision, start } from '../store-samples.ts';
import { type Open, added, followerOf, rejectsWith, collect } from './tools.ts';

export function lifetime(t: Test, open: Open): void {
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
      () => store.decisionById(1),
      () => store.allowlists(),
      () => store.alertById(1),
      () => store.bouncers(),
      () => store.machines(),
      () => store.usageReports({ limit: 1 }),
    ];
    for (const ask of refused) await rejectsWith(t, ask(), 'STORE_CLOSED');
    t.equal(refused.length, 14);
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
