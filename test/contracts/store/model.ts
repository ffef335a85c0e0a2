/** The contract of `Store`: any sequence of writes against a plain map. */
import * as fc from 'fast-check';
import type { Test } from 'tap';
import type { Decision } from '../../../remediation/decision.ts';
import type { ChangeBatch } from '../../../remediation/store/store.ts';
import { hour, sampleDecision, start } from '../store-samples.ts';
import { type Open, added, deleted, snapshot, play, sameState, uuidOf } from './tools.ts';

export function model(t: Test, open: Open): void {
  t.test('any sequence of writes leaves what the model leaves, for queries and for followers', async (t) => {
    const { store } = await open(t);
    const follower = new Map<string, Decision>();
    const abort = new AbortController();
    const live = store.changes(null, abort.signal)[Symbol.asyncIterator]();
    t.match(await live.next(), { value: { snapshotEnd: true } });
    const expected = new Map<string, Decision>();
    const ids = new Map<string, number>();
    const write = fc.record({ index: fc.nat(20), remove: fc.boolean(), hours: fc.integer({ min: 1, max: 99 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(write, { maxLength: 6 }), { minLength: 1, maxLength: 6 }), async (batches) => {
        const marker = sampleDecision(999, { until: start + 1000 * hour, createdAt: start + expected.size });
        const changes = batches.map((batch) =>
          batch.map(({ index, remove, hours }) => {
            const decision = sampleDecision(index, { until: start + hours * hour });
            return remove ? deleted(decision) : added(decision);
          }),
        );
        for (const batch of changes) for (const change of batch) play(expected, change);
        await Promise.all([...changes, [deleted(marker)]].map((batch) => store.apply(batch)));
        for (let told = false; !told; ) {
          const { value } = await live.next();
          const batch = value as ChangeBatch;
          for (const change of batch.changes) {
            play(follower, change);
            if ('decision' in change && (ids.get(uuidOf(change)) ?? change.id) !== change.id) return false;
            if ('decision' in change) ids.set(uuidOf(change), change.id);
          }
          told = batch.changes.some((change) => uuidOf(change) === marker.uuid);
        }
        const stored = await store.decisions({ limit: 1_000 });
        const found = new Map(stored.map(({ decision }) => [decision.uuid, decision]));
        for (const { id, decision } of stored) {
          if (id !== ids.get(decision.uuid) || (await store.decisionById(id))?.decision.uuid !== decision.uuid)
            return false;
        }
        return sameState(found, expected) && sameState(follower, expected);
      }),
      { seed: 20260101, numRuns: 60, endOnFailure: true },
    );
    t.same(await snapshot(store), expected);
    t.equal(new Set(ids.values()).size, ids.size, 'no id is given twice');
    abort.abort();
  });
}
