/** Writing slices into the embedded store's file, within a transaction that the worker opens and commits. */
import type { Bouncer } from '../bouncer.ts';
import type { StoreFile } from './embedded-file.ts';
import type { Kinds } from './embedded-kinds.ts';
import { writeTag, type DecisionColumns, type DecisionKind, type Packed } from './embedded-pack.ts';
import type { AllowlistEntry, RefusalEvent } from './store.ts';
import type { AlertRecord } from './write-limits.ts';

export interface Writer {
  /** Writes one slice after position `head`; returns the new head. */
  write(pack: Packed, head: number, now: number): number;
  /** An import begins. */
  expectMany(): void;
  /** After `write` threw: the transaction is rolled back. */
  discard(): void;
}

export function createWriter(file: StoreFile, kinds: Kinds, hashSeed: number): Writer {
  const decisions = createDecisionWriter(file, hashSeed);
  const allowlist = createAllowlistWriter(file);
  const insertAlert = file.prepare(
    'INSERT OR REPLACE INTO alerts (uuid, scope, value, scenario, created_at, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertRefusal = file.prepare('INSERT INTO refusals (at, client_ip, request_id, body) VALUES (?, ?, ?, ?)');
  const insertBouncer = file.prepare('INSERT OR REPLACE INTO bouncers (name, key_hash, created_at) VALUES (?, ?, ?)');
  const deleteBouncer = file.prepare('DELETE FROM bouncers WHERE name = ?');
  return {
    write(pack, head, now) {
      const kindIds = pack.decisions.kinds.map((kind) => kinds.idOf(kind));
      const next = { decision: 0, entry: 0, value: 0, alert: 0, refusal: 0, bouncer: 0, bouncerName: 0 };
      let seq = head;
      for (const tag of pack.tags) {
        switch (tag) {
          case writeTag.added:
          case writeTag.deleted:
            decisions.put(++seq, pack.decisions, next.decision++, kindIds, tag === writeTag.deleted ? now : null);
            break;
          case writeTag.entry:
            allowlist.put(++seq, pack.entries[next.entry++] as AllowlistEntry);
            break;
          case writeTag.entryDeleted:
            allowlist.remove(++seq, pack.values[next.value++] as string, now);
            break;
          case writeTag.alert: {
            const { uuid, scope, value, scenario, createdAt, body } = pack.alerts[next.alert++] as AlertRecord;
            insertAlert.run(uuid, scope, value, scenario, createdAt, body);
            break;
          }
          case writeTag.refusal: {
            const event = pack.refusals[next.refusal++] as RefusalEvent;
            insertRefusal.run(event.at, event.clientIp, event.requestId, JSON.stringify(event));
            break;
          }
          case writeTag.bouncer: {
            const { name, keyHash, createdAt } = pack.bouncers[next.bouncer++] as Bouncer;
            insertBouncer.run(name, keyHash, createdAt);
            break;
          }
          case writeTag.bouncerDeleted:
            deleteBouncer.run(pack.bouncerNames[next.bouncerName++] as string);
            break;
          default:
            tag satisfies never;
        }
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

/** `seq` and `deleted_at`. */
type StoredRow = [number, number | null];

/** Rows of one INSERT: a statement costs as much as a row. */
const rowsTogether = 16;
const decisionFields = 10;

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
  const find = file.prepare('SELECT seq, deleted_at FROM decisions WHERE key = ? AND uuid = ?');
  const remove = file.prepare('DELETE FROM decisions WHERE seq = ?');
  const row = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
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
    const found = find.get(key, uuid) as unknown as StoredRow | undefined;
    if (found) remove.run(found[0]);
    return found;
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
        kind.origin === 'crowdsec' && !kind.simulated ? 1 : null,
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

interface AllowlistWriter {
  put(seq: number, entry: AllowlistEntry): void;
  remove(seq: number, value: string, now: number): void;
}

function createAllowlistWriter(file: StoreFile): AllowlistWriter {
  const insert = file.prepare('INSERT OR REPLACE INTO allowlist VALUES (?, ?, ?, ?, ?, ?)');
  return {
    put: (seq, { value, comment, createdAt, until }) => void insert.run(seq, value, comment, createdAt, until, null),
    // A deleted value is kept until retention forgets it, so that followers hear of it.
    remove: (seq, value, now) => void insert.run(seq, value, '', now, null, now),
  };
}
