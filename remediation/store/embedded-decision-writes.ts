/**
 * Decisions on their way into the embedded store's file: as few statements and as few bound values as lists of a million allow.
 */
import { isOwn } from '../decision.ts';
import type { AlertRefs } from './embedded-alert-refs.ts';
import { createDecisionKeys, uuidKey } from './embedded-decision-keys.ts';
import type { StoreFile } from './embedded-file.ts';
import { rowOf } from './embedded-kinds.ts';
import type { DecisionColumns, DecisionKind } from './embedded-pack.ts';

export interface DecisionWriter {
  /** Takes the decision of row `row`; it is in the file after `flush`. Returns what was known of it before, or null. */
  put(
    seq: number,
    columns: DecisionColumns,
    row: number,
    kindIds: readonly number[],
    deletedAt: number | null,
  ): KnownDecision | null;
  /** Before a commit. */
  flush(): void;
  /** An import begins: it is worth reading all keys once. */
  expectMany(): void;
  /** Forgets what waits: the transaction is rolled back. */
  discard(): void;
}

/** Its id, and when it was deleted. */
interface KnownDecision {
  readonly id: number;
  readonly deletedAt: number | null;
}

/** A row of the table, in the order of `fields`. */
interface Row {
  readonly seq: number;
  readonly uuid: string;
  readonly value: string;
  readonly kind: number;
  readonly until: number;
  readonly createdAt: number;
  readonly alert: number | null;
  readonly own: 1 | null;
  readonly deletedAt: number | null;
  readonly id: number | null;
}

const fields = 'seq, uuid, value, kind, until, created_at, alert, own, deleted_at, id';
/** Rows of one INSERT: a statement costs as much as a row. */
const mixedTogether = [16, 1] as const;
/** Of rows that differ in uuid and value only. */
const alikeTogether = [64, 8] as const;
const rowsTogether = alikeTogether[0];

export function createDecisionWriter(file: StoreFile, alerts: AlertRefs, hashSeed: number): DecisionWriter {
  const keys = createDecisionKeys(file);
  let waiting: Row[] = [];
  /** Those that wait differ in `uuid` and `value` only, and their positions follow each other. */
  let alike = true;
  const ofMixed = mixedTogether.map((count) => ({ count, insert: file.prepare(mixedStatement(count)) }));
  const ofAlike = alikeTogether.map((count) => ({ count, insert: file.prepare(alikeStatement(count)) }));
  const find = file.prepare(
    'SELECT seq, coalesce(id, seq), deleted_at FROM decision_keys CROSS JOIN decisions USING (seq) WHERE key = ? AND uuid = ?',
  );
  const remove = file.prepare('DELETE FROM decisions WHERE seq = ?');

  const flushRows = (): void => {
    const rows = waiting;
    let at = 0;
    const next = (count: number): Row[] => rows.slice(at, (at += count));
    const left = (): number => rows.length - at;
    if (alike) for (const { count, insert } of ofAlike) while (left() >= count) insert.run(...alikeValues(next(count)));
    for (const { count, insert } of ofMixed) while (left() >= count) insert.run(...next(count).flatMap(mixedValues));
    waiting = [];
    alike = true;
  };
  const flush = (): void => {
    flushRows();
    keys.flush();
  };

  /** Takes the decision's row out of the file: what stays of it is its id, and when it was deleted. */
  const previous = (key: number, uuid: string): KnownDecision | null => {
    if (keys.isWaiting(key)) flush();
    else if (!keys.mayHave(key)) return null;
    const row = rowOf(find.get(key, uuid)) as [number, number, number | null] | undefined;
    if (!row) return null;
    const [seq, id, deletedAt] = row;
    remove.run(seq);
    keys.remove(key, seq);
    return { id, deletedAt };
  };

  return {
    put(seq, columns, index, kindIds, deletedAt) {
      const uuid = columns.uuids[index] as string;
      const key = uuidKey(uuid, hashSeed);
      const before = previous(key, uuid);
      keys.add(key, seq);
      const kindIndex = columns.kindOf[index] as number;
      const { origin, simulated } = columns.kinds[kindIndex] as DecisionKind;
      const alertUuid = columns.alertUuids[index] as string | null;
      const row: Row = {
        seq,
        uuid,
        value: columns.values[index] as string,
        kind: kindIds[kindIndex] as number,
        until: columns.until[index] as number,
        createdAt: columns.createdAt[index] as number,
        alert: alertUuid === null ? null : alerts.idOf(alertUuid),
        own: isOwn({ uuid, origin, simulated }) ? 1 : null,
        deletedAt: deletedAt === null ? null : (before?.deletedAt ?? deletedAt),
        id: before?.id ?? null,
      };
      const first = waiting[0];
      alike &&= first === undefined || isAlike(first, row, waiting.length);
      waiting.push(row);
      if (waiting.length === rowsTogether) flushRows();
      return before;
    },
    flush,
    expectMany: () => keys.expectMany(),
    discard() {
      waiting = [];
      alike = true;
      keys.discard();
    },
  };
}

function isAlike(first: Row, row: Row, distance: number): boolean {
  return (
    row.seq === first.seq + distance &&
    row.kind === first.kind &&
    row.until === first.until &&
    row.createdAt === first.createdAt &&
    row.alert === first.alert &&
    row.own === first.own &&
    row.deletedAt === first.deletedAt &&
    row.id === first.id
  );
}

type Bound = string | number | null;

function mixedStatement(count: number): string {
  const row = `(${fields.replaceAll(/\w+/g, '?')})`;
  return `INSERT INTO decisions (${fields}) VALUES ${Array.from({ length: count }, () => row).join()}`;
}

function mixedValues({ seq, uuid, value, kind, until, createdAt, alert, own, deletedAt, id }: Row): Bound[] {
  return [seq, uuid, value, kind, until, createdAt, alert, own, deletedAt, id];
}

/** What the rows share is bound once. */
function alikeStatement(count: number): string {
  const rows = Array.from({ length: count }, (_, row) => {
    const own = [9, 10].map((place) => `?${place + 2 * row}`);
    return `(?1 + ${row}, ${own.join()}, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`;
  });
  return `INSERT INTO decisions (${fields}) VALUES ${rows.join()}`;
}

function alikeValues(rows: readonly Row[]): Bound[] {
  const { seq, kind, until, createdAt, alert, own, deletedAt, id } = rows[0] as Row;
  const values: Bound[] = [seq, kind, until, createdAt, alert, own, deletedAt, id];
  for (const { uuid, value } of rows) values.push(uuid, value);
  return values;
}
