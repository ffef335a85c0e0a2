/** The bounded map, against a plain list. */
import fc from 'fast-check';
import t from 'tap';
import { RecentMap } from '../../core/recent-map.ts';

t.test('the entries that were set last are kept, and never more than fit', (t) => {
  const step = fc.tuple(fc.constantFrom('set', 'delete'), fc.nat({ max: 30 }), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (steps, max) => {
      const map = new RecentMap<number, number>(max);
      /** Without a bound, the latest last; what was deleted has no value. */
      let model: (readonly [key: number, value: number | null])[] = [];
      for (const [kind, key, value] of steps) {
        const isKnown = map.has(key);
        if (kind === 'set') {
          model = [...model.filter(([each]) => each !== key), [key, value]];
          map.set(key, value);
        } else {
          model = model.map((entry) => (entry[0] === key ? [key, null] : entry));
          if (map.delete(key) !== isKnown || map.has(key)) return false;
        }
        const kept = model.filter(([each]) => map.has(each));
        const isRight = kept.every(([each, right]) => map.get(each) === right) && map.size === kept.length;
        const hasLatest = model.slice(-Math.ceil(max / 2)).every(([each, right]) => right === null || map.has(each));
        if (!isRight || !hasLatest || map.size > max) return false;
        const values = [...map.values()].toSorted((a, b) => a - b);
        if (String(values) !== String(kept.map(([, each]) => each ?? 0).toSorted((a, b) => a - b))) return false;
      }
      return true;
    }),
    { seed: 3, numRuns: 1_000 },
  );
  t.end();
});
