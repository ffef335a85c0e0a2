/**
 * Forgetting what retention no longer asks for, in transactions of a few hundred rows with a pause after each, so that
 * writes never wait long. Decisions have no index on their end (it would cost every import dearly): they are swept in
 * order of writing.
 */
import type { Answer, ReadContext } from './embedded-reads.ts';
import { uuidKey } from './embedded-decision-keys.ts';
import { rowOf } from './embedded-kinds.ts';
import type { Retention, RetentionLimit } from './options.ts';

/** Rows that one transaction removes. */
const sliceRows = 500;
/** Decisions that are looked at before a pause: a few milliseconds, for which an alert may have to wait. */
const sweepRows = 5_000;
/** Kinds that may be stored before unused ones are looked for. */
const spareKinds = 1_000;

/** Called within the transaction that removes a row. */
type RaiseFloor = (position: number) => void;

/** The number of rows removed. `raiseFloor` hears the positions of deletions that followers can no longer learn of. */
export function* forget(
  context: ReadContext,
  retention: Retention,
  now: number,
  raiseFloor: RaiseFloor,
): Answer<number> {
  let removed = yield* forgetByTime(context, 'refusals', 'at', retention.refusals, now);
  removed += yield* forgetByTime(context, 'usage', 'received_at', retention.usage, now);
  removed += yield* forgetAlerts(context, retention.alerts, now);
  removed += yield* forgetDecisions(context, retention.decisions, now, raiseFloor);
  removed += yield* forgetAllowlist(context, retention.decisions, now, raiseFloor);
  return removed + forgetKinds(context);
}

function* forgetByTime(
  context: ReadContext,
  table: 'refusals' | 'usage',
  time: 'at' | 'received_at',
  limit: RetentionLimit,
  now: number,
): Answer<number> {
  const old =
    `DELETE FROM ${table} WHERE id IN ` +
    `(SELECT id FROM ${table} WHERE ${time} < ? ORDER BY ${time} LIMIT ${sliceRows})`;
  const surplus =
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE id <= ` +
    `(SELECT id FROM ${table} ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ${sliceRows})`;
  return (yield* slices(context, old, now - limit.maxAge)) + (yield* slices(context, surplus, limit.maxRows));
}

/** CrowdSec's flush: never an alert with an active decision. */
function* forgetAlerts(context: ReadContext, limit: RetentionLimit, now: number): Answer<number> {
  const unused =
    'NOT EXISTS (SELECT 1 FROM decisions WHERE alert = (SELECT id FROM alert_refs WHERE uuid = alerts.uuid) ' +
    'AND deleted_at IS NULL AND until > ?)';
  const old =
    'DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE created_at < ? ' +
    `AND ${unused} ORDER BY created_at LIMIT ${sliceRows})`;
  const surplus =
    'DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE id <= ' +
    `(SELECT id FROM alerts ORDER BY id DESC LIMIT 1 OFFSET ?) AND ${unused} ORDER BY id LIMIT ${sliceRows})`;
  return (yield* slices(context, old, now - limit.maxAge, now)) + (yield* slices(context, surplus, limit.maxRows, now));
}

function* forgetDecisions(
  context: ReadContext,
  limit: RetentionLimit,
  now: number,
  raiseFloor: RaiseFloor,
): Answer<number> {
  const old = now - limit.maxAge;
  const first = yield* sweep(context, '(until < ? OR deleted_at < ?)', [old, old], Infinity, now, raiseFloor);
  const surplus = first.ended - limit.maxRows;
  if (surplus <= 0) return first.removed;
  const ended = '(until <= ? OR deleted_at IS NOT NULL)';
  return first.removed + (yield* sweep(context, ended, [now], surplus, now, raiseFloor)).removed;
}

/** Removes at most `most` decisions that satisfy `where`, oldest first; also counts the ended ones that stay. */
function* sweep(
  context: ReadContext,
  where: string,
  values: readonly number[],
  most: number,
  now: number,
  raiseFloor: RaiseFloor,
): Answer<{ removed: number; ended: number }> {
  const stretch = `SELECT seq FROM decisions WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ${sweepRows - 1}`;
  const due = `SELECT seq, deleted_at IS NOT NULL AND until > ? FROM decisions WHERE seq > ? AND seq <= ? AND ${where} ORDER BY seq LIMIT ?`;
  const count = 'SELECT count(*) FROM decisions WHERE seq > ? AND seq <= ? AND (until <= ? OR deleted_at IS NOT NULL)';
  let removed = 0;
  let ended = 0;
  for (let start = 0; removed < most; ) {
    const last = rowOf(context.file.prepare(stretch).get(start))?.[0] as number | undefined;
    const end = last ?? context.head.head;
    for (let full = true; full && removed < most; ) {
      const size = Math.min(sliceRows, most - removed);
      const rows = context.file.prepare(due).all(now, start, end, ...values, size) as unknown as [number, number][];
      removeDecisions(context, rows, raiseFloor);
      removed += rows.length;
      full = rows.length === size;
      yield;
    }
    ended += Number(rowOf(context.file.prepare(count).get(start, end, now))?.[0] ?? 0);
    if (last === undefined) break;
    start = last;
  }
  return { removed, ended };
}

function removeDecisions(
  { file, alerts, hashSeed }: ReadContext,
  rows: readonly [number, number][],
  raiseFloor: RaiseFloor,
): void {
  if (rows.length === 0) return;
  const remove = file.prepare('DELETE FROM decisions WHERE seq = ? RETURNING uuid, alert');
  const forgetKey = file.prepare('DELETE FROM decision_keys WHERE key = ? AND seq = ?');
  const forgetRef = file.prepare(
    'DELETE FROM alert_refs WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM decisions WHERE alert = ?1)',
  );
  inTransaction(file.db, () => {
    for (const [seq, stillApplies] of rows) {
      const [uuid, alert] = rowOf(remove.get(seq)) as [string, number | null];
      forgetKey.run(uuidKey(uuid, hashSeed), seq);
      if (alert !== null) forgetRef.run(alert);
      // A follower that has not heard of this deletion would enforce the decision until it expires.
      if (stillApplies === 1) raiseFloor(seq);
    }
  });
  alerts.forget();
}

function* forgetAllowlist(
  context: ReadContext,
  limit: RetentionLimit,
  now: number,
  raiseFloor: RaiseFloor,
): Answer<number> {
  const expired = `DELETE FROM allowlist WHERE seq IN (SELECT seq FROM allowlist WHERE until <= ? LIMIT ${sliceRows})`;
  const removed = yield* slices(context, expired, now);
  const { file } = context;
  const select = `SELECT seq FROM allowlist WHERE deleted_at < ? ORDER BY seq LIMIT ${sliceRows}`;
  const rows = file.prepare(select).all(now - limit.maxAge) as unknown as [number][];
  if (rows.length === 0) return removed;
  inTransaction(file.db, () => {
    for (const [seq] of rows) {
      file.prepare('DELETE FROM allowlist WHERE seq = ?').run(seq);
      raiseFloor(seq);
    }
  });
  return removed + rows.length;
}

/** Names of scenarios come and go with the lists that are pulled. */
function forgetKinds({ file, kinds }: ReadContext): number {
  const stored = Number(rowOf(file.prepare('SELECT count(*) FROM kinds').get())?.[0] ?? 0);
  if (stored <= spareKinds) return 0;
  const unused = 'DELETE FROM kinds WHERE id NOT IN (SELECT DISTINCT kind FROM decisions)';
  const removed = Number(file.prepare(unused).run().changes);
  kinds.forget();
  return removed;
}

/** Runs a DELETE of limited size until nothing is left of it. */
function* slices(context: ReadContext, sql: string, ...values: number[]): Answer<number> {
  let removed = 0;
  for (;;) {
    const changes = Number(context.file.prepare(sql).run(...values).changes);
    removed += changes;
    if (changes < sliceRows) return removed;
    yield;
  }
}

function inTransaction(db: { exec(sql: string): void; readonly isTransaction: boolean }, run: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    run();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
