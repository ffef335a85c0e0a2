/** Calls of helpers and of builtins without a predicate. */
import type { BuiltinNode, CallNode, Node } from './ast.ts';
import { type Code, type Context, dynamicCode, located, type PredicateFrame, type Run } from './code.ts';
import { checkArguments } from './compile-member.ts';
import type { Helper } from './helper.ts';
import { assignable, isAny, type Type } from './types.ts';

/** A helper call. The name is known: the checker has seen it. */
export function compileHelperCall(node: CallNode, name: string, context: Context): Code {
  const helper = context.tools.helpers[name];
  if (helper === undefined) throw new Error(`helper ${name} vanished after checking`);
  const parts = node.args.map((arg) => context.compile(arg));
  const call = guarded(node.at, callRun(node, name, helper, parts, context), context);
  if (helper.pure !== true) return dynamicCode(call);
  const remembered = lineColumn(node, call, context) ?? repeated(name, node, call, context);
  return context.pure(parts, remembered);
}

function guarded(at: number, run: Run, context: Context): Run {
  const { source } = context;
  return (scope, locals) => {
    try {
      return run(scope, locals);
    } catch (thrown) {
      throw located(source, at, thrown);
    }
  };
}

/** One closure for each usual number of arguments, so that no list is made; arguments of unknown type are checked. */
function callRun(node: CallNode, name: string, helper: Helper, parts: readonly Code[], context: Context): Run {
  const { parameters } = helper;
  const run = helper.run as (...args: unknown[]) => unknown;
  const runs = parts.map((part) => part.run);
  const isKnown = node.args.every((arg, index) => {
    const wanted = parameters[Math.min(index, parameters.length - 1)] ?? { kind: 'any' };
    return isCertain(context.typeOf(arg), wanted);
  });
  const [first, second, third] = runs;
  if (isKnown && first && runs.length === 1) return (scope, locals) => run(first(scope, locals)) ?? null;
  if (isKnown && first && second && runs.length === 2) {
    return (scope, locals) => run(first(scope, locals), second(scope, locals)) ?? null;
  }
  if (isKnown && first && second && third && runs.length === 3) {
    return (scope, locals) => run(first(scope, locals), second(scope, locals), third(scope, locals)) ?? null;
  }
  return (scope, locals) => {
    const values = runs.map((argument) => argument(scope, locals));
    checkArguments(name, values, parameters);
    return run(...values) ?? null;
  };
}

/** Whether a value of the static type needs no check. Lists and structures may hold anything, so they are looked at. */
function isCertain(type: Type, wanted: Type): boolean {
  if (isAny(wanted)) return true;
  return (
    !isAny(type) && (type.kind === 'string' || type.kind === 'bool' || type.kind === 'int') && assignable(type, wanted)
  );
}

/**
 * Inside a loop over a data file, what is made of a line alone is made once: a column beside the file's lines, dropped when
 * the file's list is another one.
 */
function lineColumn(node: CallNode, call: Run, context: Context): Run | null {
  const frame = context.predicates.at(-1);
  if (frame?.fileList === null || frame === undefined || !node.args.some(isElement)) return null;
  if (!node.args.every((arg) => isElement(arg) || context.compile(arg).constant !== null)) return null;
  return columnRun(frame, frame.fileList, call);
}

function isElement(node: Node): boolean {
  return node.kind === 'pointer' && node.name === '';
}

function columnRun(frame: PredicateFrame, listSlot: number, call: Run): Run {
  let list: unknown = null;
  let column: unknown[] = [];
  return (scope, locals) => {
    const current = locals.slots[listSlot];
    if (current !== list) {
      list = current;
      column = [];
    }
    const index = locals.slots[frame.index] as number;
    const known = column[index];
    if (known !== undefined) return known;
    const value = call(scope, locals);
    column[index] = value;
    return value;
  };
}

/** Helpers of one text whose answers are worth keeping. */
const textHelpers: ReadonlySet<string> = new Set(['Upper', 'Lower', 'PathUnescape', 'QueryUnescape', 'TrimSpace']);

/** `Upper(evt.Meta.http_path)` is asked by dozens of scenarios for one event; the last answer of each such text is kept. */
function repeated(name: string, node: CallNode, call: Run, context: Context): Run {
  const [argument] = node.args;
  const path = argument === undefined || !textHelpers.has(name) ? null : eventText(argument);
  if (path === null || argument === undefined) return call;
  const memo = context.tools.lastAnswer(`${name}(${path})`);
  const text = context.run(argument);
  return (scope, locals) => {
    const value = text(scope, locals);
    if (value === memo.text && value !== null) return memo.answer;
    const answer = call(scope, locals);
    if (typeof value === 'string' && typeof answer === 'string') {
      memo.text = value;
      memo.answer = answer;
    }
    return answer;
  };
}

/** A name for a text of the event, also one that has gone through these helpers. */
function eventText(node: Node): string | null {
  if (node.kind === 'identifier') return node.name === 'evt' ? 'evt' : null;
  if (node.kind === 'call' && node.callee.kind === 'identifier' && textHelpers.has(node.callee.name)) {
    const inner = node.args[0] === undefined ? null : eventText(node.args[0]);
    return inner === null ? null : `${node.callee.name}(${inner})`;
  }
  if (node.kind !== 'member' || node.property.kind !== 'string') return null;
  const before = eventText(node.object);
  return before === null ? null : `${before}.${node.property.value}`;
}

export function compileBuiltin(node: BuiltinNode, context: Context): Code {
  const builtin = context.tools.builtins[node.name];
  const run = builtin?.run as ((...args: unknown[]) => unknown) | undefined;
  if (builtin === undefined || run === undefined) throw new Error(`builtin ${node.name} vanished after checking`);
  const parts = node.args.map((arg) => context.compile(arg));
  const runs = parts.map((part) => part.run);
  const [first, second] = runs;
  const makesList = listMakers.has(node.name);
  if (makesList) context.needsLocals = true;
  const call: Run =
    first && runs.length === 1 && !makesList
      ? (scope, locals) => run(first(scope, locals)) ?? null
      : first && second && runs.length === 2 && !makesList
        ? (scope, locals) => run(first(scope, locals), second(scope, locals)) ?? null
        : (scope, locals) => {
            const result = run(...runs.map((argument) => argument(scope, locals))) ?? null;
            if (makesList && Array.isArray(result)) locals.takeElements(result.length);
            return result;
          };
  const code = guarded(node.at, call, context);
  return builtin.impure === true || makesList ? dynamicCode(code) : context.pure(parts, code);
}

/** Builtins that may make lists longer than those they are given; their elements count against the budget. */
const listMakers: ReadonlySet<string> = new Set(['concat', 'flatten']);
