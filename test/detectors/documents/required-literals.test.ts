import * as fc from 'fast-check';
import t from 'tap';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createPatternList } from '../../../detectors/documents/pattern-list.ts';
import { requiredLiterals } from '../../../detectors/documents/required-literals.ts';

t.test('what a pattern requires', async (t) => {
  const cases: [string, readonly string[] | null][] = [
    ['/tmui/login\\.jsp', ['/tmui/login.jsp']],
    ['^GET (/.*index.php)?.*FILE=.*', ['file=']],
    ['(?i)WP-.*\\.php$', ['.php']],
    ['a(bc)+d', ['bc']],
    ['a(bc)*d', ['a']],
    ['foo|barbar', ['foo', 'barbar']],
    ['x(foo|barbar)', ['foo', 'barbar']],
    ['foo|', null],
    ['[a-z]+', null],
    ['.*', null],
    ['', null],
    ['[kK]ey', ['key']],
    ['\\bfoo\\b', ['foo']],
    ['(unclosed', null],
  ];
  for (const [source, expected] of cases) t.strictSame(requiredLiterals(source), expected, source);
  t.equal(cases.length, 14);
});

/** Small patterns over few letters, so that they often match the small texts below. */
const pattern = fc.letrec<{ node: string; atom: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    tie('atom'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}')).map(([a, times]) => `(?:${a})${times}`),
    tie('node').map((a) => `(?i:${a})`),
  ),
  atom: fc.constantFrom('a', 'B', 'k', 'S', '.', '[ab]', '[^a]', '\\b', '^', '$', 'ab', ''),
})).node;
const text = fc.array(fc.constantFrom('a', 'b', 'A', 'B', 'k', 'K', 's', '\u212a', '\u017f'), { maxLength: 8 });

t.test('a text that a pattern matches contains what the pattern requires', async (t) => {
  let matched = 0;
  fc.assert(
    fc.property(pattern, text, (source, letters) => {
      const subject = letters.join('');
      const literals = requiredLiterals(source);
      if (!compilePattern(source).test(subject)) return true;
      matched++;
      if (literals === null || !/^[\x00-\x7f]*$/.test(subject)) return true;
      return literals.some((literal) => subject.toLowerCase().includes(literal));
    }),
    { seed: 20_260_103, numRuns: 5_000 },
  );
  t.ok(matched > 500, `${matched} matches`);
});

t.test('a list of patterns answers as its patterns one by one', async (t) => {
  let held = 0;
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 6 }), fc.array(text, { maxLength: 6 }), (sources, texts) => {
      const list = createPatternList(sources);
      const patterns = sources.map((source) => compilePattern(source));
      return texts.every((letters) => {
        const subject = letters.join('');
        const expected = patterns.some((each) => each.test(subject));
        if (expected) held++;
        const answers = [1, 2].map(() => list.some((each) => each.test(subject)));
        return answers.every((answer) => answer === expected);
      });
    }),
    { seed: 20_260_104, numRuns: 1_000 },
  );
  t.ok(held > 500, `${held} matches`);
});
