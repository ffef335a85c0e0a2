import * as fc from 'fast-check';
import t from 'tap';
import { leakyShape } from '../../../detectors/scenarios/bucket.ts';
import { createBucketStore } from '../../../detectors/scenarios/bucket-store.ts';

interface Kept {
  readonly weight: number;
}

const wide = { maxBuckets: 1_000, maxKeptCharacters: 1e9 };
const shape = leakyShape(3, 1_000, 0);

t.test('a key finds its bucket again until it is dead', async (t) => {
  const store = createBucketStore<Kept>(wide);
  const shelf = store.shelf(shape, true);
  const slot = shelf.open('a', 0);
  shelf.pour(slot, { weight: 5 }, 0);
  t.equal(shelf.open('a', 4_000), slot);
  t.equal(slot.bucket.count, 1);
  const renewed = shelf.open('a', 4_001);
  t.equal(renewed.bucket.count, 0, 'one lifetime later the bucket is another');
  shelf.pour(renewed, { weight: 7 }, 4_001);
  t.match(store.totals, { buckets: 1, keptCharacters: 7, evicted: 0 });
  shelf.remove(renewed);
  t.match(store.totals, { buckets: 0, keptCharacters: 0, evicted: 0 });
});

t.test('too many buckets: the one left alone longest goes, whichever scenario it belongs to', async (t) => {
  const store = createBucketStore<Kept>({ maxBuckets: 3, maxKeptCharacters: 1e9 });
  const [first, second] = [store.shelf(shape, true), store.shelf(leakyShape(9, 9_000, 0), true)];
  const pour = (shelf: typeof first, key: string, at: number): void => {
    shelf.pour(shelf.open(key, at), { weight: 1 }, at);
    store.trim();
  };
  pour(first, 'a', 1);
  pour(second, 'b', 2);
  pour(first, 'c', 3);
  pour(first, 'a', 4);
  pour(first, 'd', 5);
  t.equal(second.size, 0, 'b was poured longest ago');
  t.equal(first.size, 3);
  t.equal(store.totals.evicted, 1);
});

t.test('what was left alone longest is told by the order of pours, not by their clocks', async (t) => {
  const store = createBucketStore<Kept>({ maxBuckets: 2, maxKeptCharacters: 1e9 });
  const [live, replayed] = [store.shelf(shape, true), store.shelf(shape, false)];
  for (const [shelf, key] of [
    [live, 'a'],
    [replayed, 'b'],
    [replayed, 'c'],
  ] as const) {
    const at = shelf === live ? 1e12 : 1e9;
    shelf.pour(shelf.open(key, at), { weight: 1 }, at);
    store.trim();
  }
  t.strictSame([live.size, replayed.size], [0, 2]);
});

t.test('too much kept: buckets go until the text fits', async (t) => {
  const store = createBucketStore<Kept>({ maxBuckets: 100, maxKeptCharacters: 1_000 });
  const shelf = store.shelf(shape, true);
  for (let key = 0; key < 10; key++) {
    shelf.pour(shelf.open(`${key}`, key), { weight: 300 }, key);
    store.trim();
    t.ok(store.totals.keptCharacters <= 1_000);
  }
  t.equal(shelf.size, 3);
  t.equal(store.totals.evicted, 7);
});

t.test('the sweep removes the dead of live shelves only', async (t) => {
  const store = createBucketStore<Kept>(wide);
  const [live, replayed] = [store.shelf(shape, true), store.shelf(shape, false)];
  for (const shelf of [live, replayed]) {
    shelf.pour(shelf.open('old', 0), { weight: 1 }, 0);
    shelf.pour(shelf.open('young', 3_000), { weight: 1 }, 3_000);
  }
  store.sweep(5_000);
  t.equal(live.size, 1);
  t.equal(replayed.size, 2, 'a replayed bucket knows only the time of its own events');
  store.sweep(1e9);
  t.equal(live.size, 0);
  t.equal(store.totals.buckets, 2);
});

t.test('whatever happens, totals are the sums over the buckets', async (t) => {
  const step = fc.record({
    action: fc.constantFrom('pour', 'pour', 'pour', 'remove', 'sweep'),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    shelf: fc.nat({ max: 1 }),
    wait: fc.nat({ max: 2_000 }),
    weight: fc.nat({ max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const store = createBucketStore<Kept>({ maxBuckets: 5, maxKeptCharacters: 1_500 });
      const shelves = [store.shelf(shape, true), store.shelf(leakyShape(1, 700, 0), true)];
      let now = 0;
      for (const { action, key, shelf: index, wait, weight } of steps) {
        const shelf = shelves[index];
        if (shelf === undefined) return false;
        now += wait;
        if (action === 'sweep') store.sweep(now);
        else {
          const slot = shelf.open(key, now);
          if (action === 'remove' || shelf.pour(slot, { weight }, now)) shelf.remove(slot);
        }
        store.trim();
        const { buckets, keptCharacters } = store.totals;
        if (buckets !== shelves.reduce((sum, each) => sum + each.size, 0)) return false;
        if (buckets > 5 || keptCharacters > 1_500 || keptCharacters < 0) return false;
      }
      for (const shelf of shelves) while (shelf.size > 0) shelf.evictOldest();
      return store.totals.buckets === 0 && store.totals.keptCharacters === 0;
    }),
    { seed: 20_260_102, numRuns: 300 },
  );
  t.pass('300 histories');
});
