/**
 * Who may ask: the keys of bouncers, from the store, remembered for a minute. When the store is away, keys that were known stay
 * good and unknown ones are refused, as CrowdSec does it.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { type Bouncer, hashKey } from './bouncer.ts';
import type { Store } from './store/store.ts';

export interface BouncerKeys {
  /**
   * The bouncer with this key, or null. `mayAsk` is asked about a key that is not known, before the list is read anew on its
   * account. Never rejects.
   */
  find(key: string, mayAsk?: () => boolean): Promise<Bouncer | null>;
  /** The list has changed: the next question reads it anew. */
  changed(): void;
}

const rememberedMs = 60_000;
/** Unknown keys make the list be read anew no more often than this: whoever guesses must not keep the store busy. */
const unknownMs = 1_000;
/** Longer keys are nobody's. */
const longestKey = 1_024;

export function createBouncerKeys(store: Pick<Store, 'bouncers'>, clock: Clock): BouncerKeys {
  let known: readonly { readonly bouncer: Bouncer; readonly hash: Buffer }[] = [];
  let readAt = -Infinity;
  let reading: Promise<void> | null = null;
  let changes = 0;

  async function read(): Promise<void> {
    const before = changes;
    try {
      const bouncers = await store.bouncers();
      known = bouncers.map((bouncer) => ({ bouncer, hash: Buffer.from(bouncer.keyHash, 'hex') }));
    } catch {
      // The store says itself that it is away; what is known stays known.
    } finally {
      // A list that changed while it was read is read again.
      if (changes === before) readAt = clock.monotonic();
      reading = null;
    }
  }

  async function readUnlessYounger(ageMs: number): Promise<void> {
    while (clock.monotonic() - readAt >= ageMs) {
      reading ??= read();
      await reading;
    }
  }

  function search(hash: Buffer): Bouncer | null {
    let found: Bouncer | null = null;
    for (const { bouncer, hash: one } of known) {
      if (one.length === hash.length && timingSafeEqual(one, hash)) found = bouncer;
    }
    return found;
  }

  return {
    async find(key, mayAsk = () => true) {
      if (key === '' || key.length > longestKey) return null;
      const hash = Buffer.from(hashKey(key), 'hex');
      await readUnlessYounger(rememberedMs);
      const found = search(hash);
      if (found !== null || !mayAsk()) return found;
      await readUnlessYounger(unknownMs);
      return search(hash);
    },
    changed() {
      changes++;
      readAt = -Infinity;
    },
  };
}
