/**
 * `LedgerTables`: the state of the ledger and how changes alter it. A decision is a row from the first that is heard of it
 * until it has ended and `maxEnded` others have ended since. Each change that a bouncer should hear of gets a number: in
 * `announced` when the decision came into force or was written anew, in `ended` when it expired or was lifted.
 */
import type { Random } from '../../core/random.ts';
import type { Decision } from '../decision.ts';
import { createKeyedHash } from '../../core/keyed-hash.ts';
import { AlertNumbers } from './alert-numbers.ts';
import { DecisionKinds, type DecisionKind } from './decision-kinds.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { IdOrder } from './id-order.ts';
import { keptTime, LedgerRows, noRow, rowFlags } from './ledger-rows.ts';
import { LedgerValues } from './ledger-values.ts';
import { readUuid, uuidLength, writeUuidWords } from './row-uuid.ts';
import { TimedRing } from './timed-ring.ts';

/** The last changes that a delta finds without looking at every row. */
const announcementsKept = 131_072;
/** Less than the clock can tell, enough to be after it. */
const instant = 1 / 1024;
/** Rows that are looked at in one step of work that goes through all. */
const rowsPerStep = 16_384;

export class LedgerTables {
  readonly rows = new LedgerRows();
  readonly kinds = new DecisionKinds();
  readonly alerts = new AlertNumbers();
  readonly order = new IdOrder(this.rows);
  readonly announced = new TimedRing(announcementsKept);
  readonly ended: TimedRing;
  readonly values: LedgerValues;
  readonly #expiry = new ExpiryHeap(this.rows);
  readonly #maxEnded: number;
  readonly #uuids = new Map<number, string>();
  readonly #words = new Int32Array(4);
  readonly #uuidBytes = Buffer.alloc(uuidLength);
  readonly #uuidView = new DataView(this.#uuidBytes.buffer, this.#uuidBytes.byteOffset, uuidLength);
  #lastQuestion = Number.NEGATIVE_INFINITY;

  constructor(random: Random, maxEnded: number) {
    this.#maxEnded = maxEnded;
    this.ended = new TimedRing(maxEnded);
    this.values = new LedgerValues(this.rows, this.kinds, createKeyedHash(random));
  }

  /** Decisions that have not ended, or whose end was not noticed yet. */
  get live(): number {
    return this.#expiry.size;
  }

  memoryBytes(): number {
    const rings = this.announced.memoryBytes() + this.ended.memoryBytes();
    return (
      this.rows.memoryBytes() +
      this.order.memoryBytes() +
      this.values.memoryBytes() +
      this.#expiry.memoryBytes() +
      rings
    );
  }

  /** A decision as it now is. `arrivedAt` is when bouncers could first have heard of it. False: it is not taken, see `#insert`. */
  add(decision: Decision, id: number, arrivedAt: number, now: number): boolean {
    const row = this.order.find(id);
    if (row !== noRow && this.#isSame(row, decision)) {
      this.#renew(row, decision, arrivedAt, now);
      return true;
    }
    // Its number now stands for something else.
    if (row !== noRow) this.#lift(row, now);
    return this.#insert(decision, id, arrivedAt, now) !== noRow;
  }

  /** A decision that somebody ended. */
  delete(decision: Decision, id: number, deletedAt: number, now: number): boolean {
    const { rows } = this;
    const known = this.order.find(id);
    const until = Math.min(keptTime(deletedAt), keptTime(now));
    const isKnown = known !== noRow && this.#isSame(known, decision);
    if (known !== noRow && !isKnown) this.#lift(known, now);
    const row = isKnown ? known : this.#insert({ ...decision, until }, id, now, now);
    if (row === noRow) return false;
    const isTold = (rows.flags(row) & rowFlags.deleted) !== 0 && rows.until(row) === until;
    if (!isTold) this.#end(row, until, now);
    return true;
  }

  /** One that had ended before this process began. Hand them over in the order in which they ended. */
  addEnded(decision: Decision, id: number, endedAt: number, deleted: boolean): void {
    if (this.order.find(id) !== noRow) return;
    const row = this.#insert({ ...decision, until: endedAt }, id, endedAt, Math.max(endedAt, 0));
    if (row !== noRow && deleted) this.rows.raise(row, rowFlags.deleted);
  }

  /** Takes notice of what has expired, at most `budget` of it. Returns how many. */
  expire(now: number, budget: number): number {
    let done = 0;
    for (; done < budget; done++) {
      const row = this.#expiry.first;
      if (row === noRow || this.rows.until(row) > now) break;
      this.#retire(row, now);
    }
    return done;
  }

  /** The latest time that a bouncer may come back with as its last question. */
  get lastQuestion(): number {
    return this.#lastQuestion;
  }

  /** A question asked at `askedAt` is being answered: whatever is announced from now on is later than that. */
  questionAsked(askedAt: number): void {
    this.#lastQuestion = Math.max(this.#lastQuestion, askedAt);
  }

  *markStale(): Generator<void> {
    for (let row = 0; row < this.rows.end; row++) {
      const flags = this.rows.flags(row);
      if ((flags & rowFlags.used) !== 0 && (flags & rowFlags.ended) === 0) this.rows.raise(row, rowFlags.stale);
      if (row % rowsPerStep === rowsPerStep - 1) yield;
    }
  }

  /** What is still marked has been lifted without anybody telling. */
  *dropStale(now: () => number): Generator<void> {
    const mark = rowFlags.used | rowFlags.stale;
    for (let row = 0; row < this.rows.end; row++) {
      if ((this.rows.flags(row) & mark) === mark) this.#lift(row, now());
      if (row % rowsPerStep === rowsPerStep - 1) yield;
    }
  }

  /** Whether it is in force; at the very moment of its end it still is. */
  isActive(row: number, now: number): boolean {
    const isKept = (this.rows.flags(row) & (rowFlags.used | rowFlags.deleted)) === rowFlags.used;
    return isKept && this.rows.until(row) >= now;
  }

  /**
   * Whether another decision about the same value, with the same type and scope, ends later: bouncers that know one decision
   * per value need not hear of this one. A simulated one hides none that is not.
   */
  isHidden(row: number): boolean {
    const { rows } = this;
    if ((rows.flags(row) & rowFlags.twin) === 0) return false;
    const until = rows.until(row);
    const kind = this.kinds.at(rows.kind(row));
    for (let other = this.values.firstLike(row); other !== noRow; other = rows.next(other)) {
      if (other === row || rows.until(other) <= until || !this.values.isSameText(row, other)) continue;
      const { type, scope, simulated } = this.kinds.at(rows.kind(other));
      if (type === kind.type && scope === kind.scope && (!simulated || kind.simulated)) return true;
    }
    return false;
  }

  kindOf(row: number): DecisionKind {
    return this.kinds.at(this.rows.kind(row));
  }

  uuidText(row: number): string {
    const { rows } = this;
    const flags = rows.flags(row);
    if ((flags & rowFlags.textUuid) !== 0) return this.#uuids.get(row) ?? '';
    const { uuidPrefix } = this.kindOf(row);
    if ((flags & rowFlags.valueUuid) !== 0) return uuidPrefix + this.values.text(row);
    writeUuidWords(this.#uuidView, 0, rows.uuid(row, 0), rows.uuid(row, 1), rows.uuid(row, 2), rows.uuid(row, 3));
    return uuidPrefix + this.#uuidBytes.toString('latin1');
  }

  /** The new row, or `noRow` when there are too many kinds of decisions. */
  #insert(decision: Decision, id: number, arrivedAt: number, now: number): number {
    const { rows } = this;
    const { uuid, value, origin, scenario, scope, type, simulated } = decision;
    const form = this.#uuidForm(uuid, value);
    const uuidPrefix = uuid.slice(0, form.prefixLength);
    const kind = this.kinds.acquire({ origin, scenario, scope, type, simulated, uuidPrefix });
    if (kind === null) return noRow;
    const row = rows.take();
    rows.setId(row, id);
    rows.setKind(row, kind.number);
    rows.raise(row, form.flag);
    if (form.flag === rowFlags.textUuid) this.#uuids.set(row, uuid);
    else if (form.flag === 0) rows.setUuid(row, this.#words);
    rows.setCreated(row, decision.createdAt);
    rows.setAlert(row, this.alerts.acquire(decision.alertUuid));
    const until = rows.setUntil(row, decision.until);
    this.values.put(row, value);
    this.order.add(row);
    if (until > now) {
      this.#enforce(row);
      this.#announce(row, arrivedAt, now);
    } else {
      rows.raise(row, rowFlags.ended);
      this.#noteEnd(row, now);
    }
    return row;
  }

  /** The same decision again. Bouncers hear of it when anything that they see of it has changed. */
  #renew(row: number, decision: Decision, arrivedAt: number, now: number): void {
    const { rows } = this;
    const flags = rows.flags(row);
    rows.lower(row, rowFlags.stale);
    const isOtherKind = this.#changeKind(row, decision);
    const until = keptTime(decision.until);
    if (!isOtherKind && (flags & rowFlags.deleted) === 0 && rows.until(row) === until) return;
    rows.lower(row, rowFlags.deleted);
    rows.setUntil(row, until);
    if ((flags & rowFlags.ended) === 0) this.#expiry.moved(row);
    else if (until > now) {
      rows.lower(row, rowFlags.ended);
      this.#enforce(row);
    } else this.#noteEnd(row, now);
    this.#announce(row, arrivedAt, now);
  }

  #changeKind(row: number, { origin, scenario, simulated, createdAt, alertUuid }: Decision): boolean {
    const { rows } = this;
    rows.setCreated(row, createdAt);
    const isLive = (rows.flags(row) & rowFlags.ended) === 0;
    const alert = rows.alert(row);
    if (this.alerts.uuid(alert) !== alertUuid) {
      if (isLive) this.alerts.count(alert, -1);
      rows.setAlert(row, this.alerts.acquire(alertUuid));
      this.alerts.release(alert);
      if (isLive) this.alerts.count(rows.alert(row), 1);
    }
    const kind = this.kindOf(row);
    if (kind.origin === origin && kind.scenario === scenario && kind.simulated === simulated) return false;
    const { scope, type, uuidPrefix } = kind;
    const next = this.kinds.acquire({ origin, scenario, scope, type, simulated, uuidPrefix });
    if (next === null) return false;
    rows.setKind(row, next.number);
    if (isLive) next.live++;
    if (isLive) kind.live--;
    this.kinds.release(kind);
    return true;
  }

  /** It is over now, unless it was before. */
  #lift(row: number, now: number): void {
    this.rows.lower(row, rowFlags.stale);
    if ((this.rows.flags(row) & rowFlags.ended) === 0 && this.rows.until(row) > now) this.#end(row, keptTime(now), now);
  }

  #end(row: number, until: number, now: number): void {
    const { rows } = this;
    rows.lower(row, rowFlags.stale);
    rows.raise(row, rowFlags.deleted);
    if ((rows.flags(row) & rowFlags.ended) === 0) this.#retire(row, now);
    else this.#noteEnd(row, now);
    rows.setUntil(row, until);
  }

  #enforce(row: number): void {
    this.#expiry.push(row);
    this.kindOf(row).live++;
    this.alerts.count(this.rows.alert(row), 1);
  }

  #retire(row: number, now: number): void {
    this.#expiry.remove(row);
    this.kindOf(row).live--;
    this.alerts.count(this.rows.alert(row), -1);
    this.rows.raise(row, rowFlags.ended);
    this.#noteEnd(row, now);
  }

  #noteEnd(row: number, now: number): void {
    const { ended } = this;
    if (ended.next >= this.#maxEnded) this.#forget(ended.next - this.#maxEnded, row);
    this.rows.setPlace(row, ended.push(row, now));
  }

  #announce(row: number, arrivedAt: number, now: number): void {
    const time = Math.max(Math.min(arrivedAt, now), this.#lastQuestion + instant);
    this.rows.setAnnounced(row, this.announced.push(row, time));
  }

  /** The oldest entry of the list of ended ones gives way; its row goes unless it has ended again since, or lives again. */
  #forget(number: number, except: number): void {
    const { rows } = this;
    const row = this.ended.rowAt(number);
    if (row === except || (rows.flags(row) & rowFlags.ended) === 0 || rows.place(row) !== (number | 0)) return;
    const kind = this.kindOf(row);
    this.order.remove(row);
    this.values.remove(row);
    this.kinds.release(kind);
    this.alerts.release(rows.alert(row));
    this.#uuids.delete(row);
    rows.give(row);
  }

  #isSame(row: number, { uuid, value, scope, type }: Decision): boolean {
    const kind = this.kindOf(row);
    return kind.scope === scope && kind.type === type && this.values.isText(row, value) && this.uuidText(row) === uuid;
  }

  /** How the uuid is kept, and how much of it is the kind's. A plain one is read into `#words`. */
  #uuidForm(uuid: string, value: string): { readonly flag: number; readonly prefixLength: number } {
    const start = uuid.length - uuidLength;
    if (start >= 0 && readUuid(uuid, start, this.#words)) return { flag: 0, prefixLength: start };
    if (value !== '' && uuid.endsWith(value))
      return { flag: rowFlags.valueUuid, prefixLength: uuid.length - value.length };
    return { flag: rowFlags.textUuid, prefixLength: 0 };
  }
}
