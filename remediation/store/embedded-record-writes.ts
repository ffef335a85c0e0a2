/**
 * Everything but decisions on its way into the embedded store's file: allowlists, alerts, refusals, and who asks and reports.
 * Within a transaction that the worker opens and commits.
 */
import type { StoreFile } from './embedded-file.ts';
import { rowOf } from './embedded-kinds.ts';
import type { OtherWrite } from './embedded-pack.ts';
import type { AllowlistEntry, AllowlistRecord } from './store.ts';

export interface RecordWriter {
  /** Writes after position `seq`; returns the new position, which moves for what followers hear of. */
  write(write: OtherWrite, seq: number, now: number): number;
}

export function createRecordWriter(file: StoreFile): RecordWriter {
  const allowlists = createAllowlistWriter(file);
  const bouncers = createDocuments(file, 'bouncers', 'name');
  const machines = createDocuments(file, 'machines', 'id');
  const putAlert = file.prepare(
    'INSERT INTO alerts (uuid, scope, value, scenario, created_at, body) VALUES (?, ?, ?, ?, ?, ?) ' +
      'ON CONFLICT (uuid) DO UPDATE SET scope = excluded.scope, value = excluded.value, scenario = excluded.scenario, ' +
      'created_at = excluded.created_at, body = excluded.body',
  );
  const deleteAlert = file.prepare('DELETE FROM alerts WHERE uuid = ?');
  const putRefusal = file.prepare('INSERT INTO refusals (at, client_ip, request_id, body) VALUES (?, ?, ?, ?)');
  const putUsage = file.prepare('INSERT INTO usage (side, sender, received_at, body) VALUES (?, ?, ?, ?)');

  const writeRecord = (write: OtherRecord): void => {
    switch (write.kind) {
      case 'alert': {
        const { uuid, scope, value, scenario, createdAt, body } = write.record;
        putAlert.run(uuid, scope, value, scenario, createdAt, body);
        return;
      }
      case 'alert-deleted':
        deleteAlert.run(write.uuid);
        return;
      case 'refusal': {
        const { at, clientIp, requestId } = write.event;
        putRefusal.run(at, clientIp, requestId, JSON.stringify(write.event));
        return;
      }
      case 'bouncer-added':
        return bouncers.put(write.bouncer.name, write.bouncer);
      case 'bouncer-deleted':
        return bouncers.remove(write.name);
      case 'bouncer-seen':
        return bouncers.merge(write.name, write.seen);
      case 'machine-added':
        return machines.put(write.machine.id, write.machine);
      case 'machine-deleted':
        return machines.remove(write.id);
      case 'machine-seen':
        return machines.merge(write.id, write.seen);
      case 'usage-reported': {
        const { side, from, receivedAt, body } = write.report;
        putUsage.run(side, from, receivedAt, body);
        return;
      }
      default:
        write satisfies never;
    }
  };

  return {
    write(write, seq, now) {
      switch (write.kind) {
        case 'allowlist-added':
          return allowlists.put(write.entry, seq, now);
        case 'allowlist-deleted':
          return allowlists.remove(write.list, write.value, seq, now);
        case 'allowlist-created':
          return allowlists.create(write.list, seq);
        case 'allowlist-removed':
          return allowlists.drop(write.name, seq, now);
        default:
          writeRecord(write);
          return seq;
      }
    },
  };
}

type OtherRecord = Exclude<OtherWrite, { readonly kind: `allowlist-${string}` }>;

interface AllowlistWriter {
  put(entry: AllowlistEntry, seq: number, now: number): number;
  remove(list: string, value: string, seq: number, now: number): number;
  create(list: AllowlistRecord, seq: number): number;
  drop(list: string, seq: number, now: number): number;
}

function createAllowlistWriter(file: StoreFile): AllowlistWriter {
  const insert = file.prepare('INSERT OR REPLACE INTO allowlist VALUES (?, ?, ?, ?, ?, ?, ?)');
  const valuesOf = file.prepare('SELECT value FROM allowlist WHERE list = ? AND deleted_at IS NULL ORDER BY seq');
  const ensure = file.prepare(
    "INSERT INTO allowlists VALUES (?, '', ?, ?) ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at",
  );
  const touch = file.prepare('UPDATE allowlists SET updated_at = ? WHERE name = ?');
  const replace = file.prepare('INSERT OR REPLACE INTO allowlists VALUES (?, ?, ?, ?)');
  const deleteList = file.prepare('DELETE FROM allowlists WHERE name = ?');
  // A deleted entry is kept until retention forgets it, so that followers hear of it.
  const bury = (seq: number, list: string, value: string, now: number): void =>
    void insert.run(seq, list, value, '', now, null, now);
  return {
    put({ list, value, comment, createdAt, until }, seq, now) {
      insert.run(seq + 1, list, value, comment, createdAt, until, null);
      ensure.run(list, now, now);
      return seq + 1;
    },
    remove(list, value, seq, now) {
      bury(seq + 1, list, value, now);
      touch.run(now, list);
      return seq + 1;
    },
    create({ name, description, createdAt, updatedAt }, seq) {
      replace.run(name, description, createdAt, updatedAt);
      return seq;
    },
    drop(list, seq, now) {
      let last = seq;
      for (const row of valuesOf.all(list)) bury(++last, list, rowOf(row)?.[0] as string, now);
      deleteList.run(list);
      return last;
    },
  };
}

interface Documents {
  put(key: string, document: object): void;
  remove(key: string): void;
  /** Changes what `changes` names of a document that is there. */
  merge(key: string, changes: object): void;
}

/** A table of JSON by key. */
function createDocuments(file: StoreFile, table: 'bouncers' | 'machines', key: 'name' | 'id'): Documents {
  const replace = file.prepare(`INSERT OR REPLACE INTO ${table} (${key}, body) VALUES (?, ?)`);
  const remove = file.prepare(`DELETE FROM ${table} WHERE ${key} = ?`);
  const find = file.prepare(`SELECT body FROM ${table} WHERE ${key} = ?`);
  return {
    put: (name, document) => void replace.run(name, JSON.stringify(document)),
    remove: (name) => void remove.run(name),
    merge(name, changes) {
      const body = rowOf(find.get(name))?.[0];
      if (typeof body !== 'string') return;
      replace.run(name, JSON.stringify({ ...(JSON.parse(body) as object), ...changes }));
    },
  };
}
