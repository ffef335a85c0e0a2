/**
 * `createMemoryStore`: the store of tests, and of a gateway that may forget everything when it stops. Everything is bounded:
 * decisions by `maxDecisions`, the rest by retention.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Machine } from '../machine.ts';
import { formatCursor, listingStart } from './cursor.ts';
import { follow } from './follow.ts';
import { MemoryHistory, type DecisionRow } from './memory-history.ts';
import { MemoryRecords } from './memory-records.ts';
import { isOwn } from '../decision.ts';
import { matchesDecision, pageSize } from './queries.ts';
import { maintenancePeriodMs } from './maintenance.ts';
import type { StoreOptions } from './options.ts';
import type {
  AlertQuery,
  AllowlistEntry,
  AllowlistRecord,
  ChangeBatch,
  DecisionQuery,
  RefusalEvent,
  RefusalQuery,
  Store,
  StoredAlert,
  StoredDecision,
  StoreHealth,
  StoreWrite,
  UsageQuery,
  UsageReport,
} from './store.ts';
import { createWaiters } from './waiters.ts';
import { limitWrite, type LimitedWrite } from './write-limits.ts';

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
  readonly #records: MemoryRecords;
  #lastSuccessAt: number | null = null;
  #full = false;

  constructor(options: MemoryOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#records = new MemoryRecords(options.retention);
    this.#history = new MemoryHistory(runtime.random.uuid().replaceAll('-', ''));
    this.#maintenance = runtime.clock.every(maintenancePeriodMs, () => this.#forget());
  }

  async apply(writes: readonly StoreWrite[]): Promise<void> {
    this.#check();
    const limited = writes.map(limitWrite);
    this.#makeRoom(limited);
    const now = this.#runtime.clock.now();
    for (const write of limited) this.#write(write, now);
    this.#records.bound(now, () => this.#history.alertsInUse(now));
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

  async decisionById(id: number): Promise<StoredDecision | null> {
    this.#check();
    for (const row of this.#history.decisions.values()) if (row.id === id) return this.#stored(row);
    return null;
  }

  async allowlists(): Promise<readonly AllowlistRecord[]> {
    this.#check();
    return this.#records.allowlists();
  }

  async allowlist(): Promise<readonly AllowlistEntry[]> {
    this.#check();
    const now = this.#runtime.clock.now();
    const live: AllowlistEntry[] = [];
    for (const { entry } of this.#history.entries.values())
      if (entry && (entry.until ?? Infinity) > now) live.push(entry);
    return live;
  }

  async alerts(query: AlertQuery): Promise<readonly StoredAlert[]> {
    this.#check();
    return this.#records.alerts(query);
  }

  async alertByUuid(uuid: string): Promise<StoredAlert | null> {
    this.#check();
    return this.#records.alertByUuid(uuid);
  }

  async alertById(id: number): Promise<StoredAlert | null> {
    this.#check();
    return this.#records.alertById(id);
  }

  async refusals(query: RefusalQuery): Promise<readonly RefusalEvent[]> {
    this.#check();
    return this.#records.refusals(query);
  }

  async bouncers(): Promise<readonly Bouncer[]> {
    this.#check();
    return this.#records.bouncers();
  }

  async machines(): Promise<readonly Machine[]> {
    this.#check();
    return this.#records.machines();
  }

  async usageReports(query: UsageQuery): Promise<readonly UsageReport[]> {
    this.#check();
    return this.#records.usageReports(query);
  }

  async decisionCounts(since: number, limit: number): Promise<readonly { value: string; count: number }[]> {
    this.#check();
    const own = [...this.#history.decisions.values()].filter(
      ({ decision }) => isOwn(decision) && decision.createdAt >= since,
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
      case 'decision-deleted':
        return this.#history.putDecision(write.decision, now);
      case 'allowlist-added':
        this.#history.putEntry(write.entry);
        break;
      case 'allowlist-deleted':
        this.#history.removeEntry(write.list, write.value);
        break;
      case 'allowlist-removed':
        this.#history.removeList(write.name);
        break;
      default:
    }
    this.#records.write(write, now);
  }

  #stored({ decision, deletedAt, seq, id }: DecisionRow): StoredDecision {
    return { id, decision, deletedAt, cursor: formatCursor(this.#history.epoch, seq) };
  }

  #forget(): void {
    const now = this.#runtime.clock.now();
    this.#history.forget(now, this.#options.retention.decisions);
    this.#records.forget(now, () => this.#history.alertsInUse(now));
  }
}
