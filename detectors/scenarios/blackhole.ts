/**
 * The silence after an alert: while it lasts, further overflows of the same bucket key are discarded and do not extend it.
 * One for each scenario, so every entry lasts equally long and the map's order is the order of expiry.
 * Specification: CrowdSec `pkg/leakybucket/blackhole.go`.
 */
import { namesSource } from './bucket-store.ts';

export class Blackhole {
  private readonly durationMs: number;
  private readonly maxKeys: number;
  private readonly until = new Map<string, number>();

  /** `maxKeys` bounds the memory: past it the oldest key is forgotten, and may raise an alert too many. */
  constructor(durationMs: number, maxKeys: number) {
    this.durationMs = durationMs;
    this.maxKeys = maxKeys;
  }

  /** True when an overflow of `key` at `at` is to be discarded. Otherwise the silence begins, and it is false. */
  swallows(key: string, at: number): boolean {
    const until = this.until.get(key);
    if (until !== undefined && until > at) return true;
    this.until.delete(key);
    if (this.until.size >= this.maxKeys) this.forgetOldest();
    this.until.set(key, at + this.durationMs);
    return false;
  }

  /** Ends the silence of the keys that name `source`. Looks at every key: not for the request path. */
  forget(source: string): void {
    for (const key of this.until.keys()) if (namesSource(key, source)) this.until.delete(key);
  }

  /** Forgets the keys whose silence is over at `at`. */
  sweep(at: number): void {
    for (const [key, until] of this.until) {
      if (until > at) return;
      this.until.delete(key);
    }
  }

  get size(): number {
    return this.until.size;
  }

  private forgetOldest(): void {
    for (const key of this.until.keys()) {
      this.until.delete(key);
      return;
    }
  }
}
