import * as fc from 'fast-check';
import t from 'tap';
import { cacheStrategies, type CacheStrategy, createCachePolicy } from '../../../detectors/parsers/cache-policy.ts';
import { createStash } from '../../../detectors/parsers/stash.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** The keys that are left after `uses`: `a` sets a key, `+a` asks for it, `-a` deletes it. */
function left(strategy: CacheStrategy, size: number, uses: string): string {
  const cache = createCachePolicy<string>(strategy, size);
  const keys = new Set<string>();
  for (const use of uses.split(' ')) {
    const key = use.replace(/^[+-]/, '');
    keys.add(key);
    if (use.startsWith('+')) cache.get(key);
    else if (use.startsWith('-')) cache.delete(key);
    else cache.set(key, key);
  }
  const count = cache.size;
  const found = [...keys].filter((key) => cache.get(key) === key);
  t.equal(found.length, count);
  return found.join(' ');
}

t.test('LRU drops what was used longest ago', async (t) => {
  t.equal(left('LRU', 2, 'a b c'), 'b c');
  t.equal(left('LRU', 2, 'a b +a c'), 'a c');
  t.equal(left('LRU', 2, 'a b a c'), 'a c', 'setting is a use');
  t.equal(left('LRU', 2, 'a b -a c'), 'b c');
});

t.test('LFU drops what was used least often, of those the first', async (t) => {
  t.equal(left('LFU', 2, 'a b c'), 'b c');
  t.equal(left('LFU', 2, 'a b +a +a +b c'), 'a c');
  t.equal(left('LFU', 2, 'a b +a c d'), 'a d');
  t.equal(left('LFU', 2, 'a b +b -b c d'), 'c d');
});

t.test('ARC keeps what was asked for again through a run of keys that are seen once', async (t) => {
  t.equal(left('ARC', 3, 'a b +a +b c d e f'), 'a b f');
  t.equal(left('ARC', 2, 'a b c'), 'b c');
  t.equal(left('ARC', 2, 'a +a b c a'), 'a c');
});

t.test('whatever is done, a cache holds no more than its size, and what was set last', async (t) => {
  const use = fc.record({ kind: fc.constantFrom('get', 'set', 'delete'), key: fc.constantFrom(...'abcdefgh') });
  for (const strategy of cacheStrategies) {
    fc.assert(
      fc.property(fc.array(use, { maxLength: 120 }), fc.integer({ min: 1, max: 5 }), (uses, size) => {
        const cache = createCachePolicy<string>(strategy, size);
        const last = new Map<string, string>();
        for (const [index, { kind, key }] of uses.entries()) {
          const value = `${key}${index}`;
          if (kind === 'set') {
            cache.set(key, value);
            last.set(key, value);
            if (cache.get(key) !== value) return false;
          } else if (kind === 'delete') {
            cache.delete(key);
            if (cache.get(key) !== undefined) return false;
          } else {
            const found = cache.get(key);
            if (found !== undefined && found !== last.get(key)) return false;
          }
          if (cache.size > size) return false;
        }
        return true;
      }),
      { seed: 21, numRuns: 300 },
    );
  }
  t.equal(cacheStrategies.length, 3);
});

t.test('entries end by the wall clock: their own time, or that of the cache', async (t) => {
  const clock = createManualClock();
  const stash = createStash(clock);
  stash.declare({ name: 'c', size: 10, strategy: 'LRU', ttlMs: 1_000 });
  stash.set('c', 'default', 'v', null);
  stash.set('c', 'own', 'v', 5_000);
  clock.advance(999);
  t.strictSame([stash.get('c', 'default'), stash.get('c', 'own')], ['v', 'v']);
  clock.advance(1);
  t.strictSame([stash.get('c', 'default'), stash.get('c', 'own')], [null, 'v']);
  clock.advance(4_000);
  t.equal(stash.get('c', 'own'), null);
});

t.test('the first declaration of a name stays; caches that nobody declared hold nothing', async (t) => {
  const stash = createStash(createManualClock());
  stash.declare({ name: 'c', size: 1, strategy: 'LRU', ttlMs: 1_000 });
  stash.declare({ name: 'c', size: 10, strategy: 'LRU', ttlMs: 1_000 });
  stash.set('c', 'a', '1', null);
  stash.set('c', 'b', '2', null);
  t.strictSame([stash.get('c', 'a'), stash.get('c', 'b')], [null, '2']);
  stash.set('unknown', 'a', '1', null);
  t.equal(stash.get('unknown', 'a'), null);
});

t.test('texts of a whole line are not kept', async (t) => {
  const stash = createStash(createManualClock());
  stash.declare({ name: 'c', size: 10, strategy: 'LRU', ttlMs: 1_000 });
  stash.set('c', 'k', 'x'.repeat(60_000), null);
  stash.set('c', 'x'.repeat(60_000), 'v', null);
  t.equal(stash.get('c', 'k'), null);
  t.equal(stash.get('c', 'x'.repeat(60_000)), null);
});
