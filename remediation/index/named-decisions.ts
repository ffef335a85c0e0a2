/**
 * Decisions about countries, autonomous systems and custom scopes: few, so they are kept as objects by scope and value.
 */
import { severityOf, type Decision } from '../decision.ts';

/** Keeps the map from growing without end when a list of nonsense is pulled. */
const maxDecisions = 200_000;
const maxPerValue = 32;

interface Held {
  readonly decision: Decision;
  stale: boolean;
  /** Others of its kind, or too many for one value, are not held as long as this one is. */
  folded: boolean;
}

export interface NamedDecisions {
  /**
   * One of its uuid, or a shorter one of its kind, gives way to it; a longer one stays instead, and of too many about one
   * value the weakest goes. True when one left that others relied on: they may be live and are not held.
   */
  add(decision: Decision): boolean;
  /** The same is true of what this returns. */
  remove(decision: Decision): boolean;
  has(decision: Decision): boolean;
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
      const twin = all.find(({ decision: other }) => other.uuid === decision.uuid);
      const covers = twin !== undefined && isSameKind(twin.decision, decision) && twin.decision.until <= decision.until;
      const others = all.filter((held) => held !== twin);
      const held = { decision, stale: false, folded: covers && twin.folded };
      keep(decision.value, makeWay(others, held, size - all.length + others.length < maxDecisions), all.length);
      return twin !== undefined && twin.folded && !covers;
    },
    remove(decision) {
      const all = byValue.get(decision.value) ?? [];
      const held = all.find(({ decision: other }) => other.uuid === decision.uuid);
      if (held === undefined) return false;
      keep(
        decision.value,
        all.filter((other) => other !== held),
        all.length,
      );
      return held.folded;
    },
    has: ({ uuid, value }) => byValue.get(value)?.some(({ decision }) => decision.uuid === uuid) ?? false,
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

/** What is held of one value with a new one. */
function makeWay(others: readonly Held[], added: Held, hasRoom: boolean): Held[] {
  const { decision } = added;
  const longer = others.find(
    (held) => !held.stale && isSameKind(held.decision, decision) && held.decision.until >= decision.until,
  );
  if (longer !== undefined) {
    longer.folded = true;
    return [...others];
  }
  const kept = others.filter(
    (held) => (held.stale && held.decision.until >= decision.until) || !isSameKind(held.decision, decision),
  );
  if (kept.length < others.length) added.folded = true;
  const all = [...kept, added];
  if (all.length <= maxPerValue && (hasRoom || kept.length < others.length)) return all;
  for (const held of all) held.folded = true;
  const weakest = all.reduce((least, held) => (isWeaker(held.decision, least.decision) ? held : least));
  return all.filter((held) => held !== weakest);
}

function isWeaker(left: Decision, right: Decision): boolean {
  const gain = severityOf(left.type) - severityOf(right.type);
  return gain < 0 || (gain === 0 && left.until < right.until);
}

function isSameKind(left: Decision, right: Decision): boolean {
  return left.type === right.type && left.origin === right.origin && left.scenario === right.scenario;
}
