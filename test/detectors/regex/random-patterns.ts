/** Random RE2 patterns and texts over an alphabet that makes them meet. */
import * as fc from 'fast-check';

const atoms = [
  'a',
  'b',
  'ab',
  'ba',
  'K',
  's',
  '-',
  'é',
  '😀',
  '\\n',
  '.',
  '\\w',
  '\\W',
  '\\d',
  '\\s',
  '\\S',
  '[ab]',
  '[^a]',
  '[^😀]',
  '[^\\n]',
  '[a-c]',
  '[[:alpha:]]',
  '[^[:upper:]]',
  '[😀-😂]',
  '\\x{1F600}',
  '\\x61',
  '\\101',
  '^',
  '$',
  '\\b',
  '\\B',
  '\\A',
  '\\z',
  '(?i)k',
  '(?s).',
  '(?m)^',
  '(?m)$',
  '(?-i:K)',
  '(?i:Ab)',
  '(?s:.)',
  '(?U)a',
  '\\Qa.\\E',
  '',
  '()',
  '[]a]',
  '[^]a]',
]; // prettier-ignore
const counts = [
  '*',
  '+',
  '?',
  '*?',
  '+?',
  '??',
  '{2}',
  '{0}',
  '{1,3}',
  '{2,}?',
  '{0,2}?',
  '{3,18}',
  '{17}',
  '{0,40}',
  '{20,}',
];

/** Well-formed patterns, a few levels deep. `counts` above 16 exercise the unrolling. */
export const randomPattern: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 5, arbitrary: fc.constantFrom(...atoms) },
    { weight: 3, arbitrary: fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`) },
    { weight: 2, arbitrary: fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`) },
    { weight: 2, arbitrary: tie('node').map((a) => `(${a})`) },
    { weight: 1, arbitrary: tie('node').map((a) => `(?P<name>${a})`) },
    { weight: 3, arbitrary: fc.tuple(tie('node'), fc.constantFrom(...counts)).map(([a, c]) => `(?:${a})${c}`) },
    { weight: 2, arbitrary: fc.tuple(tie('node'), fc.constantFrom(...counts)).map(([a, c]) => `(${a})${c}`) },
    { weight: 1, arbitrary: fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}|${b}`) },
  ),
})).node;

const pieces = [
  'a',
  'b',
  'c',
  'k',
  'K',
  '\u212a',
  's',
  'ſ',
  '-',
  '.',
  '1',
  ' ',
  'é',
  'É',
  '😀',
  '😁',
  '\n',
  '\r',
  '\v',
  ']',
  '\u2028',
];

export const randomText: fc.Arbitrary<string> = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b') }, fc.constantFrom(...pieces)), { maxLength: 24 })
  .map((parts) => parts.join(''));

export const randomBytes: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('a', 'b', 'K', '\n', '\v', ' ', '\xa0', '\xc3', '\xa9', '\xff', '1'), { maxLength: 24 })
  .map((parts) => parts.join(''));
