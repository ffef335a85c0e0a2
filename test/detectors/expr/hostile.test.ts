/** Hostile sources and data: refused or raised with their own errors, in bounded time and memory, never a crash. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { ExpressionError } from '../../../detectors/expr/source-error.ts';
import { suitePath } from '../../support/suites.ts';
import { compilerFor, complaint, dependencies, evaluate, makeEvent } from './support.ts';

const compiler = compilerFor();

/** Compiles and runs; anything but the two declared errors passes through. */
function survive(source: string): 'refused' | 'raised' | 'value' {
  try {
    compiler.compile(source, 'any').evaluate({ evt: makeEvent() });
    return 'value';
  } catch (thrown) {
    if (thrown instanceof ExpressionError) return 'raised';
    if (thrown instanceof GatewayError && thrown.code === 'EXPRESSION_INVALID') return 'refused';
    throw thrown;
  }
}

t.test('deep nesting is refused, long chains are not', async (t) => {
  const many = 20_000;
  const deep = [
    '('.repeat(many),
    '['.repeat(many),
    '{a:'.repeat(many),
    '!'.repeat(many) + 'true',
    '-'.repeat(many) + '1',
    'a?b:'.repeat(many),
    'true?'.repeat(many),
    'if true {'.repeat(many),
    'let a = '.repeat(many),
    'let a1 = 1; '.repeat(5_000) + '1',
    'all([1], '.repeat(many),
    'Upper('.repeat(many),
    '2**'.repeat(many) + '2',
    '1-'.repeat(4_000) + '1',
    '1??'.repeat(4_000) + '1',
    'evt' + '.x'.repeat(4_000),
    'evt.Unmarshaled' + '.x'.repeat(4_000),
    'evt.Unmarshaled' + '[0]'.repeat(4_000),
    'evt.Unmarshaled' + '?.x'.repeat(4_000),
    'evt.Unmarshaled.x' + '[1:2]'.repeat(4_000),
    '1 < '.repeat(6_000),
    '[1] | map(#)'.repeat(1) + ' | map(#)'.repeat(3_000),
    '1'.repeat(200_000),
  ];
  for (const source of deep)
    t.equal(survive(source), 'refused', `${source.slice(0, 24)}… of ${source.length} characters`);
  t.equal(deep.length, 23);
  const flat = [
    'evt.Parsed.a == "x" or '.repeat(1_000) + 'false',
    'true and '.repeat(4_000) + 'true',
    '"a" + '.repeat(4_000) + '"b"',
    '1 + '.repeat(4_000) + '1',
    '1 <= '.repeat(3_000) + '2',
    `[${'1,'.repeat(9_000)}]`,
  ];
  for (const source of flat) t.equal(survive(source), 'value', source.slice(0, 24));
  t.equal(flat.length, 6);
});

t.test('nested comparisons and tests are compiled once each', async (t) => {
  // Compiling or evaluating an operand twice per level would never end.
  const comparisons = Array.from({ length: 40 }).reduce<string>(
    (inner) => `1 < (0 < ${inner} < 3 ? 2 : 2) < 3`,
    '1 < 2 ? 1 : 1',
  );
  t.equal(survive(comparisons.replaceAll('1 < 2 ? 1 : 1', '1')), 'value');
  const lengths = Array.from({ length: 40 }).reduce<string>((inner) => `len(filter([1], ${inner})) > 0`, 'true');
  t.equal(survive(lengths), 'value');
  const logic = Array.from({ length: 60 }).reduce<string>(
    (inner) => `(evt.Meta.a == "x" or ${inner} or evt.Meta.a == "y")`,
    'false',
  );
  t.equal(survive(logic), 'value');
});

t.test('the number of nodes is limited', async (t) => {
  t.match(complaint(`[${'1,'.repeat(10_000)}]`), /^expression exceeds the maximum of 10000 nodes/);
  const small = createExpressionCompiler({ environment: eventEnvironment, helpers: dependencies(), nodeLimit: 5 });
  t.throws(() => small.compile('1 + 2 + 3', 'any').evaluate({}) === 6n && small.compile('1 + 2 + 3 + 4', 'any'), {
    code: 'EXPRESSION_INVALID',
  });
});

t.test('values from outside cannot reach what is not theirs', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    t.equal(evaluate(`evt.Unmarshaled.${name}`), null, name);
    t.equal(evaluate(`evt.Meta.${name}`), '', name);
    t.equal(evaluate(`evt.Unmarshaled.tree["${name}"]`), null, name);
    t.equal(evaluate(`"${name}" in evt.Unmarshaled`), false, name);
    t.match(complaint(`evt.${name}`), /^unknown name/, name);
    t.match(complaint(name), /^unknown name/, name);
    t.match(complaint(`${name}("x")`), /^unknown name/, name);
    t.match(complaint(`evt.${name}()`), /has no method/, name);
    t.match(complaint(`evt.Unmarshaled.text.${name}()`), /has no method/, name);
  }
  t.same(evaluate('{"__proto__": 1, a: 2} | keys()'), ['__proto__', 'a']);
});

const alphabet = [
  'evt',
  '.',
  'Meta',
  'a',
  '"x"',
  "'",
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '?',
  '?.',
  '??',
  ':',
  ',',
  ';',
  '#',
  ' ',
  '+',
  '-',
  '**',
  '==',
  '<',
  'in',
  'not',
  'and',
  'or',
  'contains',
  'matches',
  'let x =',
  'if',
  'else',
  'any(',
  'map(',
  'len(',
  'File(',
  '1',
  '..',
  '1e9',
  '0x',
  '|',
  '\\',
  '\n',
  '/*',
  '//',
  '`',
  'é',
  '🦆',
  '\ud800',
  '@',
  'nil',
  'true',
  '#acc',
  '$',
  '=',
  '!',
  '%',
];

t.test('random tokens never crash the compiler', async (t) => {
  const outcomes = { refused: 0, raised: 0, value: 0 };
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 24 }), (tokens) => {
      outcomes[survive(tokens.join(''))]++;
      outcomes[survive(tokens.join(' '))]++;
    }),
    { seed: 7, numRuns: 8_000 },
  );
  t.ok(outcomes.refused > 10_000 && outcomes.value > 50, JSON.stringify(outcomes));
});

t.test('damaged real expressions never crash the compiler', async (t) => {
  const path = suitePath(t, 'expr/crowdsec.json');
  if (path === null) return;
  const sources = (JSON.parse(readFileSync(path, 'utf8')) as string[]).filter(({ length }) => length < 2_000);
  const outcomes = { refused: 0, raised: 0, value: 0 };
  const damage = fc.record({
    source: fc.constantFrom(...sources),
    from: fc.nat(2_000),
    cut: fc.nat(6),
    insert: fc.oneof(fc.constantFrom(...alphabet), fc.string({ maxLength: 4, unit: 'binary' })),
  });
  fc.assert(
    fc.property(damage, ({ source, from, cut, insert }) => {
      const at = from % (source.length + 1);
      outcomes[survive(source.slice(0, at) + insert + source.slice(at + cut))]++;
    }),
    { seed: 11, numRuns: 5_000 },
  );
  t.ok(outcomes.refused > 500 && outcomes.value > 500, JSON.stringify(outcomes));
});
