/**
 * The caches that parser nodes fill (`stash:`) and expressions read (`GetFromStash`): texts by key, with a bound on their
 * number and a time to live by the wall clock, also while a log is replayed.
 * Specification: CrowdSec `pkg/cache/cache.go`, over `bluele/gcache`.
 */
import type { Clock } from '../../core/clock.ts';
import { ownCopy } from '../documents/own-copy.ts';
import type { StashCaches } from '../expr/dependencies.ts';
import { createCachePolicy, type CachePolicy, type CacheStrategy } from './cache-policy.ts';

export interface StashSpec {
  readonly name: string;
  /** The most entries. */
  readonly size: number;
  readonly strategy: CacheStrategy;
  readonly ttlMs: number;
}

export interface Stash extends StashCaches {
  /** Makes the cache; of two with one name the first is used, as upstream does. */
  declare(spec: StashSpec): void;
}

interface Entry {
  readonly value: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

interface StashCache {
  readonly ttlMs: number;
  readonly entries: CachePolicy<Entry>;
}

/** Keys and values come from log lines, which may have 64 KB; longer ones are not kept. */
const longestText = 8_192;

/** Parsers and postoverflows share one, so that each finds what the other left. */
export function createStash(clock: Pick<Clock, 'now'>): Stash {
  const caches = new Map<string, StashCache>();
  return {
    declare({ name, size, strategy, ttlMs }) {
      if (!caches.has(name)) caches.set(name, { ttlMs, entries: createCachePolicy<Entry>(strategy, size) });
    },
    get(cache, key) {
      const entries = caches.get(cache)?.entries;
      const entry = entries?.get(key);
      if (entries === undefined || entry === undefined) return null;
      if (clock.now() < entry.expiresAt) return entry.value;
      entries.delete(key);
      return null;
    },
    set(cache, key, value, ttlMs) {
      const found = caches.get(cache);
      if (found === undefined || key.length > longestText || value.length > longestText) return;
      found.entries.set(ownCopy(key), { value: ownCopy(value), expiresAt: clock.now() + (ttlMs ?? found.ttlMs) });
    },
  };
}
