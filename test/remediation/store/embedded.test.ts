import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createEmbeddedStore } from '../../../remediation/store/embedded.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { contractRetention, storeContract } from '../../contracts/store.ts';

t.test('contract', async (t) => {
  storeContract(t, async (t) => {
    const file = join(await folder(t), 'store.db');
    const runtime = createTestRuntime();
    const open = async () => {
      const store = await createEmbeddedStore({ file, maxBytes: 2 ** 30, retention: contractRetention }, runtime);
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), runtime, reopen: open };
  });
});

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'portcullis-store-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
