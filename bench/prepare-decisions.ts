/** A store as a gateway leaves it that has pulled large blocklists. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createLog } from '../core/log.ts';
import { createSystemRandom } from '../core/random.ts';
import { systemClock } from '../core/clock.ts';
import type { Runtime } from '../core/runtime.ts';
import { createEmbeddedStore } from '../remediation/store/embedded.ts';
import { storeOptions } from '../remediation/store/options.ts';
import type { StoreWrite } from '../remediation/store/store.ts';
import { bannedAddress } from './proxy-traffic.ts';

const batchLength = 20_000;
const lifetimeMs = 7 * 86_400_000;

/** The store's file in a data folder: what `store.file` must say. */
export function storeFile(dataDir: string): string {
  return join(dataDir, 'store.db');
}

/** Puts `count` bans of single addresses into the embedded store of `dataDir`, in about 10 s per million. */
export async function prepareDecisions(dataDir: string, count: number): Promise<void> {
  const runtime: Runtime = { clock: systemClock, random: createSystemRandom(), log: createLog('warn') };
  const store = await createEmbeddedStore(storeOptions.parse({ file: storeFile(dataDir) }), runtime);
  try {
    for (let start = 0; start < count; start += batchLength) {
      const length = Math.min(batchLength, count - start);
      await store.apply(Array.from({ length }, (_, index) => ban(start + index, runtime.clock.now())));
    }
  } finally {
    await store.close();
  }
}

function ban(index: number, now: number): StoreWrite {
  return {
    kind: 'decision-added',
    decision: {
      uuid: randomUUID(),
      origin: 'lists',
      scenario: 'bench-blocklist',
      scope: 'Ip',
      value: bannedAddress(index),
      type: 'ban',
      until: now + lifetimeMs,
      createdAt: now,
      simulated: false,
      alertUuid: null,
    },
  };
}
