/**
 * `MemoryRecords`: what the memory store keeps besides decisions and allowlist entries. Followers hear of none of it.
 */
import type { Bouncer } from '../bouncer.ts';
import type { Machine } from '../machine.ts';
import type { Retention } from './options.ts';
import { byId, byName, matchesAlert, matchesRefusal, matchesUsage, pageSize } from './queries.ts';
import type {
  AlertQuery,
  AllowlistRecord,
  RefusalEvent,
  RefusalQuery,
  StoredAlert,
  UsageQuery,
  UsageReport,
} from './store.ts';
import { parseAlert, type AlertRecord, type LimitedWrite } from './write-limits.ts';

/** A write of a record, and what entries mean for their list. */
export type RecordWrite = Exclude<LimitedWrite, { readonly kind: 'decision-added' | 'decision-deleted' }>;

interface AlertRow {
  readonly id: number;
  readonly record: AlertRecord;
}

/** Rows beyond retention that may wait for the next round of maintenance. */
const slack = 1_000;

export class MemoryRecords {
  readonly #retention: Retention;
  /** By uuid. One that is written again stays where it is, so that they are in order of their ids. */
  readonly #alerts = new Map<string, AlertRow>();
  readonly #lists = new Map<string, AllowlistRecord>();
  readonly #bouncers = new Map<string, Bouncer>();
  readonly #machines = new Map<string, Machine>();
  #refusals: RefusalEvent[] = [];
  #usage: UsageReport[] = [];
  #lastAlertId = 0;

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  write(write: RecordWrite, now: number): void {
    switch (write.kind) {
      case 'allowlist-added':
        return this.#touchList(write.entry.list, now, true);
      case 'allowlist-deleted':
        return this.#touchList(write.list, now, false);
      case 'allowlist-created':
        return put(this.#lists, write.list.name, write.list);
      case 'allowlist-removed':
        return remove(this.#lists, write.name);
      case 'alert': {
        const id = this.#alerts.get(write.record.uuid)?.id ?? ++this.#lastAlertId;
        return put(this.#alerts, write.record.uuid, { id, record: write.record });
      }
      case 'alert-deleted':
        return remove(this.#alerts, write.uuid);
      case 'refusal':
        return void this.#refusals.push(write.event);
      case 'bouncer-added':
        return put(this.#bouncers, write.bouncer.name, write.bouncer);
      case 'bouncer-deleted':
        return remove(this.#bouncers, write.name);
      case 'bouncer-seen':
        return merge(this.#bouncers, write.name, write.seen);
      case 'machine-added':
        return put(this.#machines, write.machine.id, write.machine);
      case 'machine-deleted':
        return remove(this.#machines, write.id);
      case 'machine-seen':
        return merge(this.#machines, write.id, write.seen);
      case 'usage-reported':
        return void this.#usage.push(write.report);
      default:
        write satisfies never;
    }
  }

  allowlists(): AllowlistRecord[] {
    return [...this.#lists.values()].toSorted(byName);
  }

  alerts(query: AlertQuery): StoredAlert[] {
    const matching = [...this.#alerts.values()].filter(({ id, record }) => matchesAlert(query, id, record));
    return matching.toReversed().slice(0, pageSize(query.limit)).map(stored);
  }

  alertByUuid(uuid: string): StoredAlert | null {
    const row = this.#alerts.get(uuid);
    return row ? stored(row) : null;
  }

  alertById(id: number): StoredAlert | null {
    for (const row of this.#alerts.values()) if (row.id === id) return stored(row);
    return null;
  }

  refusals(query: RefusalQuery): RefusalEvent[] {
    const matching = this.#refusals.filter((event) => matchesRefusal(query, event)).toReversed();
    return matching.sort((a, b) => b.at - a.at).slice(0, pageSize(query.limit));
  }

  bouncers(): Bouncer[] {
    return [...this.#bouncers.values()].toSorted(byName);
  }

  machines(): Machine[] {
    return [...this.#machines.values()].toSorted(byId);
  }

  usageReports(query: UsageQuery): UsageReport[] {
    const matching = this.#usage.filter((report) => matchesUsage(query, report)).toReversed();
    return matching.sort((a, b) => b.receivedAt - a.receivedAt).slice(0, pageSize(query.limit));
  }

  /** Trims between two rounds of maintenance, rarely enough that a write stays cheap. */
  bound(now: number, alertsInUse: () => ReadonlySet<string>): void {
    const { refusals, alerts, usage } = this.#retention;
    if (this.#refusals.length > 2 * refusals.maxRows + slack) this.#refusals = this.#refusals.slice(-refusals.maxRows);
    if (this.#usage.length > 2 * usage.maxRows + slack) this.#usage = this.#usage.slice(-usage.maxRows);
    if (this.#alerts.size > 2 * alerts.maxRows + slack) this.#forgetAlerts(now, alertsInUse());
  }

  forget(now: number, alertsInUse: () => ReadonlySet<string>): void {
    const { refusals, usage } = this.#retention;
    this.#forgetAlerts(now, alertsInUse());
    this.#refusals = this.#refusals.slice(-refusals.maxRows).filter(({ at }) => at >= now - refusals.maxAge);
    this.#usage = this.#usage.slice(-usage.maxRows).filter(({ receivedAt }) => receivedAt >= now - usage.maxAge);
  }

  #touchList(name: string, now: number, make: boolean): void {
    const known = this.#lists.get(name);
    if (known) this.#lists.set(name, { ...known, updatedAt: now });
    else if (make) this.#lists.set(name, { name, description: '', createdAt: now, updatedAt: now });
  }

  #forgetAlerts(now: number, inUse: ReadonlySet<string>): void {
    const { maxAge, maxRows } = this.#retention.alerts;
    let surplus = this.#alerts.size - maxRows;
    for (const { record } of this.#alerts.values()) {
      const due = surplus > 0 || record.createdAt < now - maxAge;
      if (due && !inUse.has(record.uuid)) this.#alerts.delete(record.uuid);
      surplus -= 1;
    }
  }
}

function stored({ id, record }: AlertRow): StoredAlert {
  return { id, alert: parseAlert(record.body) };
}

function put<T>(rows: Map<string, T>, key: string, row: T): void {
  rows.set(key, row);
}

function remove(rows: Map<string, unknown>, key: string): void {
  rows.delete(key);
}

/** Changes what `changes` names of a row that is there. */
function merge<T extends object>(rows: Map<string, T>, key: string, changes: Partial<T>): void {
  const row = rows.get(key);
  if (row !== undefined) rows.set(key, { ...row, ...changes });
}
