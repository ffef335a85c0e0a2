/** What the ledger promises, said plainly: an array of objects, looked through for every question. */
import { formatDuration } from '../../../core/duration.ts';
import { parseRange, rangeContains, type IpRange } from '../../../core/ip.ts';
import type { Decision } from '../../../remediation/decision.ts';
import type { LedgerFilter } from '../../../remediation/ledger/decision-ledger.ts';

interface ModelRow {
  readonly id: number;
  decision: Decision;
  until: number;
  deleted: boolean;
  /** When the deletion was heard of. */
  deletedAt: number;
  announcedAt: number;
  stale: boolean;
}

export interface ModelElement {
  readonly duration: string;
  readonly id: number;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: string;
  readonly type: string;
  readonly uuid?: string;
  readonly value: string;
}

export class LedgerModel {
  readonly rows: ModelRow[] = [];
  #lastAnnounced = Number.NEGATIVE_INFINITY;
  #lastQuestion = Number.NEGATIVE_INFINITY;

  add(decision: Decision, id: number, arrivedAt: number, now: number): void {
    const known = this.#find(id);
    if (known !== undefined && isSame(known.decision, decision)) {
      const before = known.decision;
      const isUnchanged =
        !known.deleted &&
        known.until === decision.until &&
        before.origin === decision.origin &&
        before.scenario === decision.scenario &&
        before.simulated === decision.simulated;
      known.stale = false;
      known.decision = decision;
      if (isUnchanged) return;
      known.deleted = false;
      known.until = decision.until;
      known.announcedAt = this.#announce(arrivedAt, now);
      return;
    }
    if (known !== undefined) lift(known, now);
    const announcedAt = decision.until > now ? this.#announce(arrivedAt, now) : Number.NEGATIVE_INFINITY;
    this.#put({ id, decision, until: decision.until, deleted: false, deletedAt: 0, announcedAt, stale: false });
  }

  delete(decision: Decision, id: number, deletedAt: number, now: number): void {
    const until = Math.min(deletedAt, now);
    const known = this.#find(id);
    if (known === undefined || !isSame(known.decision, decision)) {
      if (known !== undefined) lift(known, now);
      const announcedAt = Number.NEGATIVE_INFINITY;
      this.#put({ id, decision, until, deleted: true, deletedAt: now, announcedAt, stale: false });
      return;
    }
    known.stale = false;
    if (known.deleted && known.until === until) return;
    Object.assign(known, { until, deleted: true, deletedAt: now });
  }

  markStale(): void {
    for (const row of this.rows) row.stale = !row.deleted;
  }

  dropStale(now: number): void {
    for (const row of this.rows) if (row.stale) lift(row, now);
  }

  live(filter: LedgerFilter, now: number): ModelElement[] {
    const found = this.rows.filter(
      (row) =>
        !row.deleted &&
        row.until >= now &&
        (filter.simulated === true || !row.decision.simulated) &&
        row.id > (filter.idAbove ?? -1) &&
        fits(row.decision, filter) &&
        !(filter.distinct === true && this.#isHidden(row)),
    );
    const { offset = 0, limit = Infinity } = filter;
    return found.slice(offset, offset + limit).map((row) => elementOf(row, now, false));
  }

  stream(
    filter: LedgerFilter,
    lastPull: number | null,
    now: number,
    dedup: boolean,
  ): { new: ModelElement[]; deleted: ModelElement[] } {
    const since = lastPull ?? Number.NEGATIVE_INFINITY;
    const wanted = (row: ModelRow, simulated: boolean): boolean =>
      (simulated || !row.decision.simulated) && fits(row.decision, filter) && !(dedup && this.#isHidden(row));
    const isNew = (row: ModelRow): boolean =>
      !row.deleted && row.until > now && row.announcedAt > since && wanted(row, filter.simulated === true);
    const isGone = (row: ModelRow): boolean =>
      (row.deleted ? row.deletedAt > since - 2_000 : row.until <= now && row.until > since - 2_000) &&
      wanted(row, false);
    this.#lastQuestion = Math.max(this.#lastQuestion, now);
    return {
      new: this.rows.filter(isNew).map((row) => elementOf(row, now, true)),
      deleted: this.rows.filter(isGone).map((row) => elementOf(row, now, true)),
    };
  }

  hasActive(alertUuid: string, now: number): boolean {
    return this.rows.some((row) => row.decision.alertUuid === alertUuid && !row.deleted && row.until > now);
  }

  counts(now: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { decision, deleted, until } of this.rows) {
      if (deleted || until <= now || decision.simulated) continue;
      const key = `${decision.origin} ${decision.scenario} ${decision.type}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  #announce(arrivedAt: number, now: number): number {
    const time = Math.max(Math.min(arrivedAt, now), this.#lastQuestion + 0.001, this.#lastAnnounced);
    this.#lastAnnounced = time;
    return time;
  }

  #find(id: number): ModelRow | undefined {
    return this.rows.findLast((row) => row.id === id);
  }

  #put(row: ModelRow): void {
    this.rows.push(row);
    this.rows.sort((a, b) => a.id - b.id);
  }

  #isHidden({ decision, until }: ModelRow): boolean {
    return this.rows.some(
      (other) =>
        other.until > until &&
        other.decision.value === decision.value &&
        other.decision.type === decision.type &&
        other.decision.scope === decision.scope &&
        (!other.decision.simulated || decision.simulated),
    );
  }
}

function lift(row: ModelRow, now: number): void {
  row.stale = false;
  if (!row.deleted && row.until > now) Object.assign(row, { until: now, deleted: true, deletedAt: now });
}

function isSame(one: Decision, other: Decision): boolean {
  return one.uuid === other.uuid && one.value === other.value && one.scope === other.scope && one.type === other.type;
}

function fits(decision: Decision, filter: LedgerFilter): boolean {
  const { scope, type, origin, scenario, value } = decision;
  const { scopes, types, origins, scenariosContaining, scenariosNotContaining, network, contains = true } = filter;
  const has = (text: string): boolean => scenario.toLowerCase().includes(text.toLowerCase());
  if (scopes?.includes(scope) === false || types?.includes(type) === false) return false;
  if (origins?.includes(origin) === false) return false;
  if (scenariosContaining?.some(has) === false || scenariosNotContaining?.some(has) === true) return false;
  if (filter.value !== undefined && filter.value !== value) return false;
  if (network === undefined) return true;
  const own = ['ip', 'range'].includes(scope.toLowerCase()) ? parseRange(value) : null;
  if (own === null) return false;
  return contains ? isInside(network, own) : isInside(own, network);
}

function isInside(inner: IpRange, outer: IpRange): boolean {
  return inner.prefix >= outer.prefix && rangeContains(outer, inner.address);
}

function elementOf({ id, decision, until }: ModelRow, now: number, withUuid: boolean): ModelElement {
  const { origin, scenario, scope, type, uuid, value } = decision;
  const seconds = Math.sign(until - now) * Math.round(Math.abs(until - now) / 1_000);
  const duration = formatDuration(seconds * 1_000);
  return { duration, id, origin, scenario, scope, type, ...(withUuid && { uuid }), value };
}
