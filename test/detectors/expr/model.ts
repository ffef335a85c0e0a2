/**
 * The expression language again, as plainly as it can be written: a walk over the tree with every rule spelled out, without
 * static types, folding, merging or caches. The compiler must agree with it. Knows what the property test generates.
 */
import type { Node } from '../../../detectors/expr/ast.ts';
import type { Scope } from '../../../detectors/expr/compile.ts';
import { FieldMap } from '../../../detectors/event.ts';
import { fileLines } from './support.ts';

export class ModelError extends Error {}

interface Frame {
  readonly scope: Scope;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly element?: { readonly value: unknown; readonly index: number; readonly accumulator: unknown };
}

export function walk(node: Node, frame: Frame): unknown {
  switch (node.kind) {
    case 'nil':
      return null;
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
      return node.value;
    case 'identifier':
      if (Object.hasOwn(frame.variables, node.name)) return frame.variables[node.name];
      return (frame.scope as Record<string, unknown>)[node.name] ?? null;
    case 'pointer':
      if (node.name === 'index') return BigInt(frame.element?.index ?? 0);
      return node.name === 'acc' ? frame.element?.accumulator : frame.element?.value;
    case 'unary':
      return unary(node.operator, walk(node.operand, frame));
    case 'binary':
      return binary(node, frame);
    case 'comparisons':
      return node.operators.every(({ operator }, index) =>
        ordered(operator, walk(node.operands[index] as Node, frame), walk(node.operands[index + 1] as Node, frame)),
      );
    case 'member':
    case 'chain':
      return chain(node, frame).value;
    case 'slice':
      return slice(node, frame);
    case 'call':
      return helper(
        node.callee.kind === 'identifier' ? node.callee.name : '',
        node.args.map((arg) => walk(arg, frame)),
      );
    case 'builtin':
      return builtin(node.name, node.args, frame);
    case 'predicate':
      return walk(node.body, frame);
    case 'conditional':
      return walk(wantBool(walk(node.test, frame)) ? node.then : node.otherwise, frame);
    case 'array':
      return node.items.map((item) => walk(item, frame));
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [walk(key, frame) as string, walk(value, frame)]));
    case 'let':
      return walk(node.body, { ...frame, variables: { ...frame.variables, [node.name]: walk(node.value, frame) } });
    case 'sequence':
      return node.items.map((item) => walk(item, frame)).at(-1);
    default:
      return node satisfies never;
  }
}

function fail(message: string): never {
  throw new ModelError(message);
}

function wantBool(value: unknown): boolean {
  return typeof value === 'boolean' ? value : fail('not a bool');
}

function wantString(value: unknown): string {
  return typeof value === 'string' ? value : fail('not a string');
}

const isNumber = (value: unknown): value is bigint | number => typeof value === 'bigint' || typeof value === 'number';

function unary(operator: string, value: unknown): unknown {
  if (operator === 'not') return !wantBool(value);
  if (!isNumber(value)) return fail('not a number');
  if (operator === '+') return value;
  return typeof value === 'bigint' ? BigInt.asIntN(64, -value) : -value;
}

function binary(node: Node & { kind: 'binary' }, frame: Frame): unknown {
  const left = walk(node.left, frame);
  if (node.operator === 'and') return wantBool(left) && wantBool(walk(node.right, frame));
  if (node.operator === 'or') return wantBool(left) || wantBool(walk(node.right, frame));
  if (node.operator === '??') return left ?? walk(node.right, frame);
  const right = walk(node.right, frame);
  switch (node.operator) {
    case '==':
      return same(left, right);
    case '!=':
      return !same(left, right);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return ordered(node.operator, left, right);
    case 'in':
      return isIn(left, right);
    case 'contains':
    case 'startsWith':
    case 'endsWith':
    case 'matches':
      return textTest(node.operator, left, right);
    case '..':
      return range(left, right);
    case '+':
      if (typeof left === 'string' && typeof right === 'string') return left + right;
      return arithmetic('+', left, right);
    default:
      return arithmetic(node.operator, left, right);
  }
}

function same(left: unknown, right: unknown): boolean {
  if (isNumber(left) && isNumber(right)) return Number(left) === Number(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => same(item, right[index]));
  }
  if (isPlain(left) && isPlain(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]))
    );
  }
  return left === right;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ordered(operator: string, left: unknown, right: unknown): boolean {
  const bothText = typeof left === 'string' && typeof right === 'string';
  if (!bothText && !(isNumber(left) && isNumber(right))) return fail('cannot be ordered');
  const [first, second] = bothText
    ? [Buffer.compare(Buffer.from(left), Buffer.from(right)), 0]
    : [left as bigint | number, right as bigint | number];
  if (operator === '<') return first < second;
  if (operator === '>') return first > second;
  return operator === '<=' ? first <= second : first >= second;
}

function isIn(left: unknown, right: unknown): boolean {
  if (right === null) return false;
  if (Array.isArray(right)) return right.some((item) => same(left, item));
  if (isPlain(right)) return typeof left === 'string' && Object.hasOwn(right, left);
  return fail('in wants a list or map');
}

function textTest(operator: string, left: unknown, right: unknown): boolean {
  if (left === null || right === null) return false;
  const text = wantString(left);
  const word = wantString(right);
  if (operator === 'contains') return text.includes(word);
  if (operator === 'startsWith') return text.startsWith(word);
  if (operator === 'endsWith') return text.endsWith(word);
  return new RegExp(word).test(text);
}

function range(left: unknown, right: unknown): bigint[] {
  if (typeof left !== 'bigint' || typeof right !== 'bigint') return fail('a range wants integers');
  const items: bigint[] = [];
  for (let value = left; value <= right; value++) {
    if (items.length > 1_000_000) return fail('too long');
    items.push(value);
  }
  return items;
}

function arithmetic(operator: string, left: unknown, right: unknown): unknown {
  if (!isNumber(left) || !isNumber(right)) return fail('not numbers');
  const [first, second] = [Number(left), Number(right)];
  if (operator === '/') return first / second;
  if (operator === '**') return first ** second;
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    if (operator === '%') return right === 0n ? fail('by zero') : left % right;
    return BigInt.asIntN(64, operator === '+' ? left + right : operator === '-' ? left - right : left * right);
  }
  if (operator === '%') return fail('not integers');
  return operator === '+' ? first + second : operator === '-' ? first - second : first * second;
}

/** `stopped`: a `?.` met nil, and the rest of the chain is nil. */
function chain(node: Node, frame: Frame): { value: unknown; stopped: boolean } {
  if (node.kind === 'chain') return { value: chain(node.body, frame).value, stopped: false };
  if (node.kind !== 'member') return { value: walk(node, frame), stopped: false };
  const object = chain(node.object, frame);
  if (object.stopped) return object;
  if (object.value === null && node.optional) return { value: null, stopped: true };
  return { value: element(object.value, walk(node.property, frame)), stopped: false };
}

function element(object: unknown, key: unknown): unknown {
  if (Array.isArray(object)) {
    if (!isNumber(key)) return fail('not an index');
    const at = Math.trunc(Number(key));
    const position = at < 0 ? object.length + at : at;
    return position >= 0 && position < object.length ? (object[position] ?? null) : fail('out of range');
  }
  if (typeof object === 'string') {
    const bytes = Buffer.from(object);
    if (!isNumber(key)) return fail('not an index');
    const position = Number(key) < 0 ? bytes.length + Math.trunc(Number(key)) : Math.trunc(Number(key));
    return position >= 0 && position < bytes.length ? BigInt(bytes[position] ?? 0) : fail('out of range');
  }
  if (!isPlain(object)) return fail('no members');
  if (typeof key !== 'string') return key === null ? null : fail('not a key');
  if (Object.hasOwn(object, key)) return object[key] ?? null;
  return object instanceof FieldMap ? '' : null;
}

function slice(node: Node & { kind: 'slice' }, frame: Frame): unknown {
  const object = walk(node.object, frame);
  const list = typeof object === 'string' ? Buffer.from(object) : Array.isArray(object) ? object : fail('cannot slice');
  const bound = (part: Node | null, otherwise: number): number => {
    if (part === null) return otherwise;
    const value = walk(part, frame);
    return isNumber(value) ? Math.trunc(Number(value)) : fail('not an integer');
  };
  const from = bound(node.from, 0);
  const to = bound(node.to, list.length);
  const start = Math.max(0, from < 0 ? from + list.length : from);
  const end = Math.min(list.length, Math.max(0, to < 0 ? to + list.length : to));
  const part = list.slice(Math.min(start, end), end);
  return Buffer.isBuffer(part) ? part.toString() : part;
}

function helper(name: string, args: readonly unknown[]): unknown {
  const [first, second] = args;
  if (name === 'Upper')
    return Array.from(wantString(first))
      .map((rune) => single(rune, rune.toUpperCase()))
      .join('');
  if (name === 'Lower')
    return Array.from(wantString(first))
      .map((rune) => (rune === 'İ' ? 'i' : single(rune, rune.toLowerCase())))
      .join('');
  if (name === 'Split') return wantString(first).split(wantString(second));
  if (name === 'File') return fileLines[wantString(first)] ?? [];
  return fail(`the model does not know ${name}`);
}

function single(rune: string, mapped: string): string {
  return Array.from(mapped).length === 1 ? mapped : rune;
}

function builtin(name: string, args: readonly Node[], frame: Frame): unknown {
  const [first, second, third] = args;
  const value = walk(first as Node, frame);
  if (name === 'len') {
    if (typeof value === 'string') return BigInt(Array.from(value).length);
    if (Array.isArray(value)) return BigInt(value.length);
    return isPlain(value) ? BigInt(Object.keys(value).length) : fail('no length');
  }
  if (name === 'int') {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number') return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : -(2n ** 63n);
    return typeof value === 'string' && /^[+-]?\d{1,18}$/.test(value) ? BigInt(Number(value)) : fail('no integer');
  }
  const list: unknown[] = Array.isArray(value) ? value : fail('not a list');
  const at = (index: number, accumulator: unknown = null): unknown =>
    second === undefined
      ? list[index]
      : walk(second, { ...frame, element: { value: list[index] ?? null, index, accumulator } });
  return loop(name, list, at, third, frame);
}

function loop(
  name: string,
  list: readonly unknown[],
  at: (index: number, accumulator?: unknown) => unknown,
  initial: Node | undefined,
  frame: Frame,
): unknown {
  const indexes = list.map((_, index) => index);
  const holds = (index: number): boolean => wantBool(at(index));
  switch (name) {
    case 'any':
      return indexes.some(holds);
    case 'all':
      return indexes.every(holds);
    case 'none':
      return !indexes.some(holds);
    case 'count':
      return BigInt(indexes.filter(holds).length);
    case 'filter':
      return indexes.filter(holds).map((index) => list[index]);
    case 'map':
      return indexes.map((index) => at(index));
    case 'find':
      return list[indexes.findIndex(holds)] ?? null;
    case 'findIndex': {
      const found = indexes.findIndex(holds);
      return found === -1 ? null : BigInt(found);
    }
    case 'sum':
      return indexes.map((index) => at(index)).reduce((total, term) => arithmetic('+', total, term), 0n);
    case 'reduce': {
      if (list.length === 0 && initial === undefined) return fail('nothing to reduce');
      let accumulator = initial === undefined ? list[0] : walk(initial, frame);
      for (const index of indexes.slice(initial === undefined ? 1 : 0)) accumulator = at(index, accumulator);
      return accumulator;
    }
    default:
      return fail(`the model does not know ${name}`);
  }
}
