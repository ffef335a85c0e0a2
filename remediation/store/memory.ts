/**
 * `createMemoryStore`: the store of tests, and of a gateway that may forget everything when it stops. Everything is bounded:
 * decisions by `maxDecisions`, the rest by retention.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert } from '../../detectors/alert.ts';
import { formatCursor, listingStart } from './cursor.ts';
import { follow } from './follow.ts';
import { MemoryHistory, type DecisionRow } from './memory-history.ts';
import { byName, matchesAlert, matchesDecision, matchesRefusal, pageSize } from './queries.ts';
import { maintenancePeriodMs } from './maintenance.ts';
import type { StoreOptions } from './options.ts';
import type {
  AlertQuery,
  AllowlistEntry,
  ChangeBatch,
  DecisionQuery,
  RefusalEvent,
  RefusalQuery,
  Store,
  StoredDecision,
  StoreHealth,
  StoreWrite,
} from './store.ts';
import { createWaiters } from './waiters.ts';
import { limitWrite, parseAlert, type AlertRecord, type LimitedWrite } from './write-limits.ts';

/** Live and ended decisions together are `maxDecisions` at most; more are refused with STORE_FULL. */
export type MemoryOptions = Pick<StoreOptions, 'retention' | 'maxDecisions'>;

export function createMemoryStore(options: MemoryOptions, runtime: Runtime): Store {
  return new MemoryStore(options, runtime);
}

class MemoryStore implements Store {
  readonly name = 'memory';
  readonly #options: MemoryOptions;
  readonly #runtime: Runtime;
  readonly #history: MemoryHistory;
  readonly #waiters = createWaiters();
  readonly #closing = new AbortController();
  readonly #maintenance: { cancel(): void };
  readonly #alerts = new Map<string, AlertRecord>();
  #refusals: RefusalEvent[] = [];
  readonly #bouncers = new Map<string, Bouncer>();
  #lastSuccessAt: number | null = null;
  #full = false;

  constructor(options: MemoryOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#history = new MemoryHistory(runtime.random.uuid().replaceAll('-', ''));
    this.#maintenance = runtime.clock.every(maintenancePeriodMs, () => this.#forget());
  }

  async apply(writes: readonly StoreWrite[]): Promise<void> {
    this.#check();
    const limited = writes.map(limitWrite);
    this.#makeRoom(limited);
    const now = this.#runtime.clock.now();
    for (const write of limited) this.#write(write, now);
    this.#bound();
    this.#lastSuccessAt = now;
    this.#waiters.wake();
  }

  changes(cursor: string | null, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    const { clock } = this.#runtime;
    const source = this.#history.source(
      () => clock.now(),
      () => this.#check(),
      (_after, signal) => this.#waiters.wait(signal),
    );
    return follow(source, clock, cursor, AbortSignal.any([signal, this.#closing.signal]));
  }

  async decisions(query: DecisionQuery): Promise<readonly StoredDecision[]> {
    this.#check();
    const start = listingStart(query.after, this.#history.epoch);
    const now = this.#runtime.clock.now();
    const matching: DecisionRow[] = [];
    for (const row of this.#history.decisions.values()) {
      if (row.seq >= start) break;
      if (matchesDecision(query, row.decision, row.deletedAt, now)) matching.push(row);
    }
    const page = matching.slice(Math.max(0, matching.length - pageSize(query.limit)));
    return page.toReversed().map((row) => this.#stored(row));
  }

  async decisionByUuid(uuid: string): Promise<StoredDecision | null> {
    this.#check();
    const row = this.#history.decisions.get(uuid);
    return row ? this.#stored(row) : null;
  }

  async allowlist(): Promise<readonly AllowlistEntry[]> {
    this.#check();
    const now = this.#runtime.clock.now();
    const live: AllowlistEntry[] = [];
    for (const { entry } of this.#history.entries.values())
      if (entry && (entry.until ?? Infinity) > now) live.push(entry);
    return live;
  }

  async alerts(query: AlertQuery): Promise<readonly Alert[]> {
    this.#check();
    const matching = [...this.#alerts.values()].filter((record) => matchesAlert(query, record)).toReversed();
    matching.sort((a, b) => b.createdAt - a.createdAt);
    return matching.slice(0, pageSize(query.limit)).map((record) => parseAlert(record.body));
  }

  async alertByUuid(uuid: string): Promise<Alert | null> {
    this.#check();
    const record = this.#alerts.get(uuid);
    return record ? parseAlert(record.body) : null;
  }

  async refusals(query: RefusalQuery): Promise<readonly RefusalEvent[]> {
    this.#check();
    const matching = this.#refusals.filter((event) => matchesRefusal(query, event)).toReversed();
    return matching.sort((a, b) => b.at - a.at).slice(0, pageSize(query.limit));
  }

  async bouncers(): Promise<readonly Bouncer[]> {
    this.#check();
    return [...this.#bouncers.values()].toSorted(byName);
  }

  async decisionCounts(since: number, limit: number): Promise<readonly { value: string; count: number }[]> {
    this.#check();
    const own = [...this.#history.decisions.values()].filter(
      ({ decision }) => decision.origin === 'crowdsec' && !decision.simulated && decision.createdAt >= since,
    );
    const newest = own.toReversed().sort((a, b) => b.decision.createdAt - a.decision.createdAt);
    const counts = new Map<string, number>();
    for (const { decision } of newest) counts.set(decision.value, (counts.get(decision.value) ?? 0) + 1);
    return [...counts].slice(0, pageSize(limit)).map(([value, count]) => ({ value, count }));
  }

  health(): StoreHealth {
    if (this.#closing.signal.aborted) return { ok: false, lastSuccessAt: this.#lastSuccessAt, message: 'closed' };
    const message = this.#full ? 'full: decisions are refused' : 'nothing outlives the process';
    return { ok: !this.#full, lastSuccessAt: this.#lastSuccessAt, message };
  }

  async close(): Promise<void> {
    this.#maintenance.cancel();
    this.#closing.abort();
  }

  #check(): void {
    if (this.#closing.signal.aborted) throw new GatewayError('STORE_CLOSED', 'the store is closed');
  }

  #makeRoom(writes: readonly LimitedWrite[]): void {
    const { maxDecisions } = this.#options;
    const fresh = new Set<string>();
    for (const write of writes) {
      if ('decision' in write && !this.#history.decisions.has(write.decision.uuid)) fresh.add(write.decision.uuid);
    }
    if (this.#history.decisions.size + fresh.size > maxDecisions) this.#forget();
    this.#full = this.#history.decisions.size + fresh.size > maxDecisions;
    if (!this.#full) return;
    throw new GatewayError('STORE_FULL', `the memory store holds no more than ${maxDecisions} decisions`, {
      remedy: 'Use the embedded store, or raise store.maxDecisions.',
    });
  }

  #write(write: LimitedWrite, now: number): void {
    switch (write.kind) {
      case 'decision-added':
        return this.#history.putDecision(write.decision, null);
      case 'decision-deleted': {
        const deletedAt = this.#history.decisions.get(write.decision.uuid)?.deletedAt ?? now;
        return this.#history.putDecision(write.decision, deletedAt);
      }
      case 'allowlist-added':
        return this.#history.putEntry(write.entry.value, write.entry);
      case 'allowlist-deleted':
        return this.#history.putEntry(write.value, null);
      case 'alert':
        this.#alerts.delete(write.record.uuid);
        this.#alerts.set(write.record.uuid, write.record);
        return;
      case 'refusal':
        this.#refusals.push(write.event);
        return;
      case 'bouncer-added':
        this.#bouncers.set(write.bouncer.name, write.bouncer);
        return;
      case 'bouncer-deleted':
        this.#bouncers.delete(write.name);
        return;
      default:
        return write satisfies never;
    }
  }

  #stored({ decision, deletedAt, seq }: DecisionRow): StoredDecision {
    return { decision, deletedAt, cursor: formatCursor(this.#history.epoch, seq) };
  }

  /** Trims between two rounds of maintenance, rarely enough that a write stays cheap. */
  #bound(): void {
    const { refusals, alerts } = this.#options.retention;
    if (this.#refusals.length > 2 * refusals.maxRows + 1_000) this.#refusals = this.#refusals.slice(-refusals.maxRows);
    if (this.#alerts.size > 2 * alerts.maxRows + 1_000) this.#forgetAlerts(this.#runtime.clock.now());
  }

  #forget(): void {
    const now = this.#runtime.clock.now();
    const { decisions, refusals } = this.#options.retention;
    this.#history.forget(now, decisions);
    this.#forgetAlerts(now);
    const kept = this.#refusals.slice(Math.max(0, this.#refusals.length - refusals.maxRows));
    this.#refusals = kept.filter((event) => event.at >= now - refusals.maxAge);
  }

  #forgetAlerts(now: number): void {
    const { maxAge, maxRows } = this.#options.retention.alerts;
    const inUse = this.#history.alertsInUse(now);
    let surplus = this.#alerts.size - maxRows;
    for (const record of this.#alerts.values()) {
      const due = surplus > 0 || record.createdAt < now - maxAge;
      if (due && !inUse.has(record.uuid)) this.#alerts.delete(record.uuid);
      surplus -= 1;
    }
  }
}
