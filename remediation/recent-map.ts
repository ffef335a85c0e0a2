/**
 * A map that remembers the latest entries and forgets the oldest half at once. Taking the oldest out one by one would cost more
 * and more: a Map walks over what was deleted at its beginning each time that it is asked for its first key.
 */
export class RecentMap<Key, Value> {
  readonly #half: number;
  #recent = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  /** At most `max` entries are remembered, at least the latest half of that. */
  constructor(max: number) {
    this.#half = Math.max(1, Math.floor(max / 2));
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  has(key: Key): boolean {
    return this.#recent.has(key) || this.#older.has(key);
  }

  set(key: Key, value: Value): void {
    if (this.#older.size > 0) this.#older.delete(key);
    this.#recent.set(key, value);
    if (this.#recent.size < this.#half) return;
    this.#older = this.#recent;
    this.#recent = new Map();
  }

  delete(key: Key): boolean {
    return this.#recent.delete(key) || this.#older.delete(key);
  }

  /** The older ones first. May be changed meanwhile. */
  *values(): Generator<Value, void> {
    yield* this.#older.values();
    yield* this.#recent.values();
  }
}
