import * as fc from 'fast-check';
import t from 'tap';
import { createThrottle } from '../../remediation/throttle.ts';

t.test('a burst is admitted, then the rate', async (t) => {
  const throttle = createThrottle({ ratePerSecond: 2, burst: 3 });
  const admit = (now: number) => throttle.admit('a', now);
  for (let n = 0; n < 3; n++) t.same(admit(1_000), { admitted: true });
  t.same(admit(1_000), { admitted: false, retryAfterSeconds: 1 });
  t.same(admit(1_499), { admitted: false, retryAfterSeconds: 1 });
  t.same(admit(1_500), { admitted: true });
  t.same(admit(1_500), { admitted: false, retryAfterSeconds: 1 });
  for (let n = 0; n < 3; n++) t.same(admit(60_000), { admitted: true }, 'a pause fills the bucket and no more');
  t.notOk(admit(60_000).admitted);
});

t.test('Retry-After is when the next request is admitted', async (t) => {
  const throttle = createThrottle({ ratePerSecond: 0.1, burst: 1 });
  t.ok(throttle.admit('a', 0).admitted);
  t.same(throttle.admit('a', 2_500), { admitted: false, retryAfterSeconds: 8 });
  t.ok(throttle.admit('a', 10_500).admitted);
});

t.test('sources do not share a bucket, and no more are remembered than allowed', async (t) => {
  const throttle = createThrottle({ ratePerSecond: 1, burst: 1, maxSources: 4 });
  for (const key of ['a', 'b', 'c']) t.ok(throttle.admit(key, 0).admitted);
  t.notOk(throttle.admit('c', 0).admitted);
  t.notOk(throttle.admit('a', 0).admitted, 'seen again: now one of the newest');
  t.ok(throttle.admit('d', 0).admitted);
  t.notOk(throttle.admit('a', 0).admitted);
  t.ok(throttle.admit('b', 0).admitted, 'one not seen for longest was forgotten');
  for (let key = 0; key < 100; key++) {
    throttle.admit(String(key), 0);
    t.ok(throttle.size <= 4);
  }
});

t.test('a clock that is set back does not shut a source out', async (t) => {
  const throttle = createThrottle({ ratePerSecond: 1, burst: 2 });
  throttle.admit('a', 3_600_000);
  throttle.admit('a', 3_600_000);
  t.same(throttle.admit('a', 0), { admitted: false, retryAfterSeconds: 1 });
  t.ok(throttle.admit('a', 1_000).admitted);
});

t.test('never admits more than burst and rate allow, and always what they allow', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(400), { maxLength: 200, size: 'max' }),
      (ratePerSecond, burst, gaps) => {
        const throttle = createThrottle({ ratePerSecond, burst });
        let now = 0;
        let tokens = burst;
        for (const gap of gaps) {
          now += gap;
          tokens = Math.min(burst, tokens + (gap * ratePerSecond) / 1000);
          const expected = tokens >= 1 - 1e-6;
          if (throttle.admit('a', now).admitted !== expected) return false;
          if (expected) tokens -= 1;
        }
        return true;
      },
    ),
    { seed: 7, numRuns: 300 },
  );
  t.pass('agrees with a bucket that counts tokens');
});

t.test('a rate of nothing is a mistake', async (t) => {
  t.throws(() => createThrottle({ ratePerSecond: 0, burst: 1 }), RangeError);
  t.throws(() => createThrottle({ ratePerSecond: 1, burst: Number.NaN }), RangeError);
});
