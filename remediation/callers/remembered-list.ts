/**
 * A list of the store that is asked about with every request: remembered for a minute, and read anew no more often than once a
 * second on account of something that is not on it, so that whoever guesses cannot keep the store busy. While the store is away
 * what was known stays known.
 */
import type { Clock } from '../../core/clock.ts';

export interface RememberedList {
  /** Reads the list unless it was read within `ageMs`. Never rejects. */
  refresh(ageMs: number): Promise<void>;
  /** True when `refresh` would not read: the caller need not wait for it. */
  isYounger(ageMs: number): boolean;
  /** The list has changed: the next question reads it anew. */
  changed(): void;
}

export const rememberedMs = 60_000;
/** For what is not on the list. */
export const unknownMs = 1_000;

/** `take` is handed each list as it was read. */
export function createRememberedList<T>(
  read: () => Promise<readonly T[]>,
  take: (items: readonly T[]) => void,
  clock: Clock,
): RememberedList {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;
  let changes = 0;

  async function readOnce(): Promise<void> {
    const before = changes;
    try {
      const items = await read();
      // A list that changed while it was read is read again.
      if (changes === before) take(items);
    } catch {
      // The store says itself that it is away; what is known stays known.
    } finally {
      if (changes === before) readAt = clock.monotonic();
      reading = null;
    }
  }

  const isYounger = (ageMs: number): boolean => clock.monotonic() - readAt < ageMs;

  return {
    isYounger,
    async refresh(ageMs) {
      while (!isYounger(ageMs)) {
        reading ??= readOnce();
        await reading;
        if (ageMs <= 0) return;
      }
    },
    changed() {
      changes++;
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}
