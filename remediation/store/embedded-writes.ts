/** Writing slices into the embedded store's file, within a transaction that the worker opens and commits. */
import type { StoreFile } from './embedded-file.ts';
import type { Kinds } from './embedded-kinds.ts';
import { writeTag, type DecisionColumns, type DecisionKind, type Packed } from './embedded-pack.ts';
import type { AllowlistEntry, RefusalEvent } from './store.ts';
import type { AlertRecord } from './write-limits.ts';

export interface Writer {
  /** Writes one slice after position `head`; returns the new head. */
  write(pack: Packed, head: number, now: number): number;
}

export function createWriter(file: StoreFile, kinds: Kinds, hashSeed: number): Writer {
  const decisions = createDecisionWriter(file, hashSeed);
  const allowlist = createAllowlistWriter(file);
  const insertAlert = file.prepare(
    'INSERT OR REPLACE INTO alerts (uuid, scope, value, scenario, created_at, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertRefusal = file.prepare('INSERT INTO refusals (at, client_ip, request_id, body) VALUES (?, ?, ?, ?)');
  return {
    write(pack, head, now) {
      const kindIds = pack.decisions.kinds.map((kind) => kinds.idOf(kind));
      const next = { decision: 0, entry: 0, value: 0, alert: 0, refusal: 0 };
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
          default:
            tag satisfies never;
        }
      }
      return seq;
    },
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

interface DecisionWriter {
  put(seq: number, columns: DecisionColumns, row: number, kindIds: readonly number[], deletedAt: number | null): void;
}

/**
 * Which keys may be in the file: a bit for each of 2^24 groups of keys, 2 MiB. Most decisions of a list are new, and
 * knowing so spares them a search in an index that does not fit into the cache. Bits are never cleared: one too many costs
 * a search, no more.
 */
function createKeyFilter(file: StoreFile): { mayHave(key: number): boolean; add(key: number): void } {
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
  const keys = createKeyFilter(file);
  const find = file.prepare('SELECT seq, deleted_at FROM decisions WHERE key = ? AND uuid = ?');
  const remove = file.prepare('DELETE FROM decisions WHERE seq = ?');
  const insert = file.prepare('INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return {
    put(seq, columns, row, kindIds, deletedAt) {
      const uuid = columns.uuids[row] as string;
      const key = uuidKey(uuid, hashSeed);
      const before = keys.mayHave(key) ? (find.get(key, uuid) as unknown as StoredRow | undefined) : undefined;
      if (before) remove.run(before[0]);
      keys.add(key);
      const kindIndex = columns.kindOf[row] as number;
      const kind = columns.kinds[kindIndex] as DecisionKind;
      const own = kind.origin === 'crowdsec' && !kind.simulated ? 1 : null;
      insert.run(
        seq,
        key,
        uuid,
        kindIds[kindIndex] as number,
        columns.values[row] as string,
        columns.until[row] as number,
        columns.createdAt[row] as number,
        deletedAt === null ? null : (before?.[1] ?? deletedAt),
        columns.alertUuids[row] as string | null,
        own,
      );
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
