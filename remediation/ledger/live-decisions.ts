/**
 * The answer of `GET /v1/decisions`: what is in force and fits. Asked about an address, a network or a value it touches the
 * rows concerned; anything else goes through all rows in steps.
 *
 * CrowdSec promises no order. Without paging, decisions that cover an address come severest first, then the one that lasts
 * longest, since some bouncers look at the first only; all others come in ascending order of ids.
 */
import { enforcedAs, severityOf } from '../decision.ts';
import { DecisionJson } from './decision-json.ts';
import { nothing } from './decision-stream.ts';
import { IdWalk } from './id-order.ts';
import { rowTest, type LedgerFilter } from './ledger-filter.ts';
import { noRow } from './ledger-rows.ts';
import type { LedgerTables } from './ledger-tables.ts';

const rowsPerStep = 4_096;
const firstBytes = 1_024;

/** The rows, and `noRow` wherever others may run. */
export function* activeRows(tables: LedgerTables, filter: LedgerFilter, now: number): Generator<number, void> {
  const { limit = -1, offset = 0, simulated = false, idAbove = -1, distinct = false } = filter;
  if (limit === 0) return;
  const found = candidates(tables, filter);
  const fits = rowTest(tables, filter);
  const accepts = (row: number): boolean =>
    tables.isActive(row, now) &&
    (simulated || !tables.kindOf(row).simulated) &&
    fits(row) &&
    !(distinct && tables.isHidden(row));
  let skipped = 0;
  let given = 0;
  if (found !== null) {
    for (const row of found) {
      if (tables.rows.id(row) <= idAbove || !accepts(row) || skipped++ < offset) continue;
      yield row;
      if (++given === limit) return;
    }
    return;
  }
  const walk = new IdWalk(tables.order, tables.rows, idAbove);
  for (let looked = 1; ; looked++) {
    if (looked % rowsPerStep === 0) yield noRow;
    const row = walk.next();
    if (row === noRow) return;
    if (!accepts(row) || skipped++ < offset) continue;
    yield row;
    if (++given === limit) return;
  }
}

/** Pieces of the JSON array, `null` when nothing fits. Let others run between two. They are the caller's as in `streamDecisions`. */
export function* liveAnswer(
  tables: LedgerTables,
  filter: LedgerFilter,
  now: number,
): Generator<Uint8Array, void, Uint8Array | undefined> {
  const json = new DecisionJson(tables, now, false, firstBytes);
  let isFirst = true;
  for (const row of activeRows(tables, filter, now)) {
    if (row === noRow) {
      yield nothing;
      continue;
    }
    if (isFirst) json.ascii('[');
    isFirst = false;
    json.decision(row);
    if (json.isFull) json.giveBack(yield json.take());
  }
  json.ascii(isFirst ? 'null' : ']');
  yield json.take();
}

/** The only rows that can fit, or null when all have to be looked at. */
function candidates(tables: LedgerTables, filter: LedgerFilter): number[] | null {
  const { network, value, contains = true } = filter;
  const { rows, values } = tables;
  const byId = (a: number, b: number): number => rows.id(a) - rows.id(b);
  if (value !== undefined) return values.withText(value).sort(byId);
  if (network === undefined) return null;
  if (!contains) return values.within(network)?.sort(byId) ?? null;
  const found = values.covering(network);
  const isPaged = filter.limit !== undefined || filter.offset !== undefined || filter.idAbove !== undefined;
  if (isPaged || found.length < 2) return found.sort(byId);
  const severity = (row: number): number => severityOf(enforcedAs(tables.kindOf(row).type));
  return found.sort((a, b) => severity(b) - severity(a) || rows.until(b) - rows.until(a) || byId(a, b));
}
