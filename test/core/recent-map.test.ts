/** The bounded map, against a plain list. */
import fc from 'fast-check';
import t from 'tap';
import { RecentMap } from '../../core/recent-map.ts';

t.test('the entry that was set longest ago makes room', (t) => {
  const step = fc.tuple(fc.constantFrom('set', 'delete'), fc.nat({ max: 30 }), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (steps, max) => {
      const map = new RecentMap<number, number>(max);
      let model: (readonly [key: number, value: number])[] = [];
      for (const [kind, key, value] of steps) {
        const known = model.some(([each]) => each === key);
        model = model.filter(([each]) => each !== key);
        if (kind === 'set') {
          model = [...model, [key, value] as const].slice(-max);
          map.set(key, value);
        } else if (map.delete(key) !== known) return false;
        if (map.size !== model.length || map.get(key) !== model.find(([each]) => each === key)?.[1]) return false;
        if (map.has(key) !== (kind === 'set')) return false;
      }
      return JSON.stringify([...map.values()]) === JSON.stringify(model.map(([, value]) => value));
    }),
    { seed: 3, numRuns: 1_000 },
  );
  t.end();
});
