/** The map that knows its oldest key, against a plain list. */
import fc from 'fast-check';
import t from 'tap';
import { OldestFirstMap } from '../../core/oldest-first-map.ts';

t.test('it holds what a list of its entries holds, in the same order', (t) => {
  const step = fc.tuple(fc.constantFrom('set', 'delete', 'take', 'look'), fc.nat({ max: 30 }), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const map = new OldestFirstMap<number, number>();
      let model: [key: number, value: number][] = [];
      for (const [kind, key, value] of steps) {
        const gone = kind === 'take' ? map.oldest() : kind === 'look' ? undefined : key;
        if (kind === 'take' && gone !== model[0]?.[0]) return false;
        if (kind === 'look' && map.oldest() !== model[0]?.[0]) return false;
        const isKnown = model.some(([each]) => each === gone);
        model = model.filter(([each]) => each !== gone);
        if (kind === 'set') {
          model.push([key, value]);
          map.set(key, value);
        } else if (gone !== undefined && map.delete(gone) !== isKnown) return false;
        const known = model.find(([each]) => each === key);
        if (map.get(key) !== known?.[1] || map.has(key) !== (known !== undefined)) return false;
        if (JSON.stringify([...map.entries()]) !== JSON.stringify(model) || map.size !== model.length) return false;
      }
      return true;
    }),
    { seed: 5, numRuns: 1_000 },
  );
  t.end();
});

t.test('values that are nothing are values', async (t) => {
  const map = new OldestFirstMap<string, null | false>();
  map.set('a', null);
  map.set('b', false);
  t.equal(map.oldest(), 'a');
  t.equal(map.get('a'), null);
  t.equal(map.get('b'), false);
  t.same(
    [...map.entries()],
    [
      ['a', null],
      ['b', false],
    ],
  );
});
