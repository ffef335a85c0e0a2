/**
 * `MemoryHistory`: decisions and allowlist entries of the memory store, in the order in which they were last written, which
 * makes the maps themselves the history that followers read. A short log of the last writes spares followers that keep up
 * from walking the maps.
 */
import type { Decision } from '../decision.ts';
import type { ChangePage, ChangeSource, Head } from './follow.ts';
import type { RetentionLimit } from './options.ts';
import type { AllowlistEntry, StoreChange } from './store.ts';

export interface DecisionRow {
  readonly seq: number;
  /** `seq` of the first write. */
  readonly id: number;
  readonly decision: Decision;
  readonly deletedAt: number | null;
}

interface EntryRow {
  readonly seq: number;
  readonly list: string;
  readonly value: string;
  /** Null once deleted: kept so that followers hear of it. */
  readonly entry: AllowlistEntry | null;
}

type Row = DecisionRow | EntryRow;

const pageRows = 1_000;
/** Writes that a follower may be behind before it walks the maps. */
const recentRows = 4_096;
/** Allowlist entries, deleted ones included until they are forgotten. */
const maxEntries = 100_000;

export class MemoryHistory {
  readonly epoch: string;
  /** By uuid. A row that is written again moves to the end. */
  readonly decisions = new Map<string, DecisionRow>();
  /** By `entryKey`. */
  readonly entries = new Map<string, EntryRow>();
  #recent: Row[] = [];
  #seq = 0;
  #floor = 0;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get head(): Head {
    return { epoch: this.epoch, head: this.#seq, floor: this.#floor };
  }

  /** `deletedAt` is that of the first deletion. */
  putDecision(decision: Decision, deletedAt: number | null): void {
    const before = this.decisions.get(decision.uuid);
    const seq = ++this.#seq;
    const first = deletedAt === null ? null : (before?.deletedAt ?? deletedAt);
    const row = { seq, id: before?.id ?? seq, decision, deletedAt: first };
    this.decisions.delete(decision.uuid);
    this.decisions.set(decision.uuid, row);
    this.#remember(row);
  }

  putEntry(entry: AllowlistEntry): void {
    this.#putEntry({ seq: ++this.#seq, list: entry.list, value: entry.value, entry });
  }

  removeEntry(list: string, value: string): void {
    this.#putEntry({ seq: ++this.#seq, list, value, entry: null });
  }

  removeList(list: string): void {
    // Rows that are removed come up again at the end, as removed.
    for (const row of this.entries.values()) {
      if (row.list === list && row.entry !== null) this.removeEntry(list, row.value);
    }
  }

  /** What one follower reads. `check` throws once the store is closed; `changed` is the store's own. */
  source(now: () => number, check: () => void, changed: ChangeSource['changed']): ChangeSource {
    let walk: Walk | null = null;
    const read = (after: number, end: number, wanted: (row: Row) => boolean): ChangePage => {
      check();
      if (walk?.at !== after || walk.end !== end) walk = { at: after, end, rows: this.#rowsAfter(after) };
      const page = this.#page(walk, wanted);
      if (page.position === walk.end) walk = null;
      return page;
    };
    return {
      head: async () => {
        check();
        return this.head;
      },
      snapshot: async (after, end) => read(after, end, (row) => isLive(row, now())),
      // A walk that has begun is finished up to where it was going: rows written meanwhile come after it.
      since: async (after) => read(after, walk?.at === after ? walk.end : this.#seq, () => true),
      changed: async (after, signal) => {
        if (this.#seq <= after) await changed(after, signal);
      },
    };
  }

  forget(now: number, limit: RetentionLimit): void {
    this.#forgetDecisions(now, limit);
    this.#forgetEntries(now);
  }

  /** Alerts that an active decision follows from. */
  alertsInUse(now: number): ReadonlySet<string> {
    const uuids = new Set<string>();
    for (const row of this.decisions.values()) {
      if (row.decision.alertUuid !== null && isLive(row, now)) uuids.add(row.decision.alertUuid);
    }
    return uuids;
  }

  #putEntry(row: EntryRow): void {
    const key = entryKey(row.list, row.value);
    this.entries.delete(key);
    this.entries.set(key, row);
    this.#remember(row);
  }

  #remember(row: Row): void {
    this.#recent.push(row);
    if (this.#recent.length > 2 * recentRows) this.#recent = this.#recent.slice(-recentRows);
    if (this.entries.size > maxEntries) this.#forgetEntries(Number.NEGATIVE_INFINITY);
  }

  /** Rows written after `after`, in order. */
  #rowsAfter(after: number): Iterator<Row> {
    const oldest = this.#recent[0];
    if (oldest && oldest.seq <= after + 1) return this.#recent.slice(after + 1 - oldest.seq).values();
    return merged(this.decisions.values(), this.entries.values(), after);
  }

  #page(walk: Walk, wanted: (row: Row) => boolean): ChangePage {
    const changes: StoreChange[] = [];
    let position = walk.end;
    for (let next = walk.rows.next(); !next.done && next.value.seq <= walk.end; next = walk.rows.next()) {
      const row = next.value;
      if (this.#isCurrent(row) && wanted(row)) changes.push(changeOf(row));
      if (changes.length === pageRows) {
        position = row.seq;
        break;
      }
    }
    walk.at = position;
    return { epoch: this.epoch, floor: this.#floor, position, changes };
  }

  #isCurrent(row: Row): boolean {
    if ('decision' in row) return this.decisions.get(row.decision.uuid) === row;
    return this.entries.get(entryKey(row.list, row.value)) === row;
  }

  #forgetDecisions(now: number, { maxAge, maxRows }: RetentionLimit): void {
    let ended = 0;
    for (const row of this.decisions.values()) if (!isLive(row, now)) ended += 1;
    for (const row of this.decisions.values()) {
      if (isLive(row, now)) continue;
      const endedAt = Math.min(row.decision.until, row.deletedAt ?? Infinity);
      if (ended <= maxRows && endedAt >= now - maxAge) continue;
      this.decisions.delete(row.decision.uuid);
      ended -= 1;
      // A follower that has not heard of this deletion would enforce the decision until it expires.
      if (row.deletedAt !== null && row.decision.until > now) this.#floor = Math.max(this.#floor, row.seq);
    }
  }

  #forgetEntries(now: number): void {
    let surplus = this.entries.size - maxEntries;
    for (const row of this.entries.values()) {
      const expired = row.entry !== null && (row.entry.until ?? Infinity) <= now;
      if (!expired && (row.entry !== null || surplus <= 0)) continue;
      this.entries.delete(entryKey(row.list, row.value));
      surplus -= 1;
      if (!expired) this.#floor = Math.max(this.#floor, row.seq);
    }
  }
}

interface Walk {
  at: number;
  readonly end: number;
  readonly rows: Iterator<Row>;
}

function isLive(row: Row, now: number): boolean {
  if ('decision' in row) return row.deletedAt === null && row.decision.until > now;
  return row.entry !== null && (row.entry.until ?? Infinity) > now;
}

function changeOf(row: Row): StoreChange {
  if (!('decision' in row)) {
    const { list, value, entry } = row;
    return entry === null ? { kind: 'allowlist-deleted', list, value } : { kind: 'allowlist-added', entry };
  }
  const { decision, id, deletedAt } = row;
  return deletedAt === null
    ? { kind: 'decision-added', decision, id }
    : { kind: 'decision-deleted', decision, id, deletedAt };
}

function entryKey(list: string, value: string): string {
  return JSON.stringify([list, value]);
}

/** Two orders of writing as one. */
function* merged(one: Iterator<Row>, other: Iterator<Row>, after: number): Generator<Row, void, undefined> {
  let a = one.next();
  let b = other.next();
  while (!a.done || !b.done) {
    const takeA = !a.done && (b.done || a.value.seq < b.value.seq);
    const row = takeA ? a.value : b.value;
    if (takeA) a = one.next();
    else b = other.next();
    if (row && row.seq > after) yield row;
  }
}
