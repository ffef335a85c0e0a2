/**
 * A process that the kill test ends in the middle of its work. Four applies are under way at once: bursts of two decisions and
 * an alert that is then written again, and one import. It says on standard output which are acknowledged: `burst 7`, `import 2`.
 * Arguments: the file of the store, the number of the first burst, the number of the import.
 */
import { writeSync } from 'node:fs';
import { createEmbeddedStore } from '../../../remediation/store/embedded.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { contractRetention } from '../../contracts/store/tools.ts';
import { burst, importOf } from './kill-writes.ts';

const [file = '', first = '0', imported = '0'] = process.argv.slice(2);
const store = await createEmbeddedStore({ file, maxBytes: 2 ** 30, retention: contractRetention }, createTestRuntime());

async function write(name: string, writes: readonly StoreWrite[]): Promise<void> {
  await store.apply(writes);
  writeSync(1, `${name}\n`);
}

async function writeBursts(from: number): Promise<void> {
  for (let index = from; ; index += 3) await write(`burst ${index}`, burst(index));
}

await Promise.all([
  ...[0, 1, 2].map((offset) => writeBursts(Number(first) + offset)),
  write(`import ${imported}`, importOf(Number(imported))),
]);
