import t from 'tap';
import { Blackhole } from '../../../detectors/scenarios/blackhole.ts';

t.test('after one overflow the key is silent for the duration, which discarded overflows do not extend', async (t) => {
  const hole = new Blackhole(1_000, 10);
  t.equal(hole.swallows('a', 0), false);
  t.equal(hole.swallows('a', 1), true);
  t.equal(hole.swallows('a', 999), true);
  t.equal(hole.swallows('b', 999), false, 'each key for itself');
  t.equal(hole.swallows('a', 1_000), false, 'and it begins again');
  t.equal(hole.swallows('a', 1_999), true);
});

t.test('a sweep forgets what is over, and the number of keys is bounded', async (t) => {
  const hole = new Blackhole(1_000, 3);
  for (const [at, key] of ['a', 'b', 'c', 'd'].entries()) hole.swallows(key, at * 100);
  t.equal(hole.size, 3);
  t.equal(hole.swallows('a', 400), false, 'the oldest key was given up');
  t.equal(hole.swallows('d', 400), true);
  hole.sweep(1_300);
  t.equal(hole.size, 1);
  hole.sweep(1_400);
  t.equal(hole.size, 0);
});

t.test('out of order, an overflow ends every silence that is over by its own time', async (t) => {
  const hole = new Blackhole(1_000, 10);
  t.equal(hole.swallows('old', 0), false);
  t.equal(hole.swallows('new', 100_000), false);
  t.equal(hole.swallows('old', 500), false, 'the silence until 1 000 was over at 100 000');
  t.equal(hole.swallows('old', 600), true);
  t.equal(hole.swallows('older', 50), false);
  t.equal(hole.swallows('new', 700), true, 'it lasts until 101 000 for those that come late as well');
  t.equal(hole.swallows('other', 1_050), false);
  t.equal(hole.swallows('older', 900), false, 'over at 1 050');
  t.equal(hole.swallows('old', 900), true, 'not yet over at 1 050');
  t.equal(hole.swallows('new', 101_000), false);
  t.equal(hole.size, 1);
});
