/** One node to one closure: which part of the compiler makes it. */
import type { Node } from './ast.ts';
import { type Code, constantCode, type Context, dynamicCode, type Run } from './code.ts';
import { compileBuiltin, compileHelperCall } from './compile-calls.ts';
import { compileChain, compileMember, compileMethodCall, compileSlice } from './compile-member.ts';
import { compileBinary, compileComparisons, compileConditional, compileUnary } from './compile-operators.ts';
import { compilePointer, compilePredicateCall } from './compile-predicates.ts';
import { predicateShapes } from './grammar.ts';
import type { Scope } from './scope.ts';
import { goType, setOwn, ValueError } from './values.ts';

export function compileNode(node: Node, context: Context): Code {
  switch (node.kind) {
    case 'nil':
      return constantCode(null);
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
      return constantCode(node.value);
    case 'identifier':
      return compileIdentifier(node.name, context);
    case 'pointer':
      return compilePointer(node, context);
    case 'unary':
      return compileUnary(node, context);
    case 'binary':
      return compileBinary(node, context);
    case 'comparisons':
      return compileComparisons(node, context);
    case 'member':
      return compileMember(node, context);
    case 'chain':
      return compileChain(node, context);
    case 'slice':
      return compileSlice(node, context);
    case 'call':
      if (node.callee.kind === 'member') return compileMethodCall(node, node.callee, context);
      return compileHelperCall(node, node.callee.kind === 'identifier' ? node.callee.name : '', context);
    case 'builtin':
      return predicateShapes.has(node.name) ? compilePredicateCall(node, context) : compileBuiltin(node, context);
    case 'predicate':
      return context.compile(node.body);
    case 'conditional':
      return compileConditional(node, context);
    case 'array':
      return compileArray(node.items, node.at, context);
    case 'map':
      return compileMap(node, context);
    case 'let':
      return compileLet(node, context);
    case 'sequence':
      return compileSequence(node.items, context);
    default:
      return node satisfies never;
  }
}

function compileIdentifier(name: string, context: Context): Code {
  const variable = context.variables.findLast((one) => one.name === name);
  if (variable !== undefined) {
    const { slot } = variable;
    return dynamicCode((_, locals) => locals.slots[slot]);
  }
  if (name === 'evt') return dynamicCode((scope) => scope.evt ?? null);
  return dynamicCode((scope) => (scope as Readonly<Record<string, unknown>>)[name] ?? null);
}

function compileArray(items: readonly Node[], at: number, context: Context): Code {
  const parts = items.map((item) => context.compile(item));
  if (parts.every(({ constant }) => constant !== null)) {
    return constantCode(Object.freeze(parts.map(({ constant }) => constant?.value)));
  }
  context.needsLocals = true;
  const runs = parts.map(({ run }) => run);
  return dynamicCode(
    context.located(at, (scope, locals) => {
      locals.takeElements(runs.length);
      return runs.map((run) => run(scope, locals));
    }),
  );
}

function compileMap(node: Node & { kind: 'map' }, context: Context): Code {
  const entries = node.entries.map(({ key, value }) => ({ key: context.compile(key), value: context.compile(value) }));
  const make = (scope: Scope, locals: Parameters<Run>[1]): object => {
    const map: Record<string, unknown> = {};
    for (const { key, value } of entries) {
      const name = key.run(scope, locals);
      if (typeof name !== 'string') throw new ValueError(`a map key must be a string (got ${goType(name)})`);
      setOwn(map, name, value.run(scope, locals));
    }
    return map;
  };
  const isConstant = entries.every(
    ({ key, value }) => typeof key.constant?.value === 'string' && value.constant !== null,
  );
  if (isConstant) return context.pure([], (scope, locals) => Object.freeze(make(scope, locals)));
  context.needsLocals = true;
  return dynamicCode(
    context.located(node.at, (scope, locals) => {
      locals.takeElements(entries.length);
      return make(scope, locals);
    }),
  );
}

function compileLet(node: Node & { kind: 'let' }, context: Context): Code {
  const value = context.run(node.value);
  const slot = context.slot();
  context.variables.push({ name: node.name, slot });
  const body = context.run(node.body);
  context.variables.pop();
  return dynamicCode((scope, locals) => {
    locals.slots[slot] = value(scope, locals);
    return body(scope, locals);
  });
}

function compileSequence(items: readonly Node[], context: Context): Code {
  const runs = items.map((item) => context.run(item));
  return dynamicCode((scope, locals) => {
    let value: unknown = null;
    for (const run of runs) value = run(scope, locals);
    return value;
  });
}
