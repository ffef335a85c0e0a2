/**
 * The arithmetic of one bucket: a token bucket, the events that it keeps, and what it counts. Nothing here asks for the
 * time; every pour is handed it, so that a live bucket and a replayed one are the same code under two clocks.
 * Specification: CrowdSec `pkg/leakybucket/bucket.go`, `queue.go` and the limiter behind them.
 */

/** What all buckets of one scenario have in common. */
export interface BucketShape {
  /** Tokens of a full bucket; 0 for a trigger. */
  readonly capacity: number;
  /** Milliseconds in which one token comes back; 0 for a trigger, which has none. */
  readonly leakMs: number;
  /** Most events kept. */
  readonly kept: number;
  /** Milliseconds without a counted event after which a bucket is dead. */
  readonly lifetimeMs: number;
}

/** A deficit worth less than one nanosecond is none: the limiter counts in whole nanoseconds, and so must its port. */
const nanosecondMs = 1e-6;

/**
 * Most values one bucket remembers for `distinct`. A bucket that leaks as fast as it is filled lives for ever, so the
 * oldest value is forgotten; the bound leaves several times what any bucket needs to overflow.
 */
const leastDistinct = 256;

/** The shape of a leaky bucket: it overflows on event `capacity + 1` and keeps one event more than its queue is long. */
export function leakyShape(capacity: number, leakMs: number, cacheSize: number): BucketShape {
  const queue = cacheSize > 0 && cacheSize <= capacity ? cacheSize : capacity;
  return { capacity, leakMs, kept: queue + 1, lifetimeMs: (capacity + 1) * leakMs };
}

/** The shape of a trigger: it holds the one event that overflows it and never lives. */
export const triggerShape: BucketShape = { capacity: 0, leakMs: 0, kept: 1, lifetimeMs: 0 };

/** What a bucket keeps of an event: whatever the caller wants back at overflow, and how many characters it holds. */
export interface Weighed {
  readonly weight: number;
}

/** One bucket. */
export class Bucket<Kept extends Weighed> {
  /** Tokens left; may be fractional. */
  tokens: number;
  /** When tokens were last taken, epoch milliseconds. Events out of order move it back. */
  tokensAt: number;
  /** Every counted event, also those no longer kept. */
  count = 0;
  /** Characters held by the queue and by the values of `distinct`. */
  weight = 0;
  firstAt = 0;
  lastAt = 0;
  /** Oldest first. */
  readonly queue: Kept[] = [];
  /** Values of `distinct`: most buckets see one and die, so the first needs no set. */
  private seen: Set<string> | string | null = null;

  constructor(capacity: number) {
    this.tokens = capacity;
    this.tokensAt = Number.NEGATIVE_INFINITY;
  }

  /** Counts one event at `at` (epoch milliseconds, fractional). True when it makes the bucket overflow. */
  pour(shape: BucketShape, kept: Kept, at: number): boolean {
    if (this.count === 0) this.firstAt = at;
    this.count++;
    this.lastAt = at;
    this.queue.push(kept);
    this.weight += kept.weight;
    if (this.queue.length > shape.kept) this.weight -= this.queue.shift()?.weight ?? 0;
    return !this.take(shape, at);
  }

  /** Takes one token. False when there is none, and the tokens stay as they were. */
  private take(shape: BucketShape, at: number): boolean {
    if (shape.capacity === 0) return false;
    const leaked = this.tokensAt < at ? (at - this.tokensAt) / shape.leakMs : 0;
    const left = Math.min(shape.capacity, this.tokens + leaked) - 1;
    if (left < 0 && -left * shape.leakMs >= nanosecondMs) return false;
    this.tokens = left;
    this.tokensAt = at;
    return true;
  }

  /** Remembers a value of `distinct`. False when this bucket has seen it before. */
  admit(value: string, shape: BucketShape): boolean {
    if (this.seen === null) {
      this.seen = value;
      this.weight += value.length;
      return true;
    }
    if (typeof this.seen === 'string') {
      if (this.seen === value) return false;
      this.seen = new Set([this.seen]);
    }
    if (this.seen.has(value)) return false;
    if (this.seen.size >= Math.max(leastDistinct, 4 * (shape.capacity + 1))) {
      for (const oldest of this.seen) {
        this.seen.delete(oldest);
        this.weight -= oldest.length;
        break;
      }
    }
    this.seen.add(value);
    this.weight += value.length;
    return true;
  }

  /** True when an event at `at` finds this bucket dead and must start another. */
  isOver(shape: BucketShape, at: number): boolean {
    return this.count > 0 && at > this.lastAt + shape.lifetimeMs;
  }
}
