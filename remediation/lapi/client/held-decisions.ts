/**
 * What the store still holds of the Local APIs that are mirrored, read once at start: a gateway that was restarted then
 * writes only what changed meanwhile, and lifts what is gone.
 */
import { setImmediate } from 'node:timers/promises';
import type { Runtime } from '../../../core/runtime.ts';
import { mirroredPrefix } from '../../decision.ts';
import type { Store } from '../../store/store.ts';
import { MirrorTable } from './mirror-table.ts';

export interface HeldOptions extends Runtime {
  readonly store: Pick<Store, 'changes'>;
  readonly names: readonly string[];
  readonly newTable: () => MirrorTable;
  readonly signal: AbortSignal;
}

const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
const slice = 1_000;

/** By name of the Local API, each with a table. Waits for a store that is away; rejects never, and ends early when aborted. */
export async function readHeld(options: HeldOptions): Promise<ReadonlyMap<string, MirrorTable>> {
  const { clock, random, log, signal } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await readSnapshot(options);
    } catch (thrown) {
      if (signal.aborted) return new Map();
      log.warn({ err: thrown }, 'the mirrored decisions cannot be read from the store; it is tried again');
      const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt, 16));
      await clock.sleep(delayMs * (0.5 + random.fraction() / 2), signal);
    }
  }
}

async function readSnapshot({ store, names, newTable, signal, log }: HeldOptions): Promise<Map<string, MirrorTable>> {
  const tables = new Map(names.map((name) => [name, newTable()]));
  const ended = new AbortController();
  const unclaimed = new Map<string, number>();
  let done = 0;
  for await (const batch of store.changes(null, AbortSignal.any([signal, ended.signal]))) {
    for (const change of batch.changes) {
      if (++done % slice === 0) await setImmediate();
      if (change.kind !== 'decision-added' || !change.decision.uuid.startsWith(mirroredPrefix)) continue;
      const name = change.decision.uuid.slice(mirroredPrefix.length).split('/', 1)[0] ?? '';
      const table = tables.get(name);
      if (table === undefined) unclaimed.set(name, (unclaimed.get(name) ?? 0) + 1);
      else table.put(change.decision, change.decision.createdAt);
    }
    if (batch.snapshotEnd) break;
  }
  ended.abort();
  // Another gateway on the same store may follow them, so that lifting them here would be wrong.
  for (const [lapi, decisions] of [...unclaimed].slice(0, 16)) {
    log.warn({ lapi, decisions }, 'decisions of a Local API that is not followed here stay in force until they end');
  }
  return tables;
}
