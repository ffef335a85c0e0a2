/** Loops over predicates: `any(list, {…})` and its like, and the lists, maps and variables that expressions make. */
import { add } from './arithmetic.ts';
import type { BuiltinNode, Node } from './ast.ts';
import { orderSign } from './builtins/collections.ts';
import { type Code, type Context, dynamicCode, type Locals, located, type PredicateFrame, type Run } from './code.ts';
import { fileMatch } from './compile-file-match.ts';
import { literalFile } from './compile-in.ts';
import { readerOf } from './readers.ts';
import type { Scope } from './scope.ts';
import { anyType } from './types.ts';
import { compare, goType, ValueError } from './values.ts';

/** One predicate over one list, ready to be run by a loop. */
interface Loop {
  /** The list, with its length taken from the budget of steps. */
  readonly list: (scope: Scope, locals: Locals) => readonly unknown[];
  /** What the predicate gives for the element at `index`. */
  readonly at: (scope: Scope, locals: Locals, list: readonly unknown[], index: number) => unknown;
  readonly frame: PredicateFrame;
  readonly element: (item: unknown) => unknown;
}

type LoopRun = (loop: Loop, scope: Scope, locals: Locals, extra: Run | undefined) => unknown;

export function compilePredicateCall(node: BuiltinNode, context: Context): Code {
  const direct = node.name === 'any' ? fileMatch(node, context) : null;
  if (direct !== null) return dynamicCode(direct);
  const loop = compileLoop(node, context);
  const extra = node.args[2] === undefined ? undefined : context.run(node.args[2]);
  const run = loops[node.name];
  if (run === undefined) throw new Error(`builtin ${node.name} vanished after checking`);
  const { source } = context;
  return dynamicCode((scope, locals) => {
    try {
      return run(loop, scope, locals, extra);
    } catch (thrown) {
      throw located(source, node.at, thrown);
    }
  });
}

function compileLoop(node: BuiltinNode, context: Context): Loop {
  const [collection, predicate] = node.args;
  if (collection === undefined) throw new Error(`builtin ${node.name} has no argument after checking`);
  const items = context.run(collection);
  const type = context.typeOf(collection);
  const elementType = type.kind === 'array' ? type.element : anyType;
  const frame: PredicateFrame = {
    element: context.slot(),
    index: context.slot(),
    accumulator: context.slot(),
    fileList: literalFile(collection, context) === null ? null : context.slot(),
  };
  context.predicates.push(frame);
  const body = predicate?.kind === 'predicate' ? context.run(predicate.body) : null;
  context.predicates.pop();
  const element = readerOf(elementType);
  const { fileList } = frame;
  return {
    frame,
    element,
    list: (scope, locals) => {
      const list = items(scope, locals);
      if (!Array.isArray(list)) throw new ValueError(`builtin ${node.name} takes only array (got ${goType(list)})`);
      locals.takeSteps(list.length);
      if (fileList !== null) locals.slots[fileList] = list;
      return list as readonly unknown[];
    },
    at: (scope, locals, list, index) => {
      const item = element(list[index]);
      if (body === null) return item;
      locals.slots[frame.element] = item;
      locals.slots[frame.index] = index;
      // A loop inside the body may run over the same file with slots of its own, so the list need not be set again.
      return body(scope, locals);
    },
  };
}

function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new ValueError(`predicate should return boolean (got ${goType(value)})`);
  return value;
}

/** The index of the first element, or the last, for which the predicate holds; -1 without one. */
function search(loop: Loop, scope: Scope, locals: Locals, list: readonly unknown[], backwards: boolean): number {
  for (let step = 0; step < list.length; step++) {
    const index = backwards ? list.length - 1 - step : step;
    if (truth(loop.at(scope, locals, list, index))) return index;
  }
  return -1;
}

function holdingCount(loop: Loop, scope: Scope, locals: Locals, most: number): number {
  const list = loop.list(scope, locals);
  let count = 0;
  for (let index = 0; index < list.length && count <= most; index++)
    if (truth(loop.at(scope, locals, list, index))) count++;
  return count;
}

function found(loop: Loop, scope: Scope, locals: Locals, backwards: boolean): unknown {
  const list = loop.list(scope, locals);
  const index = search(loop, scope, locals, list, backwards);
  return index === -1 ? null : loop.element(list[index]);
}

function foundIndex(loop: Loop, scope: Scope, locals: Locals, backwards: boolean): unknown {
  const index = search(loop, scope, locals, loop.list(scope, locals), backwards);
  return index === -1 ? null : BigInt(index);
}

/** What the predicate gives for each element, in order. */
function mapped(loop: Loop, scope: Scope, locals: Locals, list: readonly unknown[]): unknown[] {
  locals.takeElements(list.length);
  const results: unknown[] = [];
  for (let index = 0; index < list.length; index++) results.push(loop.at(scope, locals, list, index));
  return results;
}

const loops: Readonly<Record<string, LoopRun>> = {
  any: (loop, scope, locals) => search(loop, scope, locals, loop.list(scope, locals), false) !== -1,
  none: (loop, scope, locals) => search(loop, scope, locals, loop.list(scope, locals), false) === -1,
  all: (loop, scope, locals) => {
    const list = loop.list(scope, locals);
    for (let index = 0; index < list.length; index++) if (!truth(loop.at(scope, locals, list, index))) return false;
    return true;
  },
  one: (loop, scope, locals) => holdingCount(loop, scope, locals, 1) === 1,
  count: (loop, scope, locals) => BigInt(holdingCount(loop, scope, locals, Number.POSITIVE_INFINITY)),
  filter: (loop, scope, locals) => {
    const list = loop.list(scope, locals);
    const kept: unknown[] = [];
    for (let index = 0; index < list.length; index++) {
      if (truth(loop.at(scope, locals, list, index))) kept.push(loop.element(list[index]));
    }
    locals.takeElements(kept.length);
    return kept;
  },
  map: (loop, scope, locals) => mapped(loop, scope, locals, loop.list(scope, locals)),
  find: (loop, scope, locals) => found(loop, scope, locals, false),
  findLast: (loop, scope, locals) => found(loop, scope, locals, true),
  findIndex: (loop, scope, locals) => foundIndex(loop, scope, locals, false),
  findLastIndex: (loop, scope, locals) => foundIndex(loop, scope, locals, true),
  sum: (loop, scope, locals) => {
    const list = loop.list(scope, locals);
    let total: unknown = 0n;
    for (let index = 0; index < list.length; index++) {
      const term = loop.at(scope, locals, list, index);
      if (typeof term !== 'bigint' && typeof term !== 'number') throw new ValueError(`cannot sum ${goType(term)}`);
      total = add(total, term);
    }
    return total;
  },
  groupBy: (loop, scope, locals) => {
    const list = loop.list(scope, locals);
    const keys = mapped(loop, scope, locals, list);
    const groups = new Map<unknown, unknown[]>();
    for (const [index, key] of keys.entries()) {
      if (typeof key === 'object' && key !== null) throw new ValueError(`cannot group by ${goType(key)}`);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [loop.element(list[index])]);
      else group.push(loop.element(list[index]));
    }
    return groups;
  },
  sortBy: (loop, scope, locals, order) => {
    const sign = order === undefined ? 1 : orderSign(order(scope, locals));
    const list = loop.list(scope, locals);
    const keys = mapped(loop, scope, locals, list);
    const places = keys.map((_, index) => index).sort((left, right) => sign * compare(keys[left], keys[right], '<'));
    return places.map((place) => loop.element(list[place]));
  },
  reduce: (loop, scope, locals, initial) => {
    const list = loop.list(scope, locals);
    if (list.length === 0 && initial === undefined) throw new ValueError('reduce of empty array with no initial value');
    const { accumulator } = loop.frame;
    locals.slots[accumulator] = initial === undefined ? loop.element(list[0]) : initial(scope, locals);
    for (let index = initial === undefined ? 1 : 0; index < list.length; index++) {
      locals.slots[accumulator] = loop.at(scope, locals, list, index);
    }
    return locals.slots[accumulator];
  },
};

/** `#`, `#index`, `#acc`. */
export function compilePointer(node: Node & { kind: 'pointer' }, context: Context): Code {
  const frame = context.predicates.at(-1);
  if (frame === undefined) throw new Error('a pointer outside a predicate passed the checks');
  if (node.name === 'index') return dynamicCode((_, locals) => BigInt(locals.slots[frame.index] as number));
  const slot = node.name === 'acc' ? frame.accumulator : frame.element;
  return dynamicCode((_, locals) => locals.slots[slot]);
}
