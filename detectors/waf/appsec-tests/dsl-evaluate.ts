/** Runs expressions of nuclei templates. */
import { compilePattern } from '../../regex/compile-pattern.ts';
import { DslError, type DslNode } from './dsl-syntax.ts';
import { type DslValue, isTrue, listOf, numberOf, textOf } from './dsl-value.ts';

export type DslFunction = (args: readonly DslValue[]) => DslValue;

export interface DslScope {
  readonly names: ReadonlyMap<string, DslValue>;
  readonly functions: ReadonlyMap<string, DslFunction>;
}

/** @throws DslError for an unknown name or function, and for operands that do not fit */
export function evaluateDsl(node: DslNode, scope: DslScope): DslValue {
  switch (node.kind) {
    case 'value':
      return node.value;
    case 'name': {
      const value = scope.names.get(node.name);
      if (value === undefined) throw new DslError(`${node.name} is unknown`);
      return value;
    }
    case 'call': {
      const run = scope.functions.get(node.name);
      if (run === undefined) throw new DslError(`there is no function ${node.name}`);
      return run(node.args.map((arg) => evaluateDsl(arg, scope)));
    }
    case 'list':
      return node.items.map((item) => evaluateDsl(item, scope));
    case 'unary':
      return unary(node.operator, evaluateDsl(node.operand, scope));
    case 'binary':
      return binary(node, scope);
    case 'choice':
      return evaluateDsl(isTrue(evaluateDsl(node.test, scope)) ? node.then : node.otherwise, scope);
    default:
      return node satisfies never;
  }
}

function unary(operator: '!' | '-' | '~', value: DslValue): DslValue {
  switch (operator) {
    case '!':
      return !isTrue(value);
    case '-':
      return -numberOf(value);
    case '~':
      return ~numberOf(value);
    default:
      return operator satisfies never;
  }
}

function binary(node: DslNode & { readonly kind: 'binary' }, scope: DslScope): DslValue {
  const { operator } = node;
  if (operator === '??') return coalesced(node, scope);
  const left = evaluateDsl(node.left, scope);
  if (operator === '&&') return isTrue(left) && isTrue(evaluateDsl(node.right, scope));
  if (operator === '||') return isTrue(left) || isTrue(evaluateDsl(node.right, scope));
  const right = evaluateDsl(node.right, scope);
  switch (operator) {
    case '==':
      return same(left, right);
    case '!=':
      return !same(left, right);
    case 'in':
      return listOf(right).some((item) => same(item, left));
    case '=~':
      return compilePattern(textOf(right)).test(textOf(left));
    case '!~':
      return !compilePattern(textOf(right)).test(textOf(left));
    case '+':
      return typeof left === 'number' && typeof right === 'number' ? left + right : textOf(left) + textOf(right);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(operator, left, right);
    default:
      return arithmetic(operator, numberOf(left), numberOf(right));
  }
}

function coalesced({ left, right }: DslNode & { readonly kind: 'binary' }, scope: DslScope): DslValue {
  const isKnown = left.kind !== 'name' || scope.names.has(left.name);
  const value = isKnown ? evaluateDsl(left, scope) : null;
  return value ?? evaluateDsl(right, scope);
}

function same(left: DslValue, right: DslValue): boolean {
  if (typeof left === typeof right && typeof left !== 'object') return left === right;
  return JSON.stringify(left) === JSON.stringify(right);
}

function ordered(operator: string, left: DslValue, right: DslValue): boolean {
  const texts = typeof left === 'string' && typeof right === 'string';
  const [a, b] = texts ? [left, right] : [numberOf(left), numberOf(right)];
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

function arithmetic(operator: string, left: number, right: number): number {
  switch (operator) {
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '**':
      return left ** right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return left << right;
    case '>>':
      return left >> right;
    default:
      throw new DslError(`operator ${operator} is unknown`);
  }
}
