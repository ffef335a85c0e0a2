/** Members, elements, slices and method calls, and the `?.` chains that they form. */
import type { CallNode, MemberNode, Node } from './ast.ts';
import { type Code, type Context, dynamicCode, located, type Run } from './code.ts';
import { methodsOf, methodsOfValue } from './methods.ts';
import { readerOf, readText } from './readers.ts';
import type { Scope } from './scope.ts';
import { ExpressionError } from './source-error.ts';
import { byteSlice } from './text.ts';
import type { Method, Type } from './types.ts';
import { fetch, goType, sliceBounds, sliceLength, ValueError } from './values.ts';

/** What a chain's links pass on once `?.` has met nil. */
const stop: unique symbol = Symbol('stop');

export function compileChain(node: Node & { kind: 'chain' }, context: Context): Code {
  const run = compileLink(node.body, context, true);
  return dynamicCode((scope, locals) => {
    const value = run(scope, locals);
    return value === stop ? null : value;
  });
}

export function compileMember(node: MemberNode, context: Context): Code {
  return dynamicCode(compileLink(node, context, false));
}

/** A node of a chain's spine; inside a chain it may give `stop`. */
function compileLink(node: Node, context: Context, inChain: boolean): Run {
  if (node.kind === 'member') return memberRun(node, context, inChain);
  if (node.kind === 'call' && node.callee.kind === 'member') return methodRun(node, node.callee, context, inChain);
  return context.run(node);
}

function memberRun(node: MemberNode, context: Context, inChain: boolean): Run {
  const direct = inChain ? null : eventField(node, context);
  if (direct !== null) return direct;
  const type = context.typeOf(node.object);
  const access = accessOf(node, type, context);
  return linked(node, access, context, inChain);
}

/** `access` on what the link before gives, with nil and `stop` taken care of. */
function linked(
  node: MemberNode,
  access: (object: unknown, scope: Scope, locals: never) => unknown,
  context: Context,
  inChain: boolean,
): Run {
  const object = compileLink(node.object, context, inChain);
  const read = access as (object: unknown, ...rest: Parameters<Run>) => unknown;
  const { optional } = node;
  if (!inChain) return (scope, locals) => read(object(scope, locals), scope, locals);
  return (scope, locals) => {
    const value = object(scope, locals);
    if (value === stop) return stop;
    if (optional && (value === null || value === undefined)) return stop;
    return read(value, scope, locals);
  };
}

/** `evt.Meta.key` and its like: the reads of the request path, in one closure. */
function eventField(node: MemberNode, context: Context): Run | null {
  const map = node.object;
  if (node.property.kind !== 'string' || map.kind !== 'member' || map.property.kind !== 'string') return null;
  const isEvent = map.object.kind === 'identifier' && map.object.name === 'evt' && isStruct(context.typeOf(map.object));
  const type = context.typeOf(map);
  if (!isEvent || type.kind !== 'map' || type.value.kind !== 'string') return null;
  const key = node.property.value;
  const name = map.property.value;
  const { source } = context;
  const absent = (): never => {
    throw new ExpressionError(source, map.at, `cannot fetch ${name} from <nil>`);
  };
  switch (name) {
    case 'Meta':
      return (scope) => readText((scope.evt ?? absent()).Meta[key]);
    case 'Parsed':
      return (scope) => readText((scope.evt ?? absent()).Parsed[key]);
    case 'Enriched':
      return (scope) => readText((scope.evt ?? absent()).Enriched[key]);
    default:
      return null;
  }
}

function isStruct(type: Type): boolean {
  return type.kind === 'struct';
}

type Access = (object: unknown, ...rest: Parameters<Run>) => unknown;

function accessOf(node: MemberNode, type: Type, context: Context): Access {
  const { source } = context;
  const { at } = node;
  if (type.kind === 'struct' && node.property.kind === 'string') return fieldAccess(node, type, context);
  if (type.kind === 'map' && node.property.kind === 'string') {
    const key = node.property.value;
    const read = readerOf(type.value);
    return (object) => {
      if (object === null || object === undefined) return read(undefined);
      return read(Object.hasOwn(object, key) ? Reflect.get(object, key) : undefined);
    };
  }
  const property = context.run(node.property);
  const read = type.kind === 'array' ? readerOf(type.element) : type.kind === 'map' ? readerOf(type.value) : null;
  const typedMap = type.kind === 'map';
  return (object, scope, locals) => {
    const key = property(scope, locals);
    try {
      if (typedMap && typeof key === 'string' && read !== null && !(object instanceof Map)) {
        const own = object !== null && object !== undefined && Object.hasOwn(object, key);
        return read(own ? Reflect.get(object, key) : undefined);
      }
      const value = fetch(object, key);
      return read === null ? value : read(value);
    } catch (thrown) {
      throw thrown instanceof ValueError ? new ExpressionError(source, at, thrown.message) : thrown;
    }
  };
}

function fieldAccess(node: MemberNode, type: Type & { kind: 'struct' }, context: Context): Access {
  const name = node.property.kind === 'string' ? node.property.value : '';
  const read = readerOf(type.fields()[name] ?? { kind: 'any' });
  const { source } = context;
  const { at } = node;
  return (object) => {
    if (object === null || object === undefined) {
      throw new ExpressionError(source, at, `cannot fetch ${name} from <nil>`);
    }
    return read((object as Readonly<Record<string, unknown>>)[name]);
  };
}

export function compileMethodCall(node: CallNode, callee: MemberNode, context: Context): Code {
  return dynamicCode(methodRun(node, callee, context, false));
}

function methodRun(node: CallNode, callee: MemberNode, context: Context, inChain: boolean): Run {
  const name = callee.property.kind === 'string' ? callee.property.value : '';
  const args = node.args.map((arg) => context.run(arg));
  const type = context.typeOf(callee.object);
  const methods = methodsOf(type);
  const known = Object.hasOwn(methods, name) ? methods[name] : undefined;
  const parameters = known?.parameters;
  const { source } = context;
  const { at } = node;
  const call: Access = (object, scope, locals) => {
    const method = known ?? dynamicMethod(object, name, args.length);
    if (object === null || object === undefined) throw new ValueError(`cannot call ${name} of <nil>`);
    const values = args.map((arg) => arg(scope, locals));
    checkArguments(name, values, parameters ?? method.parameters);
    return (method.call as (self: unknown, ...args: unknown[]) => unknown)(object, ...values) ?? null;
  };
  const guarded: Access = (object, scope, locals) => {
    try {
      return call(object, scope, locals);
    } catch (thrown) {
      throw located(source, at, thrown);
    }
  };
  return linked(callee, guarded, context, inChain);
}

function dynamicMethod(object: unknown, name: string, count: number): Method {
  const methods = methodsOfValue(object);
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) throw new ValueError(`type ${goType(object)} has no method ${name}`);
  if (count !== method.parameters.length) throw new ValueError(`wrong number of arguments to call ${name}`);
  return method;
}

/** Values whose type was not known when the call was checked. */
export function checkArguments(name: string, values: readonly unknown[], parameters: readonly Type[]): void {
  for (const [index, value] of values.entries()) {
    const wanted = parameters[Math.min(index, parameters.length - 1)];
    if (wanted === undefined || fits(value, wanted)) continue;
    throw new ValueError(`cannot use ${goType(value)} as argument (type ${wanted.kind}) to call ${name}`);
  }
}

/** Whether a value may be handed over where `type` is declared. */
export function fits(value: unknown, type: Type): boolean {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'bool':
      return typeof value === 'boolean';
    case 'array':
      return (
        Array.isArray(value) && (type.element.kind !== 'string' || value.every((item) => typeof item === 'string'))
      );
    case 'time':
      return goType(value) === 'time.Time';
    case 'duration':
      return goType(value) === 'time.Duration';
    case 'map':
      return typeof value === 'object' && value !== null && goType(value).startsWith('map[');
    case 'any':
    case 'nil':
    case 'zone':
    case 'struct':
      return true;
    default:
      return type satisfies never;
  }
}

export function compileSlice(node: Node & { kind: 'slice' }, context: Context): Code {
  const parts = [node.object, ...(node.from ? [node.from] : []), ...(node.to ? [node.to] : [])].map((part) =>
    context.compile(part),
  );
  const object = parts[0]?.run;
  const from = node.from ? parts[1]?.run : undefined;
  const to = node.to ? parts.at(-1)?.run : undefined;
  const bound = (run: Run | undefined, fallback: number, ...rest: Parameters<Run>): number => {
    if (run === undefined) return fallback;
    const value = run(...rest);
    if (typeof value === 'bigint') return Number(value);
    if (typeof value === 'number') return Math.trunc(value);
    throw new ValueError(`non-integer slice index ${goType(value)}`);
  };
  const run = context.located(node.at, (scope, locals) => {
    const value = object?.(scope, locals);
    const length = sliceLength(value);
    const [start, end] = sliceBounds(length, bound(from, 0, scope, locals), bound(to, length, scope, locals));
    return typeof value === 'string' ? byteSlice(value, start, end) : (value as unknown[]).slice(start, end);
  });
  return context.pure(parts, run);
}
