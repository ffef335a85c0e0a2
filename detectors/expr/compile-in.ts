/** `in`: elements of lists, keys of maps, fields of structures. Lists of literals and data files become sets. */
import { rangeLength } from './arithmetic.ts';
import type { BinaryNode, Node } from './ast.ts';
import { type Code, type Context, dynamicCode, type Run } from './code.ts';
import { compare, equal, goType, hasKey, isMap, isNumber, ValueError } from './values.ts';

export function compileIn(node: BinaryNode, context: Context): Code {
  const left = context.compile(node.left);
  if (node.right.kind === 'binary' && node.right.operator === '..')
    return compileInRange(node, node.right, left, context);
  const right = context.compile(node.right);
  const type = context.typeOf(node.right);
  if (type.kind === 'struct') {
    const fields = new Set(Object.keys(type.fields()));
    return dynamicCode((scope, locals) => fields.has(left.run(scope, locals) as string));
  }
  const set = right.constant === null ? null : setOf(right.constant.value);
  if (set !== null) {
    const { run } = left;
    const isText = context.typeOf(node.left).kind === 'string';
    return context.pure(
      [left],
      isText ? (scope, locals) => set.has(run(scope, locals)) : (scope, locals) => set.has(setKey(run(scope, locals))),
    );
  }
  const file = literalFile(node.right, context);
  if (file !== null && context.typeOf(node.left).kind === 'string') return inFile(left, right);
  const run = context.located(node.at, (scope, locals) => isIn(left.run(scope, locals), right.run(scope, locals)));
  return context.pure([left, right], run);
}

/** The name in `File('name')`, or null. */
export function literalFile(node: Node, context: Context): string | null {
  if (node.kind !== 'call' || node.callee.kind !== 'identifier' || node.callee.name !== 'File') return null;
  const [argument] = node.args;
  const constant = argument === undefined ? null : context.compile(argument).constant;
  return typeof constant?.value === 'string' ? constant.value : null;
}

function isIn(value: unknown, collection: unknown): boolean {
  if (collection === null || collection === undefined) return false;
  if (Array.isArray(collection)) {
    for (const item of collection) if (equal(value, item)) return true;
    return false;
  }
  if (isMap(collection)) return value !== null && hasKey(collection, value);
  throw new ValueError(`operator "in" not defined on ${goType(collection)}`);
}

/** Scalars as members of a set; numbers of both kinds are one. */
function setKey(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : (value ?? null);
}

function setOf(value: unknown): ReadonlySet<unknown> | null {
  if (!Array.isArray(value)) return null;
  const items: readonly unknown[] = value;
  const scalar = items.every((item) => {
    if (typeof item === 'bigint') return Number.isSafeInteger(Number(item));
    // NaN equals nothing, but a set would find it.
    return (
      item === null ||
      typeof item === 'string' ||
      typeof item === 'boolean' ||
      (typeof item === 'number' && !Number.isNaN(item))
    );
  });
  return scalar ? new Set(items.map(setKey)) : null;
}

/** The set of a file's lines is made anew only when the file's list is another one. */
function inFile(left: Code, right: Code): Code {
  let lines: unknown = null;
  let set: ReadonlySet<unknown> = new Set();
  const run: Run = (scope, locals) => {
    const current = right.run(scope, locals);
    if (current !== lines && Array.isArray(current)) {
      set = new Set(current);
      lines = current;
    }
    return set.has(left.run(scope, locals));
  };
  return dynamicCode(run);
}

/** Without making the list. */
function compileInRange(node: BinaryNode, range: BinaryNode, left: Code, context: Context): Code {
  const from = context.compile(range.left);
  const to = context.compile(range.right);
  const run = context.located(node.at, (scope, locals) => {
    const value = left.run(scope, locals);
    const first = from.run(scope, locals);
    const last = to.run(scope, locals);
    if (rangeLength(first, last) === 0 || !isNumber(value)) return false;
    const whole = typeof value === 'bigint' || Number.isInteger(value);
    return whole && compare(value, first, '>=') >= 0 && compare(value, last, '<=') <= 0;
  });
  return context.pure([left, from, to], run);
}
