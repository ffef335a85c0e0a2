import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { parsePattern } from '../../../detectors/regex/parse-pattern.ts';
import {
  formulaHolds,
  type LiteralFormula,
  requiredLiterals,
  triggersOf,
} from '../../../detectors/regex/required-literals.ts';
import { randomPattern, randomText } from './random-patterns.ts';

function written(formula: LiteralFormula): string {
  if (formula.kind === 'literal') return formula.text;
  if (formula.kind === 'all') return `(${formula.parts.map(written).join(' & ')})`;
  if (formula.kind === 'any') return `(${formula.parts.map(written).join(' | ')})`;
  return formula.kind;
}

const formulas: readonly (readonly [string, string])[] = [
  ['abc', 'abc'],
  ['(?i)aBc', 'abc'],
  ['abc.*def', '(abc & def)'],
  ['ab.*cd', 'always'],
  ['abc.*?(?:def|ghi)j', '(abc & (defj | ghij))'],
  ['abc(?:x|y)def', '(abcxdef | abcydef)'],
  ['colou?r', '(color | colour)'],
  ['(?:abc)+d', 'abc'],
  ['(?:abc)*d', 'always'],
  ['(?:ab){2}', 'abab'],
  ['(?:ab){2,}', 'abab'],
  ['(?:abc){0}def', 'def'],
  ['abc|d', 'always'],
  ['abc|', 'always'],
  ['abc|abcd|xyz', '(abc | xyz)'],
  ['[^a]abc\\d', 'abc'],
  ['\\bfoo\\b', 'foo'],
  ['foo[]x]bar', '(foo]bar | fooxbar)'],
  ['foo[^\\x{0}-\\x{10ffff}]', 'never'],
  ['(?i)ask', '(ask | asK | aſk | aſK)'],
];

t.test('the formula of a pattern', async (t) => {
  for (const [source, expected] of formulas) {
    const formula = written(requiredLiterals(parsePattern(source).root)).replaceAll('\u212a', 'K');
    t.equal(formula, expected, source.replaceAll(/[^ -~]/g, '?'));
  }
  t.equal(formulas.length, 20, 'cases');
});

t.test('triggers are the most telling part', async (t) => {
  const triggers = (source: string): string[] | null => {
    const found = triggersOf(requiredLiterals(parsePattern(source).root));
    return found && [...found].sort();
  };
  t.same(triggers('abc.*defghi'), ['defghi']);
  t.same(triggers('(?:abcd|efgh).*wxyz'), ['wxyz']);
  t.same(triggers('(?:abc|de.)xyz'), ['xyz']);
  t.equal(triggers('a|b'), null);
});

/** Whether a match was possible by the formula, for a text that does match. */
function lostMatch(source: string, text: string, shortest: number): boolean {
  const root = parsePattern(source).root;
  const lower = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const has = (literal: string): boolean => lower.includes(literal);
  const formula = requiredLiterals(root, { shortest });
  const triggers = triggersOf(formula);
  return !formulaHolds(formula, has) || (triggers !== null && ![...triggers].some(has));
}

t.test('no match is lost', async (t) => {
  let matches = 0;
  let telling = 0;
  fc.assert(
    fc.property(randomPattern, randomText, fc.integer({ min: 1, max: 3 }), (source, text, shortest) => {
      try {
        if (!compilePattern(source, { groups: 'none' }).test(text)) return;
      } catch (error) {
        if (error instanceof GatewayError) return;
        throw error;
      }
      matches++;
      if (requiredLiterals(parsePattern(source).root, { shortest }).kind !== 'always') telling++;
      if (lostMatch(source, text, shortest)) throw new Error(`/${source}/ on ${JSON.stringify(text)} at ${shortest}`);
    }),
    { seed: 3, numRuns: 20_000 },
  );
  t.ok(matches > 5_000, `${matches} matches`);
  t.ok(telling > 500, `${telling} of them with a formula`);
});
