/**
 * The answer of `GET /v1/decisions/stream`, in pieces of 64 KiB: what is in force, or what changed since the bouncer's last
 * question. Specification: CrowdSec `pkg/apiserver/controllers/v1/decisions.go`, chunked as since 1.6.
 *
 * Decisions come and go between two pieces, so this is what holds: each decision is written as it is in that moment, whole. What is in
 * force throughout is in `new`, what had ended when the answer began is in `deleted`, unless another hides it. One that ends
 * meanwhile is in `new` or in neither, and never in `deleted` of the same answer; every change from the beginning of
 * the answer on is told by the next delta, because that starts where this question was asked.
 */
import { DecisionJson } from './decision-json.ts';
import { IdWalk } from './id-order.ts';
import { rowTest, type LedgerFilter } from './ledger-filter.ts';
import { noRow, rowFlags } from './ledger-rows.ts';
import type { LedgerTables } from './ledger-tables.ts';
import { isFrom, type TimedRing } from './timed-ring.ts';

export interface StreamQuestion {
  /** Paging and `distinct` are not looked at. */
  readonly filter: LedgerFilter;
  /** Everything, instead of what changed since `lastPull`. */
  readonly startup: boolean;
  /** When the last answered question was asked, in epoch milliseconds; null makes the delta hold everything. */
  readonly lastPull: number | null;
  /** When this one was asked: the `lastPull` of the next. */
  readonly askedAt: number;
  readonly now: number;
  /** Leave out what another decision about the same value outlasts. */
  readonly dedup: boolean;
}

/** CrowdSec reads pages of this many and asks for simulated decisions only on the first of `new`. */
const pageRows = 30_000;
/** What ended this long before the last question is told once more. */
const endedOverlapMs = 2_000;
/** A last question this far ahead is a mistake rather than a clock. */
const farthestClockMs = 86_400_000;
/** Changes that are collected and sorted; more are found by going through all rows, which takes no memory. */
const maxCollected = 2_048;
/** Steps of work between two pieces: a millisecond at most. */
const rowsPerStep = 4_096;
const expiriesPerStep = 250;

/** A step of work that produced nothing. */
export const nothing: Uint8Array = new Uint8Array(0);

/**
 * Let others run between two steps. The caller owns the pieces; one that it hands to the following `next` is written over.
 * `overlapMs`: what was announced this long before the last question is told once more.
 */
export function* streamDecisions(
  tables: LedgerTables,
  question: StreamQuestion,
  overlapMs = 0,
): Generator<Uint8Array, void, Uint8Array | undefined> {
  const { now, askedAt } = question;
  while (tables.expire(now, expiriesPerStep) === expiriesPerStep) yield nothing;
  const lastPull = changesSince(tables, question);
  const newSince = lastPull === null ? null : lastPull - overlapMs;
  const endedSince = lastPull === null ? null : lastPull - Math.max(overlapMs, endedOverlapMs);
  tables.questionAsked(Math.min(askedAt, now));
  const endedBefore = tables.ended.next;
  const json = new DecisionJson(tables, now, true, question.startup ? undefined : 4_096);
  json.ascii('{"new": [');
  yield* section(json, newRows(tables, question, newSince));
  json.ascii('], "deleted": [');
  yield* section(json, endedRows(tables, question, endedSince, endedBefore));
  json.ascii(']}');
  yield json.take();
}

interface Section {
  readonly rows: { next(): number };
  /** Asked once about each row, when its turn comes. */
  readonly accepts: (row: number) => boolean;
}

/** Null: everything. */
function changesSince(tables: LedgerTables, { startup, lastPull, now }: StreamQuestion): number | null {
  if (startup || lastPull === null) return null;
  if (lastPull <= Math.max(now, tables.lastQuestion)) return lastPull;
  // By another clock: nobody knows what the bouncer has heard of since. From now on announcements are later than that.
  if (lastPull <= now + farthestClockMs) tables.questionAsked(lastPull);
  return null;
}

function newRows(tables: LedgerTables, question: StreamQuestion, since: number | null): Section {
  const { filter, now, dedup } = question;
  const { rows, announced } = tables;
  const from = since === null ? null : announced.after(since);
  const fits = rowTest(tables, filter);
  let simulatedToo = filter.simulated === true;
  let accepted = 0;
  return {
    rows: from === null ? new IdWalk(tables.order, rows) : changedRows(tables, announced, from),
    accepts: (row) => {
      if (rows.until(row) <= now || (rows.flags(row) & rowFlags.deleted) !== 0) return false;
      if (from !== null && !isFrom(rows.announced(row), from)) return false;
      if (!simulatedToo && tables.kindOf(row).simulated) return false;
      if (!fits(row) || (dedup && tables.isHidden(row))) return false;
      if (++accepted === pageRows) simulatedToo = false;
      return true;
    },
  };
}

function endedRows(tables: LedgerTables, question: StreamQuestion, since: number | null, endedBefore: number): Section {
  const { filter, dedup } = question;
  const { rows, ended } = tables;
  const from = since === null ? ended.oldest : ended.after(since);
  const fits = rowTest(tables, filter);
  return {
    rows: changedRows(tables, ended, from),
    accepts: (row) => {
      const flags = rows.flags(row);
      if ((flags & rowFlags.ended) === 0 || tables.kindOf(row).simulated) return false;
      if (!isFrom(rows.place(row), from) || isFrom(rows.place(row), endedBefore)) return false;
      // A decision that was over when it came is only told when that was a moment ago.
      if (since !== null && (flags & rowFlags.deleted) === 0 && rows.until(row) <= since) return false;
      return fits(row) && !(dedup && tables.isHidden(row));
    },
  };
}

/** In ascending order of ids: at least those rows whose last entry in the ring is `from` or later. */
function changedRows(tables: LedgerTables, ring: TimedRing, from: number): Section['rows'] {
  const { rows, order } = tables;
  if (from < ring.oldest || ring.next - from > maxCollected) return new IdWalk(order, rows);
  const numberOf = (row: number): number => (ring === tables.ended ? rows.place(row) : rows.announced(row));
  const found: number[] = [];
  for (let number = from; number < ring.next; number++) {
    const row = ring.rowAt(number);
    if ((rows.flags(row) & rowFlags.used) !== 0 && numberOf(row) === (number | 0)) found.push(row);
  }
  found.sort((a, b) => rows.id(a) - rows.id(b));
  let at = 0;
  return {
    next() {
      // A row may have been given away since: that is how it ends, long after it was told.
      while (at < found.length && (rows.flags(found[at] as number) & rowFlags.used) === 0) at++;
      return found[at++] ?? noRow;
    },
  };
}

function* section(json: DecisionJson, { rows, accepts }: Section): Generator<Uint8Array, void, Uint8Array | undefined> {
  for (;;) {
    for (let looked = 0; looked < rowsPerStep && !json.isFull; looked++) {
      const row = rows.next();
      if (row === noRow) return;
      if (accepts(row)) json.decision(row);
    }
    json.giveBack(yield json.isFull ? json.take() : nothing);
  }
}
