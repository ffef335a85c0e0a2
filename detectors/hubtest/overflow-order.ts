/** The order of the overflows that `scenario.assert` counts. Specification: CrowdSec `pkg/hubtest/scenario_assert.go`. */
import type { Event } from '../event.ts';
import { compareText } from '../expr/text.ts';
import { sortAsGo } from './sort-as-go.ts';

/** Descending by scenario and sources. `events` come in the order in which the buckets overflew, which decides between equals. */
export function orderedOverflows(events: readonly Event[]): readonly Event[] {
  const keyed = events.map((event) => ({ event, key: keyOf(event) }));
  sortAsGo(keyed, (a, b) => compareText(a.key, b.key) > 0);
  return keyed.map(({ event }) => event);
}

function keyOf({ Overflow }: Event): string {
  const scenario = (Overflow?.Alert as { readonly Scenario?: string } | null)?.Scenario ?? '';
  return scenario + Object.keys(Overflow?.Sources ?? {}).join('@');
}
