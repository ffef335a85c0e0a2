/**
 * `Publisher`: how a decision takes effect. The local index hears of it first and at once, so that the very next request
 * is refused; then the store, through a bounded queue that is tried again until it works; then whoever listens. Nothing
 * here makes the caller wait, and a store that is away costs no enforcement.
 */
import { setImmediate } from 'node:timers/promises';
import type { Alert } from '../../detectors/alert.ts';
import type { DecisionHistory } from '../index/decision-history.ts';
import type { DecisionIndex } from '../index/decision-index.ts';
import type { Decision } from '../decision.ts';
import { createStoreQueue, type StoreQueueOptions, type StoreQueueStatus } from './store-queue.ts';
import type { AllowlistEntry, StoreWrite } from '../store/store.ts';

/** An alert and what follows from it. */
export interface Publication {
  readonly alert: Alert;
  readonly decisions: readonly Decision[];
  readonly matched: readonly { readonly profile: string; readonly notifications: readonly string[] }[];
}

export interface Publisher {
  publish(publication: Publication): void;
  /** Any other writes, refusals for instance: applied to the index where it is concerned, then queued for the store. */
  write(writes: readonly StoreWrite[]): void;
  /**
   * As `write`, and resolves when the store has them. Rejects with the store's error at the first attempt that fails; the
   * writes are in force here and stay in the queue all the same, unless it is full. An import of any length goes in slices,
   * each in force when it is its turn, as fast as the store takes them. It ends where the store fails and nothing more fits into
   * the queue.
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
  /** When the first of them was made, imports aside: epoch milliseconds, null when there is none. */
  oldestPendingAt(): number | null;
  status(): StoreQueueStatus;
  /** Waits until the queue is empty, at most `graceMs`; what is left then is counted as dropped. Safe twice. */
  close(graceMs?: number): Promise<void>;
}

export interface PublisherOptions extends StoreQueueOptions {
  readonly index: DecisionIndex;
  readonly history: DecisionHistory;
}

/** Writes of an import that are put into force before others get their turn: about two milliseconds. */
const slice = 500;
/** Decisions of one alert that get a line each. */
const mostLogged = 50;
export function createPublisher(options: PublisherOptions): Publisher {
  const { index, history, log } = options;
  const listeners = new Set<(publication: Publication) => void>();
  const queue = createStoreQueue(options);

  const write = (writes: readonly StoreWrite[], isImport = false): void => {
    for (const each of writes) applyLocally(each, index, history);
    queue.push(writes, isImport);
  };
  const commit = async (writes: readonly StoreWrite[]): Promise<void> => {
    if (writes.length <= slice) write(writes);
    else {
      for (let at = 0; at < writes.length; at += slice) {
        write(writes.slice(at, at + slice), true);
        await queue.room();
        await setImmediate();
      }
    }
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
    write: (writes) => write(writes),
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
    oldestPendingAt: () => queue.oldestDecisionAt(),
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
