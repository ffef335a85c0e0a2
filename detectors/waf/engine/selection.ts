/**
 * Selections: the values of a collection that a rule looks at, as one list for all rules that look at the same.
 * `REQUEST_HEADERS|!REQUEST_HEADERS:Cookie` is one, whichever rule writes it. Each is worked out once for a transaction.
 */
import type { Selector, Target } from '../seclang/definition.ts';
import type { CollectionName } from '../variable-names.ts';
import type { Entry } from './entry.ts';
import { type NameMatcher, nameMatcher } from './name-matcher.ts';
import type { TransactionState } from './transaction-state.ts';
import { collections, type Since } from './variables.ts';

export interface Selection {
  readonly number: number;
  readonly variable: CollectionName;
  readonly since: Since;
  /** Null: all values. */
  readonly accepts: NameMatcher | null;
}

export class Selections {
  readonly list: Selection[] = [];
  readonly #byText = new Map<string, Selection>();

  /** @throws GatewayError PATTERN_INVALID */
  of(variable: CollectionName, selector: Selector, excluded: readonly Target[]): Selection {
    const text = JSON.stringify([variable, selector, excluded.map((target) => target.selector)]);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const { since } = collections[variable];
    const selection = { number: this.list.length, variable, since, accepts: entryTest(selector, excluded) };
    this.list.push(selection);
    this.#byText.set(text, selection);
    return selection;
  }
}

/** Null: every entry is accepted. */
export function entryTest(selector: Selector, excluded: readonly Target[]): NameMatcher | null {
  const included = selector.kind === 'all' ? null : nameMatcher(selector);
  if (excluded.length === 0) return included;
  const refused = excluded.map((target) => nameMatcher(target.selector));
  return (name, key) => (included === null || included(name, key)) && !refused.some((matches) => matches(name, key));
}

export function readSelection({ variable, accepts }: Selection, state: TransactionState): readonly Entry[] {
  const entries = collections[variable].read(state);
  return accepts === null ? entries : entries.filter(({ name, key }) => accepts(name, key));
}
