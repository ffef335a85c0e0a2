import { join } from 'node:path';
import t from 'tap';
import { createEmbeddedStore } from '../../../remediation/store/embedded.ts';
import type { Store } from '../../../remediation/store/store.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { storeContract } from '../../contracts/store.ts';
import { contractRetention } from '../../contracts/store/tools.ts';
import { temporaryFolder } from '../../support/servers/process.ts';

storeContract(t, async (t) => {
  const file = join(await temporaryFolder(t, 'store'), 'store.db');
  const runtime = createTestRuntime();
  const open = async (): Promise<Store> => {
    const store = await createEmbeddedStore({ file, maxBytes: 2 ** 30, retention: contractRetention }, runtime);
    t.teardown(() => store.close());
    return store;
  };
  return { store: await open(), runtime, reopen: open };
});
