import t from 'tap';
import { operatorNames, parseOperator } from '../../../../detectors/waf/seclang/parse-operator.ts';

function parse(text: string) {
  const reasons: string[] = [];
  const operator = parseOperator(text, '/rules', (_level, reason) => reasons.push(reason));
  return { operator, reasons };
}

const cases: readonly (readonly [string, string, boolean, string])[] = [
  ['@rx ^a', 'rx', false, '^a'],
  ['^a', 'rx', false, '^a'],
  ['!^a', 'rx', true, '^a'],
  ['', 'rx', false, ''],
  ['!@eq 0', 'eq', true, '0'],
  ['! @eq 0', 'eq', true, '0'],
  ['@pmFromFile  a.data b.data ', 'pmfromfile', false, 'a.data b.data'],
  ['@IPMATCH 127.0.0.1', 'ipmatch', false, '127.0.0.1'],
  ['@detectSQLi', 'detectsqli', false, ''],
  ['  @streq  a b ', 'streq', false, 'a b'],
  ['@rx a\\ ', 'rx', false, 'a\\ '],
  ['@rx a\\\\ ', 'rx', false, 'a\\\\'],
  ['a@b', 'rx', false, 'a@b'],
  ['@rx \xa0', 'rx', false, '\xa0'],
];

t.test('operators, their negation and their arguments', async (t) => {
  t.equal(cases.length, 14);
  for (const [text, name, negated, source] of cases) {
    const { operator, reasons } = parse(text);
    t.match(operator, { name, negated, argument: { source }, folder: '/rules' }, text);
    t.same(reasons, [], text);
  }
});

t.test('macros in arguments', async (t) => {
  t.same(parse('@ge %{tx.Threshold}').operator?.argument.parts, [{ variable: 'TX', key: 'threshold' }]);
  t.same(parse('@rx %{x}{2}').operator?.argument.parts, ['%{x}{2}'], 'a pattern may look like one');
  t.match(parse('@streq %{argz.a}').reasons, [/names no variable.*Did you mean ARGS\?/]);
});

t.test('unknown operators are named with the nearest one', async (t) => {
  t.match(parse('@detectSQL').reasons, [/There is no operator "@detectSQL"\. Did you mean @?detectSQLi\?/]);
  t.equal(parse('@').operator, null);
});

t.test('every operator is found in its own spelling', async (t) => {
  for (const name of operatorNames) t.equal(parse(`@${name} x`).operator?.name, name.toLowerCase(), name);
});
