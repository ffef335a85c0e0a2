/**
 * The way of a publisher's writes to the store: a bounded queue that is tried again until it works. A write that the store never
 * takes is looked for and left out, so that it does not hold up the others.
 */
import { type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Decision } from '../decision.ts';
import type { Store, StoreWrite } from '../store/store.ts';
import { createWriteBacklog } from './write-backlog.ts';

export interface StoreQueue {
  /** An import has room of its own. */
  push(writes: readonly StoreWrite[], isImport: boolean): void;
  /** Resolves when all that waits now is stored, rejects when the next attempt fails or something was just dropped. */
  settled(): Promise<void>;
  /** Resolves when there is room for more of an import, rejects as `settled`. */
  room(): Promise<void>;
  pendingDecisions(): readonly Decision[];
  /** See `WriteBacklog.oldestDecisionAt`. */
  oldestDecisionAt(): number | null;
  status(): StoreQueueStatus;
  /** Waits until it is empty, at most `graceMs`; what is left then is counted as dropped. Safe twice. */
  close(graceMs: number): Promise<void>;
}

export interface StoreQueueStatus {
  readonly queued: number;
  /** Writes that the store never got: the queue was full, it refused them, or they were left at the end. */
  readonly dropped: number;
  /** Attempts that failed since the last that worked. */
  readonly failures: number;
  readonly lastSuccessAt: number | null;
}

export interface StoreQueueOptions extends Runtime {
  readonly store: Pick<Store, 'apply'>;
  /**
   * Writes that wait at most, imports aside; a call that finds room is taken whole. Refusals may take half of it, so that a flood
   * cannot crowd decisions out.
   */
  readonly maxQueued?: number;
  /** Writes that the store gets at once. */
  readonly batch?: number;
  /**
   * The same of writes that may be repeated when only some of them were kept: a million decisions in batches of 500 would be
   * thousands of transactions. Of imports twice as many wait at most.
   */
  readonly bulk?: number;
}

const firstRetryMs = 100;
const longestRetryMs = 30_000;
const dropReportMs = 10_000;

/** With these the store as a whole is in trouble; any other error is about a write of the batch. */
const outages: ReadonlySet<ErrorCode> = new Set(['STORE_UNAVAILABLE', 'STORE_FULL', 'STORE_CORRUPT', 'STORE_CLOSED']);

interface Caller {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export function createStoreQueue(options: StoreQueueOptions): StoreQueue {
  const { store, clock, random, log, maxQueued = 20_000, batch = 500, bulk = 96_000 } = options;
  const stop = new AbortController();
  const backlog = createWriteBacklog();
  /** The pause after a failure. */
  let nap: AbortController | null = null;
  let dropped = 0;
  let failures = 0;
  let lastSuccessAt: number | null = null;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  /** Writes pushed and writes done with since the start: a caller waits for a number. */
  let pushed = 0;
  let done = 0;
  let lastPushRefused = false;
  let callers: Caller[] = [];
  let closing: Promise<void> | null = null;
  /** Not null while a write is looked for that the store does not take. */
  let narrowed: number | null = null;

  const drop = (writes: readonly StoreWrite[], reason: string, thrown?: unknown): void => {
    dropped += writes.length;
    if (clock.now() - reportedAt < dropReportMs) return;
    reportedAt = clock.now();
    log.error({ reason, kind: writes[0]?.kind, dropped, err: thrown }, 'writes do not reach the store');
  };

  const takeOut = (count: number): StoreWrite[] => {
    done += count;
    return backlog.take(count);
  };

  /** What there is room for. */
  const admitted = (writes: readonly StoreWrite[], isImport: boolean): readonly StoreWrite[] => {
    if (stop.signal.aborted || closing !== null) return [];
    if (isImport) return backlog.imported <= 2 * bulk ? writes : [];
    if (backlog.size - backlog.imported >= maxQueued) return [];
    let room = Math.ceil(maxQueued / 2) - backlog.refusals;
    return writes.filter(({ kind }) => kind !== 'refusal' || room-- > 0);
  };

  const refuseCallers = (reason: unknown): void => {
    const all = callers;
    callers = [];
    for (const { reject } of all) reject(reason);
  };

  const failed = async (thrown: unknown, count: number): Promise<void> => {
    failures++;
    refuseCallers(thrown);
    const isOutage = thrown instanceof GatewayError && outages.has(thrown.code);
    if (!isOutage && count === 1) {
      narrowed = null;
      return drop(takeOut(1), 'the store refuses it', thrown);
    }
    if (!isOutage) narrowed = Math.ceil(count / 2);
    if (failures === 1 || failures % 20 === 0) {
      const code = thrown instanceof GatewayError ? thrown.code : undefined;
      log.warn({ code, err: thrown, failures, queued: backlog.size }, 'the store does not take writes; they wait');
    }
    // An error that says what is wrong with a write is no trouble of the store, so the search for the write need not wait.
    const isAboutWrite = thrown instanceof GatewayError && !isOutage;
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (isAboutWrite ? 0 : Math.min(failures - 1, 16)));
    nap = new AbortController();
    await clock.sleep(delayMs * (0.5 + random.fraction() / 2), AbortSignal.any([stop.signal, nap.signal]));
    nap = null;
  };

  const drain = async (): Promise<void> => {
    while (backlog.size > 0 && !stop.signal.aborted) {
      const writes = backlog.first(narrowed ?? Math.max(batch, backlog.repeatable(bulk)));
      try {
        await store.apply(writes);
      } catch (thrown) {
        await failed(thrown, writes.length);
        continue;
      }
      if (stop.signal.aborted) return;
      takeOut(writes.length);
      for (const { upTo, resolve } of callers) if (upTo <= done) resolve();
      callers = callers.filter(({ upTo }) => upTo > done);
      narrowed = null;
      lastSuccessAt = clock.now();
      if (failures > 0) log.info({ queued: backlog.size }, 'the store takes writes again');
      failures = 0;
    }
  };

  /** Starts after the caller's turn, so that what one request writes is one batch. */
  const start = (): void => {
    running ??= Promise.resolve()
      .then(drain)
      .finally(() => {
        running = null;
        if (backlog.size > 0 && !stop.signal.aborted) start();
      });
  };

  const idle = async (): Promise<void> => {
    const current = running;
    if (current === null) return;
    await current;
    await idle();
  };

  const reached = async (upTo: number): Promise<void> => {
    if (lastPushRefused) throw lost('too many writes wait for it');
    if (done >= upTo) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    callers.push({ upTo, resolve, reject });
    // Somebody waits for the answer: no pause after a failure is worth more than that.
    nap?.abort();
    await promise;
  };

  return {
    push(writes, isImport) {
      const taken = admitted(writes, isImport);
      backlog.push(taken, isImport);
      pushed += taken.length;
      lastPushRefused = taken.length < writes.length;
      const reason = closing === null ? 'the queue is full' : 'the gateway is closing';
      if (lastPushRefused) drop(taken.length === 0 ? writes : writes.slice(taken.length), reason);
      if (backlog.size > 0) start();
    },
    settled: () => reached(pushed),
    room: () => reached(pushed - (backlog.size - backlog.imported) - 2 * bulk),
    pendingDecisions: () => backlog.decisions(),
    oldestDecisionAt: () => backlog.oldestDecisionAt(),
    status: () => ({ queued: backlog.size, dropped, failures, lastSuccessAt }),
    close(graceMs) {
      closing ??= (async () => {
        const timer = clock.after(graceMs, () => stop.abort());
        const aborted = new Promise<void>((resolve) => {
          stop.signal.addEventListener('abort', () => resolve(), { once: true });
        });
        await Promise.race([idle(), aborted]);
        timer.cancel();
        stop.abort();
        refuseCallers(lost('the gateway is closing'));
        if (backlog.size > 0) drop(takeOut(backlog.size), 'the gateway closed before the store took them');
      })();
      return closing;
    },
  };
}

function lost(why: string): GatewayError {
  return new GatewayError('STORE_UNAVAILABLE', `the store did not get this: ${why}`, {
    remedy: 'It is in force until the gateway stops; repeat it when the store answers again.',
  });
}
