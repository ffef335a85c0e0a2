/**
 * `Follower`: reads the store's change stream into the local index, and into the ledger that the Local API answers from. The
 * first snapshot is what a gateway waits for before it serves; afterwards the stream may break at any time: the index keeps
 * what it knows, the age of that is visible, and the stream is taken up again where it stopped.
 */
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { DecisionHistory } from '../index/decision-history.ts';
import type { DecisionIndex } from '../index/decision-index.ts';
import type { Decision } from '../decision.ts';
import type { DecisionLedger } from '../ledger/decision-ledger.ts';
import { seedEnded, seedLifted } from '../ledger/seed-ended.ts';
import { applyLocally } from './publish.ts';
import { createRecall } from './recall.ts';
import type { ChangeBatch, Store, StoreChange } from '../store/store.ts';

export interface FollowStatus {
  /** The stream is open and past its snapshot. */
  readonly live: boolean;
  /** Changes read since the start. */
  readonly changes: number;
  /** Times that the stream broke. */
  readonly interruptions: number;
  /** How old what the index knows may be: 0 while live and the store is well, null before the first snapshot. */
  readonly ageMs: number | null;
  readonly lastError: string | null;
}

export interface Follower {
  /** Resolves when the first snapshot is in the index. Never rejects; never resolves when closed before. */
  readonly ready: Promise<void>;
  status(): FollowStatus;
  /** Resolves when the stream has ended. Safe twice. */
  close(): Promise<void>;
}

export interface FollowOptions extends Runtime {
  readonly store: Pick<Store, 'changes' | 'health' | 'decisions'>;
  readonly index: DecisionIndex;
  readonly history: DecisionHistory;
  /** Knows what the store knows and nothing earlier: pending decisions have no number yet. */
  readonly ledger?: Pick<DecisionLedger, 'apply' | 'active' | 'seedEnded' | 'markStale' | 'dropStale'>;
  /** Decisions made here that the store has not got yet: a snapshot must not make the index forget them. */
  readonly pending?: () => readonly Decision[];
  /** Lifted values of which the rest is looked up one by one; of more a fresh snapshot tells. */
  readonly maxRecalled?: number;
  /** Called after every batch of a snapshot with the changes read so far. */
  readonly onProgress?: (changes: number) => void;
}

const firstRetryMs = 200;
const longestRetryMs = 30_000;
/** Changes applied before others get their turn: about two milliseconds. */
const slice = 500;
/**
 * From the making of a decision to the store: behind an import, or while the store is slow. Of younger ones than that a bouncer may
 * not have heard at its last question, whatever the time it was asked; to be told twice does it no harm.
 */
const longestWayMs = 60_000;
/** A bulk deletion that causes a fresh snapshot is given this time to end. */
const refreshDelayMs = 2_000;

export function followStore(options: FollowOptions): Follower {
  const { store, index, history, ledger, clock, random, log } = options;
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  let cursor: string | null = null;
  let seenSnapshot = false;
  let live = false;
  let liveUntil: number | null = null;
  let changes = 0;
  let interruptions = 0;
  /** Lives of the stream since the last that gave anything. */
  let attempt = 0;
  let lastError: string | null = null;
  /** Aborted when the stream shall begin with a snapshot. */
  let refresh = new AbortController();
  const recall = createRecall({
    ...options,
    ...(options.maxRecalled !== undefined && { maxWaiting: options.maxRecalled }),
    onOverflow: () => void clock.sleep(refreshDelayMs, stop.signal).then(() => refresh.abort()),
  });

  const apply = async (batch: ChangeBatch): Promise<void> => {
    let done = 0;
    for (const change of batch.changes) {
      // First, since what is lifted now must no longer be found there.
      if (ledger !== undefined) tellLedger(ledger, change);
      recall.told(() => applyLocally(change, index, history));
      changes++;
      if (++done % slice === 0) await setImmediate();
    }
  };

  /** Of what the first snapshot holds bouncers were told by an earlier process, when it had reached the store; all else is new to them. */
  const tellLedger = (told: NonNullable<typeof ledger>, change: StoreChange): void => {
    const now = clock.now();
    const isOld = !seenSnapshot && change.kind === 'decision-added';
    told.apply(change, now, isOld ? Math.min(change.decision.createdAt + longestWayMs, now) : now);
  };

  const startedAt = clock.now();
  const seed = async (told: NonNullable<typeof ledger>): Promise<void> => {
    try {
      if (seenSnapshot) await seedLifted(told, store, startedAt, clock.now(), stop.signal);
      else await seedEnded(told, store, stop.signal);
    } catch (thrown) {
      log.warn(
        { err: thrown },
        'what was lifted before this start is not known: bouncers keep it until its time is over',
      );
    }
  };

  const inSlices = async (steps: Iterable<void> = []): Promise<void> => {
    for (const _ of steps) await setImmediate();
  };

  /** One life of the stream. */
  const read = async (): Promise<void> => {
    if (refresh.signal.aborted) {
      refresh = new AbortController();
      cursor = null;
      recall.reset();
    }
    if (seenSnapshot) {
      await inSlices(index.markStale());
      await inSlices(ledger?.markStale());
    }
    // A snapshot that broke off halfway is no place to resume from.
    const resumes = seenSnapshot && cursor !== null;
    live = resumes;
    const over = AbortSignal.any([stop.signal, refresh.signal]);
    for await (const batch of store.changes(resumes ? cursor : null, over)) {
      await apply(batch);
      if (stop.signal.aborted) return;
      if (batch.snapshotEnd) await endSnapshot();
      else if (!live) options.onProgress?.(changes);
      if (!live) continue;
      cursor = batch.cursor;
      attempt = 0;
    }
  };

  const endSnapshot = async (): Promise<void> => {
    if (seenSnapshot) {
      // Added before and after: what is published while the slices run was never marked.
      for (const decision of options.pending?.() ?? []) index.add(decision);
      const before = index.size.total;
      await inSlices(index.dropStale());
      await inSlices(ledger?.dropStale());
      const lost = before - index.size.total;
      if (lost > 0)
        log.warn({ decisions: lost }, 'the store no longer has decisions that were in force: they are lifted');
    }
    options.onProgress?.(changes);
    log.info({ decisions: index.size.total, allowlist: index.size.allowlist }, 'decisions read from the store');
    const isFirst = !seenSnapshot;
    seenSnapshot = true;
    live = true;
    if (isFirst && ledger !== undefined) await seed(ledger);
    ready.resolve();
  };

  const run = async (): Promise<void> => {
    if (ledger !== undefined) await seed(ledger);
    while (!stop.signal.aborted) {
      try {
        await read();
        lastError = 'the change stream ended';
      } catch (thrown) {
        lastError = messageOf(thrown);
        log.debug({ err: thrown }, 'the change stream broke');
      }
      if (live) liveUntil = clock.now();
      live = false;
      if (stop.signal.aborted) return;
      if (refresh.signal.aborted) {
        log.info({}, 'many decisions were lifted: all that are in force are read again');
        continue;
      }
      interruptions++;
      const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt++, 16));
      log.warn(
        { reason: lastError, delayMs },
        'the change stream is interrupted; the last known decisions are enforced',
      );
      await clock.sleep(delayMs * (0.5 + random.fraction() / 2), stop.signal);
    }
  };

  const ageMs = (): number | null => {
    if (!seenSnapshot) return null;
    const health = store.health();
    if (live && health.ok) return 0;
    return clock.now() - (live ? (health.lastSuccessAt ?? clock.now()) : (liveUntil ?? clock.now()));
  };

  const ended = run();
  return {
    ready: ready.promise,
    status: () => ({ live, changes, interruptions, ageMs: ageMs(), lastError }),
    async close() {
      stop.abort();
      recall.close();
      await ended;
    },
  };
}
