import fc from 'fast-check';
import t from 'tap';
import { unifiedDiff } from '../../../detectors/hub/line-diff.ts';

t.test('texts that are the same do not differ', async (t) => {
  t.same(unifiedDiff('', ''), []);
  t.same(unifiedDiff('a\nb\n', 'a\nb\n'), []);
});

t.test('changes stand with three lines around them, as diff -u has it', async (t) => {
  const before = 'a b c d e f g h i j k l m n o p'.split(' ');
  const after = before.with(1, 'B').toSpliced(13, 1).concat('q');
  t.same(unifiedDiff(`${before.join('\n')}\n`, `${after.join('\n')}\n`), [
    '@@ -1,5 +1,5 @@',
    ' a',
    '-b',
    '+B',
    ' c',
    ' d',
    ' e',
    '@@ -11,6 +11,6 @@',
    ' k',
    ' l',
    ' m',
    '-n',
    ' o',
    ' p',
    '+q',
  ]);
  t.same(unifiedDiff('', 'a\n'), ['@@ -0,0 +1 @@', '+a']);
  t.same(unifiedDiff('a\n', ''), ['@@ -1 +0,0 @@', '-a']);
});

/** Applies a diff as `patch` would. */
function patched(before: string, diff: readonly string[]): string {
  const old = before.split('\n').slice(0, -1);
  const lines: string[] = [];
  let at = 0;
  for (const line of diff) {
    const start = /^@@ -(\d+)(,0)?/.exec(line);
    if (start !== null) {
      const from = Number(start[1]) - (start[2] === undefined ? 1 : 0);
      while (at < from) lines.push(old[at++] ?? '');
    } else if (line.startsWith('+')) lines.push(line.slice(1));
    else {
      if (old[at] !== line.slice(1)) throw new Error(`line ${at} is ${old[at]}, not ${line}`);
      if (line.startsWith(' ')) lines.push(line.slice(1));
      at++;
    }
  }
  return [...lines, ...old.slice(at)].map((line) => `${line}\n`).join('');
}

t.test('a diff makes one text of the other', async (t) => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', '@@', '-', '+', ''), { maxLength: 20 });
  fc.assert(
    fc.property(text, text, (left, right) => {
      const [before, after] = [left, right].map((lines) => lines.map((line) => `${line}\n`).join('')) as [
        string,
        string,
      ];
      return patched(before, unifiedDiff(before, after)) === after;
    }),
    { seed: 11, numRuns: 1_000 },
  );
  t.pass('1,000 pairs');
});

t.test('texts without anything in common are not compared line by line', async (t) => {
  const many = (letter: string): string => Array.from({ length: 3_000 }, (_, at) => `${letter}${at}\n`).join('');
  t.equal(unifiedDiff(many('a'), many('b')).length, 6_001);
});
