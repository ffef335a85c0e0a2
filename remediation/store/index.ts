/** Every store that Portcullis knows, by its name in the settings. */
import type { Runtime } from '../../core/runtime.ts';
import { createEmbeddedStore } from './embedded.ts';
import { createMemoryStore } from './memory.ts';
import type { StoreOptions } from './options.ts';
import { createRedisStore } from './redis.ts';
import type { Store } from './store.ts';

export type CreateStore = (options: StoreOptions, runtime: Runtime) => Promise<Store>;

export const stores: Readonly<Record<StoreOptions['type'], CreateStore>> = {
  embedded: (options, runtime) => createEmbeddedStore(options, runtime),
  memory: async (options, runtime) => createMemoryStore(options, runtime),
  redis: createRedisStore,
};

/** The store of the settings, ready to be asked. Rejects with a GatewayError that says why there is none. */
export function createStore(options: StoreOptions, runtime: Runtime): Promise<Store> {
  return stores[options.type](options, runtime);
}
