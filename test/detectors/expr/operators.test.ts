/** Every operator: what it gives, that nothing is converted, and what it refuses, at compile time and at run time. */
import t from 'tap';
import { InvalidExpression } from '../../../detectors/expr/compile.ts';
import { compilerFor, complaint, evaluate, makeEvent } from './support.ts';

type Case = readonly [source: string, value: unknown];

function table(t: Pick<typeof import('tap').t, 'same' | 'equal'>, cases: readonly Case[], count: number): void {
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, count, 'the number of cases');
}

t.test('arithmetic keeps integers and floats apart', async (t) => {
  table(
    t,
    [
      ['1 + 2 * 3', 7n],
      ['(1 + 2) * 3', 9n],
      ['7 / 2', 3.5],
      ['6 / 2', 3],
      ['1 / 0', Number.POSITIVE_INFINITY],
      ['7 % 3', 1n],
      ['-7 % 3', -1n],
      ['1 + 2.5', 3.5],
      ['1.5 * 2', 3],
      ['2 ** 3 ** 2', 512],
      ['2 ^ 10', 1024],
      ['-2 ** 2', -4],
      ['-(-3)', 3n],
      ['+4', 4n],
      ['- -4', 4n],
      ['10 - 3 - 2', 5n],
      ['0x10 + 0b11 + 0o17', 34n],
      ['1_000_000', 1_000_000n],
      ['.5 + 1e2', 100.5],
      ['9223372036854775807 + 1', -(2n ** 63n)],
      ['1..3', [1n, 2n, 3n]],
      ['3..1', []],
    ],
    22,
  );
});

t.test('comparisons follow kinds', async (t) => {
  table(
    t,
    [
      ['1 == 1.0', true],
      ['1 != 1.5', true],
      ['"a" == "a"', true],
      ['nil == nil', true],
      ['evt.Unmarshaled.missing == nil', true],
      ['evt.Unmarshaled.text == 1', false],
      ['evt.Unmarshaled.text != 1', true],
      ['[1, "x"] == [1.0, "x"]', true],
      ['{a: [1]} == {a: [1]}', true],
      ['{a: 1} == {a: 1, b: 2}', false],
      ['1 < 2', true],
      ['2 <= 1', false],
      ['"b" > "a"', true],
      ['"\\uFFFD" < "\\U0001F986"', true],
      ['1 < 2 < 3', true],
      ['1 < 2 < 2', false],
      ['3 > 2 >= 2 > 1', true],
      ['duration("1h") > duration("59m")', true],
      ['date("2024-01-02") > date("2024-01-01")', true],
      ['evt.Time > date("2024-01-01")', true],
      ['evt.Unmarshaled.number == 12', true],
      ['evt.Unmarshaled.number >= 12', true],
    ],
    22,
  );
});

t.test('logic short-circuits', async (t) => {
  table(
    t,
    [
      ['true and false', false],
      ['true && true', true],
      ['false or true', true],
      ['false || false', false],
      ['not true', false],
      ['!false', true],
      ['false and int("x") == 1', false],
      ['true or int("x") == 1', true],
      ['not false and true', true],
      ['true or false and false', true],
      ['true ? 1 : 2', 1n],
      ['false ? 1 : true ? 2 : 3', 2n],
      ['if 1 > 2 { "a" } else { "b" }', 'b'],
      ['if false { 1 } else if true { 2 } else { 3 }', 2n],
      ['nil ?? 3', 3n],
      ['evt.Unmarshaled.text ?? "x"', 'plain'],
      ['true ?: 4', true],
    ],
    17,
  );
});

t.test('text operators', async (t) => {
  table(
    t,
    [
      ['"abc" contains "b"', true],
      ['"abc" contains ""', true],
      ['"abc" startsWith "ab"', true],
      ['"abc" endsWith "bc"', true],
      ['"abc" not contains "x"', true],
      ['"abc" not startsWith "a"', false],
      ['"abc" not endsWith "c"', false],
      ['"a.c" matches "^a[.]c$"', true],
      ['"a" not matches "b"', true],
      ['"abc" matches Upper("B")', false],
      ['evt.Meta.http_path matches evt.Parsed.number', false],
      ['evt.Unmarshaled.missing contains "x"', false],
      ['evt.Unmarshaled.missing matches "x"', false],
      ['evt.Unmarshaled.missing startsWith evt.Unmarshaled.missing', false],
      ['"a" + "b" + "c"', 'abc'],
    ],
    15,
  );
});

t.test('membership', async (t) => {
  table(
    t,
    [
      ['1 in [1, 2]', true],
      ['1 in [1.0]', true],
      ['"a" not in ["b"]', true],
      ['401 in [401, "401"]', true],
      ['"401" in [401, "401"]', true],
      ['nil in ["", nil]', true],
      ['evt.Unmarshaled.missing in ["", nil]', true],
      ['"x" in nil', false],
      ['[1] in [[1], [2]]', true],
      ['"http_path" in evt.Meta', true],
      ['"missing" in evt.Meta', false],
      ['"tree" in evt.Unmarshaled', true],
      ['"Meta" in evt', true],
      ['"Mta" in evt', false],
      ['5 in 1..10', true],
      ['2.5 in 1..10', false],
      ['2.0 in 1..3', true],
      ['4 in 1..3 ? 1 : 2', 2n],
      ['evt.Meta.http_status in ["403", "404"]', true],
      ['evt.Parsed.file_name in File("words.txt")', false],
      ['"admin" in File("words.txt")', true],
    ],
    21,
  );
});

t.test('members, elements and slices', async (t) => {
  table(
    t,
    [
      ['evt.Meta.missing', ''],
      ['evt.Meta["http_status"]', '404'],
      ['evt.Meta.missing != nil', true],
      ['evt.Unmarshaled.missing', null],
      ['evt.Unmarshaled.tree.list[0]', 1],
      ['evt.Unmarshaled.tree.list[-1].three', 3.5],
      ['evt.Unmarshaled.missing?.a.b.c', null],
      ['evt.Unmarshaled.tree?.deep.leaf', 'x'],
      ['evt.Unmarshaled.tree?.["flag"]', true],
      ['evt.Unmarshaled.missing?.a ?? "other"', 'other'],
      ['evt.Unmarshaled.constructor', null],
      ['evt.Meta.constructor', ''],
      ['[1, 2, 3][1]', 2n],
      ['[1, 2, 3][-1]', 3n],
      ['[1, 2, 3][1:]', [2n, 3n]],
      ['[1, 2, 3][:-1]', [1n, 2n]],
      ['[1, 2, 3][5:9]', []],
      ['[1, 2, 3][-9:2]', [1n, 2n]],
      ['[1, 2, 3][2:1]', []],
      ['"hello"[1:3]', 'el'],
      ['"hello"[:-1]', 'hell'],
      ['"héllo"[0:3]', 'hé'],
      ['"abc"[1]', 98n],
      ['{"a": {"b": 1}}.a.b', 1n],
      ['{(("a") + "b"): 1}.ab', 1n],
      ['{a: 1}.b', null],
      ['evt.Line.Labels.type', 'nginx'],
      ['evt.Overflow.Whitelisted', false],
      ['evt.Type', 0n],
    ],
    29,
  );
});

t.test('let, sequences and comments', async (t) => {
  table(
    t,
    [
      ['let x = 2; x * x', 4n],
      ['let x = 2; let y = x + 1; y', 3n],
      ['1; 2; 3', 3n],
      ['(1; 2) + 1', 3n],
      ['1 // one', 1n],
      ['1 /* two */ + 1', 2n],
      ['`raw \\n ``text```', 'raw \\n `text`'],
      ['"\\t\\x41\\u0042\\U00000043\\u{44}\\101\\\\\\""', '\tABCDA\\"'],
      ["'it\\'s'", "it's"],
      ['[1, 2,]', [1n, 2n]],
      ['{a: 1,}', { a: 1n }],
      ['{1: "x", "b": 2}', { 1: 'x', b: 2n }],
      ['1..3 | map(# * 2) | sum()', 12n],
      ['"a,b" | split(",")', ['a', 'b']],
      ['::len("abc")', 3n],
    ],
    15,
  );
});

const refused: readonly (readonly [source: string, message: string])[] = [
  ['evt.Mta', 'unknown name evt.Mta (1:1)\n | evt.Mta\n | ^'],
  ['foo', 'unknown name foo (1:1)\n | foo\n | ^'],
  ['Uper("x")', 'unknown name Uper (1:1)\n | Uper("x")\n | ^'],
  ['evt.Meta.x == "a" and\nevt.Parsd.y == ""', 'unknown name evt.Parsd (2:1)\n | evt.Parsd.y == ""\n | ^'],
  ['"a" + 1', 'invalid operation: + (mismatched types string and int) (1:5)\n | "a" + 1\n | ....^'],
  [
    'evt.Meta.a == 5',
    'invalid operation: == (mismatched types string and int) (1:12)\n | evt.Meta.a == 5\n | ...........^',
  ],
  ['"é" == 5', 'invalid operation: == (mismatched types string and int) (1:5)\n | "é" == 5\n | ....^'],
  ['not "x"', 'invalid operation: not (mismatched type string) (1:1)\n | not "x"\n | ^'],
  ['"a" and true', 'invalid operation: and (mismatched types string and bool) (1:5)\n | "a" and true\n | ....^'],
  ['1 < "a"', 'invalid operation: < (mismatched types int and string) (1:3)\n | 1 < "a"\n | ..^'],
  ['1.5 % 2', 'invalid operation: % (mismatched types float64 and int) (1:5)\n | 1.5 % 2\n | ....^'],
  ['"x" ? 1 : 2', 'non-bool expression (type string) used as condition (1:1)\n | "x" ? 1 : 2\n | ^'],
  ['"x" in 5', 'invalid operation: in (mismatched types string and int) (1:5)\n | "x" in 5\n | ....^'],
  ['[1]["a"]', 'array elements can only be selected using an integer (got string) (1:4)\n | [1]["a"]\n | ...^'],
  ['"abc"["a":]', 'non-integer slice index string (1:7)\n | "abc"["a":]\n | ......^'],
  ['"a" matches "("', 'invalid pattern'],
  ['Upper(1)', 'cannot use int as argument (type string) to call Upper (1:7)\n | Upper(1)\n | ......^'],
  ['Upper()', 'not enough arguments to call Upper (1:1)\n | Upper()\n | ^'],
  ['Upper("a", "b")', 'too many arguments to call Upper (1:1)\n | Upper("a", "b")\n | ^'],
  ['evt.GetMeat("a")', 'type types.Event has no method GetMeat (1:5)\n | evt.GetMeat("a")\n | ....^'],
  ['let evt = 1; evt', 'cannot redeclare evt (1:1)\n | let evt = 1; evt\n | ^'],
  ['let len = 1; len', 'cannot redeclare builtin len (1:1)\n | let len = 1; len\n | ^'],
  ['let a = 1; let a = 2; a', 'cannot redeclare variable a (1:12)\n | let a = 1; let a = 2; a\n | ...........^'],
  [
    'a ?? b + c',
    'Operator (+) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses. (1:8)\n | a ?? b + c\n | .......^',
  ],
  ['#', 'cannot use pointer accessor outside predicate (1:1)\n | #\n | ^'],
  ['all([1], # + 1)', 'predicate should return boolean (got int) (1:10)\n | all([1], # + 1)\n | .........^'],
  ['filter("x", true)', 'builtin filter takes only array (got string) (1:8)\n | filter("x", true)\n | .......^'],
  ['filter([1])', 'expected at least 2 arguments (1:11)\n | filter([1])\n | ..........^'],
  ['map([1], #; 2)', 'wrap predicate with brackets { and } (1:11)\n | map([1], #; 2)\n | ..........^'],
  ['1 +', 'unexpected token EOF (1:4)\n | 1 +\n | ...^'],
  ['(1', 'unexpected token EOF (1:3)\n | (1\n | ..^'],
  ['1 2', 'unexpected token Number("2") (1:3)\n | 1 2\n | ..^'],
  ['x not y', 'unexpected token Identifier("y") (1:7)\n | x not y\n | ......^'],
  ['"abc', 'literal not terminated (1:1)\n | "abc\n | ^'],
  ['"\\q"', 'invalid char escape (1:2)\n | "\\q"\n | .^'],
  ['1 @ 2', "unrecognized character: U+0040 '@' (1:3)\n | 1 @ 2\n | ..^"],
  ['12abc', 'bad number syntax: "12a" (1:1)\n | 12abc\n | ^'],
  ['99999999999999999999', 'integer literal is too large (1:1)\n | 99999999999999999999\n | ^'],
  ['/* x', 'unclosed comment (1:1)\n | /* x\n | ^'],
  ['', 'unexpected token EOF (1:1)\n | \n | ^'],
];

t.test('what can never work is refused with its place', async (t) => {
  for (const [source, message] of refused) {
    const shown = complaint(source);
    t.ok(shown.startsWith(message), `${source}: ${shown}`);
    t.equal(refusal(source).code, 'EXPRESSION_INVALID', source);
  }
  t.equal(refused.length, 40);
});

t.test('a suggestion comes with the refusal', async (t) => {
  const remedies: readonly (readonly [string, string | null])[] = [
    ['evt.Mta.x', 'Did you mean evt.Meta?'],
    ['evt.Line.Rwa', 'Did you mean evt.Line.Raw?'],
    ['Uper("x")', 'Did you mean Upper?'],
    ['evt.GetMeat("x")', 'Did you mean GetMeta?'],
    ['somethingQuiteDifferent', null],
  ];
  for (const [source, remedy] of remedies) t.equal(refusal(source).remedy, remedy, source);
});

t.test('a refusal tells its place and its reason apart from the message', async (t) => {
  const places: readonly (readonly [source: string, line: number, column: number, offset: number])[] = [
    ['evt.Mta.x', 1, 1, 0],
    ['"😀" == \'a\' &&\n  Nobody', 2, 3, 17],
    ['"x" matches "("', 1, 13, 12],
    ['1 +', 1, 4, 3],
    ['"', 1, 1, 0],
  ];
  for (const [source, ...place] of places) {
    const { line, column, offset, reason, message } = refusal(source);
    t.strictSame([line, column, offset], place, source);
    t.ok(reason !== '' && message.startsWith(`${reason} (${line}:${column})\n | `), message);
  }
  t.equal(places.length, 5);
});

function refusal(source: string): InvalidExpression {
  try {
    evaluate(source);
  } catch (thrown) {
    if (thrown instanceof InvalidExpression) return thrown;
  }
  throw new Error(`${source} was not refused`);
}

const raised: readonly (readonly [source: string, message: string])[] = [
  [
    'evt.Unmarshaled.missing.x',
    'cannot fetch x from <nil> (1:25)\n | evt.Unmarshaled.missing.x\n | ........................^',
  ],
  ['evt.Unmarshaled.tree.list[9]', 'index out of range: 9 (array length is 3) (1:26)'],
  ['evt.Unmarshaled.tree.list[-4]', 'index out of range: -4 (array length is 3) (1:26)'],
  ['evt.Unmarshaled.tree.list.x', 'cannot fetch x from []interface {} (1:27)'],
  ['evt.Unmarshaled.text + 1', 'invalid operation: string + int (1:22)'],
  ['evt.Unmarshaled.number + "x"', 'invalid operation: float64 + string (1:24)'],
  ['evt.Unmarshaled.text < 1', 'invalid operation: string < int (1:22)'],
  ['evt.Unmarshaled.number and true', 'invalid operation: and wants bool, got float64 (1:17)'],
  ['evt.Unmarshaled.text ? 1 : 2', 'non-bool expression (type string) used as condition (1:22)'],
  ['not evt.Unmarshaled.text', 'invalid operation: not string (1:1)'],
  ['-evt.Unmarshaled.text', 'invalid operation: - string (1:1)'],
  ['evt.Unmarshaled.number contains "x"', 'invalid operation: float64 contains string (1:24)'],
  ['"x" in evt.Unmarshaled.number', 'operator "in" not defined on float64 (1:5)'],
  ['"x" in evt.Unmarshaled.text', 'operator "in" not defined on string (1:5)'],
  ['5 % (1 - 1)', 'integer divide by zero (1:3)'],
  ['Upper(evt.Unmarshaled.missing)', 'cannot use <nil> as argument (type string) to call Upper (1:1)'],
  ['Upper(evt.Unmarshaled.number)', 'cannot use float64 as argument (type string) to call Upper (1:1)'],
  ['len(evt.Unmarshaled.number)', 'invalid argument for len (type float64) (1:1)'],
  ['evt.Unmarshaled.text.foo()', 'type string has no method foo (1:22)'],
  ['evt.Unmarshaled.missing[0:1]', 'cannot slice <nil> (1:24)'],
  ['any(evt.Unmarshaled.missing, true)', 'builtin any takes only array (got <nil>) (1:1)'],
  ['any([1], evt.Unmarshaled.text)', 'predicate should return boolean (got string) (1:1)'],
  ['evt.Meta.x matches evt.Parsed.number + "("', 'invalid pattern'],
  ['evt.Overflow.Alert.Remediation', 'cannot fetch Remediation from <nil> (1:20)'],
  ['1..1000000000', 'memory budget exceeded (1:2)'],
  ['reduce(1..40, #acc + #acc, "x")', 'text is too long (1:20)'],
  ['all(1..4000, all(1..4000, true))', 'memory budget exceeded'],
  ['let l = map(1..2000, 1); all(l, all(l, true))', 'the expression takes too many steps'],
];

t.test('what goes wrong at run time raises with its place', async (t) => {
  for (const [source, message] of raised) {
    const shown = complaint(source);
    t.ok(shown.startsWith(message), `${source}: ${shown}`);
    t.throws(() => evaluate(source), { name: 'ExpressionError', code: 'EXPRESSION_RAISED' });
  }
  t.equal(raised.length, 28);
});

t.test('an expression that was compiled as bool or string never gives anything else', async (t) => {
  const compiler = compilerFor();
  t.throws(() => compiler.compile('1 + 1', 'bool'), {
    code: 'EXPRESSION_INVALID',
    message: /expected bool, but got int/,
  });
  t.throws(() => compiler.compile('true', 'string'), { code: 'EXPRESSION_INVALID' });
  const dynamic = compiler.compile('evt.Unmarshaled.text', 'bool');
  t.throws(() => dynamic.evaluate({ evt: makeEvent() }), {
    name: 'ExpressionError',
    message: /expected bool, but got string/,
  });
  t.equal(compiler.compile('evt.Unmarshaled.text', 'string').evaluate({ evt: makeEvent() }), 'plain');
});
