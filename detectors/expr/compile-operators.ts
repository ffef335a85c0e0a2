/** Operators, `?:` and comparisons. What the checker knows of the operands decides which checks are left for the run time. */
import {
  add,
  concatenate,
  divide,
  multiply,
  negate,
  power,
  rangeLength,
  rangeOfInts,
  remainder,
  subtract,
} from './arithmetic.ts';
import type { BinaryNode, BinaryOperator, Node } from './ast.ts';
import { type Code, type Context, dynamicCode, type Run } from './code.ts';
import { compileLogic } from './compile-logic.ts';
import { compileTextOperator } from './compile-text.ts';
import { compileIn } from './compile-in.ts';
import { smallInteger } from './small-integer.ts';
import { ExpressionError } from './source-error.ts';
import { compare, equal, goType, ValueError } from './values.ts';

type Operation = (left: unknown, right: unknown) => unknown;

const operations: Readonly<Partial<Record<BinaryOperator, Operation>>> = {
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
  '**': power,
};

export function compileBinary(node: BinaryNode, context: Context): Code {
  switch (node.operator) {
    case 'or':
    case 'and':
      return compileLogic(node, node.operator, context);
    case '==':
    case '!=':
      return compileEquality(node, context);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return compileOrder(node, node.operator, context);
    case 'in':
      return compileIn(node, context);
    case 'matches':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return compileTextOperator(node, node.operator, context);
    case '+':
      return compileSum(node, context);
    case '..':
      return compileRange(node, context);
    case '??': {
      const parts = [context.compile(node.left), context.compile(node.right)] as const;
      const [left, right] = parts;
      return context.pure(parts, (scope, locals) => left.run(scope, locals) ?? right.run(scope, locals));
    }
    case '-':
    case '*':
    case '/':
    case '%':
    case '**':
      return compileOperation(node, operations[node.operator] ?? subtract, context);
    default:
      return node.operator satisfies never;
  }
}

function compileOperation(node: BinaryNode, operation: Operation, context: Context): Code {
  const left = context.compile(node.left);
  const right = context.compile(node.right);
  const run = context.located(node.at, (scope, locals) => operation(left.run(scope, locals), right.run(scope, locals)));
  return context.pure([left, right], run);
}

/** A chain of `+` in one loop, however long it is. */
function compileSum(node: BinaryNode, context: Context): Code {
  const terms: { node: Node; at: number }[] = [];
  let first: Node = node;
  while (first.kind === 'binary' && first.operator === '+') {
    terms.push({ node: first.right, at: first.at });
    first = first.left;
  }
  terms.push({ node: first, at: first.at });
  terms.reverse();
  const parts = terms.map((term) => context.compile(term.node));
  if (parts.length === 2 && terms.every((term) => context.typeOf(term.node).kind === 'string')) {
    const [left, right] = parts as [Code, Code];
    const run = context.located(node.at, (scope, locals) =>
      concatenate(left.run(scope, locals) as string, right.run(scope, locals) as string),
    );
    return context.pure(parts, run);
  }
  const { source } = context;
  const runs = parts.map(({ run }) => run);
  return context.pure(parts, (scope, locals) => {
    let total: unknown = runs[0]?.(scope, locals);
    for (let index = 1; index < runs.length; index++) {
      const term = runs[index]?.(scope, locals);
      try {
        total = add(total, term);
      } catch (thrown) {
        const message = thrown instanceof Error ? thrown.message : String(thrown);
        throw new ExpressionError(source, terms[index]?.at ?? node.at, message);
      }
    }
    return total;
  });
}

function compileRange(node: BinaryNode, context: Context): Code {
  const from = context.run(node.left);
  const to = context.run(node.right);
  context.needsLocals = true;
  return dynamicCode(
    context.located(node.at, (scope, locals) => {
      const start = from(scope, locals);
      const length = rangeLength(start, to(scope, locals));
      locals.takeElements(length);
      return rangeOfInts(start as bigint, length);
    }),
  );
}

function compileEquality(node: BinaryNode, context: Context): Code {
  const left = context.compile(node.left);
  const right = context.compile(node.right);
  const same = sameRun(node, left, right, context);
  const negated = node.operator === '!=';
  return context.pure([left, right], negated ? (scope, locals) => !same(scope, locals) : same);
}

function sameRun(node: BinaryNode, left: Code, right: Code, context: Context): Run {
  // Strings, booleans and nil are the same when they are identical, whatever the other side turns out to be.
  if (isIdentity(right.constant)) {
    const wanted = right.constant?.value ?? null;
    const { run } = left;
    return (scope, locals) => run(scope, locals) === wanted;
  }
  if (isIdentity(left.constant)) {
    const wanted = left.constant?.value ?? null;
    const { run } = right;
    return (scope, locals) => run(scope, locals) === wanted;
  }
  const kinds = [context.typeOf(node.left).kind, context.typeOf(node.right).kind];
  if (kinds.some((kind) => kind === 'string' || kind === 'bool')) {
    return (scope, locals) => left.run(scope, locals) === right.run(scope, locals);
  }
  const small = smallPair(node.left, node.right, context);
  if (small) return (scope, locals) => small[0](scope, locals) === small[1](scope, locals);
  return context.located(node.at, (scope, locals) => equal(left.run(scope, locals), right.run(scope, locals)));
}

function isIdentity(constant: Code['constant']): boolean {
  if (constant === null) return false;
  const { value } = constant;
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

type SmallRun = NonNullable<ReturnType<typeof smallInteger>>;

/** Both operands as plain numbers, when that is certain to be exact. */
function smallPair(left: Node, right: Node, context: Context): readonly [SmallRun, SmallRun] | null {
  const first = smallInteger(left, context);
  const second = first === null ? null : smallInteger(right, context);
  return first === null || second === null ? null : [first, second];
}

type Ordering = '<' | '>' | '<=' | '>=';

function holds(operator: Ordering, order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    default:
      return operator satisfies never;
  }
}

function compileOrder(node: BinaryNode, operator: Ordering, context: Context): Code {
  const left = context.compile(node.left);
  const right = context.compile(node.right);
  const small = left.constant && right.constant ? null : smallPair(node.left, node.right, context);
  if (small) {
    const [first, second] = small;
    return dynamicCode((scope, locals) => holds(operator, first(scope, locals) - second(scope, locals)));
  }
  const run = context.located(node.at, (scope, locals) =>
    holds(operator, compare(left.run(scope, locals), right.run(scope, locals), operator)),
  );
  return context.pure([left, right], run);
}

export function compileComparisons(node: Node & { kind: 'comparisons' }, context: Context): Code {
  const parts = node.operands.map((operand) => context.compile(operand));
  const { source } = context;
  return context.pure(parts, (scope, locals) => {
    let left = parts[0]?.run(scope, locals);
    for (let index = 0; index < node.operators.length; index++) {
      const sign = node.operators[index];
      if (sign === undefined) break;
      const right = parts[index + 1]?.run(scope, locals);
      try {
        if (!holds(sign.operator as Ordering, compare(left, right, sign.operator))) return false;
      } catch (thrown) {
        throw new ExpressionError(source, sign.at, thrown instanceof Error ? thrown.message : String(thrown));
      }
      left = right;
    }
    return true;
  });
}

export function compileUnary(node: Node & { kind: 'unary' }, context: Context): Code {
  const operand = context.compile(node.operand);
  const { run } = operand;
  if (node.operator === 'not') {
    const known = context.typeOf(node.operand).kind === 'bool';
    const not: Run = (scope, locals) => {
      const value = run(scope, locals);
      if (typeof value !== 'boolean') throw new ValueError(`invalid operation: not ${goType(value)}`);
      return !value;
    };
    return context.pure(
      [operand],
      known ? (scope, locals) => run(scope, locals) !== true : context.located(node.at, not),
    );
  }
  const plus: Run = (scope, locals) => {
    const value = run(scope, locals);
    if (typeof value !== 'bigint' && typeof value !== 'number') {
      throw new ValueError(`invalid operation: + ${goType(value)}`);
    }
    return value;
  };
  const minus: Run = (scope, locals) => negate(run(scope, locals));
  return context.pure([operand], context.located(node.at, node.operator === '-' ? minus : plus));
}

export function compileConditional(node: Node & { kind: 'conditional' }, context: Context): Code {
  const test = context.compile(node.test);
  const then = context.compile(node.then);
  const otherwise = context.compile(node.otherwise);
  if (test.constant?.value === true) return then;
  if (test.constant?.value === false) return otherwise;
  const { source } = context;
  const { at } = node;
  const known = context.typeOf(node.test).kind === 'bool';
  return dynamicCode((scope, locals) => {
    const answer = test.run(scope, locals);
    if (!known && typeof answer !== 'boolean') {
      throw new ExpressionError(source, at, `non-bool expression (type ${goType(answer)}) used as condition`);
    }
    return answer === true ? then.run(scope, locals) : otherwise.run(scope, locals);
  });
}
