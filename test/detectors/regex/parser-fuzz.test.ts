/** Whatever the text, the translator gives a pattern or PATTERN_INVALID. That it comes back at all is watched by tap's limit. */
import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { randomPattern } from './random-patterns.ts';

const tokens = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '*',
  '+',
  '?',
  '|',
  '^',
  '$',
  '.',
  '\\',
  '-',
  ',',
  ':',
  '<',
  '>',
  '=',
  '!',
  '#',
  'P',
  'Q',
  'E',
  'i',
  'm',
  's',
  'U',
  'x',
  'p',
  'L',
  'u',
  'b',
  'B',
  'A',
  'z',
  'd',
  'W',
  '0',
  '1',
  '9',
  '16',
  '999',
  '1001',
  '[:',
  ':]',
  'alpha',
  '(?',
  '(?:',
  '(?P<',
  '\\x{',
  '\\p{',
  'a',
  'é',
  '😀',
  '\ud800',
  '\n',
  '\0',
  ' ',
  '/',
]; // prettier-ignore

function onlyPatternInvalid(source: string, subject: 'text' | 'bytes'): void {
  try {
    const pattern = compilePattern(source, { subject });
    pattern.test('ab1 é😀\n');
    pattern.exec('ab1 é😀\n');
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'PATTERN_INVALID') {
      throw new Error(`/${source}/ raised ${String(error)}`, { cause: error });
    }
  }
}

const subject = fc.constantFrom('text' as const, 'bytes' as const);

t.test('random tokens', async (t) => {
  const source = fc.array(fc.constantFrom(...tokens), { maxLength: 40 }).map((parts) => parts.join(''));
  fc.assert(fc.property(source, subject, onlyPatternInvalid), { seed: 7, numRuns: 20_000 });
  t.pass('20,000 texts');
});

t.test('any text', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), subject, onlyPatternInvalid), {
    seed: 8,
    numRuns: 5_000,
  });
  t.pass('5,000 texts');
});

t.test('patterns with a part cut out, doubled or replaced', async (t) => {
  const mutated = fc
    .tuple(randomPattern, fc.nat(), fc.nat(8), fc.constantFrom('', ...tokens), fc.boolean())
    .map(([source, from, length, insert, keep]) => {
      const at = source.length === 0 ? 0 : from % source.length;
      return source.slice(0, at) + insert + source.slice(keep ? at : at + length);
    });
  fc.assert(fc.property(mutated, subject, onlyPatternInvalid), { seed: 9, numRuns: 8_000 });
  t.pass('8,000 texts');
});

/** Each is one that could make a translator, or V8's compiler behind it, run away. */
const pathological: readonly string[] = [
  '('.repeat(100_000),
  '(?:'.repeat(199) + 'a' + ')'.repeat(199),
  '(?:'.repeat(150) + 'a|b*' + ')+'.repeat(150),
  '(?:'.repeat(150) + '\\b|a' + ')+'.repeat(150),
  '(?:'.repeat(150) + 'a?b?' + ')+'.repeat(150),
  '(?:'.repeat(150) + 'a' + '){0,1}'.repeat(150),
  '(?:'.repeat(9) + 'a?' + '){2}'.repeat(9),
  '(\\b)'.repeat(2_000),
  '(?:\\b)'.repeat(2_000),
  '(?:(?:\\b){17}){17}',
  '[é-ü]'.repeat(20_000),
  `(?i)${'[é-ü]'.repeat(20_000)}`,
  `(?i)${'ß'.repeat(50_000)}`,
  '\\pL'.repeat(20_000),
  '[[:^alpha:]]'.repeat(10_000),
  'a{1000}'.repeat(20),
  '(?:a|bc){0,1000}',
  '(?:a|bc){500,1000}',
  '.{1000}',
  '(?:.{30}){30}',
  '(?:a{0,30}b{0,30}){30}',
  'a?'.repeat(10_000),
  '(?:ab|c)?'.repeat(10_000),
  '|'.repeat(100_000),
  '()'.repeat(40_000),
  '(a)'.repeat(40_000),
  '\\Q'.repeat(50_000),
  '[[:'.repeat(40_000),
  '(?i)'.repeat(30_000),
  '(?m)$'.repeat(20_000),
];

t.test('texts made to run away', async (t) => {
  for (const source of pathological) {
    onlyPatternInvalid(source, 'text');
    onlyPatternInvalid(source, 'bytes');
    t.pass(`${source.slice(0, 30)} (${source.length})`);
  }
  t.equal(pathological.length, 30, 'cases');
});
