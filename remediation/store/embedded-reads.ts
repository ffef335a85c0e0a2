/**
 * Answering the embedded store's questions. Each answer is a generator: it pauses where it has worked for some
 * milliseconds, so that writes are not kept waiting while a million rows are searched.
 */
import type { StoreFile } from './embedded-file.ts';
import { rowOf, type Kinds } from './embedded-kinds.ts';
import { emptyChanges, emptyStored, packTag, type PackedChanges, type StoredColumns } from './embedded-pack.ts';
import type { AlertRow, PackedDecisions, PackedPage, ReadName, ReadRequest, Reads } from './embedded-messages.ts';
import { uuidKey } from './embedded-decision-keys.ts';
import type { AlertRefs } from './embedded-alert-refs.ts';
import { listingStart } from './cursor.ts';
import type { Head } from './follow.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Machine } from '../machine.ts';
import { byId, byName, pageSize } from './queries.ts';
import type { AllowlistEntry, DecisionQuery, UsageReport } from './store.ts';
import { parseRefusal } from './write-limits.ts';

/** Rows of one page of changes: the main thread spends about a millisecond on them. */
const changeRows = 1_000;
/** Decisions that a search passes over before it pauses. */
const searchRows = 50_000;

export type Answer<T> = Generator<void, T, void>;

export interface ReadContext {
  readonly file: StoreFile;
  readonly kinds: Kinds;
  readonly alerts: AlertRefs;
  readonly head: Head;
  readonly hashSeed: number;
}

type Answers = {
  [Name in Exclude<ReadName, 'maintain'>]: (
    context: ReadContext,
    ask: Reads[Name]['ask'],
    now: number,
  ) => Answer<Reads[Name]['answer']>;
};

/* oxlint-disable eslint/require-yield -- all answers are generators; most are quick enough not to pause */
const answers: Answers = {
  *head({ head }) {
    return head;
  },
  *snapshot(context, { after, end }, now) {
    return changePage(context, after, end, now);
  },
  *since(context, { after }) {
    return changePage(context, after, context.head.head, null);
  },
  decisions: searchDecisions,
  *decisionByUuid(context, { uuid }) {
    const byKey = 'seq IN (SELECT seq FROM decision_keys WHERE key = ?) AND uuid = ?';
    return decisionWhere(context, byKey, [uuidKey(uuid, context.hashSeed), uuid]);
  },
  *decisionById(context, { id }) {
    const unmoved = decisionWhere(context, 'seq = ? AND id IS NULL', [id]);
    return unmoved.seqs.length > 0 ? unmoved : decisionWhere(context, 'id = ?', [id]);
  },
  *allowlists({ file }) {
    const rows = rowsOf(file.prepare('SELECT name, description, created_at, updated_at FROM allowlists').all());
    return rows
      .map(([name, description, createdAt, updatedAt]) => ({
        name: name as string,
        description: description as string,
        createdAt: createdAt as number,
        updatedAt: updatedAt as number,
      }))
      .toSorted(byName);
  },
  *allowlist({ file }, _ask, now) {
    const select =
      `SELECT ${entryColumns} FROM allowlist ` +
      'WHERE deleted_at IS NULL AND (until IS NULL OR until > ?) ORDER BY seq';
    return rowsOf(file.prepare(select).all(now)).map((row) => entryOf(row));
  },
  *alerts({ file }, query) {
    const { where, values } = conditions([
      ['scope = ?', query.scope],
      ['value = ?', query.value],
      ['scenario = ?', query.scenario],
      ['created_at >= ?', query.since],
      ['id < ?', query.before],
    ]);
    const select = `SELECT id, body FROM alerts ${where} ORDER BY id DESC LIMIT ?`;
    return rowsOf(file.prepare(select).all(...values, pageSize(query.limit))).map(alertRow);
  },
  *alertByUuid({ file }, { uuid }) {
    const row = rowOf(file.prepare('SELECT id, body FROM alerts WHERE uuid = ?').get(uuid));
    return row ? alertRow(row) : null;
  },
  *alertById({ file }, { id }) {
    const row = rowOf(file.prepare('SELECT id, body FROM alerts WHERE id = ?').get(id));
    return row ? alertRow(row) : null;
  },
  *refusals({ file }, query) {
    const { where, values } = conditions([
      ['client_ip = ?', query.clientIp],
      ['request_id = ?', query.requestId],
      ['at >= ?', query.since],
    ]);
    const select = `SELECT body FROM refusals ${where} ORDER BY at DESC, id DESC LIMIT ?`;
    const rows = rowsOf(file.prepare(select).all(...values, pageSize(query.limit)));
    return rows.map((row) => parseRefusal(row[0] as string));
  },
  *bouncers({ file }) {
    return documents<Bouncer>(file, 'bouncers').toSorted(byName);
  },
  *machines({ file }) {
    return documents<Machine>(file, 'machines').toSorted(byId);
  },
  *usageReports({ file }, query) {
    const { where, values } = conditions([
      ['side = ?', query.side],
      ['sender = ?', query.from],
      ['received_at >= ?', query.since],
    ]);
    const select = `SELECT side, sender, received_at, body FROM usage ${where} ORDER BY received_at DESC, id DESC LIMIT ?`;
    const rows = rowsOf(file.prepare(select).all(...values, pageSize(query.limit)));
    return rows.map((row) => ({
      side: row[0] as UsageReport['side'],
      from: row[1] as string,
      receivedAt: row[2] as number,
      body: row[3] as string,
    }));
  },
  *decisionCounts({ file }, { since, limit }) {
    const select =
      'SELECT value, count(*), max(created_at) AS newest, max(seq) AS last FROM decisions ' +
      'WHERE own = 1 AND created_at >= ? GROUP BY value ORDER BY newest DESC, last DESC LIMIT ?';
    const rows = rowsOf(file.prepare(select).all(since, pageSize(limit)));
    return rows.map((row) => ({ value: row[0] as string, count: row[1] as number }));
  },
};
/* oxlint-enable eslint/require-yield */

export function answerRead(
  context: ReadContext,
  request: Exclude<ReadRequest, { name: 'maintain' }>,
): Answer<Reads[ReadName]['answer']> {
  // The table pairs each name with its question; TypeScript cannot follow a pair through an index.
  const answer = answers[request.name] as (context: ReadContext, ask: unknown, now: number) => Answer<never>;
  return answer(context, request.ask, request.now);
}

/** As the SELECT of `decisionColumns` yields it. */
type DecisionRow = [number, string, number, string, number, number, number | null, number | null, number];
const decisionColumns = 'seq, uuid, kind, value, until, created_at, deleted_at, alert, coalesce(id, seq)';
/** What `entryOf` reads. */
const entryColumns = 'list, value, comment, created_at, until';

/** Changes after `after` up to `end`; with `liveAt`, only what is live at that time. */
function changePage(context: ReadContext, after: number, end: number, liveAt: number | null): PackedPage {
  const { file, head } = context;
  const live = liveAt === null ? '' : 'AND deleted_at IS NULL AND (until IS NULL OR until > ?)';
  const range = `WHERE seq > ? AND seq <= ? ${live} ORDER BY seq LIMIT ${changeRows}`;
  const values = liveAt === null ? [after, end] : [after, end, liveAt];
  const decisions = rowsOf(
    file.prepare(`SELECT ${decisionColumns} FROM decisions ${range}`).all(...values),
  ) as DecisionRow[];
  const select = `SELECT ${entryColumns}, seq, deleted_at FROM allowlist ${range}`;
  const entries = rowsOf(file.prepare(select).all(...values));
  const pack = emptyChanges();
  const kindIndex = new Map<number, number>();
  let position = after;
  let d = 0;
  let e = 0;
  while (pack.tags.length < changeRows && (d < decisions.length || e < entries.length)) {
    const decision = decisions[d];
    const entry = entries[e];
    if (decision && (!entry || decision[0] < (entry[5] as number))) {
      pushDecision(context, pack.decisions, decision, kindIndex);
      pack.tags.push(decision[6] === null ? packTag.added : packTag.deleted);
      position = decision[0];
      d += 1;
    } else if (entry) {
      pushEntry(pack, entry);
      position = entry[5] as number;
      e += 1;
    }
  }
  if (pack.tags.length < changeRows) position = end;
  return { epoch: head.epoch, floor: head.floor, position, pack };
}

/** Newest first, a stretch of the table, or of the decisions of one alert, at a time. */
function* searchDecisions(context: ReadContext, query: DecisionQuery, now: number): Answer<PackedDecisions> {
  const { file, head, alerts } = context;
  const page = emptyDecisions(head.epoch);
  const size = pageSize(query.limit);
  const { where, values } = decisionConditions(query, now);
  const alert = query.alertUuid === undefined ? undefined : alerts.find(query.alertUuid.toWellFormed());
  if (alert === null) return page;
  const ofAlert = alert === undefined ? [] : [alert];
  const within = alert === undefined ? '' : 'AND alert = ?';
  const bottomOf = file.prepare(
    `SELECT seq FROM decisions WHERE seq < ? ${within} ORDER BY seq DESC LIMIT 1 OFFSET ${searchRows}`,
  );
  const select = `SELECT ${decisionColumns} FROM decisions WHERE seq < ? AND seq >= ? ${within} ${where} ORDER BY seq DESC LIMIT ?`;
  for (let top = listingStart(query.after, head.epoch); page.seqs.length < size && top > 0; ) {
    const bottom = (rowOf(bottomOf.get(top, ...ofAlert))?.[0] as number | undefined) ?? 0;
    const rows = rowsOf(file.prepare(select).all(top, bottom, ...ofAlert, ...values, size - page.seqs.length));
    for (const row of rows) pushStored(context, page, row as DecisionRow);
    top = bottom;
    if (top > 0) yield;
  }
  return page;
}

function decisionWhere(context: ReadContext, where: string, values: (string | number)[]): PackedDecisions {
  const page = emptyDecisions(context.head.epoch);
  const select = `SELECT ${decisionColumns} FROM decisions WHERE ${where}`;
  const row = rowOf(context.file.prepare(select).get(...values));
  if (row) pushStored(context, page, row as DecisionRow);
  return page;
}

function decisionConditions(query: DecisionQuery, now: number): Conditions {
  const kind = conditions([
    ['scope = ?', query.scope],
    ['type = ?', query.type],
    ['origin = ?', query.origin],
    ['origin NOT IN (SELECT value FROM json_each(?))', query.exceptOrigins && JSON.stringify(query.exceptOrigins)],
    ['scenario = ?', query.scenario],
  ]);
  const every = query.includeInactive === true && query.onlyInactive !== true;
  const active = 'deleted_at IS NULL AND until > ?';
  const ofTime = query.onlyInactive === true ? `AND NOT (${active})` : `AND ${active}`;
  const ofKind = kind.where === '' ? '' : `AND kind IN (SELECT id FROM kinds ${kind.where})`;
  const ofValue = query.value === undefined ? '' : 'AND value = ?';
  return {
    where: `${every ? '' : ofTime} ${ofValue} ${ofKind}`,
    values: [...(every ? [] : [now]), ...(query.value === undefined ? [] : [query.value]), ...kind.values],
  };
}

interface Conditions {
  readonly where: string;
  readonly values: (string | number)[];
}

function conditions(parts: readonly (readonly [string, string | number | undefined])[]): Conditions {
  const asked = parts.filter((part): part is [string, string | number] => part[1] !== undefined);
  const where = asked.length === 0 ? '' : `WHERE ${asked.map(([text]) => text).join(' AND ')}`;
  return { where, values: asked.map(([, value]) => value) };
}

function emptyDecisions(epoch: string): PackedDecisions {
  return { epoch, columns: emptyStored(), seqs: [] };
}

function pushStored(context: ReadContext, page: PackedDecisions, row: DecisionRow): void {
  page.seqs.push(row[0]);
  const index = page.columns.kinds.push(context.kinds.byId(row[2])) - 1;
  pushColumns(context, page.columns, row, index);
}

function pushDecision(
  context: ReadContext,
  columns: StoredColumns,
  row: DecisionRow,
  known: Map<number, number>,
): void {
  let index = known.get(row[2]);
  if (index === undefined) {
    index = columns.kinds.push(context.kinds.byId(row[2])) - 1;
    known.set(row[2], index);
  }
  pushColumns(context, columns, row, index);
}

function pushColumns({ alerts }: ReadContext, columns: StoredColumns, row: DecisionRow, kind: number): void {
  columns.uuids.push(row[1]);
  columns.values.push(row[3]);
  columns.until.push(row[4]);
  columns.createdAt.push(row[5]);
  columns.deletedAt.push(row[6]);
  columns.alertUuids.push(row[7] === null ? null : alerts.byId(row[7]));
  columns.ids.push(row[8]);
  columns.kindOf.push(kind);
}

/** A row of `entryColumns`, its position and its `deleted_at`. */
function pushEntry(pack: PackedChanges, row: unknown[]): void {
  pack.tags.push(packTag.other);
  if (row[6] === null) pack.others.push({ kind: 'allowlist-added', entry: entryOf(row) });
  else pack.others.push({ kind: 'allowlist-deleted', list: row[0] as string, value: row[1] as string });
}

function entryOf(row: unknown[]): AllowlistEntry {
  return {
    list: row[0] as string,
    value: row[1] as string,
    comment: row[2] as string,
    createdAt: row[3] as number,
    until: row[4] as number | null,
  };
}

function alertRow(row: unknown[]): AlertRow {
  return { id: row[0] as number, body: row[1] as string };
}

function documents<T>(file: StoreFile, table: 'bouncers' | 'machines'): T[] {
  return rowsOf(file.prepare(`SELECT body FROM ${table}`).all()).map((row) => JSON.parse(row[0] as string) as T);
}

function rowsOf(rows: unknown): unknown[][] {
  return rows as unknown[][];
}
