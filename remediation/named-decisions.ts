/**
 * Decisions about countries, autonomous systems and custom scopes: few, so they are kept as objects by scope and value.
 */
import { severityOf, type Decision } from './decision.ts';

/** Keeps the map from growing without end when a list of nonsense is pulled. */
const maxDecisions = 200_000;
const maxPerValue = 32;

interface Held {
  readonly decision: Decision;
  stale: boolean;
}

export interface NamedDecisions {
  /** False when a longer twin makes it superfluous or there is no room. */
  add(decision: Decision): boolean;
  remove(decision: Decision): boolean;
  /** The severest live decision about the value, the longest of equals, or null. */
  severest(value: string, now: number): Decision | null;
  markStale(): void;
  dropStale(): void;
  sweep(now: number): number;
  readonly size: number;
}

/** One scope's decisions. */
export function createNamedDecisions(): NamedDecisions {
  const byValue = new Map<string, Held[]>();
  let size = 0;

  const keep = (value: string, kept: Held[], before: number): void => {
    size += kept.length - before;
    if (kept.length === 0) byValue.delete(value);
    else byValue.set(value, kept);
  };
  const dropWhere = (leaves: (held: Held) => boolean): number => {
    const before = size;
    for (const [value, all] of byValue) {
      if (all.some(leaves)) {
        const kept = all.filter((held) => !leaves(held));
        keep(value, kept, all.length);
      }
    }
    return before - size;
  };

  return {
    add(decision) {
      const all = byValue.get(decision.value) ?? [];
      const longer = all.find(
        ({ decision: other }) =>
          other.uuid !== decision.uuid && isSameKind(other, decision) && other.until >= decision.until,
      );
      if (longer !== undefined) {
        longer.stale = false;
        return false;
      }
      const kept = all.filter(({ decision: other }) => other.uuid !== decision.uuid && !isSameKind(other, decision));
      if (kept.length >= maxPerValue || size - all.length + kept.length >= maxDecisions) return false;
      keep(decision.value, [...kept, { decision, stale: false }], all.length);
      return true;
    },
    remove(decision) {
      const all = byValue.get(decision.value) ?? [];
      const kept = all.filter(({ decision: other }) => other.uuid !== decision.uuid);
      if (kept.length === all.length) return false;
      keep(decision.value, kept, all.length);
      return true;
    },
    severest(value, now) {
      let best: Decision | null = null;
      for (const { decision } of byValue.get(value) ?? []) {
        if (decision.until <= now) continue;
        const gain = best === null ? 1 : severityOf(decision.type) - severityOf(best.type);
        if (best === null || gain > 0 || (gain === 0 && decision.until > best.until)) best = decision;
      }
      return best;
    },
    markStale() {
      for (const all of byValue.values()) for (const held of all) held.stale = true;
    },
    dropStale: () => void dropWhere((held) => held.stale),
    sweep: (now) => dropWhere((held) => held.decision.until <= now),
    get size() {
      return size;
    },
  };
}

function isSameKind(left: Decision, right: Decision): boolean {
  return left.type === right.type && left.origin === right.origin && left.scenario === right.scenario;
}
