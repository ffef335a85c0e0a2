/**
 * The buckets of all scenarios, in memory, bounded in number and in the text that they keep. Every bucket of one scenario
 * lives equally long, so its list in order of the last pour is also in order of expiry: the dead ones are at its head, and
 * neither a timer for each bucket nor a heap is needed. Counters live from their first event, so theirs stay in the order in
 * which they began.
 *
 * Eviction: when a bound is reached, the bucket goes whose last pour (of counters: whose beginning) is longest ago, whichever
 * scenario it belongs to. Who invents sources thus pushes out other invented ones and idle clients first.
 */
import { Bucket, type BucketShape, type Weighed } from './bucket.ts';

/** A bucket in its place: linked to its neighbours in order of the last pour. */
export interface Slot<Kept extends Weighed> {
  readonly key: string;
  bucket: Bucket<Kept>;
  /** The bucket's weight as the totals know it. */
  weight: number;
  /** The number of its last pour, counted over all shelves: what order eviction goes by, whichever clock runs. */
  turn: number;
  before: Slot<Kept> | null;
  after: Slot<Kept> | null;
}

/** What a store may hold before it gives up the bucket that was left alone longest. */
export interface BucketBounds {
  readonly maxBuckets: number;
  /** Characters of the events kept, over all buckets. An event in several buckets counts in each. */
  readonly maxKeptCharacters: number;
}

/** What evictions and the metrics read. One object shared by all shelves of a store. */
export interface BucketTotals {
  buckets: number;
  keptCharacters: number;
  evicted: number;
  /** Pours so far that moved a bucket to the end of its shelf. */
  turns: number;
}

/** Whether a bucket key is about this address: the address itself, or the address and what the scenario joins to it. */
export function namesSource(key: string, source: string): boolean {
  return key === source || key.startsWith(`${source}/`);
}

/** The buckets of one scenario under one clock. */
export class BucketShelf<Kept extends Weighed> {
  readonly shape: BucketShape;
  private readonly slots = new Map<string, Slot<Kept>>();
  private readonly totals: BucketTotals;
  /** The shelves of the store that are not empty: few of hundreds, and only they need a look. */
  private readonly occupied: BucketShelf<Kept>[];
  /** Where this one is among them while it is not empty. */
  private place = 0;
  private oldest: Slot<Kept> | null = null;
  private newest: Slot<Kept> | null = null;

  constructor(shape: BucketShape, totals: BucketTotals, occupied: BucketShelf<Kept>[]) {
    this.shape = shape;
    this.totals = totals;
    this.occupied = occupied;
  }

  /** The place of the living bucket of `key` at `at`, or of a new one where there is none or a dead one. */
  open(key: string, at: number): Slot<Kept> {
    const slot = this.slots.get(key);
    if (slot === undefined) return this.create(key);
    if (slot.bucket.isOver(this.shape, at)) slot.bucket = new Bucket(this.shape.capacity);
    return slot;
  }

  /** Pours into a bucket that `open` returned. True when it overflows; the caller then removes it. */
  pour(slot: Slot<Kept>, kept: Kept, at: number): boolean {
    const overflows = slot.bucket.pour(this.shape, kept, at);
    this.totals.keptCharacters += slot.bucket.weight - slot.weight;
    slot.weight = slot.bucket.weight;
    if (!this.shape.timed) {
      slot.turn = ++this.totals.turns;
      if (slot !== this.newest) {
        this.unlink(slot);
        this.append(slot);
      }
    }
    return overflows;
  }

  /** The bucket of `key` that has ended at `at`, if there is one. */
  ended(key: string, at: number): Slot<Kept> | null {
    const slot = this.slots.get(key);
    return slot?.bucket.isOver(this.shape, at) === true ? slot : null;
  }

  /** Whether `key` has a bucket that lives at `at`. One that is dead is removed. */
  holds(key: string, at: number): boolean {
    const slot = this.slots.get(key);
    if (slot?.bucket.isOver(this.shape, at) !== true) return slot !== undefined;
    this.remove(slot);
    return false;
  }

  /** The oldest bucket if it has ended at `at`, else null. */
  oldestEnded(at: number): Slot<Kept> | null {
    return this.oldest?.bucket.isOver(this.shape, at) === true ? this.oldest : null;
  }

  /** Of a timed shelf: when the bucket that was begun first ends, or null when there is none. */
  nextEnd(): number | null {
    return this.oldest === null ? null : this.oldest.bucket.firstAt + this.shape.lifetimeMs;
  }

  clear(): void {
    while (this.oldest !== null) this.remove(this.oldest);
  }

  remove(slot: Slot<Kept>): void {
    this.slots.delete(slot.key);
    this.unlink(slot);
    this.totals.buckets--;
    this.totals.keptCharacters -= slot.weight;
    if (this.slots.size === 0) this.leave();
  }

  /** Removes at most `limit` buckets that died before `at`; returns how many. */
  expire(at: number, limit: number): number {
    for (let removed = 0; removed < limit; removed++) {
      if (!this.oldest?.bucket.isOver(this.shape, at)) return removed;
      this.remove(this.oldest);
    }
    return limit;
  }

  /** Removes the buckets whose key names `source`. Looks at every key: not for the request path. */
  forget(source: string): void {
    for (const slot of this.slots.values()) if (namesSource(slot.key, source)) this.remove(slot);
  }

  /** The turn of the bucket that was left alone longest, or null when there is none. */
  oldestTurn(): number | null {
    return this.oldest === null ? null : this.oldest.turn;
  }

  evictOldest(): void {
    if (this.oldest === null) return;
    this.remove(this.oldest);
    this.totals.evicted++;
  }

  get size(): number {
    return this.slots.size;
  }

  private create(key: string): Slot<Kept> {
    const bucket = new Bucket<Kept>(this.shape.capacity);
    const slot: Slot<Kept> = { key, bucket, weight: 0, turn: ++this.totals.turns, before: null, after: null };
    if (this.slots.size === 0) this.place = this.occupied.push(this) - 1;
    this.slots.set(key, slot);
    this.append(slot);
    this.totals.buckets++;
    return slot;
  }

  /** The last of the occupied shelves takes the place of this one. */
  private leave(): void {
    const last = this.occupied.pop();
    if (last === undefined || last === this) return;
    last.place = this.place;
    this.occupied[this.place] = last;
  }

  private append(slot: Slot<Kept>): void {
    slot.before = this.newest;
    slot.after = null;
    if (this.newest === null) this.oldest = slot;
    else this.newest.after = slot;
    this.newest = slot;
  }

  private unlink(slot: Slot<Kept>): void {
    if (slot.before === null) this.oldest = slot.after;
    else slot.before.after = slot.after;
    if (slot.after === null) this.newest = slot.before;
    else slot.after.before = slot.before;
  }
}

export interface BucketStore<Kept extends Weighed> {
  /** A shelf of its own for each scenario and clock. `live` shelves are swept by the wall clock, except those of counters. */
  shelf(shape: BucketShape, live: boolean): BucketShelf<Kept>;
  /** Evicts until the bounds hold again; called after a pour. */
  trim(): void;
  /** Removes the dead of live shelves at `at`, some thousands at a time. */
  sweep(at: number): void;
  readonly totals: Readonly<BucketTotals>;
}

/** Most buckets that one sweep removes, so that it stays well below a millisecond or two. */
const sweepBatch = 5_000;

export function createBucketStore<Kept extends Weighed>(bounds: BucketBounds): BucketStore<Kept> {
  const totals: BucketTotals = { buckets: 0, keptCharacters: 0, evicted: 0, turns: 0 };
  const occupied: BucketShelf<Kept>[] = [];
  const liveShelves: BucketShelf<Kept>[] = [];

  const evictOne = (): void => {
    let stalest: BucketShelf<Kept> | null = null;
    let stalestTurn = Number.POSITIVE_INFINITY;
    for (const shelf of occupied) {
      const turn = shelf.oldestTurn();
      if (turn === null || turn >= stalestTurn) continue;
      stalest = shelf;
      stalestTurn = turn;
    }
    stalest?.evictOldest();
  };

  return {
    totals,
    shelf(shape, live) {
      const shelf = new BucketShelf<Kept>(shape, totals, occupied);
      if (live && !shape.timed) liveShelves.push(shelf);
      return shelf;
    },
    trim() {
      while (totals.buckets > bounds.maxBuckets) evictOne();
      while (totals.keptCharacters > bounds.maxKeptCharacters && totals.buckets > 0) evictOne();
    },
    sweep(at) {
      let left = sweepBatch;
      for (const shelf of liveShelves) {
        left -= shelf.expire(at, left);
        if (left <= 0) return;
      }
    },
  };
}
