/**
 * What many decisions have in common (type, origin, scenario, scope) under one small number, so that the index keeps two
 * bytes of it. Numbers are counted and used again when their last decision goes; when all are taken, further combinations
 * share one class per type, which keeps enforcement exact and only blurs what is shown.
 */
import type { Scope } from '../detectors/alert.ts';
import { severityOf } from './decision.ts';
import { classLimit } from './packed-table.ts';

export interface DecisionClass {
  readonly type: string;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: Scope;
}

export interface DecisionClasses {
  /** Severity of each class number, see `severityOf`. */
  readonly ranks: Uint8Array;
  /** The number of a class, made when needed, and one use more of it. */
  acquire(description: DecisionClass): number;
  /** One use less. */
  release(id: number): void;
  describe(id: number): DecisionClass;
  /** Classes in use. */
  readonly size: number;
}

/** Kept for the shared classes: four severities by two scopes. */
const reserved = 8;
const several = '(several)';

/** `onFull` is called once, the first time a combination gets no number of its own. */
export function createDecisionClasses(onFull: () => void, limit = classLimit): DecisionClasses {
  const ids = new Map<string, number>();
  const descriptions: DecisionClass[] = [];
  const uses = new Uint32Array(limit);
  const ranks = new Uint8Array(limit);
  const free: number[] = [];
  let last: DecisionClass | null = null;
  let lastId = 0;
  let told = false;

  const make = (key: string, description: DecisionClass): number => {
    const id = free.pop() ?? descriptions.length;
    descriptions[id] = description;
    ranks[id] = severityOf(description.type);
    ids.set(key, id);
    return id;
  };

  const numberOf = (wanted: DecisionClass): number => {
    const key = keyOf(wanted);
    const known = ids.get(key);
    if (known !== undefined) return known;
    if (ids.size < limit - reserved) return make(key, wanted);
    if (!told) onFull();
    told = true;
    const shared = shareable(wanted);
    const sharedKey = keyOf(shared);
    return ids.get(sharedKey) ?? make(sharedKey, shared);
  };

  return {
    ranks,
    acquire({ type, origin, scenario, scope }) {
      const again =
        last !== null &&
        last.scenario === scenario &&
        last.type === type &&
        last.origin === origin &&
        last.scope === scope;
      if (!again) {
        const wanted = { type, origin, scenario, scope };
        lastId = numberOf(wanted);
        last = wanted;
      }
      uses[lastId] = (uses[lastId] ?? 0) + 1;
      return lastId;
    },
    release(id) {
      const left = (uses[id] ?? 0) - 1;
      uses[id] = left;
      const description = descriptions[id];
      if (left > 0 || description === undefined) return;
      ids.delete(keyOf(description));
      free.push(id);
      last = null;
    },
    describe(id) {
      const description = descriptions[id];
      if (description === undefined) throw new RangeError(`decision class ${id} was never made`);
      return description;
    },
    get size() {
      return ids.size;
    },
  };
}

function keyOf(description: DecisionClass): string {
  return JSON.stringify([description.type, description.origin, description.scenario, description.scope]);
}

function shareable({ type, scope }: DecisionClass): DecisionClass {
  const kind = severityOf(type) > 0 ? type : 'unknown';
  return { type: kind, origin: several, scenario: several, scope: scope === 'Range' ? 'Range' : 'Ip' };
}
