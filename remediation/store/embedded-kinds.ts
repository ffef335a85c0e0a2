/** The `kinds` table: origin, scenario, scope, type and simulation of decisions, stored once for all that share them. */
import type { StoreFile } from './embedded-file.ts';
import type { DecisionKind } from './embedded-pack.ts';

/** Kinds that are remembered; scenario names come from outside, so there may be any number. */
const maxRemembered = 4_096;

export interface Kinds {
  /** The row of a kind, made when it is new. Within a transaction. */
  idOf(kind: DecisionKind): number;
  /** The kind of a row, which must exist. */
  byId(id: number): DecisionKind;
  /** Forgets what is remembered: after rows were removed or a transaction was rolled back. */
  forget(): void;
}

export function createKinds(file: StoreFile): Kinds {
  const remembered = new Map<number, DecisionKind>();
  const insert =
    'INSERT INTO kinds (origin, scenario, scope, type, simulated) VALUES (?, ?, ?, ?, ?) ' +
    'ON CONFLICT DO UPDATE SET type = excluded.type RETURNING id';
  return {
    idOf({ origin, scenario, scope, type, simulated }) {
      const find =
        'SELECT id FROM kinds WHERE scenario = ? AND origin = ? AND scope = ? AND type = ? AND simulated = ?';
      const found = rowOf(file.prepare(find).get(scenario, origin, scope, type, Number(simulated)));
      const row = found ?? rowOf(file.prepare(insert).get(origin, scenario, scope, type, Number(simulated)));
      return row?.[0] as number;
    },
    byId(id) {
      const known = remembered.get(id);
      if (known) return known;
      const select = 'SELECT origin, scenario, scope, type, simulated FROM kinds WHERE id = ?';
      const row = rowOf(file.prepare(select).get(id)) as [string, string, string, string, number] | undefined;
      if (!row) throw new Error(`decision kind ${id} is not there`);
      const [origin, scenario, scope, type, simulated] = row;
      const kind = { origin, scenario, scope, type, simulated: simulated === 1 };
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(id, kind);
      return kind;
    },
    forget: () => remembered.clear(),
  };
}

/** A row as the array that `setReturnArrays` makes of it; the types of node:sqlite know objects only. */
export function rowOf(row: unknown): unknown[] | undefined {
  return row as unknown[] | undefined;
}
