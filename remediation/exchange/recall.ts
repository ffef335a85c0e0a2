/**
 * `Recall`: gives back to the decision index what it had folded away. Of several decisions about one value that have all
 * else in common the index keeps the one that lasts longest; when that one is lifted the others are still in force.
 *
 * With a ledger they are restored at once, in the same turn. Without one the store is asked, a value at a time: until it
 * has answered, some milliseconds while it is well, the value is free. What was added here and did not come back on the change
 * stream yet is restored a moment later in both cases.
 *
 * The store and the ledger learn of a local change only after the index: what was lifted or added here counts until the
 * stream tells otherwise.
 */
import { setImmediate } from 'node:timers/promises';
import { addressBits, formatRange, parseRange } from '../../core/ip.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { DecisionIndex, IndexWatcher } from '../index/decision-index.ts';
import type { Decision } from '../decision.ts';
import type { DecisionLedger } from '../ledger/decision-ledger.ts';
import { RecentMap } from '../../core/recent-map.ts';
import type { Store } from '../store/store.ts';

export interface Recall {
  /** Runs what puts a change of the stream into the index, so that it does not count as made here. */
  told(apply: () => void): void;
  /** Before a fresh snapshot is read: it brings all that was to be looked up. */
  reset(): void;
  /** An answer of the store that comes later is not used: nobody waits for one that hangs. Safe twice. */
  close(): void;
}

export interface RecallOptions extends Runtime {
  readonly index: Pick<DecisionIndex, 'restore' | 'watch'>;
  readonly store: Pick<Store, 'decisions'>;
  readonly ledger?: Pick<DecisionLedger, 'active'>;
  /** There are more values to look up than a fresh snapshot costs. Called once until `reset`. */
  readonly onOverflow: () => void;
  /** Values that wait at most. */
  readonly maxWaiting?: number;
}

/** Changes made here that are remembered: more than the publisher lets wait. */
const maxRemembered = 50_000;
/** Changes during one round of look-ups; with more its answers are not used. */
const maxTouched = 100_000;
const pageRows = 1_000;
/** No value has more decisions that matter: of ten thousand about one value the last written are looked at. */
const maxPages = 10;
const firstRetryMs = 200;
const longestRetryMs = 30_000;
/** Decisions restored before others get their turn. */
const slice = 500;
const valuesPerRound = 100;

export function createRecall(options: RecallOptions): Recall {
  const { index, ledger, store, clock, random, log, onOverflow, maxWaiting = 10_000 } = options;
  const stop = new AbortController();
  /** Values to look up, spelled as decisions spell them. */
  const waiting = new Set<string>();
  /** Uuids that were lifted and not added since. Oldest first. */
  const lifted = new RecentMap<string, true>(maxRemembered);
  /** What was added here, by uuid, until the stream tells of the same uuid. Oldest first. */
  const unheard = new RecentMap<string, Decision>(maxRemembered);
  let isTold = false;
  /** Uuids of which more is known than the look-up that is under way can tell. */
  let touched: Set<string> | null = null;
  let isOverfull = false;
  let running: Promise<void> | null = null;

  const touch = (uuid: string): void => {
    if (touched !== null && touched.size < maxTouched) touched.add(uuid);
  };

  const restore = (decision: Decision): void => {
    if (!lifted.has(decision.uuid) && !unheard.has(decision.uuid)) index.restore(decision);
  };

  const restoreFromLedger = (values: readonly string[]): void => {
    const now = clock.now();
    for (const value of values) for (const entry of ledger?.active({ value }, now) ?? []) restore(entry);
  };

  /** What was added here and the store may not have. */
  const restoreOwn = async (about: (decision: Decision) => boolean): Promise<void> => {
    let done = 0;
    for (const decision of unheard.values()) {
      if (++done % slice === 0) await setImmediate();
      if (about(decision)) index.restore(decision);
    }
  };

  const storedAbout = async (value: string): Promise<Decision[]> => {
    const found: Decision[] = [];
    let after: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      const rows = await store.decisions({ value, limit: pageRows, ...(after !== undefined && { after }) });
      found.push(...rows.map(({ decision }) => decision));
      after = rows.at(-1)?.cursor;
      if (rows.length < pageRows) break;
    }
    return found;
  };

  const restoreStored = async (value: string): Promise<void> => {
    const found = await storedAbout(value);
    if (stop.signal.aborted) return;
    if (touched === null || touched.size >= maxTouched) waiting.add(value);
    else for (const decision of found) if (!touched.has(decision.uuid)) restore(decision);
  };

  /** Values that come while it runs are for the next round: what is told of them now is newer than its answers. */
  const round = async (): Promise<void> => {
    const values = new Set([...waiting].slice(0, valuesPerRound));
    for (const value of values) waiting.delete(value);
    touched = new Set();
    try {
      await restoreOwn((decision) => spellings(decision).some((value) => values.has(value)));
      for (const value of values) {
        if (stop.signal.aborted || isOverfull) return;
        await restoreStored(value);
        values.delete(value);
      }
    } catch (thrown) {
      for (const value of values) waiting.add(value);
      throw thrown;
    } finally {
      touched = null;
    }
  };

  const lookUp = async (): Promise<void> => {
    for (let failures = 0; waiting.size > 0 && !stop.signal.aborted; ) {
      await setImmediate();
      try {
        await round();
        failures = 0;
      } catch (thrown) {
        if (stop.signal.aborted) return;
        if (failures === 0) log.warn({ err: thrown }, 'what else is in force about lifted values is not known yet');
        const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures++, 16));
        await clock.sleep(delayMs * (0.5 + random.fraction() / 2), stop.signal);
      }
    }
  };

  /** The ledger knows all else. */
  const lookUpOwn = async (): Promise<void> => {
    while (waiting.size > 0 && !stop.signal.aborted) {
      await setImmediate();
      const values = new Set(waiting);
      waiting.clear();
      const isAll = values.size >= maxWaiting;
      await restoreOwn((decision) => isAll || spellings(decision).some((value) => values.has(value)));
    }
  };

  const start = (): void => {
    if (running !== null || stop.signal.aborted) return;
    running = (ledger === undefined ? lookUp() : lookUpOwn()).finally(() => {
      running = null;
      if (waiting.size > 0) start();
    });
  };

  const overflow = (): void => {
    isOverfull = true;
    waiting.clear();
    onOverflow();
  };

  const watcher: IndexWatcher = {
    added(decision) {
      const { uuid } = decision;
      touch(uuid);
      if (lifted.size > 0) lifted.delete(uuid);
      if (!isTold) unheard.set(uuid, decision);
      else if (unheard.size > 0) unheard.delete(uuid);
    },
    removed({ uuid }) {
      touch(uuid);
      unheard.delete(uuid);
      lifted.set(uuid, true);
    },
    uncovered(decision) {
      const values = spellings(decision);
      restoreFromLedger(values);
      if (isOverfull) return;
      const hasRoom = waiting.size < maxWaiting;
      if (hasRoom) for (const value of values) waiting.add(value);
      else if (ledger === undefined) return overflow();
      start();
    },
  };
  index.watch(watcher);

  return {
    told(apply) {
      isTold = true;
      try {
        apply();
      } finally {
        isTold = false;
      }
    },
    reset() {
      isOverfull = false;
      waiting.clear();
    },
    close() {
      stop.abort();
      index.watch(null);
    },
  };
}

/** How decisions that share its place in the index may spell its value: as it does, as an address, or as a range. */
function spellings({ value }: Decision): string[] {
  const range = parseRange(value);
  if (range === null) return [value];
  const isSingle = range.prefix === addressBits(range.address);
  return [...new Set([value, formatRange(range), ...(isSingle ? [range.address.text] : [])])];
}
