/**
 * A map of bounded size: of the keys that were set last it keeps at least half as many as fit, and never more than fit. Those that
 * were set longest ago leave many at a time, as a whole map that is let go. Deleting the oldest one by one would have a Map lay out
 * its table anew after every few entries, 2 µs for each with fifty thousand of them.
 */
export class RecentMap<Key, Value> {
  readonly #half: number;
  #recent = new Map<Key, Value>();
  /** What was set before `recent` was begun; no key is in both. */
  #earlier = new Map<Key, Value>();

  constructor(max: number) {
    this.#half = Math.ceil(max / 2);
  }

  get size(): number {
    return this.#recent.size + this.#earlier.size;
  }

  has(key: Key): boolean {
    return this.#recent.has(key) || this.#earlier.has(key);
  }

  get(key: Key): Value | undefined {
    return this.#recent.get(key) ?? this.#earlier.get(key);
  }

  /** The key belongs to the latest then. */
  set(key: Key, value: Value): void {
    this.#earlier.delete(key);
    this.#recent.set(key, value);
    if (this.#recent.size < this.#half) return;
    this.#earlier = this.#recent;
    this.#recent = new Map();
  }

  delete(key: Key): boolean {
    return this.#recent.delete(key) || this.#earlier.delete(key);
  }

  /** Those that were set longest ago come first, roughly. The map may change meanwhile. */
  *values(): Generator<Value, void> {
    yield* this.#earlier.values();
    yield* this.#recent.values();
  }
}
