/**
 * What is noticed about bouncers and machines with nearly every request (where from, which version, when last) on its way to the
 * store: kept by name and written once a second, so that ten thousand questions are one write. While the store is away nothing
 * piles up but the latest of each name, and it is tried again more and more seldom.
 */
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { StoreWrite } from '../store/store.ts';

export interface SightingWrites<T, S> {
  added(item: T): StoreWrite;
  seen(name: string, seen: S): StoreWrite;
}

const writeEveryMs = 1_000;
const longestPauseMs = 30_000;

export class Sightings<T, S extends object> {
  readonly #apply: (writes: readonly StoreWrite[]) => Promise<void>;
  readonly #kinds: SightingWrites<T, S>;
  readonly #clock: Clock;
  #added = new Map<string, T>();
  #seen = new Map<string, S>();
  /** Those that the store is just being told. */
  #underWay: { readonly added: ReadonlyMap<string, T>; readonly seen: ReadonlyMap<string, S> } | null = null;
  #timer: TimerHandle | null = null;
  #writing: Promise<void> | null = null;
  #pauseMs = writeEveryMs;

  constructor(apply: (writes: readonly StoreWrite[]) => Promise<void>, kinds: SightingWrites<T, S>, clock: Clock) {
    this.#apply = apply;
    this.#kinds = kinds;
    this.#clock = clock;
  }

  /** A name that made itself known. */
  add(name: string, item: T): void {
    this.#added.set(name, item);
    this.#schedule();
  }

  note(name: string, seen: S): void {
    this.#seen.set(name, { ...this.#seen.get(name), ...seen });
    this.#schedule();
  }

  /** What the store may not know yet of this name. */
  pending(name: string): S | undefined {
    const under = this.#underWay?.seen.get(name);
    const waiting = this.#seen.get(name);
    return under === undefined || waiting === undefined ? (waiting ?? under) : { ...under, ...waiting };
  }

  /** Those that made themselves known and may not be in the store yet. */
  pendingItems(): T[] {
    return [...(this.#underWay?.added.values() ?? []), ...this.#added.values()];
  }

  /** It was deleted: nothing is written about it any more. */
  forget(name: string): void {
    this.#added.delete(name);
    this.#seen.delete(name);
  }

  /** Writes what waits, once; what the store does not take then is lost. Never rejects. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    this.#timer?.cancel();
    await this.#write();
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#timer !== null || this.#writing !== null) return;
    this.#timer = this.#clock.after(this.#pauseMs, () => {
      this.#timer = null;
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
        if (this.#added.size + this.#seen.size > 0) this.#schedule();
      });
    });
  }

  async #write(): Promise<void> {
    const added = this.#added;
    const seen = this.#seen;
    if (added.size + seen.size === 0) return;
    this.#added = new Map();
    this.#seen = new Map();
    this.#underWay = { added, seen };
    const writes = [
      ...Array.from(added.values(), (item) => this.#kinds.added(item)),
      ...Array.from(seen, ([name, one]) => this.#kinds.seen(name, one)),
    ];
    try {
      await this.#apply(writes);
      this.#pauseMs = writeEveryMs;
    } catch {
      // The store reports its outages itself. Newer notes win over those that go back to wait.
      this.#added = new Map([...added, ...this.#added]);
      for (const [name, one] of this.#seen) seen.set(name, { ...seen.get(name), ...one });
      this.#seen = seen;
      this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    } finally {
      this.#underWay = null;
    }
  }
}
