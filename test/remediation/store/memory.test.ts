import t from 'tap';
import { createMemoryStore } from '../../../remediation/store/memory.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { sampleDecision, start } from '../../contracts/store-samples.ts';
import { storeContract } from '../../contracts/store.ts';
import { added, contractRetention, rejectsWith } from '../../contracts/store/tools.ts';

t.test('contract', async (t) => {
  storeContract(t, async (t) => {
    const runtime = createTestRuntime();
    const store = createMemoryStore({ retention: contractRetention, maxDecisions: 10_000 }, runtime);
    t.teardown(() => store.close());
    return { store, runtime, reopen: null };
  });
});

t.test('a full store refuses more decisions, forgets ended ones first, and says so', async (t) => {
  const runtime = createTestRuntime();
  const store = createMemoryStore({ retention: contractRetention, maxDecisions: 20 }, runtime);
  const batch = (from: number, count: number, until = start + 1e9) =>
    Array.from({ length: count }, (_, index) => added(sampleDecision(from + index, { until })));
  await store.apply(batch(0, 20));
  await rejectsWith(t, store.apply(batch(20, 1)), 'STORE_FULL');
  t.notOk(store.health().ok);
  await store.apply(batch(0, 20, start - 1));
  t.ok(store.health().ok, 'replacing needs no room');
  await store.apply(batch(20, 10));
  t.equal((await store.decisions({ limit: 100 })).length, 10);
  await store.close();
});
