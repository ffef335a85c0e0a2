/**
 * The collection TX: the variables that rules set. Names that stand in rules have a place of their own, known when the rules
 * are compiled, so that a guard such as `TX:DETECTION_PARANOIA_LEVEL` costs one array access; names that are put together while
 * rules run are in a map. Values are texts, because operators work on texts.
 */
import type { Text } from '../text/text.ts';
import type { Entry } from './entry.ts';

/** Names made at run time that one transaction keeps; setting more has no effect. */
const mostDynamic = 10_000;

/** The places of names. Grows while rules are compiled. */
export class TxLayout {
  readonly #slots = new Map<string, number>();
  readonly #names: string[] = [];
  /** As many places as there are names, none of them set: to be copied. */
  readonly blank: null[] = [];

  constructor() {
    // Captures: the place of TX:n is n.
    for (let group = 0; group < 10; group++) this.slotOf(String(group));
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** The place of a name in lower case, a new one when it is not known yet. */
  slotOf(key: string): number {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#names.push(key) - 1;
      this.blank.push(null);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** -1: no rule names it. */
  find(key: string): number {
    return this.#slots.get(key) ?? -1;
  }
}

export class TxVariables {
  /** By place; null: not set. */
  readonly slots: (Text | null)[];
  readonly #layout: TxLayout;
  #dynamic: Map<string, Text> | null = null;

  constructor(layout: TxLayout) {
    this.#layout = layout;
    this.slots = layout.blank.slice();
  }

  /** `key` in lower case. */
  get(key: string): Text | null {
    const slot = this.#layout.find(key);
    return slot === -1 ? (this.#dynamic?.get(key) ?? null) : (this.slots[slot] ?? null);
  }

  /** Null unsets. */
  set(key: string, value: Text | null): void {
    const slot = this.#layout.find(key);
    if (slot !== -1) this.slots[slot] = value;
    else if (value === null) this.#dynamic?.delete(key);
    else if (this.#dynamic === null || this.#dynamic.size < mostDynamic || this.#dynamic.has(key)) {
      (this.#dynamic ??= new Map()).set(key, value);
    }
  }

  all(): readonly Entry[] {
    return this.entries([...this.slots.keys()], () => true);
  }

  /** What is set: names of rules first, then those made at run time. `slots` limits the former, `accepts` the latter. */
  entries(slots: readonly number[], accepts: (key: string) => boolean): readonly Entry[] {
    const found: Entry[] = [];
    for (const slot of slots) {
      const text = this.slots[slot] ?? null;
      const name = this.#layout.names[slot] ?? '';
      if (text !== null) found.push({ name, key: name, text });
    }
    if (this.#dynamic === null) return found;
    for (const [key, text] of this.#dynamic) if (accepts(key)) found.push({ name: key, key, text });
    return found;
  }
}
