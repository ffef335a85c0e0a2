/**
 * A map that knows the key that was set longest ago, and finds the next one in the same time however many there are. A Map alone
 * walks over what was deleted at its beginning each time that it is asked for its first key: 86 µs with a hundred thousand
 * entries. Where many may leave at a time and unheard, `RecentMap` is less work.
 */
export class OldestFirstMap<Key extends PropertyKey, Value> {
  /** All of these were set before those in `recent`. It only ever gets smaller, so that one walk comes past each key once. */
  #earlier = new Map<Key, Value>();
  #walk = this.#earlier.keys();
  /** Where the walk is. */
  #front: Key | undefined;
  #recent = new Map<Key, Value>();

  get size(): number {
    return this.#earlier.size + this.#recent.size;
  }

  has(key: Key): boolean {
    return this.#recent.has(key) || this.#earlier.has(key);
  }

  get(key: Key): Value | undefined {
    const value = this.#recent.get(key);
    return value === undefined ? this.#earlier.get(key) : value;
  }

  /** The key is the latest then. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.#recent.set(key, value);
  }

  delete(key: Key): boolean {
    return this.#recent.delete(key) || this.#earlier.delete(key);
  }

  /** The key that was set longest ago; undefined when there is none. */
  oldest(): Key | undefined {
    if (this.#front !== undefined && this.#earlier.has(this.#front)) return this.#front;
    if (this.size === 0) return undefined;
    if (this.#earlier.size === 0) {
      this.#earlier = this.#recent;
      this.#walk = this.#earlier.keys();
      this.#recent = new Map();
    }
    this.#front = this.#walk.next().value;
    return this.#front;
  }

  /** The oldest first. Keys may be deleted meanwhile, none set. */
  *entries(): Generator<[key: Key, value: Value], void> {
    yield* this.#earlier;
    yield* this.#recent;
  }
}
