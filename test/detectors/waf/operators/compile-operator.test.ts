import t from 'tap';
import { compileOperator } from '../../../../detectors/waf/operators/compile-operator.ts';
import { operatorNames } from '../../../../detectors/waf/seclang/parse-operator.ts';
import { parseMacro } from '../../../../detectors/waf/seclang/parse-macro.ts';
import { SearchIndexBuilder } from '../../../../detectors/waf/text/search-index.ts';
import { TextPool } from '../../../../detectors/waf/text/text-pool.ts';
import { ask, definitionOf, dependenciesOf, Run } from './support.ts';

const matches = (name: string, argument: string, text: string): boolean => ask(name, argument, text).matches;
const captured = (name: string, argument: string, text: string): readonly string[] | null =>
  ask(name, argument, text).captured;

t.test('every operator that rule files may name compiles or is refused by name', async (t) => {
  const refused: string[] = [];
  for (const name of operatorNames) {
    try {
      const argument = /^ip/i.test(name) ? '::1' : name === 'validateNid' ? 'us .*' : '1';
      compileOperator(definitionOf(name, argument), dependenciesOf({ readData: () => '::1' }));
    } catch (error) {
      t.match(error, { code: 'RULES_INVALID', message: `@${name.toLowerCase()} is not supported` });
      refused.push(name);
    }
  }
  t.same(refused, [
    'fuzzyHash',
    'geoLookup',
    'gsbLookup',
    'inspectFile',
    'ipMatchFromDataset',
    'pmFromDataset',
    'rbl',
    'restpath',
    'rsub',
    'validateDTD',
    'validateHash',
    'validateSchema',
  ]);
});

t.test('arguments that are wrong are faults', async (t) => {
  const wrong: readonly (readonly [string, string, string])[] = [
    ['rx', '(a', 'PATTERN_INVALID'],
    ['rx', '(?=a)', 'PATTERN_INVALID'],
    ['pmFromFile', 'absent.data', 'RULES_INVALID'],
    ['ipMatchFromFile', 'absent.data', 'RULES_INVALID'],
    ['ipMatch', '10.0.0.0/33', 'RULES_INVALID'],
    ['validateByteRange', '1-256', 'RULES_INVALID'],
    ['validateByteRange', '9-8', 'RULES_INVALID'],
    ['validateNid', 'xx .*', 'RULES_INVALID'],
  ];
  for (const [name, argument, code] of wrong) {
    t.throws(() => compileOperator(definitionOf(name, argument), dependenciesOf()), { code }, `@${name} ${argument}`);
  }
});

t.test('an equal operator is compiled once; a negated one and one with macros have no number', async (t) => {
  const dependencies = dependenciesOf();
  const one = compileOperator(definitionOf('rx', 'abc'), dependencies);
  t.equal(compileOperator(definitionOf('rx', 'abc'), dependencies), one);
  t.ok(one.number >= 0);
  const negated = compileOperator(definitionOf('rx', 'abc', true), dependencies);
  t.equal(negated.number, -1);
  const expanded = compileOperator(definitionOf('contains', '%{tx.a}'), dependencies);
  t.equal(expanded.number, -1);
  const pool = new TextPool(dependencies.index.build());
  t.ok(negated.test(pool.text('xabcx'), new Run()), 'negation is for who asks');
  t.notOk(negated.test(pool.text('xyz'), new Run()));
  t.ok(expanded.test(pool.text('xabcx'), new Run(true, 'abc')));
  t.notOk(expanded.test(pool.text('xabcx'), new Run(true, 'abd')));
});

t.test('macros in every kind of operator', async (t) => {
  const dependencies = dependenciesOf({ readData: () => null });
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ['rx', '^a+$', 'aaa', true],
    ['rx', '(', '(', false],
    ['pm', 'one two', 'a TWO b', true],
    ['pm', 'one two', 'three', false],
    ['within', 'GET POST', 'GET', true],
    ['gt', '10', '11', true],
    ['lt', '10', '11', false],
    ['ipMatch', '10.0.0.0/8', '10.1.2.3', true],
  ];
  for (const [name, argument, text, expected] of cases) {
    const operator = compileOperator(
      { ...definitionOf(name, ''), argument: parseMacro('%{tx.a}', null) },
      dependencies,
    );
    const pool = new TextPool(new SearchIndexBuilder().build());
    const run = new Run(true, argument);
    t.equal(operator.test(pool.text(text), run), expected, `@${name} ${argument}`);
    if (name === 'pm' && expected) t.same(run.captured, ['TWO']);
  }
});

t.test('patterns are of bytes, with RE2 syntax and dots that match line ends', async (t) => {
  t.ok(matches('rx', 'a.b', 'a\nb'));
  t.notOk(matches('rx', '^b', 'a\nb'));
  t.ok(matches('rx', '\\s', '\v'));
  t.notOk(matches('rx', '\\s', '\xa0'));
  t.ok(matches('rx', '\\x{e2}\\x80\\x98', '\xe2\x80\x98'));
  t.ok(matches('rx', '(?i)script', '<SCRIPT>'));
  t.notOk(matches('rx', 'script', '<SCRIPT>'));
  t.same(captured('rx', '(?i)(b)(x)?(C)', 'aBc'), ['Bc', 'B', '', 'c']);
  t.same(captured('rx', '(a)'.repeat(12), 'a'.repeat(12)), ['a'.repeat(12), ...Array.from({ length: 9 }, () => 'a')]);
  t.same(captured('rxGlobal', '(\\d)x', '1x 2x'), ['1x', '1', '2x', '2']);
});

t.test('phrases are found in either case and captured as they stand', async (t) => {
  t.same(captured('pm', 'union select', 'x SELECT union'), ['SELECT']);
  t.same(captured('pm', 'a|42 43|d', 'xAbCdx'), ['AbCd']);
  t.notOk(matches('pm', '\xe9x', '\xc9x'), 'beyond ASCII case matters');
  t.ok(matches('pm', '<', 'a<b'), 'a phrase of one character');
  t.ok(matches('pm', 'ab x', 'X'));
  t.notOk(matches('pm', '', 'x'));
  const files = new Map([
    ['one.data', '# comment\n\n  first \r\nSecond\n'],
    ['two.data', 'third'],
  ]);
  const readData = (name: string): string | null => files.get(name) ?? null;
  const fromFile = (text: string): boolean => ask('pmFromFile', 'one.data two.data', text, { readData }).matches;
  t.ok(fromFile('a FIRST b'));
  t.ok(fromFile('second'));
  t.ok(fromFile('third'));
  t.notOk(fromFile('comment'));
});

t.test('numbers are what a text begins with', async (t) => {
  t.ok(matches('eq', '5', ' 5 apples'));
  t.ok(matches('eq', '0', 'apples'));
  t.ok(matches('lt', '0', '-3'));
  t.ok(matches('gt', '2147483647', '99999999999'));
});

t.test('addresses match in every spelling', async (t) => {
  t.ok(matches('ipMatch', '10.0.0.0/8, 2001:db8::/32', '2001:DB8:0::1'));
  t.ok(matches('ipMatch', '10.0.0.0/8', '::ffff:10.1.1.1'));
  t.notOk(matches('ipMatch', '10.0.0.0/8', 'no address'));
  t.notOk(matches('ipMatch', '0.0.0.0/0', '::1'));
  const readData = (): string => '# local\n127.0.0.0/8\n\n::1\n';
  t.ok(ask('ipMatchF', 'x', '127.1.1.1', { readData }).matches);
  t.notOk(ask('ipMatchF', 'x', '128.1.1.1', { readData }).matches);
});

t.test('detectors are asked once for a text that is clean', async (t) => {
  let asked = 0;
  const detectSqli = (text: string): string | null => {
    asked++;
    return text.includes("'") ? 's&1c' : null;
  };
  const dependencies = dependenciesOf({ detectSqli });
  const operator = compileOperator(definitionOf('detectSQLi', ''), dependencies);
  const pool = new TextPool(dependencies.index.build());
  for (const _ of [1, 2, 3]) t.notOk(operator.test(pool.text('clean text'), new Run()));
  t.equal(asked, 1);
  const run = new Run();
  t.ok(operator.test(pool.text("' or 1"), run));
  t.same(run.captured, ['s&1c']);
});

t.test('bytes, escapes and UTF-8 match where they are violated', async (t) => {
  t.ok(matches('validateByteRange', '32-126', 'a\tb'));
  t.notOk(matches('validateByteRange', '9, 32-126', 'a\tb'));
  t.notOk(matches('validateByteRange', '0-255', '\x00\xff'));
  t.ok(matches('validateUrlEncoding', '', '100%'));
  t.ok(matches('validateUtf8Encoding', '', '\xc0\xaf'), 'overlong');
  t.ok(matches('validateUtf8Encoding', '', '\xed\xa0\x80'), 'a surrogate');
  t.notOk(matches('validateUtf8Encoding', '', '\xe2\x82\xac'));
});

t.test('a letter beyond ASCII in a pattern is its bytes, in a class as well', async (t) => {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
  const quotes = latin1('[~!\u00b4\u2019]{2}');
  t.ok(matches('rx', quotes, latin1('a\u00b4')), 'two bytes of one letter');
  t.notOk(matches('rx', quotes, 'a~b'));
  t.ok(matches('rx', latin1('caf\u00e9'), latin1('un caf\u00e9')));
  t.ok(matches('rx', `a\\${latin1('\u00e9')}`, latin1('a\u00e9')), 'escaped for no reason');
  t.ok(matches('rx', `a\\\\${latin1('\u00e9')}`, `a\\${latin1('\u00e9')}`), 'behind a backslash that is one');
});
