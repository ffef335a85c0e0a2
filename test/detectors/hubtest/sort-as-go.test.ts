import fc from 'fast-check';
import t from 'tap';
import { sortAsGo } from '../../../detectors/hubtest/sort-as-go.ts';

interface Item {
  readonly key: number;
  readonly place: number;
}

function sorted(keys: readonly number[]): Item[] {
  const items = keys.map((key, place) => ({ key, place }));
  sortAsGo(items, (a, b) => a.key < b.key);
  return items;
}

const runs = { seed: 20_260_301, numRuns: 400 };

t.test('whatever comes in, it comes out sorted and complete', async (t) => {
  const shapes = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 300 }),
    fc.array(fc.integer(), { maxLength: 300 }),
    fc.array(fc.integer(), { maxLength: 300 }).map((keys) => keys.toSorted((a, b) => a - b)),
    fc.array(fc.integer(), { maxLength: 300 }).map((keys) => keys.toSorted((a, b) => b - a)),
    // Nearly sorted: the repair is tried.
    fc.tuple(fc.array(fc.nat(), { minLength: 60, maxLength: 300 }), fc.nat(), fc.nat()).map(([keys, a, b]) => {
      const out = keys.toSorted((x, y) => x - y);
      const [i, j] = [a % out.length, b % out.length];
      [out[i], out[j]] = [out[j] as number, out[i] as number];
      return out;
    }),
  );
  fc.assert(
    fc.property(shapes, (keys) => {
      const items = sorted(keys);
      const expected = keys.toSorted((a, b) => a - b);
      return (
        items.length === keys.length &&
        items.every(({ key, place }, index) => key === expected[index] && key === keys[place]) &&
        new Set(items.map(({ place }) => place)).size === keys.length
      );
    }),
    runs,
  );
  t.pass(`${runs.numRuns} lists`);
});

t.test('up to twelve elements, equals keep their order', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }), (keys) => {
      const stable = keys.map((key, place) => ({ key, place })).toSorted((a, b) => a.key - b.key);
      return JSON.stringify(sorted(keys)) === JSON.stringify(stable);
    }),
    runs,
  );
  t.pass(`${runs.numRuns} lists`);
});

t.test('above twelve, equals come out as they do in Go', async (t) => {
  // The overflows of the hub test authelia-bf by the rank of their keys, as buckets give them, and as its assertions list them.
  const keys = [0, 22, 1, 23, 2, 3, 8, 9, 10, 11, 12, 13, 12, 13, 14, 24, 15, 25, 16, 17, 18, 19, 20, 21, 4, 5, 6, 7];
  const listed = [17, 15, 3, 1, 23, 22, 21, 20, 19, 18, 16, 14, 13, 11, 12, 10, 9, 8, 7, 6, 27, 26, 25, 24, 5, 4, 2, 0];
  const items = keys.map((key, place) => ({ key, place }));
  sortAsGo(items, (a, b) => a.key > b.key);
  t.strictSame(
    items.map(({ place }) => place),
    listed,
  );
});

t.test('an adversary who answers comparisons at will cannot make it slow', async (t) => {
  // McIlroy's antiqsort: values are fixed as late as possible, so that each pivot turns out to be a bad one.
  const size = 5_000;
  const gas = size;
  const values = Array.from({ length: size }, () => gas);
  let solid = 0;
  let candidate = 0;
  let comparisons = 0;
  const items = values.map((_, place) => place);
  sortAsGo(items, (a, b) => {
    comparisons++;
    if (values[a] === gas && values[b] === gas) values[a === candidate ? a : b] = solid++;
    if (values[a] === gas) candidate = a;
    else if (values[b] === gas) candidate = b;
    return (values[a] as number) < (values[b] as number);
  });
  const found = items.map((place) => values[place] as number);
  t.ok(
    found.every((value, index) => index === 0 || (found[index - 1] as number) <= value),
    'it is sorted',
  );
  const linearithmic = size * Math.log2(size);
  t.ok(comparisons < 6 * linearithmic, `${comparisons} comparisons of ${size} elements`);
});
