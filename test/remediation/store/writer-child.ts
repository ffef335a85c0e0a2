/**
 * A process that the kill test ends in the middle of its work: applies three writes at a time, four applies under way at
 * once, and says on standard output which are acknowledged. Arguments: the file of the store, the first index.
 */
import { writeSync } from 'node:fs';
import { createEmbeddedStore } from '../../../remediation/store/embedded.ts';
import { createTestRuntime } from '../../contracts/store-runtime.ts';
import { sampleAlert, sampleDecision } from '../../contracts/store-samples.ts';
import { contractRetention } from '../../contracts/store/tools.ts';

const [file = '', first = '0'] = process.argv.slice(2);
const store = await createEmbeddedStore({ file, maxBytes: 2 ** 30, retention: contractRetention }, createTestRuntime());

async function write(from: number): Promise<void> {
  for (let index = from; ; index += 4) {
    await store.apply([
      { kind: 'decision-added', decision: sampleDecision(2 * index) },
      { kind: 'alert', alert: sampleAlert(index) },
      { kind: 'decision-added', decision: sampleDecision(2 * index + 1) },
    ]);
    writeSync(1, `${index}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map((offset) => write(Number(first) + offset)));
