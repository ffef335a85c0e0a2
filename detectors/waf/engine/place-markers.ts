/** Markers as positions: `skipAfter` goes on at the first rule of the same phase behind the marker. */
import type { Phase, RuleEntry } from '../seclang/definition.ts';

export interface MarkerPlaces {
  /** Where a rule at `position` of its phase goes on; behind all rules when no marker of that name follows. */
  after(name: string, phase: Phase, position: number): number;
}

export function placeMarkers(entries: readonly RuleEntry[]): MarkerPlaces {
  const counts = new Map<Phase, number>();
  const places = new Map<string, ReadonlyMap<Phase, number>[]>();
  for (const entry of entries) {
    if (entry.kind === 'rule') counts.set(entry.phase, (counts.get(entry.phase) ?? 0) + 1);
    else {
      const known = places.get(entry.name);
      if (known === undefined) places.set(entry.name, [new Map(counts)]);
      else known.push(new Map(counts));
    }
  }
  return {
    after(name, phase, position) {
      for (const place of places.get(name) ?? []) {
        const to = place.get(phase) ?? 0;
        if (to > position) return to;
      }
      return Infinity;
    },
  };
}
