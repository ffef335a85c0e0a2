/**
 * `Throttle`: what a throttle decision means, a rate per source instead of a blanket refusal. A token bucket kept as one
 * number per source, the time at which the bucket will be full again (the generic cell rate algorithm, ITU-T I.371).
 */
import { RecentMap } from '../core/recent-map.ts';

export type Admission =
  | { readonly admitted: true }
  /** `retryAfterSeconds` is whole and at least 1, for `Retry-After`. */
  | { readonly admitted: false; readonly retryAfterSeconds: number };

export interface Throttle {
  /** Takes a token of this source. `now` in epoch milliseconds. */
  admit(key: string, now: number): Admission;
  /** Sources that are remembered. */
  readonly size: number;
}

export interface ThrottleOptions {
  /** Requests per second in the long run; above 0. */
  readonly ratePerSecond: number;
  /** Requests that may come at once after a pause; at least 1. */
  readonly burst: number;
  /** Sources remembered at most; those that have not been seen for longest make room. */
  readonly maxSources?: number;
}

const admitted: Admission = { admitted: true };

export function createThrottle({ ratePerSecond, burst, maxSources = 100_000 }: ThrottleOptions): Throttle {
  if (!(ratePerSecond > 0) || !(burst >= 1))
    throw new RangeError('a throttle needs a rate above 0 and a burst of at least 1');
  const intervalMs = 1000 / ratePerSecond;
  const toleranceMs = (burst - 1) * intervalMs;
  /** When each source's bucket is full again. */
  const fullAt = new RecentMap<string, number>(maxSources);

  return {
    admit(key, now) {
      // The wall clock may be set back; no source then waits longer than an empty bucket takes.
      const full = Math.min(Math.max(fullAt.get(key) ?? now, now), now + toleranceMs + intervalMs);
      const waitMs = full - now - toleranceMs;
      // A thousandth of a millisecond is rounding, not demand.
      if (waitMs > 1e-3) {
        fullAt.set(key, full);
        return { admitted: false, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
      }
      fullAt.set(key, full + intervalMs);
      return admitted;
    },
    get size() {
      return fullAt.size;
    },
  };
}
