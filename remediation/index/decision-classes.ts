/**
 * What many decisions have in common (type, origin, scenario, scope) under one small number, so that the index keeps two
 * bytes of it. Numbers are counted and used again when their last decision goes; when all are taken, further combinations
 * share one class per type, which keeps enforcement exact and only blurs what is shown.
 */
import type { Scope } from '../../detectors/alert.ts';
import { severityOf } from '../decision.ts';
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
  /** The numbers of each scenario's classes: seldom more than one. */
  const ids = new Map<string, number[]>();
  const descriptions: DecisionClass[] = [];
  const uses = new Uint32Array(limit);
  const ranks = new Uint8Array(limit);
  const free: number[] = [];
  let size = 0;
  let told = false;

  const find = ({ type, origin, scenario, scope }: DecisionClass): number | undefined =>
    ids.get(scenario)?.find((id) => {
      const known = descriptions[id];
      return known?.type === type && known.origin === origin && known.scope === scope;
    });

  const make = (description: DecisionClass): number => {
    const id = free.pop() ?? descriptions.length;
    descriptions[id] = description;
    ranks[id] = severityOf(description.type);
    ids.set(description.scenario, [...(ids.get(description.scenario) ?? []), id]);
    size++;
    return id;
  };

  const numberOf = (wanted: DecisionClass): number => {
    const known = find(wanted);
    if (known !== undefined) return known;
    if (size < limit - reserved) return make(wanted);
    if (!told) onFull();
    told = true;
    const shared = shareable(wanted);
    return find(shared) ?? make(shared);
  };

  return {
    ranks,
    acquire(description) {
      const id = numberOf(description);
      uses[id] = (uses[id] ?? 0) + 1;
      return id;
    },
    release(id) {
      const left = (uses[id] ?? 0) - 1;
      uses[id] = left;
      const description = descriptions[id];
      if (left > 0 || description === undefined) return;
      const others = ids.get(description.scenario)?.filter((other) => other !== id) ?? [];
      if (others.length === 0) ids.delete(description.scenario);
      else ids.set(description.scenario, others);
      free.push(id);
      size--;
    },
    describe(id) {
      const description = descriptions[id];
      if (description === undefined) throw new RangeError(`decision class ${id} was never made`);
      return description;
    },
    get size() {
      return size;
    },
  };
}

function shareable({ type, scope }: DecisionClass): DecisionClass {
  const kind = severityOf(type) > 0 ? type : 'unknown';
  return { type: kind, origin: several, scenario: several, scope: scope === 'Range' ? 'Range' : 'Ip' };
}
