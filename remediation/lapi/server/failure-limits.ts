/**
 * Failed attempts to prove who one is, by source: after a handful it takes a while until the next counts as one. What is refused
 * meanwhile costs no store and no password hash. The table is bounded; whoever has been silent for longest is forgotten first.
 */
import type { Clock } from '../../../core/clock.ts';
import { RecentMap } from '../../../core/recent-map.ts';

export interface FailureLimits {
  /** True while this source has used up its attempts. */
  isLimited(source: string): boolean;
  /** Counts a failure. True when it is one of the few that are worth a line in the log. */
  failed(source: string): boolean;
  readonly size: number;
}

export interface FailureLimitsOptions {
  /** Failures at once after a pause. */
  readonly burst: number;
  /** How long until one more is forgiven, milliseconds. */
  readonly everyMs: number;
  readonly maxSources?: number;
}

export function createFailureLimits(
  { burst, everyMs, maxSources = 10_000 }: FailureLimitsOptions,
  clock: Clock,
): FailureLimits {
  /** When each source is as one that never failed. */
  const forgivenAt = new RecentMap<string, number>(maxSources);
  const isLimited = (source: string): boolean => {
    const at = forgivenAt.get(source);
    return at !== undefined && at - clock.monotonic() > (burst - 1) * everyMs;
  };
  return {
    isLimited,
    failed(source) {
      if (isLimited(source)) return false;
      const now = clock.monotonic();
      const at = Math.max(now, forgivenAt.get(source) ?? now) + everyMs;
      forgivenAt.set(source, at);
      return true;
    },
    get size() {
      return forgivenAt.size;
    },
  };
}
