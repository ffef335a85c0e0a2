/** How long to wait before the next attempt: from one second, doubled, ±30 %, at most thirty seconds (CrowdSec's figures). */
import type { Random } from '../../core/random.ts';

export const firstDelayMs = 1_000;
export const longestDelayMs = 30_000;
/** How long a message is tried when the document does not say how often. */
export const longestTryingMs = 300_000;

/** After attempt number `attempt`, from 1. */
export function retryDelay(attempt: number, random: Pick<Random, 'fraction'>): number {
  const base = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 10));
  return Math.min(longestDelayMs, base * (0.7 + 0.6 * random.fraction()));
}
