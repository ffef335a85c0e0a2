import * as fc from 'fast-check';
import t from 'tap';
import { closest, editDistance } from '../../config/closest.ts';

t.test('the edit distance counts insertions, deletions, substitutions and swaps', async (t) => {
  const cases: [left: string, right: string, distance: number][] = [
    ['', '', 0],
    ['abc', '', 3],
    ['', 'abc', 3],
    ['listen', 'listen', 0],
    ['lisen', 'listen', 1],
    ['listten', 'listen', 1],
    ['lisden', 'listen', 1],
    ['litsen', 'listen', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [left, right, distance] of cases) t.equal(editDistance(left, right), distance, `${left} → ${right}`);
});

t.test('the edit distance is symmetric, zero for equals only, and no longer than the longer word', async (t) => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right);
      const longer = Math.max(left.length, right.length);
      return distance === editDistance(right, left) && (distance === 0) === (left === right) && distance <= longer;
    }),
    { seed: 1, numRuns: 1000 },
  );
  t.pass('1000 pairs');
});

t.test('the nearest candidate is found, whatever case and hyphens it is written with', async (t) => {
  const keys = ['listen', 'limits', 'connectTimeout', 'headersTimeout', 'origin'];
  const cases: [word: string, nearest: string | null][] = [
    ['lisen', 'listen'],
    ['Listen', 'listen'],
    ['connect_timeout', 'connectTimeout'],
    ['connect-timeout', 'connectTimeout'],
    ['conectTimout', 'connectTimeout'],
    ['orgin', 'origin'],
    ['backend', null],
    ['x', null],
    ['', null],
    ['_', null],
    ['a'.repeat(100_000), null],
  ];
  for (const [word, nearest] of cases) t.equal(closest(word, keys), nearest, word.slice(0, 20));
  t.equal(closest('listen', []), null);
});
