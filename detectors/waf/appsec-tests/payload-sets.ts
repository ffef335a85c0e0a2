/** Which payloads go together in one request. Specification: nuclei's documentation, "Payloads": "Attack modes". */
import type { AttackMode } from './template-document.ts';

export type PayloadSet = ReadonlyMap<string, string>;

/** Requests that the payloads of one block make. */
const mostSets = 2_000;

/** One empty set where there are no payloads. */
export function payloadSets(
  payloads: readonly (readonly [name: string, values: readonly string[]])[],
  mode: AttackMode,
): readonly PayloadSet[] {
  if (payloads.length === 0) return [new Map()];
  switch (mode) {
    case 'batteringram':
      return payloads.flatMap(([name, values]) => values.map((value) => new Map([[name, value]]))).slice(0, mostSets);
    case 'pitchfork': {
      const shortest = Math.min(...payloads.map(([, values]) => values.length), mostSets);
      return Array.from(
        { length: shortest },
        (_, index) => new Map(payloads.map(([name, values]) => [name, values[index] ?? ''])),
      );
    }
    case 'clusterbomb':
      return combinations(payloads);
    default:
      return mode satisfies never;
  }
}

function combinations(payloads: readonly (readonly [string, readonly string[]])[]): readonly PayloadSet[] {
  let sets: readonly PayloadSet[] = [new Map()];
  for (const [name, values] of payloads) {
    sets = sets.flatMap((set) => values.map((value) => new Map([...set, [name, value]]))).slice(0, mostSets);
  }
  return sets;
}
