/**
 * `DecisionLedger`: every decision, live and recently ended, in local memory: what the questions of CrowdSec's Local API are
 * answered from. Fed by the change stream of the store alone (`follow.ts`), so it knows a decision once the store has it and gave it
 * its number; what is enforced is the decision index's business.
 *
 * About 66 bytes are taken by a decision about an IPv4 address, whatever it says, as long as others say the same.
 */
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { StoreChange, StoredDecision } from '../store/store.ts';
import { streamDecisions, type StreamQuestion } from './decision-stream.ts';
import type { LedgerFilter } from './ledger-filter.ts';
import { noRow } from './ledger-rows.ts';
import { LedgerTables } from './ledger-tables.ts';
import { activeRows, liveAnswer } from './live-decisions.ts';

export type { LedgerFilter } from './ledger-filter.ts';
export type { StreamQuestion } from './decision-stream.ts';

export interface LedgerEntry {
  readonly id: number;
  readonly uuid: string;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: string;
  readonly type: string;
  /** As it was written. */
  readonly value: string;
  /** Epoch milliseconds; of a deleted one the time of deletion. */
  readonly until: number;
  /** Epoch milliseconds, to the second. */
  readonly createdAt: number;
  readonly simulated: boolean;
  readonly alertUuid: string | null;
}

export interface DecisionCount {
  readonly origin: string;
  readonly scenario: string;
  readonly type: string;
  readonly count: number;
}

export interface DecisionLedger {
  /**
   * `now` is when it is heard of. Bouncers are told of it as of `arrivedAt`, `now` unless given: the first snapshot after a
   * start has what they were told before.
   */
  apply(change: StoreChange, now: number, arrivedAt?: number): void;
  /** Before the first snapshot: what ended while nobody listened, in any order; only the last `maxEnded` are kept. */
  seedEnded(ended: readonly StoredDecision[]): void;
  /**
   * Resolves when a change of the decision has been applied, with false when `timeoutMs` passed first. Call it before the write is
   * handed to the store: then whoever is answered afterwards finds the decision here. Of several written in one go the last will do.
   */
  heardOf(uuid: string, timeoutMs: number): Promise<boolean>;
  /** What is in force. By network or value without looking at anything else. The iteration outlasts changes. */
  active(filter: LedgerFilter, now: number): Iterable<LedgerEntry>;
  /** The body of `GET /v1/decisions`, in pieces; empty ones where nothing fitted for a while. Let others run in between. */
  live(filter: LedgerFilter, now: number): Generator<Uint8Array, void>;
  /** The body of `GET /v1/decisions/stream`, in the same way. */
  stream(question: StreamQuestion): Generator<Uint8Array, void>;
  /** Whether a decision that follows from this alert is in force. */
  hasActive(alertUuid: string, now: number): boolean;
  /** How many are in force, simulated ones left out. */
  countsBy(now: number): Iterable<DecisionCount>;
  /** As the index has them: around a fresh snapshot of a stream that broke. What the snapshot lacks counts as deleted now. */
  markStale(): Iterable<void>;
  dropStale(): Iterable<void>;
  /** Takes notice of what has expired, at most `budget` of it and never more than 500. Questions do so themselves; this spreads the work. */
  sweep(now: number, budget: number): number;
  readonly size: { readonly live: number; readonly ended: number };
  /** Bytes of typed arrays. */
  memoryBytes(): number;
}

export interface DecisionLedgerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Ended decisions that are remembered for bouncers that ask seldom. */
  readonly maxEnded?: number;
  /**
   * Deltas begin this long before the last question. Gateways that share a store and serve the same bouncers in turn hear of a
   * decision at slightly different times; to be told twice does a bouncer no harm. Default 0.
   */
  readonly overlapMs?: number;
}

const defaultMaxEnded = 100_000;
/** Expired decisions that one synchronous question takes notice of first; the sweep sees to more. */
const expiriesPerQuestion = 250;
/** Of one sweep, whatever its budget: two milliseconds. */
const expiriesPerSweep = 500;
const maxWaiting = 10_000;

export function createDecisionLedger(options: DecisionLedgerOptions): DecisionLedger {
  const { clock, random, log, maxEnded = defaultMaxEnded, overlapMs = 0 } = options;
  const tables = new LedgerTables(random, maxEnded);
  const waiting = new Map<string, Set<() => void>>();
  let isTooManyTold = false;

  const heard = (uuid: string): void => {
    for (const resolve of waiting.get(uuid) ?? []) resolve();
  };

  const tooMany = (): void => {
    if (!isTooManyTold) log.error({}, 'too many different kinds of decisions: bouncers are not told of further ones');
    isTooManyTold = true;
  };

  return {
    apply(change, now, arrivedAt = now) {
      if (change.kind !== 'decision-added' && change.kind !== 'decision-deleted') return;
      const { decision, id } = change;
      const isKept =
        change.kind === 'decision-added'
          ? tables.add(decision, id, arrivedAt, now)
          : tables.delete(decision, id, change.deletedAt, now);
      if (!isKept) tooMany();
      if (waiting.size > 0) heard(decision.uuid);
    },
    seedEnded(ended) {
      const byEnd = ended.map(({ id, decision, deletedAt }) => ({
        id,
        decision,
        deletedAt,
        at: deletedAt ?? decision.until,
      }));
      byEnd.sort((a, b) => a.at - b.at);
      for (const { id, decision, deletedAt, at } of byEnd.slice(-maxEnded)) {
        tables.addEnded(decision, id, at, deletedAt !== null);
      }
    },
    heardOf(uuid, timeoutMs) {
      if (waiting.size >= maxWaiting) return Promise.resolve(false);
      return new Promise((resolve) => {
        const those = waiting.get(uuid) ?? new Set();
        const settle = (isHeard: boolean): void => {
          timer.cancel();
          those.delete(applied);
          if (those.size === 0) waiting.delete(uuid);
          resolve(isHeard);
        };
        const applied = (): void => settle(true);
        const timer = clock.after(timeoutMs, () => settle(false));
        waiting.set(uuid, those.add(applied));
      });
    },
    *active(filter, now) {
      for (const row of activeRows(tables, filter, now)) if (row !== noRow) yield entryOf(tables, row);
    },
    live: (filter, now) => liveAnswer(tables, filter, now),
    stream: (question) => streamDecisions(tables, question, overlapMs),
    hasActive(alertUuid, now) {
      tables.expire(now, expiriesPerQuestion);
      return tables.alerts.live(alertUuid) > 0;
    },
    countsBy(now) {
      tables.expire(now, expiriesPerQuestion);
      return countKinds(tables);
    },
    markStale: () => tables.markStale(),
    dropStale: () => tables.dropStale(() => clock.now()),
    sweep: (now, budget) => tables.expire(now, Math.min(budget, expiriesPerSweep)),
    get size() {
      return { live: tables.live, ended: tables.rows.used - tables.live };
    },
    memoryBytes: () => tables.memoryBytes(),
  };
}

function entryOf(tables: LedgerTables, row: number): LedgerEntry {
  const { rows, alerts, values } = tables;
  const { origin, scenario, scope, type, simulated } = tables.kindOf(row);
  return {
    id: rows.id(row),
    uuid: tables.uuidText(row),
    origin,
    scenario,
    scope,
    type,
    value: values.text(row),
    until: rows.until(row),
    createdAt: rows.created(row),
    simulated,
    alertUuid: alerts.uuid(rows.alert(row)),
  };
}

/** Kinds that differ in their scope or in the form of their uuids count together. */
function countKinds(tables: LedgerTables): DecisionCount[] {
  const counts = new Map<string, DecisionCount & { count: number }>();
  for (const { origin, scenario, type, simulated, live } of tables.kinds.all()) {
    if (simulated || live === 0) continue;
    const key = `${origin.length} ${type.length} ${origin}${type}${scenario}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { origin, scenario, type, count: live });
    else known.count += live;
  }
  return [...counts.values()];
}
