/** The contract of `Store`: what `apply` leaves behind. */
import type { Test } from 'tap';
import { hashKey, newBouncer } from '../../../remediation/bouncer.ts';
import {
  hour,
  sampleAlert,
  sampleDecision,
  sampleEntry,
  sampleMachine,
  sampleRefusal,
  sampleReport,
  start,
} from '../store-samples.ts';
import { type Open, added, deleted, snapshot, uuids } from './tools.ts';

export function writes(t: Test, open: Open): void {
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
      { kind: 'bouncer-seen', name: 'nginx', seen: { lastPull: 2 } },
      { kind: 'machine-added', machine: sampleMachine('m1') },
      { kind: 'usage-reported', report: sampleReport(1) },
      added(sampleDecision(1)),
      { kind: 'alert', alert: sampleAlert(2) },
      { kind: 'alert-deleted', uuid: sampleAlert(2).uuid },
    ]);
    const lists = await store.allowlists();
    await store.close();
    const again = await reopen();
    t.same(uuids(await again.decisions({ limit: 10 })), [sampleDecision(1).uuid]);
    t.type((await again.decisionByUuid(sampleDecision(2).uuid))?.deletedAt, 'number');
    t.same(await again.allowlist(), [sampleEntry('192.0.2.0/24')]);
    t.same(await again.alertByUuid(sampleAlert(1).uuid), { id: 1, alert: sampleAlert(1) });
    t.same(await again.refusals({ limit: 10 }), [sampleRefusal(1)]);
    t.same(await again.bouncers(), [{ ...bouncer, lastPull: 2 }]);
    t.same(await again.machines(), [sampleMachine('m1')]);
    t.same(await again.usageReports({ limit: 10 }), [sampleReport(1)]);
    t.same(await again.allowlists(), lists);
    t.same(
      lists.map(({ name }) => name),
      ['default'],
    );
    t.match(await again.decisionById(1), { id: 1, decision: sampleDecision(1) });
    await again.apply([{ kind: 'alert', alert: sampleAlert(3) }]);
    t.equal((await again.alertByUuid(sampleAlert(3).uuid))?.id, 3, 'the number of a deleted alert is not given again');
  });
}
