import t from 'tap';
import { storeOptions } from '../../../remediation/store/options.ts';
import { createRedisStore } from '../../../remediation/store/redis.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { contractRetention, storeContract } from '../../contracts/store.ts';
import { startRedis, type RedisServer } from '../../support/redis.ts';

const { redis: defaults } = storeOptions.parse({});

function optionsFor(server: RedisServer, changes: Partial<typeof defaults> = {}) {
  return { retention: contractRetention, redis: { ...defaults, url: server.url, streamLength: 4_000, ...changes } };
}

t.test('contract', async (t) => {
  const server = await startRedis(t);
  let stores = 0;
  storeContract(t, async (t) => {
    const runtime = createTestRuntime();
    const prefix = `contract-${stores++}`;
    const open = async () => {
      const store = await createRedisStore(optionsFor(server, { prefix }), runtime);
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), runtime, reopen: open };
  });
});
