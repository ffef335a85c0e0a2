/** The map that forgets, against one that never does. */
import fc from 'fast-check';
import t from 'tap';
import { RecentMap } from '../../remediation/recent-map.ts';

t.test('the latest half is always there, more than the limit never', (t) => {
  const step = fc.tuple(fc.constantFrom('set', 'delete'), fc.nat({ max: 30 }), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 2, max: 20 }), (steps, max) => {
      const map = new RecentMap<number, number>(max);
      const model = new Map<number, number>();
      for (const [kind, key, value] of steps) {
        model.delete(key);
        if (kind === 'set') {
          model.set(key, value);
          map.set(key, value);
        } else map.delete(key);
        if (kind === 'delete' && map.has(key)) return false;
        if (map.size > max || map.size !== [...map.values()].length) return false;
      }
      // Deletions may have emptied the recent half; what was set since the last `half` sets is there.
      const kept = new Set(map.values());
      const half = Math.floor(max / 2);
      let sets = 0;
      const latest = new Set<number>();
      for (const [kind, key] of steps.toReversed()) if (kind === 'set' && sets++ < half) latest.add(key);
      for (const key of latest) {
        const value = model.get(key);
        if (value !== undefined && (!map.has(key) || !kept.has(value))) return false;
      }
      return true;
    }),
    { seed: 3, numRuns: 1_000 },
  );
  t.end();
});
