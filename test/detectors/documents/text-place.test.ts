import * as fc from 'fast-check';
import t from 'tap';
import { isScalar, parseDocument, type Range, type YAMLMap } from 'yaml';
import { markAt, offsetInScalar, offsetInText, placeAt } from '../../../detectors/documents/text-place.ts';

t.test('a place counts lines and characters from 1', async (t) => {
  const text = 'one\ntwo 😀 x\n\nlast';
  const cases: [number, number, number][] = [
    [0, 1, 1],
    [3, 1, 4],
    [4, 2, 1],
    [text.indexOf('x'), 2, 7],
    [text.indexOf('last'), 4, 1],
    [text.length, 4, 5],
    [text.length + 9, 4, 5],
    [-1, 1, 1],
  ];
  for (const [offset, line, column] of cases) t.strictSame(placeAt(text, offset), { line, column }, String(offset));
  t.equal(cases.length, 8);
});

t.test('the mark stands under its column, also behind tabs and in long lines', async (t) => {
  t.equal(markAt('a: 1\n\tb: two\r\nc: 3', 9), ' |  b: two\n | ....^');
  const long = `filter: ${'x'.repeat(400)}HERE${'y'.repeat(400)}`;
  const [line = '', mark = ''] = markAt(long, long.indexOf('HERE')).split('\n');
  t.ok(line.length < 130 && line.startsWith(' | …') && line.endsWith('…'));
  t.equal(line.indexOf('HERE'), mark.indexOf('^'));
});

t.test('a place in a scalar of any style is found in the file', async (t) => {
  const cases: [yaml: string, wanted: string][] = [
    ['k: evt.Mta.x == 1', 'Mta'],
    ['k: "evt.Mta.x == 1"', 'Mta'],
    [`k: 'evt.Mta.x == ''a'' && Nobody'`, 'Nobody'],
    ['k: |\n    a &&\n      Nobody ||\n    b\n', 'Nobody'],
    ['k: >-\n  a\n  Nobody\n\n  b\n', 'Nobody'],
    ['k: a\n  && Nobody\n  && b', 'Nobody'],
    ['k: "a\n  && Nobody"', 'Nobody'],
  ];
  for (const [yaml, wanted] of cases) {
    const node = (parseDocument(yaml).contents as YAMLMap).get('k', true);
    if (!isScalar(node)) throw new Error('no scalar');
    const text = String(node.value);
    const found = offsetInScalar({ source: yaml, range: node.range as Range, text }, text.indexOf(wanted));
    t.equal(found, yaml.indexOf(wanted), yaml);
  }
  t.equal(cases.length, 7);
});

t.test('behind an escape the start of the scalar is shown', async (t) => {
  const yaml = 'k: "a\\u0062c Nobody"';
  const node = (parseDocument(yaml).contents as YAMLMap).get('k', true);
  if (!isScalar(node)) throw new Error('no scalar');
  const text = String(node.value);
  t.equal(offsetInScalar({ source: yaml, range: node.range as Range, text }, text.indexOf('Nobody')), 3);
});

t.test('lines and columns of a text become offsets', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '😀', ' ') }), fc.nat(60), (text, at) => {
      const whole = text.slice(0, at).toWellFormed() === text.slice(0, at) ? Math.min(at, text.length) : 0;
      const { line, column } = placeAt(text, whole);
      return offsetInText(text, line, column) === whole;
    }),
    { seed: 31, numRuns: 500 },
  );
});
