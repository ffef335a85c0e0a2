/**
 * The silence after an alert: while it lasts, further overflows of the same bucket key are discarded and do not extend it.
 * One for each scenario. Time is that of the overflows: one that comes later ends every silence that is over by then, also
 * that of another key whose log is read out of order. Specification: CrowdSec `pkg/leakybucket/blackhole.go`.
 */
import { OldestFirstMap } from '../../core/oldest-first-map.ts';
import { namesSource } from './bucket-store.ts';

export class Blackhole {
  private readonly durationMs: number;
  private readonly maxKeys: number;
  private readonly until = new OldestFirstMap<string, number>();
  /** No silence ends before this. */
  private soonest = Number.POSITIVE_INFINITY;
  /** When the silence that was added last ends. */
  private latest = Number.NEGATIVE_INFINITY;
  /** The map's order is the order of expiry: so it always is when overflows are live. */
  private inOrder = true;

  /** `maxKeys` bounds the memory: past it the oldest key is forgotten, and may raise an alert too many. */
  constructor(durationMs: number, maxKeys: number) {
    this.durationMs = durationMs;
    this.maxKeys = maxKeys;
  }

  /** True when an overflow of `key` at `at` is to be discarded. Otherwise the silence begins, and it is false. */
  swallows(key: string, at: number): boolean {
    this.sweep(at);
    if (this.until.has(key)) return true;
    if (this.until.size >= this.maxKeys) this.forgetOldest();
    this.add(key, at + this.durationMs);
    return false;
  }

  /** Ends the silence of the keys that name `source`. Looks at every key: not for the request path. */
  forget(source: string): void {
    for (const [key] of this.until.entries()) if (namesSource(key, source)) this.until.delete(key);
  }

  /** Ends the silences that are over at `at`. */
  sweep(at: number): void {
    if (at < this.soonest) return;
    this.soonest = this.inOrder ? this.sweepInOrder(at) : this.sweepAll(at);
    if (this.until.size > 0) return;
    this.inOrder = true;
    this.latest = Number.NEGATIVE_INFINITY;
  }

  get size(): number {
    return this.until.size;
  }

  private add(key: string, until: number): void {
    if (until < this.latest) this.inOrder = false;
    this.latest = until;
    this.soonest = Math.min(this.soonest, until);
    this.until.set(key, until);
  }

  /** Returns when the next silence ends. */
  private sweepInOrder(at: number): number {
    for (let key = this.until.oldest(); key !== undefined; key = this.until.oldest()) {
      const until = this.until.get(key) ?? at;
      if (until > at) return until;
      this.until.delete(key);
    }
    return Number.POSITIVE_INFINITY;
  }

  private sweepAll(at: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const [key, until] of this.until.entries()) {
      if (until <= at) this.until.delete(key);
      else soonest = Math.min(soonest, until);
    }
    return soonest;
  }

  private forgetOldest(): void {
    const oldest = this.until.oldest();
    if (oldest !== undefined) this.until.delete(oldest);
  }
}
