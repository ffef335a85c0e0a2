/** `contains`, `startsWith`, `endsWith`, `matches`: false when either side is nil, an error on anything else but strings. */
import type { BinaryNode } from './ast.ts';
import { type Code, type Context, dynamicCode, type Run } from './code.ts';
import { InvalidExpression } from './source-error.ts';
import type { PatternTest } from './data-files.ts';
import { messageOf } from '../../core/errors.ts';
import { goType, ValueError } from './values.ts';

export type TextOperator = 'matches' | 'contains' | 'startsWith' | 'endsWith';

export function compileTextOperator(node: BinaryNode, operator: TextOperator, context: Context): Code {
  const left = context.compile(node.left);
  const right = context.compile(node.right);
  if (operator === 'matches' && typeof right.constant?.value === 'string') {
    const pattern = compileLiteral(right.constant.value, node, context);
    return context.pure(
      [left],
      withText(left, node, context, (text) => pattern.test(text)),
    );
  }
  const test = testOf(operator, context);
  if (typeof right.constant?.value === 'string') {
    const word = right.constant.value;
    return context.pure(
      [left],
      withText(left, node, context, literalTest(operator, word) ?? ((text) => test(text, word))),
    );
  }
  const run = context.located(node.at, (scope, locals) => {
    const text = left.run(scope, locals);
    const word = right.run(scope, locals);
    if (text === null || text === undefined || word === null || word === undefined) return false;
    if (typeof text !== 'string' || typeof word !== 'string') {
      throw new ValueError(`invalid operation: ${goType(text)} ${operator} ${goType(word)}`);
    }
    return test(text, word);
  });
  return operator === 'matches' ? dynamicCode(run) : context.pure([left, right], run);
}

function compileLiteral(source: string, node: BinaryNode, context: Context): PatternTest {
  try {
    return context.tools.deps.regex(source);
  } catch (thrown) {
    throw new InvalidExpression(context.source, node.right.at, `invalid pattern: ${messageOf(thrown)}`);
  }
}

/** `test` on the left side: without checks where it is known to be a string. */
function withText(left: Code, node: BinaryNode, context: Context, test: (text: string) => boolean): Run {
  const { run } = left;
  if (context.typeOf(node.left).kind === 'string') return (scope, locals) => test(run(scope, locals) as string);
  return context.located(node.at, (scope, locals) => {
    const text = run(scope, locals);
    if (text === null || text === undefined) return false;
    if (typeof text !== 'string') throw new ValueError(`invalid operation: ${goType(text)} ${node.operator} string`);
    return test(text);
  });
}

function literalTest(operator: TextOperator, word: string): ((text: string) => boolean) | null {
  switch (operator) {
    case 'contains':
      return (text) => text.includes(word);
    case 'startsWith':
      return (text) => text.startsWith(word);
    case 'endsWith':
      return (text) => text.endsWith(word);
    case 'matches':
      return null;
    default:
      return operator satisfies never;
  }
}

function testOf(operator: TextOperator, context: Context): (text: string, word: string) => boolean {
  switch (operator) {
    case 'contains':
      return (text, word) => text.includes(word);
    case 'startsWith':
      return (text, word) => text.startsWith(word);
    case 'endsWith':
      return (text, word) => text.endsWith(word);
    case 'matches':
      return (text, word) => context.tools.pattern(word).test(text);
    default:
      return operator satisfies never;
  }
}
