/**
 * `Publisher`: how a decision takes effect. The local index hears of it first and at once, so that the very next request
 * is refused; then the store, through a bounded queue that is tried again until it works; then whoever listens. Nothing
 * here makes the caller wait, and a store that is away costs no enforcement.
 */
import { setImmediate } from 'node:timers/promises';
import { GatewayError, type ErrorCode } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Alert } from '../detectors/alert.ts';
import type { DecisionHistory } from './decision-history.ts';
import type { DecisionIndex } from './decision-index.ts';
import type { Decision } from './decision.ts';
import type { AllowlistEntry, Store, StoreWrite } from './store/store.ts';

/** An alert and what follows from it. */
export interface Publication {
  readonly alert: Alert;
  readonly decisions: readonly Decision[];
  readonly matched: readonly { readonly profile: string; readonly notifications: readonly string[] }[];
}

export interface PublisherStatus {
  readonly queued: number;
  /** Writes that the store never got: the queue was full, it refused them, or they were left at the end. */
  readonly dropped: number;
  /** Attempts that failed since the last that worked. */
  readonly failures: number;
  readonly lastSuccessAt: number | null;
}

export interface Publisher {
  publish(publication: Publication): void;
  /** Any other writes, refusals for instance: applied to the index where it is concerned, then queued for the store. */
  write(writes: readonly StoreWrite[]): void;
  /**
   * As `write`, and resolves when the store has them. Rejects with the store's error at the first attempt that fails; the
   * writes are in force here and stay in the queue all the same, unless it is full. An import of any length goes in slices,
   * each in force when it is its turn, as fast as the store takes them; after a slice that failed there are no more.
   */
  commit(writes: readonly StoreWrite[]): Promise<void>;
  /** `commit` of decisions and allowlist entries that people make. */
  add(decisions: readonly Decision[]): Promise<void>;
  remove(decisions: readonly Decision[]): Promise<void>;
  allow(entry: AllowlistEntry): Promise<void>;
  disallow(list: string, value: string): Promise<void>;
  /** Called after index and queue, in turn; what a listener throws is logged. Returns its end. */
  listen(listener: (publication: Publication) => void): () => void;
  /** Decisions that the store has not got yet. */
  pendingDecisions(): readonly Decision[];
  status(): PublisherStatus;
  /** Waits until the queue is empty, at most `graceMs`; what is left then is counted as dropped. Safe twice. */
  close(graceMs?: number): Promise<void>;
}

export interface PublisherOptions extends Runtime {
  readonly index: DecisionIndex;
  readonly history: DecisionHistory;
  readonly store: Pick<Store, 'apply'>;
  /**
   * Writes that wait at most; a call that finds room is taken whole. Refusals may take half of it, so that a flood cannot crowd
   * decisions out.
   */
  readonly maxQueued?: number;
  /** Writes that the store gets at once. */
  readonly batch?: number;
  /** The same of writes that may be repeated when only some of them were kept. */
  readonly bulk?: number;
}

/** Writes of an import that are put into force before others get their turn: about two milliseconds. */
const slice = 1_000;
/** Decisions of one alert that get a line each. */
const mostLogged = 50;
const firstRetryMs = 100;
const longestRetryMs = 30_000;
const dropReportMs = 10_000;

/** With these the store as a whole is in trouble; any other error is about a write of the batch. */
const outages: ReadonlySet<ErrorCode> = new Set(['STORE_UNAVAILABLE', 'STORE_FULL', 'STORE_CORRUPT', 'STORE_CLOSED']);

export function createPublisher(options: PublisherOptions): Publisher {
  const { index, history, log } = options;
  const listeners = new Set<(publication: Publication) => void>();
  const queue = createStoreQueue(options);

  const write = (writes: readonly StoreWrite[]): void => {
    for (const each of writes) applyLocally(each, index, history);
    queue.push(writes);
  };
  const commit = async (writes: readonly StoreWrite[]): Promise<void> => {
    for (let at = 0; at + slice < writes.length; at += slice) {
      write(writes.slice(at, at + slice));
      await queue.room();
      await setImmediate();
    }
    write(writes.slice(Math.max(0, Math.ceil(writes.length / slice) - 1) * slice));
    await queue.settled();
  };

  return {
    publish(publication) {
      const { alert, decisions } = publication;
      write([
        { kind: 'alert', alert },
        ...decisions.map((decision) => ({ kind: 'decision-added' as const, decision })),
      ]);
      for (const { uuid, scenario, scope, value, type, until, simulated } of decisions.slice(0, mostLogged)) {
        log.info(
          { decisionId: uuid, alertId: alert.uuid, scenario, scope, value, type, until, simulated },
          'decision made',
        );
      }
      if (decisions.length > mostLogged) {
        log.info({ alertId: alert.uuid, decisions: decisions.length }, 'further decisions of the same alert made');
      }
      for (const listener of listeners) {
        try {
          listener(publication);
        } catch (thrown) {
          log.error({ err: thrown, alertId: alert.uuid }, 'a listener to decisions failed');
        }
      }
    },
    write,
    commit,
    add: (decisions) => commit(decisions.map((decision) => ({ kind: 'decision-added', decision }))),
    remove: (decisions) => commit(decisions.map((decision) => ({ kind: 'decision-deleted', decision }))),
    allow: (entry) => commit([{ kind: 'allowlist-added', entry }]),
    disallow: (list, value) => commit([{ kind: 'allowlist-deleted', list, value }]),
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    pendingDecisions: () => queue.pendingDecisions(),
    status: () => queue.status(),
    close: (graceMs = 5_000) => queue.close(graceMs),
  };
}

/** What a write means to the local index and history. The change stream goes through here too. */
export function applyLocally(write: StoreWrite, index: DecisionIndex, history: DecisionHistory): void {
  switch (write.kind) {
    case 'decision-added':
      index.add(write.decision);
      history.record(write.decision);
      return;
    case 'decision-deleted':
      index.remove(write.decision);
      history.lift(write.decision);
      return;
    case 'allowlist-added':
      index.allow(write.entry);
      return;
    case 'allowlist-deleted':
      index.disallow(write.list, write.value);
      return;
    case 'allowlist-removed':
      index.disallowList(write.name);
      return;
    case 'allowlist-created':
    case 'alert':
    case 'alert-deleted':
    case 'refusal':
    case 'bouncer-added':
    case 'bouncer-deleted':
    case 'bouncer-seen':
    case 'machine-added':
    case 'machine-deleted':
    case 'machine-seen':
    case 'usage-reported':
      return;
    default:
      write satisfies never;
  }
}

interface StoreQueue {
  push(writes: readonly StoreWrite[]): void;
  /** Resolves when all that waits now is stored, rejects when the next attempt fails or something was just dropped. */
  settled(): Promise<void>;
  /** Resolves when half of the queue is free, rejects as `settled`. */
  room(): Promise<void>;
  pendingDecisions(): readonly Decision[];
  status(): PublisherStatus;
  close(graceMs: number): Promise<void>;
}

function createStoreQueue(options: PublisherOptions): StoreQueue {
  const { store, clock, random, log, maxQueued = 40_000, batch = 500, bulk = 20_000 } = options;
  const stop = new AbortController();
  let nap = new AbortController();
  let waiting: StoreWrite[] = [];
  let refusals = 0;
  let dropped = 0;
  let failures = 0;
  let lastSuccessAt: number | null = null;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  /** Writes pushed and writes done with since the start: a caller waits for a number. */
  let pushed = 0;
  let done = 0;
  let lastPushRefused = false;
  let callers: { readonly upTo: number; readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] =
    [];
  let closing: Promise<void> | null = null;
  /** Not null while a write is looked for that the store does not take. */
  let size: number | null = null;

  const drop = (writes: readonly StoreWrite[], reason: string, thrown?: unknown): void => {
    dropped += writes.length;
    if (clock.now() - reportedAt < dropReportMs) return;
    reportedAt = clock.now();
    log.error({ reason, kind: writes[0]?.kind, dropped, err: thrown }, 'writes do not reach the store');
  };

  const admit = (write: StoreWrite, hasRoom: boolean): boolean => {
    if (!hasRoom) return false;
    if (write.kind !== 'refusal') return true;
    if (refusals >= maxQueued / 2) return false;
    refusals++;
    return true;
  };

  const takeOut = (count: number): StoreWrite[] => {
    const out = waiting.slice(0, count);
    waiting = waiting.slice(count);
    done += count;
    for (const { kind } of out) if (kind === 'refusal') refusals--;
    return out;
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
      size = null;
      return drop(takeOut(1), 'the store refuses it', thrown);
    }
    if (!isOutage) size = Math.ceil(count / 2);
    if (failures === 1 || failures % 20 === 0) {
      const code = thrown instanceof GatewayError ? thrown.code : undefined;
      log.warn({ code, err: thrown, failures, queued: waiting.length }, 'the store does not take writes; they wait');
    }
    const isNarrowed = thrown instanceof GatewayError && !isOutage;
    const delayMs = isNarrowed
      ? firstRetryMs
      : Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 16));
    nap = new AbortController();
    await clock.sleep(delayMs * (0.5 + random.fraction() / 2), AbortSignal.any([stop.signal, nap.signal]));
  };

  /** A million decisions in batches of 500 would be thousands of transactions. */
  const nextCount = (): number => {
    const most = Math.min(bulk, waiting.length);
    let count = 0;
    while (count < most && isRepeatable(waiting[count] as StoreWrite)) count++;
    return Math.max(count, batch);
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0 && !stop.signal.aborted) {
      const writes = waiting.slice(0, size ?? nextCount());
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
      size = null;
      lastSuccessAt = clock.now();
      if (failures > 0) log.info({ queued: waiting.length }, 'the store takes writes again');
      failures = 0;
    }
  };

  /** Starts after the caller's turn, so that what one request writes is one batch. */
  const start = (): void => {
    running ??= Promise.resolve()
      .then(drain)
      .finally(() => {
        running = null;
        if (waiting.length > 0 && !stop.signal.aborted) start();
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
    nap.abort();
    await promise;
  };

  return {
    push(writes) {
      const hasRoom = !stop.signal.aborted && closing === null && waiting.length < maxQueued;
      const refused = writes.filter((write) => {
        const admitted = admit(write, hasRoom);
        if (admitted) waiting.push(write);
        return !admitted;
      });
      pushed += writes.length - refused.length;
      lastPushRefused = refused.length > 0;
      if (refused.length > 0) drop(refused, closing === null ? 'the queue is full' : 'the gateway is closing');
      if (waiting.length > 0) start();
    },
    settled: () => reached(pushed),
    room: () => reached(pushed - Math.floor(maxQueued / 2)),
    pendingDecisions: () => waiting.flatMap((write) => (write.kind === 'decision-added' ? [write.decision] : [])),
    status: () => ({ queued: waiting.length, dropped, failures, lastSuccessAt }),
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
        if (waiting.length > 0) drop(takeOut(waiting.length), 'the gateway closed before the store took them');
      })();
      return closing;
    },
  };
}

/** Whether writing it twice leaves the same as writing it once. */
function isRepeatable({ kind }: StoreWrite): boolean {
  return kind !== 'refusal' && kind !== 'usage-reported';
}

function lost(why: string): GatewayError {
  return new GatewayError('STORE_UNAVAILABLE', `the store did not get this: ${why}`, {
    remedy: 'It is in force until the gateway stops; repeat it when the store answers again.',
  });
}
