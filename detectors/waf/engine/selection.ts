/**
 * Selections: the values of a collection that a rule looks at, as one list for all rules that look at the same.
 * `REQUEST_HEADERS|!REQUEST_HEADERS:Cookie` is one, whichever rule writes it. Each is worked out once for a transaction.
 */
import type { Selector, Target } from '../seclang/definition.ts';
import type { CollectionName } from '../variable-names.ts';
import { type Entry, noEntries } from './entry.ts';
import { type NameMatcher, nameMatcher } from './name-matcher.ts';
import type { TransactionState } from './transaction-state.ts';
import { collections, type Since } from './variables.ts';

export interface Selection {
  readonly number: number;
  readonly variable: CollectionName;
  readonly since: Since;
  /** Null: all values. */
  readonly accepts: NameMatcher | null;
  /** The only name that is accepted, in lower case; null: `accepts` says. */
  readonly key: string | null;
  /** All values of the variable; null: this is it. */
  readonly base: Selection | null;
  /** Selections that have mostly the same values, such as all arguments and all but one, are one family: a number. */
  readonly family: number;
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
    const accepts = entryTest(selector, excluded);
    const base = accepts === null ? null : this.of(variable, { kind: 'all' }, []);
    const number = this.list.length;
    const family = selector.kind === 'all' && base !== null ? base.number : number;
    const key = selector.kind === 'key' && excluded.length === 0 ? selector.key : null;
    const selection = { number, variable, since, accepts, key, base, family };
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

/** The entries of a selection, kept for the transaction. */
export function entriesOf(selection: Selection, state: TransactionState): readonly Entry[] {
  return (state.selected[selection.number] ??= readSelection(selection, state));
}

function readSelection({ variable, accepts, key, base }: Selection, state: TransactionState): readonly Entry[] {
  if (accepts === null || base === null) return collections[variable].read(state);
  const all = entriesOf(base, state);
  if (key !== null) return withKey(all, key);
  let refused = 0;
  for (const entry of all) if (!accepts(entry.name, entry.key)) refused++;
  if (refused === 0) return all;
  return refused === all.length ? noEntries : all.filter((entry) => accepts(entry.name, entry.key));
}

function withKey(entries: readonly Entry[], key: string): readonly Entry[] {
  let found: Entry[] | null = null;
  for (const entry of entries) if (entry.key === key) (found ??= []).push(entry);
  return found ?? noEntries;
}
