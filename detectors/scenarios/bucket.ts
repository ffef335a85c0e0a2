/**
 * The arithmetic of one bucket: a token bucket, the events that it keeps, and what it counts. Nothing here asks for the
 * time; every pour is handed it, so that a live bucket and a replayed one are the same code under two clocks.
 * Specification: CrowdSec `pkg/leakybucket/bucket.go`, `queue.go` and the limiter behind them.
 */
import type { Event } from '../event.ts';

/** What all buckets of one scenario have in common. */
export interface BucketShape {
  /** Tokens of a full bucket; 0 for a trigger, infinite for a bucket that never is without. */
  readonly capacity: number;
  /** Milliseconds in which one token comes back; 0 where there is none to come back. */
  readonly leakMs: number;
  /** Most events kept. */
  readonly kept: number;
  /** Most characters of events kept; past it the oldest events go. */
  readonly keptCharacters: number;
  /** Most values of `distinct` remembered. */
  readonly distinct: number;
  /** Milliseconds after the last counted event, or after the first one of a timed bucket, at which a bucket ends. */
  readonly lifetimeMs: number;
  /** A counter: it ends at a time fixed by its first event, and then overflows. */
  readonly timed: boolean;
}

/** A deficit worth less than one nanosecond is none: the limiter counts in whole nanoseconds, and so must its port. */
const nanosecondMs = 1e-6;

/**
 * Most values one bucket remembers for `distinct`. A bucket that leaks as fast as it is filled lives for ever, so the
 * oldest value is forgotten; the bound leaves several times what any bucket needs to overflow.
 */
const leastDistinct = 256;

/**
 * Most events that a bucket without a capacity keeps. Upstream keeps all; conditions look at a handful, and each pour may
 * go through the whole queue.
 */
export const mostKept = 1_024;

/** Most characters of events in one bucket, so that a single one cannot use up what all may keep together. */
export const mostKeptCharacters = 4 * 1_048_576;

/** The shape of a leaky bucket: it overflows on event `capacity + 1` and keeps one event more than its queue is long. */
export function leakyShape(capacity: number, leakMs: number, cacheSize: number): BucketShape {
  return {
    capacity,
    leakMs,
    kept: queueLength(capacity, cacheSize),
    keptCharacters: mostKeptCharacters,
    distinct: Math.max(leastDistinct, 4 * (capacity + 1)),
    lifetimeMs: (capacity + 1) * leakMs,
    timed: false,
  };
}

/** The shape of a trigger: it holds the one event that overflows it and never lives. */
export const triggerShape: BucketShape = {
  capacity: 0,
  leakMs: 0,
  kept: 1,
  keptCharacters: mostKeptCharacters,
  distinct: 0,
  lifetimeMs: 0,
  timed: false,
};

/** The shape of a bucket that never runs out of tokens: conditional and bayesian ones, whose conditions decide. */
export function endlessShape(capacity: number, lifetimeMs: number, cacheSize: number): BucketShape {
  const kept = queueLength(capacity, cacheSize);
  return {
    capacity: Number.POSITIVE_INFINITY,
    leakMs: 0,
    kept,
    keptCharacters: mostKeptCharacters,
    distinct: Math.max(leastDistinct, 4 * kept),
    lifetimeMs,
    timed: false,
  };
}

/** The shape of a counter, which overflows `durationMs` after its first event. */
export function counterShape(durationMs: number, cacheSize: number): BucketShape {
  return { ...endlessShape(-1, durationMs, cacheSize), timed: true };
}

/** Most events of a queue: one more than its size, which is the capacity or a smaller `cache_size`; -1 stands for no end. */
function queueLength(capacity: number, cacheSize: number): number {
  if (capacity === -1) return cacheSize > 0 ? Math.min(mostKept, cacheSize + 1) : mostKept;
  return (cacheSize > 0 && cacheSize <= capacity ? cacheSize : capacity) + 1;
}

/** What a bucket keeps of an event: whatever the caller wants back at overflow, and how many characters it holds. */
export interface Weighed {
  readonly weight: number;
}

/** What conditions see and remember of a bucket. */
export interface BucketMemory {
  /** The events of the queue. Empty where no expression of the scenario looks back at them. */
  readonly events: Event[];
  /** Positions of the bayesian conditions with a guillotine that were true once. */
  readonly fallen: Set<number>;
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
  /** Made when a condition is asked for the first time. */
  memory: BucketMemory | null = null;

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
    if (this.queue.length > shape.kept || this.weight > shape.keptCharacters) this.shorten(shape);
    return !this.take(shape, at);
  }

  /** The newest event stays, however much it holds. */
  private shorten(shape: BucketShape): void {
    while (this.queue.length > shape.kept || (this.weight > shape.keptCharacters && this.queue.length > 1)) {
      this.weight -= this.queue.shift()?.weight ?? 0;
    }
  }

  /** Takes one token. False when there is none, and the tokens stay as they were. */
  private take(shape: BucketShape, at: number): boolean {
    if (shape.capacity === 0) return false;
    if (shape.capacity === Number.POSITIVE_INFINITY) return true;
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
    if (this.seen.size >= shape.distinct) {
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

  /** True when an event at `at` finds this bucket at its end and must start another. */
  isOver(shape: BucketShape, at: number): boolean {
    if (this.count === 0) return false;
    return shape.timed ? at >= this.firstAt + shape.lifetimeMs : at > this.lastAt + shape.lifetimeMs;
  }
}
