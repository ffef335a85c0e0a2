/** Writing slices into the embedded store's file, within a transaction that the worker opens and commits. */
import { isOwn } from '../decision.ts';
import type { StoreFile } from './embedded-file.ts';
import type { Kinds } from './embedded-kinds.ts';
import {
  packTag,
  type DecisionColumns,
  type DecisionKind,
  type OtherWrite,
  type PackedWrites,
} from './embedded-pack.ts';
import { createRecordWriter } from './embedded-record-writes.ts';

export interface Writer {
  /** Writes one slice after position `head`; returns the new head. */
  write(pack: PackedWrites, head: number, now: number): number;
  /** An import begins. */
  expectMany(): void;
  /** After `write` threw: the transaction is rolled back. */
  discard(): void;
}

export function createWriter(file: StoreFile, kinds: Kinds, hashSeed: number): Writer {
  const decisions = createDecisionWriter(file, hashSeed);
  const records = createRecordWriter(file);
  return {
    write(pack, head, now) {
      const kindIds = pack.decisions.kinds.map((kind) => kinds.idOf(kind));
      let seq = head;
      let decision = 0;
      let other = 0;
      for (const tag of pack.tags) {
        if (tag === packTag.other) seq = records.write(pack.others[other++] as OtherWrite, seq, now);
        else decisions.put(++seq, pack.decisions, decision++, kindIds, tag === packTag.deleted ? now : null);
      }
      decisions.flush();
      return seq;
    },
    expectMany: () => decisions.expectMany(),
    discard: () => decisions.discard(),
  };
}

/** The row of a decision by uuid: its key narrows the search to a few. */
export function uuidKey(uuid: string, seed: number): number {
  // FNV-1a over UTF-16 units. The seed differs from file to file, so that no one can prepare uuids that all collide.
  let hash = seed ^ 0x811c9dc5;
  for (let index = 0; index < uuid.length; index++) hash = Math.imul(hash ^ uuid.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Its id and `deleted_at`. */
type StoredRow = [number, number | null];

/** Rows of one INSERT: a statement costs as much as a row. */
const rowsTogether = 16;
const decisionFields = 11;

interface DecisionWriter {
  /** Takes the decision of row `row`; it is in the file after `flush`. */
  put(seq: number, columns: DecisionColumns, row: number, kindIds: readonly number[], deletedAt: number | null): void;
  flush(): void;
  /** An import begins: it is worth reading all keys once. */
  expectMany(): void;
  /** Forgets what waits: the transaction is rolled back. */
  discard(): void;
}

interface KeyFilter {
  mayHave(key: number): boolean;
  add(key: number): void;
}

/**
 * Which keys may be in the file: a bit for each of 2^24 groups of keys, 2 MiB. Most decisions of a list are new, and
 * knowing so spares them a search in an index that does not fit into the cache. Bits are never cleared: one too many costs
 * a search, no more.
 */
function createKeyFilter(file: StoreFile): KeyFilter {
  const bits = new Uint8Array(2 ** 21);
  const add = (key: number): void => {
    const group = key >>> 8;
    bits[group >>> 3] = (bits[group >>> 3] as number) | (1 << (group & 7));
  };
  for (const row of file.prepare('SELECT key FROM decisions INDEXED BY decisions_key').iterate()) {
    add((row as unknown as [number])[0]);
  }
  return {
    mayHave: (key) => (((bits[key >>> 11] as number) >> ((key >>> 8) & 7)) & 1) === 1,
    add,
  };
}

function createDecisionWriter(file: StoreFile, hashSeed: number): DecisionWriter {
  let keys: KeyFilter | null = null;
  const take = file.prepare('DELETE FROM decisions WHERE key = ? AND uuid = ? RETURNING coalesce(id, seq), deleted_at');
  const row = `(${Array.from({ length: decisionFields }, () => '?').join()})`;
  const insertOne = file.prepare(`INSERT INTO decisions VALUES ${row}`);
  const insertMany = file.prepare(
    `INSERT INTO decisions VALUES ${Array.from({ length: rowsTogether }, () => row).join()}`,
  );
  let waiting: (string | number | null)[] = [];
  const flush = (): void => {
    const values = waiting;
    waiting = [];
    if (values.length === rowsTogether * decisionFields) insertMany.run(...values);
    else
      for (let at = 0; at < values.length; at += decisionFields)
        insertOne.run(...values.slice(at, at + decisionFields));
  };
  const previous = (key: number, uuid: string): StoredRow | undefined => {
    if (keys && !keys.mayHave(key)) return undefined;
    // The decision may be among the rows that wait.
    flush();
    return take.get(key, uuid) as unknown as StoredRow | undefined;
  };
  return {
    put(seq, columns, index, kindIds, deletedAt) {
      const uuid = columns.uuids[index] as string;
      const key = uuidKey(uuid, hashSeed);
      const before = previous(key, uuid);
      keys?.add(key);
      const kindIndex = columns.kindOf[index] as number;
      const kind = columns.kinds[kindIndex] as DecisionKind;
      waiting.push(
        seq,
        key,
        uuid,
        kindIds[kindIndex] as number,
        columns.values[index] as string,
        columns.until[index] as number,
        columns.createdAt[index] as number,
        deletedAt === null ? null : (before?.[1] ?? deletedAt),
        columns.alertUuids[index] as string | null,
        isOwn({ uuid, origin: kind.origin, simulated: kind.simulated }) ? 1 : null,
        before?.[0] ?? null,
      );
      if (waiting.length === rowsTogether * decisionFields) flush();
    },
    flush,
    expectMany() {
      keys ??= createKeyFilter(file);
    },
    discard() {
      waiting = [];
    },
  };
}
