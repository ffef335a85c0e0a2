import * as fc from 'fast-check';
import t from 'tap';
import { splitClauses } from '../../../detectors/expr/split-clauses.ts';

t.test('expressions are taken apart where their meaning allows it', (t) => {
  const cases: [string, ReturnType<typeof splitClauses>][] = [
    ['a && b', { joined: 'and', parts: ['a', 'b'] }],
    ['a and b and c', { joined: 'and', parts: ['a', 'b', 'c'] }],
    ['a || b', { joined: 'or', parts: ['a', 'b'] }],
    ['a && b || c', { joined: 'or', parts: ['a && b', 'c'] }],
    ['(a || b) && c', { joined: 'and', parts: ['a || b', 'c'] }],
    ['((a && b))', { joined: 'and', parts: ['a', 'b'] }],
    ['(a) && (b)', { joined: 'and', parts: ['a', 'b'] }],
    ["x == 'a && b' and y", { joined: 'and', parts: ["x == 'a && b'", 'y'] }],
    ['x == "say \\"and\\" and" and y', { joined: 'and', parts: ['x == "say \\"and\\" and"', 'y'] }],
    ['any(list, { # and true }) && y', { joined: 'and', parts: ['any(list, { # and true })', 'y'] }],
    ['brand == land', null],
    ['evt.and', null],
    ['a', null],
    ['a ? b && c : d', null],
    ['a ?? b && c', null],
    ['let x = a && b; x', null],
    ['a && b // c && d', null],
    ['a && (b', null],
    ['', null],
  ];
  for (const [source, expected] of cases) t.strictSame(splitClauses(source), expected, source);
  t.equal(cases.length, 19);
  t.end();
});

t.test('the parts, evaluated and joined, mean what the whole means', (t) => {
  const leaf = fc.constantFrom('true', 'false');
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression')).map((parts) => parts.join(' ')),
      tie('expression').map((inner) => `(${inner})`),
    ),
  }));
  const split = (text: string): boolean => {
    const clauses = splitClauses(text);
    if (clauses === null) return valueOf(text);
    return clauses.joined === 'and' ? clauses.parts.every(split) : clauses.parts.some(split);
  };
  fc.assert(
    fc.property(expression, (text) => split(text) === valueOf(text)),
    { seed: 20261120, numRuns: 500 },
  );
  t.end();
});

/** Recursive descent over `true`, `false`, `&&`, `||` and parentheses, `&&` first. */
function valueOf(text: string): boolean {
  const tokens = text.match(/true|false|&&|\|\||[()]/g) ?? [];
  let at = 0;
  const operand = (): boolean => {
    const token = tokens[at++];
    if (token !== '(') return token === 'true';
    const inner = either();
    at++;
    return inner;
  };
  const all = (): boolean => {
    let value = operand();
    while (tokens[at] === '&&') {
      at++;
      value = operand() && value;
    }
    return value;
  };
  const either = (): boolean => {
    let value = all();
    while (tokens[at] === '||') {
      at++;
      value = all() || value;
    }
    return value;
  };
  return either();
}
