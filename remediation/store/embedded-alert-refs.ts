/** The `alert_refs` table: a number for each alert that decisions follow from, because an import names one a million times. */
import type { StoreFile } from './embedded-file.ts';
import { rowOf } from './embedded-kinds.ts';

/** Alerts that are remembered. */
const maxRemembered = 4_096;

export interface AlertRefs {
  /** The number of an alert, made when it is new. Within a transaction. */
  idOf(uuid: string): number;
  /** Null when no decision follows from it. */
  find(uuid: string): number | null;
  /** The alert of a number that a decision has. */
  byId(id: number): string;
  /** Forgets what is remembered: after rows were removed or a transaction was rolled back. */
  forget(): void;
}

export function createAlertRefs(file: StoreFile): AlertRefs {
  const ids = new Map<string, number>();
  const uuids = new Map<number, string>();
  const find = (uuid: string): number | null => {
    const row = rowOf(file.prepare('SELECT id FROM alert_refs WHERE uuid = ?').get(uuid));
    return row ? (row[0] as number) : null;
  };
  const add = (uuid: string): number =>
    Number(file.prepare('INSERT INTO alert_refs (uuid) VALUES (?)').run(uuid).lastInsertRowid);
  return {
    idOf(uuid) {
      const known = ids.get(uuid);
      if (known !== undefined) return known;
      const id = find(uuid) ?? add(uuid);
      if (ids.size >= maxRemembered) ids.clear();
      ids.set(uuid, id);
      return id;
    },
    find,
    byId(id) {
      const known = uuids.get(id);
      if (known !== undefined) return known;
      const row = rowOf(file.prepare('SELECT uuid FROM alert_refs WHERE id = ?').get(id));
      if (!row) throw new Error(`the alert with number ${id} is not there`);
      if (uuids.size >= maxRemembered) uuids.clear();
      uuids.set(id, row[0] as string);
      return row[0] as string;
    },
    forget() {
      ids.clear();
      uuids.clear();
    },
  };
}
