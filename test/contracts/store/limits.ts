/** The contract of `Store`: hostile and oversized fields. */
import type { Test } from 'tap';
import { newBouncer } from '../../../remediation/bouncer.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { maxReportLength } from '../../../remediation/store/write-limits.ts';
import {
  sampleAlert,
  sampleDecision,
  sampleEntry,
  sampleMachine,
  sampleRefusal,
  sampleReport,
  start,
} from '../store-samples.ts';
import { type Open, added, deleted, followerOf, rejectsWith, cycle } from './tools.ts';

const hostile = [
  ['NUL', 'a\0b'],
  ['quotes', `"'\`;--\\`],
  ['line breaks', 'a\r\nb\u2028c'],
  ['SQL', `'); DROP TABLE decisions; --`],
  ['Lua and Redis', '*3\r\n$3\r\nSET\r\n ]] .. redis.call("FLUSHALL") .. [['],
  ['beyond the BMP', '\u{1F4A3}\u{10FFFF}'],
  ['right to left', '\u202Egnp.exe'],
  ['empty', ''],
  ['prototype', '__proto__'],
  ['constructor', 'constructor'],
  ['JSON', '{"uuid":"x"}'],
  ['wildcards', '%_*?[a-z]'],
] as const;

export function limits(t: Test, open: Open): void {
  for (const [what, text] of hostile) {
    t.test(`hostile strings come back as they were: ${what}`, async (t) => {
      const { store } = await open(t);
      const decision = sampleDecision(1, {
        uuid: `${text}-1`,
        origin: text,
        scenario: text,
        scope: text,
        value: text,
        type: text,
        alertUuid: text,
      });
      const entry = sampleEntry(text, { list: text, comment: text });
      const alert = sampleAlert(1, {
        uuid: `${text}-1`,
        message: text,
        scenario: text,
        labels: { [`${text}.`]: text },
      });
      const event = sampleRefusal(1, { target: text, userAgent: text, requestId: text, clientIp: text });
      const machine = sampleMachine(text, { ip: text, version: text, os: text, scenarios: [text, text] });
      const report = sampleReport(1, { from: text, body: JSON.stringify(text) });
      await store.apply([
        { kind: 'allowlist-created', list: { name: text, description: text, createdAt: 1, updatedAt: 2 } },
        { kind: 'machine-added', machine: sampleMachine(text) },
        { kind: 'machine-seen', id: text, seen: machine },
        { kind: 'bouncer-added', bouncer: newBouncer(text, text, 1) },
        { kind: 'bouncer-seen', name: text, seen: { ip: text, type: text, version: text } },
        { kind: 'usage-reported', report },
        added(decision),
        { kind: 'allowlist-added', entry },
        { kind: 'alert', alert },
        { kind: 'refusal', event },
      ]);
      t.strictSame((await store.decisionByUuid(decision.uuid))?.decision, decision);
      t.strictSame(await store.machines(), [machine]);
      t.strictSame(await store.bouncers(), [{ ...newBouncer(text, text, 1), ip: text, type: text, version: text }]);
      t.strictSame(await store.usageReports({ from: text, limit: 10 }), [report]);
      t.match(await store.allowlists(), [{ name: text, description: text, createdAt: 1 }]);
      const query = { scope: text, value: text, type: text, origin: text, scenario: text, alertUuid: text, limit: 10 };
      t.strictSame(
        (await store.decisions(query)).map((row) => row.decision),
        [decision],
      );
      t.strictSame(await store.allowlist(), [entry]);
      t.strictSame(await store.alerts({ scenario: text, limit: 10 }), [{ id: 1, alert }]);
      t.strictSame(await store.refusals({ clientIp: text, requestId: text, limit: 10 }), [event]);
      const follower = followerOf(t, store, null);
      t.strictSame(await follower.untilSnapshotEnd(), [added(decision), { kind: 'allowlist-added', entry }]);
      await store.apply([{ kind: 'allowlist-deleted', list: text, value: text }, deleted(decision)]);
      t.strictSame(await follower.next(2), [{ kind: 'allowlist-deleted', list: text, value: text }, deleted(decision)]);
      t.same(await store.allowlist(), []);
      await store.apply([
        { kind: 'allowlist-removed', name: text },
        { kind: 'machine-deleted', id: text },
        { kind: 'bouncer-deleted', name: text },
        { kind: 'alert-deleted', uuid: alert.uuid },
      ]);
      const left = [await store.allowlists(), await store.machines(), await store.bouncers()];
      t.same([...left, await store.alerts({ limit: 1 })], [[], [], [], []]);
    });
  }

  t.test('lone surrogates become U+FFFD everywhere alike', async (t) => {
    const { store } = await open(t);
    const lone = 'x\ud800y';
    const mended = 'x\ufffdy';
    await store.apply([
      added(sampleDecision(1, { value: lone })),
      { kind: 'allowlist-added', entry: sampleEntry(lone) },
      { kind: 'alert', alert: sampleAlert(1, { message: lone }) },
      { kind: 'refusal', event: sampleRefusal(1, { userAgent: lone }) },
    ]);
    t.equal((await store.decisions({ value: mended, limit: 1 }))[0]?.decision.value, mended);
    t.equal((await store.allowlist())[0]?.value, mended);
    t.equal((await store.alertByUuid(sampleAlert(1).uuid))?.alert.message, mended);
    t.equal((await store.refusals({ limit: 1 }))[0]?.userAgent, mended);
  });

  t.test('a field that says what a decision applies to is refused when it is too long', async (t) => {
    const { store } = await open(t);
    const huge = 'x'.repeat(1_048_576);
    const refused: StoreWrite[] = [
      ...(['uuid', 'origin', 'scenario', 'scope', 'value', 'type', 'alertUuid'] as const).map((field) =>
        added(sampleDecision(2, { [field]: huge })),
      ),
      added(sampleDecision(2, { until: Number.NaN })),
      { kind: 'allowlist-added', entry: sampleEntry(huge) },
      { kind: 'allowlist-deleted', list: 'default', value: huge },
      { kind: 'alert', alert: sampleAlert(2, { uuid: huge }) },
      { kind: 'alert', alert: sampleAlert(2, { machineId: huge }) },
      { kind: 'alert-deleted', uuid: huge },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { list: huge }) },
      { kind: 'allowlist-deleted', list: huge, value: '192.0.2.1' },
      { kind: 'allowlist-created', list: { name: huge, description: '', createdAt: 0, updatedAt: 0 } },
      { kind: 'allowlist-created', list: { name: 'x', description: '', createdAt: Number.NaN, updatedAt: 0 } },
      { kind: 'allowlist-removed', name: huge },
      { kind: 'bouncer-added', bouncer: newBouncer(huge, '', 0) },
      { kind: 'bouncer-added', bouncer: newBouncer('x', huge, 0) },
      { kind: 'bouncer-deleted', name: huge },
      { kind: 'bouncer-seen', name: huge, seen: {} },
      { kind: 'bouncer-seen', name: 'x', seen: { lastPull: Number.NaN } },
      { kind: 'machine-added', machine: sampleMachine(huge) },
      { kind: 'machine-added', machine: sampleMachine('x', { passwordHash: huge }) },
      { kind: 'machine-deleted', id: huge },
      { kind: 'machine-seen', id: huge, seen: {} },
      { kind: 'machine-seen', id: 'x', seen: { passwordHash: huge } },
      { kind: 'usage-reported', report: sampleReport(1, { from: huge }) },
      { kind: 'usage-reported', report: sampleReport(1, { body: 'x'.repeat(maxReportLength + 1) }) },
    ];
    for (const write of refused) {
      await rejectsWith(t, store.apply([added(sampleDecision(1)), write]), 'DECISION_INVALID');
    }
    t.equal(refused.length, 30);
    t.same(await store.decisions({ limit: 10, includeInactive: true }), [], 'nothing of such an apply is kept');
    const large = Array.from({ length: 1_200 }, (_, index) => added(sampleDecision(10 + index)));
    await rejectsWith(
      t,
      store.apply([...large, added(sampleDecision(2, { value: huge })), ...large]),
      'DECISION_INVALID',
    );
    await store.apply([added(sampleDecision(1))]);
    t.ok(await store.decisionByUuid(sampleDecision(1).uuid), 'the next apply works');
    t.equal(await store.decisionByUuid(sampleDecision(2).uuid), null);
  });

  t.test('what people read is cut to its limit', async (t) => {
    const { store } = await open(t);
    const huge = 'x'.repeat(1_048_576);
    const event = { timestamp: '2026-01-01T00:00:00Z', meta: [{ key: 'k', value: huge }] };
    const alert = sampleAlert(1, {
      message: huge,
      events: Array.from({ length: 2_000 }, () => event),
      labels: { huge, deep: { huge }, cycle: cycle(), fine: [1] },
      requestIds: Array.from({ length: 5_000 }, (_, index) => `${index}`),
    });
    await store.apply([
      { kind: 'alert', alert },
      { kind: 'refusal', event: sampleRefusal(1, { target: huge, userAgent: huge, detail: huge }) },
      { kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { comment: huge }) },
      { kind: 'allowlist-created', list: { name: 'office', description: huge, createdAt: 0, updatedAt: 0 } },
      { kind: 'bouncer-added', bouncer: { ...newBouncer('nginx', '', 0), type: huge } },
      { kind: 'bouncer-seen', name: 'nginx', seen: { ip: huge, version: huge } },
      {
        kind: 'machine-added',
        machine: sampleMachine('m1', { scenarios: Array.from({ length: 9_000 }, (_, index) => `s${index}`), os: huge }),
      },
      { kind: 'machine-added', machine: sampleMachine('m2') },
      { kind: 'machine-seen', id: 'm2', seen: { version: huge, ip: huge, scenarios: [huge] } },
      { kind: 'usage-reported', report: sampleReport(1, { body: 'x'.repeat(maxReportLength) }) },
    ]);
    const [bouncer] = await store.bouncers();
    t.same([bouncer?.type.length, bouncer?.ip.length, bouncer?.version.length], [256, 256, 256]);
    const [many, seen] = await store.machines();
    t.same([many?.scenarios.length, many?.scenarios.at(-1), many?.os.length], [5_000, 's4999', 256]);
    t.same([seen?.version.length, seen?.ip.length, seen?.scenarios[0]?.length], [256, 256, 256]);
    t.equal((await store.allowlists()).at(-1)?.description.length, 4_096);
    t.equal((await store.usageReports({ limit: 1 }))[0]?.body.length, maxReportLength);
    const stored = (await store.alertByUuid(alert.uuid))?.alert;
    t.ok(JSON.stringify(stored).length <= 262_144);
    t.ok((stored?.events.length ?? 0) >= 1, 'the newest events that fit');
    t.same(Object.keys(stored?.labels ?? {}), ['huge', 'fine']);
    t.equal(stored?.eventsCount, alert.eventsCount);
    t.equal(stored?.requestIds.at(-1), '4999');
    const refusal = (await store.refusals({ limit: 1 }))[0];
    t.same([refusal?.target.length, refusal?.userAgent.length, refusal?.detail.length], [2_048, 2_048, 2_048]);
    t.equal((await store.allowlist())[0]?.comment.length, 4_096);
  });

  t.test('times are whole milliseconds, and the end of time is a time', async (t) => {
    const { store } = await open(t);
    await store.apply([added(sampleDecision(1, { until: Infinity, createdAt: start + 0.75 }))]);
    const stored = await store.decisionByUuid(sampleDecision(1).uuid);
    t.equal(stored?.decision.until, 8.64e15);
    t.equal(stored?.decision.createdAt, start);
    t.equal((await store.decisions({ limit: 1 })).length, 1);
  });
}
