import * as fc from 'fast-check';
import t from 'tap';
import type { LiteralFormula } from '../../../../detectors/regex/required-literals.ts';
import { LiteralScan } from '../../../../detectors/waf/text/literal-scan.ts';
import { SearchIndexBuilder } from '../../../../detectors/waf/text/search-index.ts';
import { Text } from '../../../../detectors/waf/text/text.ts';

const literal = (text: string): LiteralFormula => ({ kind: 'literal', text });
const character = (...codes: number[]): LiteralFormula => ({
  kind: 'character',
  set: codes.flatMap((code) => [code, code]),
});

/** Numbers of the formulas that an index of all of them names for a text. */
function named(formulas: readonly LiteralFormula[], value: string, shortest = 0): number[] {
  const builder = new SearchIndexBuilder();
  for (const [number, formula] of formulas.entries()) builder.add(String(number), () => ({ formula, shortest }));
  const text = new Text(value, builder.build());
  return [...formulas.keys()].filter((number) => text.mayMatch(number));
}

t.test('an operator is named when its literals and characters are there', async (t) => {
  const formulas: readonly LiteralFormula[] = [
    { kind: 'always' },
    { kind: 'never' },
    literal('select'),
    { kind: 'all', parts: [literal('select'), literal('from')] },
    { kind: 'any', parts: [literal('union'), character(0x27)] },
    { kind: 'all', parts: [literal('or'), character(0x3d)] },
  ];
  t.same(named(formulas, ''), [0]);
  t.same(named(formulas, 'SELECT'), [0, 2]);
  t.same(named(formulas, 'from select'), [0, 2, 3]);
  t.same(named(formulas, 'Union'), [0, 4]);
  t.same(named(formulas, "'"), [0, 4]);
  t.same(named(formulas, 'or'), [0]);
  t.same(named(formulas, 'or='), [0, 5]);
  t.same(named([{ kind: 'always' }], 'ab', 3), [], 'the text is too short');
});

t.test('more than 32 operators, one of them ruled out', async (t) => {
  const builder = new SearchIndexBuilder();
  const words = Array.from({ length: 70 }, (_, number) => `word${number}.`);
  for (const word of words) builder.add(word, () => ({ formula: literal(word), shortest: word.length }));
  t.equal(
    builder.add('word3.', () => ({ formula: { kind: 'never' }, shortest: 0 })),
    3,
    'an equal key is the same operator',
  );
  const index = builder.build();
  t.equal(index.words, 3);
  const text = new Text('word3. word69.', index);
  t.ok(text.mayMatch(3));
  t.ok(text.mayMatch(69));
  t.equal(
    text.candidates.reduce((bits, word) => bits + word.toString(2).replaceAll('0', '').length, 0),
    2,
  );
  text.ruleOut(69);
  t.notOk(text.mayMatch(69));
  t.ok(new Text('word3. word69.', index).mayMatch(69), 'another text knows nothing of it');
  const idle = new Text('nothing', index);
  t.equal(idle.candidates, index.none);
  idle.ruleOut(3);
  t.ok(index.none.every((word) => word === 0));
});

t.test('the phrase that starts leftmost is found, the longest of those', async (t) => {
  const builder = new SearchIndexBuilder();
  const phrases = ['bc', 'abc', 'abcd', 'zz'].map(literal);
  builder.add('1', () => ({ formula: { kind: 'any', parts: phrases }, shortest: 2 }));
  builder.add('2', () => ({ formula: literal('xabcd'), shortest: 5 }));
  const index = builder.build();
  t.equal(index.findPhrase('xABCd zz', 0), 'ABCd');
  t.equal(index.findPhrase('xABCd zz', 1), 'xABCd');
  t.equal(index.findPhrase('yy', 0), null);
});

const unit = fc.constantFrom('a', 'b', 'A', 'é', '.', '/');
const word = fc.string({ unit, minLength: 2, maxLength: 4 }).map((text) => text.toLowerCase().replaceAll('É', 'é'));

t.test('a scan finds every word at every place', async (t) => {
  let found = 0;
  fc.assert(
    fc.property(fc.uniqueArray(word, { maxLength: 40 }), fc.string({ unit, maxLength: 60 }), (words, text) => {
      const seen: string[] = [];
      new LiteralScan(words).each(text, (number, start, end) => seen.push(`${words[number]} ${start} ${end}`));
      const lower = text.replaceAll('A', 'a');
      const expected = words.flatMap((one) =>
        [...lower].flatMap((_, at) => (lower.startsWith(one, at) ? [`${one} ${at} ${at + one.length}`] : [])),
      );
      found += expected.length;
      if (seen.sort().join() !== expected.sort().join())
        throw new Error(`${JSON.stringify(words)} in ${JSON.stringify(text)}`);
    }),
    { seed: 5, numRuns: 4_000 },
  );
  t.ok(found > 1_000, `${found} words`);
});

/** Formulas of any shape, against what they say. */
const leaf: fc.Arbitrary<LiteralFormula> = fc.oneof(
  fc.constantFrom<LiteralFormula>({ kind: 'always' }, { kind: 'never' }),
  fc.constantFrom('ab', 'ba', 'abc', 'c.', 'aab', 'b/').map(literal),
  fc.constantFrom(0x61, 0x2e, 0x2f, 0x20, 0x41, 0x30, 0xe9).map((code) => character(code)),
);
const formula = fc.letrec<{ node: LiteralFormula }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constant('all' as const), parts: fc.array(tie('node'), { minLength: 1, maxLength: 5 }) }),
    fc.record({ kind: fc.constant('any' as const), parts: fc.array(tie('node'), { minLength: 1, maxLength: 12 }) }),
  ),
})).node;

function holds(one: LiteralFormula, text: string): boolean {
  switch (one.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'literal':
      return text.replaceAll('A', 'a').includes(one.text);
    case 'character':
      return text.includes(String.fromCharCode(one.set[0] ?? 0));
    case 'all':
      return one.parts.every((part) => holds(part, text));
    case 'any':
      return one.parts.some((part) => holds(part, text));
    default:
      return one satisfies never;
  }
}

t.test('every formula that holds is named, and few others', async (t) => {
  let held = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(formula, { maxLength: 4 }), fc.string({ unit, maxLength: 8 }), (formulas, text) => {
      const found = new Set(named(formulas, text));
      for (const [number, one] of formulas.entries()) {
        if (!holds(one, text)) {
          if (!found.has(number)) refused++;
          continue;
        }
        held++;
        if (!found.has(number)) throw new Error(`${JSON.stringify(one)} on ${JSON.stringify(text)}`);
      }
    }),
    { seed: 6, numRuns: 3_000 },
  );
  t.ok(held > 1_000, `${held} hold`);
  t.ok(refused > 1_000, `${refused} refused`);
});
