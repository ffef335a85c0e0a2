/**
 * Bounded maps by the three ways in which a full one makes room. Specification: `bluele/gcache` (`lru.go`, `lfu.go`,
 * `arc.go`); Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache" (2003).
 */
import { OldestFirstMap } from '../../core/oldest-first-map.ts';

export const cacheStrategies = ['LRU', 'LFU', 'ARC'] as const;
export type CacheStrategy = (typeof cacheStrategies)[number];

/** A map of texts that never holds more than its size. */
export interface CachePolicy<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  readonly size: number;
}

export function createCachePolicy<Value>(strategy: CacheStrategy, size: number): CachePolicy<Value> {
  switch (strategy) {
    case 'LRU':
      return new LruCache(size);
    case 'LFU':
      return new LfuCache(size);
    case 'ARC':
      return new ArcCache(size);
    default:
      return strategy satisfies never;
  }
}

/** The entry that was used longest ago goes. The map keeps the order in which its keys were put in: that of use. */
class LruCache<Value> implements CachePolicy<Value> {
  private readonly most: number;
  private readonly entries = new OldestFirstMap<string, Value>();

  constructor(most: number) {
    this.most = most;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) this.entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    if (!this.entries.has(key) && this.entries.size >= this.most) removeOldest(this.entries);
    this.entries.set(key, value);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}

interface Counted<Value> {
  value: Value;
  uses: number;
}

/** The entry that was used least often goes; of those, the one that came to that count first. */
class LfuCache<Value> implements CachePolicy<Value> {
  private readonly most: number;
  private readonly entries = new Map<string, Counted<Value>>();
  /** The keys by how often they were used, in the order of arrival. */
  private readonly byUses = new Map<number, OldestFirstMap<string, true>>();

  constructor(most: number) {
    this.most = most;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.leave(key, entry.uses);
    this.join(key, ++entry.uses);
    return entry.value;
  }

  set(key: string, value: Value): void {
    const entry = this.entries.get(key);
    if (entry !== undefined) {
      entry.value = value;
      return;
    }
    if (this.entries.size >= this.most) this.removeLeastUsed();
    this.entries.set(key, { value, uses: 0 });
    this.join(key, 0);
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.leave(key, entry.uses);
  }

  private removeLeastUsed(): void {
    const least = Math.min(...this.byUses.keys());
    const key = this.byUses.get(least)?.oldest();
    if (key !== undefined) this.delete(key);
  }

  private join(key: string, uses: number): void {
    const keys = this.byUses.get(uses) ?? new OldestFirstMap();
    this.byUses.set(uses, keys);
    keys.set(key, true);
  }

  private leave(key: string, uses: number): void {
    const keys = this.byUses.get(uses);
    keys?.delete(key);
    if (keys?.size === 0) this.byUses.delete(uses);
  }
}

/**
 * Entries seen once and entries seen again are two lists whose share of the room follows what is asked for: keys that were
 * dropped are remembered, and asking for one of them again gives its list more.
 */
class ArcCache<Value> implements CachePolicy<Value> {
  private readonly most: number;
  private readonly once = new OldestFirstMap<string, Value>();
  private readonly again = new OldestFirstMap<string, Value>();
  private readonly droppedOnce = new OldestFirstMap<string, true>();
  private readonly droppedAgain = new OldestFirstMap<string, true>();
  /** How many entries `once` should have. */
  private share = 0;

  constructor(most: number) {
    this.most = most;
  }

  get size(): number {
    return this.once.size + this.again.size;
  }

  get(key: string): Value | undefined {
    const value = this.once.get(key) ?? this.again.get(key);
    if (value === undefined) return undefined;
    this.once.delete(key);
    this.again.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    if (this.once.has(key) || this.again.has(key)) {
      this.once.delete(key);
      this.again.set(key, value);
      return;
    }
    const { droppedOnce, droppedAgain } = this;
    if (droppedOnce.has(key) || droppedAgain.has(key)) {
      const fromOnce = droppedOnce.has(key);
      const [more, less] = fromOnce ? [droppedAgain.size, droppedOnce.size] : [droppedOnce.size, droppedAgain.size];
      const step = Math.max(1, Math.floor(more / Math.max(1, less)));
      this.share = fromOnce ? Math.min(this.most, this.share + step) : Math.max(0, this.share - step);
      this.makeRoom(!fromOnce);
      droppedOnce.delete(key);
      droppedAgain.delete(key);
      this.again.set(key, value);
      return;
    }
    this.makeRoom(false);
    this.once.set(key, value);
    if (this.once.size + droppedOnce.size > this.most) removeOldest(droppedOnce);
    if (this.size + droppedOnce.size + droppedAgain.size > 2 * this.most) removeOldest(droppedAgain);
  }

  delete(key: string): void {
    this.once.delete(key);
    this.again.delete(key);
  }

  /** Drops one entry of the list that has more than its share, and remembers its key. */
  private makeRoom(wasDroppedAgain: boolean): void {
    if (this.size < this.most) return;
    const { once, share } = this;
    const fromOnce =
      once.size > 0 && (once.size > share || (wasDroppedAgain && once.size === share) || this.again.size === 0);
    const key = removeOldest(fromOnce ? once : this.again);
    if (key !== undefined) (fromOnce ? this.droppedOnce : this.droppedAgain).set(key, true);
  }
}

function removeOldest(entries: OldestFirstMap<string, unknown>): string | undefined {
  const key = entries.oldest();
  if (key !== undefined) entries.delete(key);
  return key;
}
