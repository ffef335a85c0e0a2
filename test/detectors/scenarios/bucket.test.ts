import * as fc from 'fast-check';
import t from 'tap';
import { Bucket, leakyShape, triggerShape } from '../../../detectors/scenarios/bucket.ts';

interface Kept {
  readonly id: number;
  readonly weight: number;
}

const start = Date.UTC(2026, 0, 1);
const kept = (id: number): Kept => ({ id, weight: 1 });

/** Pours `times` (milliseconds after the start) until the bucket overflows; the number of the overflowing event, from 1. */
function overflowAt(capacity: number, leakMs: number, times: readonly number[], cacheSize = 0): number | null {
  const shape = leakyShape(capacity, leakMs, cacheSize);
  const bucket = new Bucket<Kept>(capacity);
  const index = times.findIndex((time, id) => bucket.pour(shape, kept(id), start + time));
  return index === -1 ? null : index + 1;
}

t.test('a bucket overflows on the event after its capacity when nothing leaks', async (t) => {
  for (const capacity of [1, 2, 5, 10, 40]) {
    const times = Array.from({ length: capacity + 1 }, () => 0);
    t.equal(overflowAt(capacity, 10_000, times), capacity + 1);
    t.equal(overflowAt(capacity, 10_000, times.slice(1)), null);
  }
});

t.test('one token comes back in each leakspeed', async (t) => {
  const everyLeak = Array.from({ length: 500 }, (_, index) => index * 1_000);
  t.equal(overflowAt(1, 1_000, everyLeak), null, 'as fast as it leaks');
  t.equal(
    overflowAt(
      5,
      1_000,
      everyLeak.map((time) => time / 2),
    ),
    10,
    'twice as fast: half a token lost each time',
  );
  t.equal(overflowAt(1, 1_000, [0, 0.5]), 2);
  t.equal(overflowAt(1, 1_000, [0, 999]), 2);
  t.equal(overflowAt(1, 1_000, [0, 1_000]), null);
});

t.test('a deficit worth less than one nanosecond is none', async (t) => {
  t.equal(overflowAt(1, 1_000, [0, 999.9999995]), null);
  t.equal(overflowAt(1, 1_000, [0, 999.999]), 2);
});

t.test('an event out of order moves the bucket back, so that the time in between leaks again', async (t) => {
  t.equal(overflowAt(2, 1_000, [5_000, 5_000, 0, 5_000]), 3, 'going back leaks nothing');
  t.equal(overflowAt(3, 1_000, [5_000, 5_000, 0, 5_000, 5_000, 5_000]), null, 'and going forward again leaks anew');
});

t.test('the queue keeps one event more than its size, the newest', async (t) => {
  const cases = [
    { capacity: 40, cacheSize: 5, ids: [35, 36, 37, 38, 39, 40] },
    { capacity: 3, cacheSize: 0, ids: [0, 1, 2, 3] },
    { capacity: 3, cacheSize: 3, ids: [0, 1, 2, 3] },
    { capacity: 3, cacheSize: 4, ids: [0, 1, 2, 3] },
    { capacity: 3, cacheSize: 1, ids: [2, 3] },
    { capacity: 3, cacheSize: -1, ids: [0, 1, 2, 3] },
  ];
  for (const { capacity, cacheSize, ids } of cases) {
    const shape = leakyShape(capacity, 10_000, cacheSize);
    const bucket = new Bucket<Kept>(capacity);
    for (let id = 0; id <= capacity; id++) bucket.pour(shape, kept(id), start);
    t.strictSame(
      bucket.queue.map(({ id }) => id),
      ids,
      `capacity ${capacity}, cache_size ${cacheSize}`,
    );
    t.equal(bucket.count, capacity + 1, 'all events are counted');
    t.equal(bucket.weight, ids.length);
  }
});

t.test('a trigger overflows with its first event and keeps it', async (t) => {
  const bucket = new Bucket<Kept>(0);
  t.equal(bucket.pour(triggerShape, kept(7), start), true);
  t.equal(bucket.count, 1);
  t.strictSame(bucket.queue, [kept(7)]);
  t.strictSame([bucket.firstAt, bucket.lastAt], [start, start]);
});

t.test('a bucket is over when nothing was counted for its whole lifetime', async (t) => {
  const shape = leakyShape(5, 10_000, 0);
  t.equal(shape.lifetimeMs, 60_000);
  const bucket = new Bucket<Kept>(5);
  t.equal(bucket.isOver(shape, start + 1e9), false, 'a bucket that waits for its first event is not');
  bucket.pour(shape, kept(0), start);
  t.equal(bucket.isOver(shape, start + 60_000), false);
  t.equal(bucket.isOver(shape, start + 60_000.001), true);
});

t.test('distinct values are admitted once, and the memory is bounded', async (t) => {
  const shape = leakyShape(2, 1_000, 0);
  const bucket = new Bucket<Kept>(2);
  t.equal(bucket.admit('a', shape), true);
  t.equal(bucket.admit('a', shape), false);
  t.equal(bucket.admit('', shape), true);
  t.equal(bucket.admit('', shape), false);
  for (let value = 0; value < 10_000; value++) bucket.admit(String(value).padStart(10, '0'), shape);
  t.ok(bucket.weight <= 256 * 10, 'the oldest values are forgotten');
  t.equal(bucket.admit('0000009999', shape), false, 'the newest are known');
});

t.test('the bucket agrees with exact arithmetic on whole milliseconds', async (t) => {
  const events = fc.array(fc.integer({ min: -3_000, max: 9_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 5_000 }),
      events,
      (capacity, leakMs, steps) => {
        let time = 0;
        const times = steps.map((step) => (time += step));
        // The level of the water in parts of 1/leakMs: whole numbers, so that nothing is rounded.
        let level = 0n;
        let last: number | null = null;
        let expected: number | null = null;
        for (const [index, at] of times.entries()) {
          const leaked = last === null ? 0n : BigInt(Math.max(0, at - last));
          level = (level > leaked ? level - leaked : 0n) + BigInt(leakMs);
          last = at;
          if (level > BigInt(capacity) * BigInt(leakMs)) {
            expected = index + 1;
            break;
          }
        }

        return overflowAt(capacity, leakMs, times) === expected;
      },
    ),
    { seed: 20_260_101, numRuns: 500 },
  );
  t.pass('500 histories');
});
