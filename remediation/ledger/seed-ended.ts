/**
 * What ended while no process of this gateway ran, read from the store into the ledger: bouncers that ask for changes after a
 * restart are told what was lifted meanwhile. The first snapshot has live decisions only, so this is read before it, and what
 * was lifted in between after it.
 */
import type { Store, StoredDecision } from '../store/store.ts';
import type { DecisionLedger } from './decision-ledger.ts';

/** Last written first, so that these are nearly always the last that ended. */
const maxSeeded = 20_000;
const pageSize = 2_000;
/** How far the clocks of gateways on one store may be apart. */
const skewMs = 10_000;

export async function seedEnded(
  ledger: Pick<DecisionLedger, 'seedEnded'>,
  store: Pick<Store, 'decisions'>,
  signal: AbortSignal,
): Promise<void> {
  const ended: StoredDecision[] = [];
  for await (const page of endedPages(store, signal)) ended.push(...page);
  ledger.seedEnded(ended);
}

/** After the snapshot: what was lifted since `seededAt`. */
export async function seedLifted(
  ledger: Pick<DecisionLedger, 'apply'>,
  store: Pick<Store, 'decisions'>,
  seededAt: number,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const page of endedPages(store, signal)) {
    let isPast = true;
    for (const { id, decision, deletedAt } of page) {
      if (deletedAt === null || deletedAt < seededAt - skewMs) continue;
      isPast = false;
      ledger.apply({ kind: 'decision-deleted', decision, id, deletedAt }, now);
    }
    if (isPast) return;
  }
}

async function* endedPages(
  store: Pick<Store, 'decisions'>,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredDecision[], void> {
  let after: string | undefined;
  for (let read = 0; read < maxSeeded && !signal.aborted; read += pageSize) {
    const page = await store.decisions({ onlyInactive: true, limit: pageSize, ...(after !== undefined && { after }) });
    yield page;
    after = page.at(-1)?.cursor;
    if (page.length < pageSize || after === undefined) return;
  }
}
