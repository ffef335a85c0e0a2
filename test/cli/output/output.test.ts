import * as fc from 'fast-check';
import t from 'tap';
import { csvLine } from '../../../cli/output/csv.ts';
import { cutTo, safeText, widthOf } from '../../../cli/output/safe-text.ts';
import { absoluteTime, relativeTime, shortSpan } from '../../../cli/output/times.ts';

t.test('safe text holds nothing that a terminal obeys or hides, and leaves the rest alone', (t) => {
  const unsafe = /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const safe = safeText(text);
      return !unsafe.test(safe) && safe.isWellFormed() && safeText(safe) === safe;
    }),
    { seed: 20261120, numRuns: 2_000 },
  );
  t.equal(safeText('/päth?q=日本語 🎉'), '/päth?q=日本語 🎉');
  t.equal(safeText('a\u001b[31mb\r\nc'), 'a\\x1b[31mb\\x0d\\x0ac');
  t.equal(safeText('gnp.\u202Eexe'), 'gnp.\\u{202e}exe');
  t.equal(safeText('\ud800'), '\\u{d800}');
  t.end();
});

t.test('width is counted in cells', (t) => {
  t.equal(widthOf('abc'), 3);
  t.equal(widthOf('日本'), 4);
  t.equal(widthOf('e\u0301'), 1);
  t.equal(cutTo('日本語', 4), '日…');
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 1, max: 40 }),
      (text, cells) => widthOf(cutTo(safeText(text), cells)) <= cells,
    ),
    { seed: 20261120, numRuns: 1_000 },
  );
  t.end();
});

t.test('CSV can be read back, and holds no formula', (t) => {
  const cases: [string, string][] = [
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['+cmd', "'+cmd"],
    ['-cmd', "'-cmd"],
    ['-1m2s', '-1m2s'],
    ['\t=1', "'\t=1"],
    ['=a,b', '"\'=a,b"'],
  ];
  for (const [field, expected] of cases) t.equal(csvLine([field]), expected, JSON.stringify(field));
  t.equal(cases.length, 11);
  t.equal(csvLine(['a', 1, false]), 'a,1,false');
  t.end();
});

t.test('times are said as people say them', (t) => {
  const now = Date.UTC(2026, 10, 20, 12);
  const at = (ms: number): string => new Date(now + ms).toISOString();
  const cases: [number, string][] = [
    [0, 'just now'],
    [-999, 'just now'],
    [-5_000, '5s ago'],
    [-65_000, '1m 5s ago'],
    [-3_600_000, '1h ago'],
    [3_599_999, 'in 1h'],
    [4 * 3_600_000 - 1_000, 'in 3h 59m'],
    [7 * 86_400_000 + 60_000, 'in 7d'],
  ];
  for (const [ms, expected] of cases) t.equal(relativeTime(at(ms), now), expected);
  t.equal(cases.length, 8);
  t.equal(shortSpan(0), '0s');
  t.equal(absoluteTime(at(-60_000), now), '2026-11-20 11:59:00 UTC (1m ago)');
  t.equal(relativeTime('never', now), 'never');
  t.end();
});
