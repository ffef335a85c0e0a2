/** The contract of `Store`: retention. */
import type { Test } from 'tap';
import type { Decision } from '../../../remediation/decision.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
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
import { type Open, added, deleted, followerOf, snapshot, uuids, manyWrites, range } from './tools.ts';
import { eventually } from '../../support/eventually.ts';

export function forgetting(t: Test, open: Open): void {
  t.test('alerts and refusals beyond their number are forgotten, those of active decisions are not', async (t) => {
    const { store, runtime } = await open(t);
    await store.apply([
      added(sampleDecision(1, { alertUuid: sampleAlert(0).uuid })),
      ...Array.from({ length: 30 }, (_, index): StoreWrite => ({ kind: 'alert', alert: sampleAlert(index) })),
      ...Array.from({ length: 30 }, (_, index): StoreWrite => ({ kind: 'refusal', event: sampleRefusal(index) })),
      ...Array.from(
        { length: 30 },
        (_, index): StoreWrite => ({
          kind: 'usage-reported',
          report: sampleReport(index),
        }),
      ),
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
    const reports = await eventually(
      () => store.usageReports({ limit: 100 }),
      (rows) => rows.length <= 10,
    );
    t.same(
      reports.map((report) => report.receivedAt - start),
      [29, 28, 27, 26, 25, 24, 23, 22, 21, 20],
    );
    t.same(
      alerts.map(({ id }) => id),
      [30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 1],
      'those that stay keep their numbers',
    );
    t.equal(await store.alertById(2), null);
  });

  t.test('a decision that was forgotten leaves nothing behind: no id, nothing of its alert', async (t) => {
    const { store, runtime } = await open(t);
    const own = (index: number, until: number): Decision => sampleDecision(index, { alertUuid: 'a', until });
    const lasting = start + 100 * 24 * hour;
    await store.apply([added(own(1, start + hour)), added(own(2, start + hour)), added(own(1, start + hour))]);
    await store.apply([added(own(3, lasting)), added(own(3, lasting))]);
    runtime.clock.jump(48 * hour);
    await eventually(
      () => store.decisions({ alertUuid: 'a', includeInactive: true, limit: 10 }),
      (rows) => rows.length === 1,
    );
    for (const id of [1, 2]) t.equal(await store.decisionById(id), null);
    t.match(await store.decisionById(4), { decision: own(3, lasting) });
    await store.apply([added(own(1, lasting)), added(own(2, lasting))]);
    const again = await store.decisions({ alertUuid: 'a', limit: 10 });
    t.same(
      again.map(({ id, decision }) => [id, decision.uuid]),
      [
        [7, sampleDecision(2).uuid],
        [6, sampleDecision(1).uuid],
        [4, sampleDecision(3).uuid],
      ],
      'what is written again is new',
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
      { kind: 'usage-reported', report: sampleReport(1) },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1') },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.2', { until: start + hour }) },
      { kind: 'machine-added', machine: sampleMachine('m1') },
    ]);
    runtime.clock.jump(48 * hour);
    await eventually(
      () => store.decisions({ limit: 10, includeInactive: true }),
      (rows) => rows.length === 1,
    );
    await eventually(
      async () => [
        ...(await store.alerts({ limit: 10 })),
        ...(await store.refusals({ limit: 10 })),
        ...(await store.usageReports({ limit: 10 })),
      ],
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
