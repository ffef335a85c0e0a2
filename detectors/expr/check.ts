/**
 * Names and types before anything runs: an unknown name, a missing field or operands that can never be combined are
 * refused with their place. Along the way it notes which paths the expression reads and writes. One file, because every
 * rule needs the same state: the variables in scope, the element of the predicate, and the types found so far.
 */
import { type BinaryNode, type BuiltinNode, type CallNode, type MemberNode, type Node, startOf } from './ast.ts';
import { type Builtin, TypeMistake } from './builtin.ts';
import type { Environment } from './environment.ts';
import type { Helper, HelperTable } from './helper.ts';
import { methodsOf } from './methods.ts';
import { binaryType, maybe, maybeNumber } from './operator-types.ts';
import { InvalidExpression, nearest } from './source-error.ts';
import {
  anyArray,
  anyMap,
  anyType,
  arrayOf,
  assignable,
  boolType,
  floatType,
  intType,
  isAny,
  joined,
  type Method,
  nilType,
  stringType,
  type Type,
  typeText,
} from './types.ts';

export interface CheckOptions {
  readonly environment: Environment;
  readonly helpers: HelperTable;
  readonly builtins: Readonly<Record<string, Builtin>>;
  readonly expected: 'bool' | 'string' | 'any';
  /** Helpers that ask other servers may be called. */
  readonly mayWait: boolean;
}

export interface Checked {
  /** The static type of every node. */
  readonly types: ReadonlyMap<Node, Type>;
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** Data files named by a literal. */
  readonly files: ReadonlySet<string>;
}

/** How deep a tree may be; flat chains of one operator count once. */
const deepestTree = 600;

/** @throws InvalidExpression */
export function check(source: string, ast: Node, options: CheckOptions): Checked {
  return new Checker(source, options).run(ast);
}

interface Variable {
  readonly name: string;
  readonly type: Type;
}

interface Pointers {
  readonly element: Type;
  readonly accumulator: Type | null;
}

class Checker {
  readonly #source: string;
  readonly #options: CheckOptions;
  readonly #types = new Map<Node, Type>();
  readonly #reads = new Set<string>();
  readonly #writes = new Set<string>();
  readonly #files = new Set<string>();
  readonly #variables: Variable[] = [];
  readonly #pointers: Pointers[] = [];
  #depth = 0;

  constructor(source: string, options: CheckOptions) {
    this.#source = source;
    this.#options = options;
  }

  run(ast: Node): Checked {
    const type = this.#visit(ast);
    const { expected } = this.#options;
    if (expected !== 'any' && !maybe(type, expected)) {
      throw this.#error(startOf(ast), `expected ${expected}, but got ${typeText(type)}`);
    }
    return { types: this.#types, reads: this.#reads, writes: this.#writes, files: this.#files };
  }

  #error(at: number, message: string, remedy?: string): Error {
    return new InvalidExpression(this.#source, at, message, remedy);
  }

  /** `inner`: the node is the object of a member, whose longer path will be noted instead. */
  #visit(node: Node, inner = false): Type {
    if (++this.#depth > deepestTree) {
      throw this.#error(node.at, `expression is nested more than ${deepestTree} levels deep`);
    }
    const type = this.#typeOf(node, inner);
    this.#types.set(node, type);
    this.#depth--;
    return type;
  }

  #typeOf(node: Node, inner: boolean): Type {
    switch (node.kind) {
      case 'nil':
        return nilType;
      case 'bool':
        return boolType;
      case 'int':
        return intType;
      case 'float':
        return floatType;
      case 'string':
        return stringType;
      case 'identifier':
        return this.#identifier(node, inner);
      case 'pointer':
        return this.#pointer(node, inner);
      case 'unary':
        return this.#unary(node.operator, this.#visit(node.operand), node.at);
      case 'binary':
        return this.#binary(node);
      case 'comparisons':
        return this.#comparisons(node);
      case 'member':
        return this.#member(node, inner);
      case 'chain': {
        // A chain may end early with nil, so that even a known type is not certain.
        this.#visit(node.body, inner);
        return anyType;
      }
      case 'slice':
        return this.#slice(node);
      case 'call':
        return this.#call(node);
      case 'builtin':
        return this.#builtin(node);
      case 'predicate':
        throw this.#error(node.at, 'a predicate may only be an argument of a function that takes one');
      case 'conditional': {
        const test = this.#visit(node.test);
        if (!maybe(test, 'bool')) {
          throw this.#error(startOf(node.test), `non-bool expression (type ${typeText(test)}) used as condition`);
        }
        return joined(this.#visit(node.then), this.#visit(node.otherwise));
      }
      case 'array':
        return this.#array(node.items);
      case 'map':
        return this.#map(node);
      case 'let':
        return this.#declaration(node);
      case 'sequence':
        return node.items.map((item) => this.#visit(item)).at(-1) ?? nilType;
      default:
        return node satisfies never;
    }
  }

  #identifier(node: Node & { kind: 'identifier' }, inner: boolean): Type {
    const { name } = node;
    const variable = this.#variable(name);
    if (variable) {
      if (!inner) this.#note(this.#path(node), variable.type);
      return variable.type;
    }
    const { names } = this.#options.environment;
    if (!Object.hasOwn(names, name)) throw this.#unknown(node.at, name, '', Object.keys(names));
    const type = names[name] ?? anyType;
    if (name === 'queue') this.#reads.add('queue');
    else if (!inner) this.#note(name, type);
    return type;
  }

  #variable(name: string): Variable | undefined {
    return this.#variables.findLast((variable) => variable.name === name);
  }

  #unknown(at: number, name: string, prefix: string, candidates: Iterable<string>): Error {
    const close = nearest(name, candidates);
    const remedy = close === null ? undefined : `Did you mean ${prefix}${close}?`;
    return this.#error(at, `unknown name ${prefix}${name}`, remedy);
  }

  #pointer(node: Node & { kind: 'pointer' }, inner: boolean): Type {
    const scope = this.#pointers.at(-1);
    if (!scope) throw this.#error(node.at, 'cannot use pointer accessor outside predicate');
    if (node.name === 'index') return intType;
    if (node.name === 'acc') {
      if (scope.accumulator === null) throw this.#error(node.at, 'unknown pointer #acc');
      return scope.accumulator;
    }
    if (node.name !== '') throw this.#error(node.at, `unknown pointer #${node.name}`);
    this.#types.set(node, scope.element);
    if (!inner) this.#note(this.#path(node), scope.element);
    return scope.element;
  }

  #unary(operator: string, operand: Type, at: number): Type {
    if (operator === 'not') {
      if (maybe(operand, 'bool')) return boolType;
    } else if (maybeNumber(operand)) return operand;
    throw this.#error(at, `invalid operation: ${operator} (mismatched type ${typeText(operand)})`);
  }

  /** Walks down the left side in a loop: a chain of thousands of `or` is usual. */
  #binary(node: BinaryNode): Type {
    const spine: BinaryNode[] = [node];
    let turns = 0;
    let left = node.left;
    for (let above = node; left.kind === 'binary'; left = left.left) {
      if (left.operator !== above.operator || !flat.has(left.operator)) turns++;
      if (turns + this.#depth > deepestTree) {
        throw this.#error(left.at, `expression is nested more than ${deepestTree} levels deep`);
      }
      spine.push(left);
      above = left;
    }
    let type = this.#visit(left);
    for (const part of spine.toReversed()) {
      type = this.#joinOperands(part, type);
      this.#types.set(part, type);
    }
    return type;
  }

  #joinOperands(node: BinaryNode, left: Type): Type {
    const keyed = node.operator === 'in' && node.left.kind === 'string' ? node.left.value : null;
    const right = this.#visit(node.right, keyed !== null && this.#path(node.right) !== null);
    if (keyed !== null) this.#noteKey(node.right, right, keyed);
    const type = binaryType(node.operator, left, right);
    if (type !== null) return type;
    throw this.#error(
      node.at,
      `invalid operation: ${node.operator} (mismatched types ${typeText(left)} and ${typeText(right)})`,
    );
  }

  #comparisons(node: Node & { kind: 'comparisons' }): Type {
    const types = node.operands.map((operand) => this.#visit(operand));
    for (const [index, { operator, at }] of node.operators.entries()) {
      const left = types[index] ?? anyType;
      const right = types[index + 1] ?? anyType;
      if (binaryType(operator, left, right) === null) {
        const shown = `${typeText(left)} and ${typeText(right)}`;
        throw this.#error(at, `invalid operation: ${operator} (mismatched types ${shown})`);
      }
    }
    return boolType;
  }

  #member(node: MemberNode, inner: boolean): Type {
    const object = this.#visit(node.object, true);
    const property = this.#visit(node.property);
    const type = this.#memberType(node, object, property);
    this.#types.set(node, type);
    if (!inner) this.#note(this.#path(node), type);
    return type;
  }

  #memberType(node: MemberNode, object: Type, property: Type): Type {
    switch (object.kind) {
      case 'any':
        return anyType;
      case 'map':
        if (!maybe(property, 'string') && property.kind !== 'nil') {
          throw this.#error(node.at, `cannot use ${typeText(property)} to get an element from ${typeText(object)}`);
        }
        return object.value;
      case 'array':
        if (maybe(property, 'int')) return object.element;
        throw this.#error(node.at, `array elements can only be selected using an integer (got ${typeText(property)})`);
      case 'string':
        if (maybe(property, 'int') && node.property.kind !== 'string') return intType;
        break;
      case 'struct':
        return this.#field(node, object);
      case 'nil':
        throw this.#error(node.at, `cannot fetch ${propertyText(node.property)} from nil`);
      default:
        break;
    }
    throw this.#error(node.at, `type ${typeText(object)} has no field ${propertyText(node.property)}`);
  }

  #field(node: MemberNode, object: Type & { kind: 'struct' }): Type {
    if (node.property.kind !== 'string') {
      throw this.#error(node.at, `type ${object.name} has no field that is only known at run time`);
    }
    const fields = object.fields();
    const name = node.property.value;
    if (Object.hasOwn(fields, name)) return fields[name] ?? anyType;
    const path = this.#path(node.object);
    if (path === null || path.includes('*')) {
      const close = nearest(name, Object.keys(fields));
      const remedy = close === null ? undefined : `Did you mean ${close}?`;
      throw this.#error(node.at, `type ${object.name} has no field ${name}`, remedy);
    }
    const candidates = [...Object.keys(fields), ...Object.keys(object.methods)];
    throw this.#unknown(startOf(node), name, `${this.#written(node.object) ?? path}.`, candidates);
  }

  /** The dotted text of a plain chain of names as the source has it, for messages. */
  #written(node: Node): string | null {
    if (node.kind === 'identifier') return node.name;
    if (node.kind !== 'member' || node.property.kind !== 'string') return null;
    const before = this.#written(node.object);
    return before === null ? null : `${before}.${node.property.value}`;
  }

  #slice(node: Node & { kind: 'slice' }): Type {
    const object = this.#visit(node.object);
    for (const bound of [node.from, node.to]) {
      const type = bound === null ? intType : this.#visit(bound);
      if (!maybe(type, 'int')) {
        throw this.#error(startOf(bound ?? node), `non-integer slice index ${typeText(type)}`);
      }
    }
    if (isAny(object) || object.kind === 'array' || object.kind === 'string') return object;
    throw this.#error(node.at, `cannot slice ${typeText(object)}`);
  }

  #array(items: readonly Node[]): Type {
    const types = items.map((item) => this.#visit(item));
    const [first] = types;
    if (first === undefined) return anyArray;
    return arrayOf(types.reduce((common, type) => joined(common, type), first));
  }

  #map(node: Node & { kind: 'map' }): Type {
    for (const { key, value } of node.entries) {
      const type = this.#visit(key);
      if (!maybe(type, 'string')) throw this.#error(startOf(key), `a map key must be a string (got ${typeText(type)})`);
      this.#visit(value);
    }
    return anyMap;
  }

  #declaration(node: Node & { kind: 'let' }): Type {
    const { name } = node;
    const taken =
      (Object.hasOwn(this.#options.environment.names, name) && 'name') ||
      (Object.hasOwn(this.#options.builtins, name) && 'builtin') ||
      (Object.hasOwn(this.#options.helpers, name) && 'function') ||
      (this.#variable(name) && 'variable');
    if (taken) throw this.#error(node.at, `cannot redeclare ${taken === 'name' ? name : `${taken} ${name}`}`);
    const type = this.#visit(node.value);
    this.#variables.push({ name, type: type.kind === 'nil' ? anyType : type });
    const body = this.#visit(node.body);
    this.#variables.pop();
    return body;
  }

  #call(node: CallNode): Type {
    if (node.callee.kind === 'member') return this.#methodCall(node, node.callee);
    if (node.callee.kind !== 'identifier') throw this.#error(node.at, 'only names can be called');
    const { name } = node.callee;
    const { helpers, builtins } = this.#options;
    const helper = Object.hasOwn(helpers, name) ? helpers[name] : undefined;
    if (helper === undefined) {
      if (this.#variable(name) || Object.hasOwn(this.#options.environment.names, name)) {
        throw this.#error(node.at, `${name} is not callable`);
      }
      throw this.#unknown(node.at, name, '', [...Object.keys(helpers), ...Object.keys(builtins)]);
    }
    if (helper.waits === true && !this.#options.mayWait) {
      throw this.#error(
        node.at,
        `${name} cannot be used here: it waits for another server, which only parsers and postoverflows may do`,
      );
    }
    if (helper.missing !== undefined) {
      throw this.#error(node.at, `${name} cannot be used here: ${helper.missing}`);
    }
    const types = node.args.map((arg, index) => this.#visit(arg, index === helper.stores?.map));
    this.#arguments(node, name, helper, types);
    if (helper.stores) this.#noteStore(node, helper.stores);
    const firstFile = fileArgument[name];
    if (firstFile !== undefined) {
      for (const arg of node.args.slice(firstFile)) if (arg.kind === 'string') this.#files.add(arg.value);
    }
    return helper.returns;
  }

  #arguments(
    node: CallNode,
    name: string,
    signature: Pick<Helper, 'parameters' | 'optional' | 'variadic'>,
    types: readonly Type[],
  ): void {
    const { parameters } = signature;
    const least = parameters.length - (signature.optional ?? 0) - (signature.variadic ? 1 : 0);
    if (types.length < least) throw this.#error(node.at, `not enough arguments to call ${name}`);
    if (types.length > parameters.length && !signature.variadic) {
      throw this.#error(node.at, `too many arguments to call ${name}`);
    }
    for (const [index, type] of types.entries()) {
      const wanted = parameters[Math.min(index, parameters.length - 1)] ?? anyType;
      if (assignable(type, wanted) || (wanted.kind === 'float' && type.kind === 'int')) continue;
      throw this.#error(
        startOf(node.args[index] ?? node),
        `cannot use ${typeText(type)} as argument (type ${typeText(wanted)}) to call ${name}`,
      );
    }
  }

  #methodCall(node: CallNode, callee: MemberNode): Type {
    const object = this.#visit(callee.object, true);
    this.#types.set(callee, anyType);
    this.#types.set(callee.property, stringType);
    const types = node.args.map((arg) => this.#visit(arg));
    const name = propertyText(callee.property);
    if (isAny(object)) {
      this.#note(this.#path(callee.object), object);
      return anyType;
    }
    const methods = methodsOf(object);
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (method === undefined) {
      const close = nearest(name, Object.keys(methods));
      const remedy = close === null ? undefined : `Did you mean ${close}?`;
      throw this.#error(callee.at, `type ${typeText(object)} has no method ${name}`, remedy);
    }
    this.#arguments(node, name, method, types);
    this.#noteMethod(callee, method, node.args[0]);
    return method.returns;
  }

  #noteMethod(callee: MemberNode, method: Method, argument: Node | undefined): void {
    const path = this.#path(callee.object);
    if (path === null) return;
    const literal = argument?.kind === 'string' ? argument.value : '*';
    for (const read of method.reads?.(literal) ?? []) this.#reads.add(read === '' ? path : `${path}.${read}`);
    for (const write of method.writes?.(literal) ?? []) this.#writes.add(`${path}.${write}`);
    if (!method.reads && !method.writes) this.#reads.add(path);
  }

  #builtin(node: BuiltinNode): Type {
    const builtin = Object.hasOwn(this.#options.builtins, node.name) ? this.#options.builtins[node.name] : undefined;
    if (!builtin) throw this.#unknown(node.at, node.name, '', Object.keys(this.#options.builtins));
    if (node.args.length < builtin.least || node.args.length > builtin.most) {
      const wanted = builtin.least === builtin.most ? builtin.least : `${builtin.least} to ${builtin.most}`;
      throw this.#error(
        node.at,
        `invalid number of arguments for ${node.name} (expected ${wanted}, got ${node.args.length})`,
      );
    }
    const keyed = node.name === 'get' && node.args[1]?.kind === 'string' ? node.args[1].value : null;
    const types: Type[] = [];
    for (const [index, arg] of node.args.entries()) {
      if (arg.kind === 'predicate') types.push(this.#predicate(node, arg, types));
      else types.push(this.#visit(arg, index === 0 && keyed !== null && this.#path(arg) !== null));
    }
    const [collection] = node.args;
    if (keyed !== null && collection) this.#noteKey(collection, types[0] ?? anyType, keyed);
    try {
      return builtin.check(types, node.args);
    } catch (thrown) {
      if (!(thrown instanceof TypeMistake)) throw thrown;
      throw this.#error(startOf(node.args[thrown.argument] ?? node), thrown.message);
    }
  }

  /** The type that the predicate gives, with `#` standing for an element of the first argument. */
  #predicate(call: BuiltinNode, node: Node & { kind: 'predicate' }, before: readonly Type[]): Type {
    const collection = before[0] ?? anyType;
    if (!maybe(collection, 'array')) {
      const [first] = call.args;
      throw this.#error(startOf(first ?? call), `builtin ${call.name} takes only array (got ${typeText(collection)})`);
    }
    const element = collection.kind === 'array' ? collection.element : anyType;
    this.#pointers.push({ element, accumulator: call.name === 'reduce' ? anyType : null });
    const type = this.#visit(node.body);
    this.#types.set(node, type);
    this.#pointers.pop();
    return type;
  }

  /** Where the value of a node lives, as a dotted path; null when it is not a plain place. */
  #path(node: Node): string | null {
    const type = this.#types.get(node);
    if (type?.kind === 'struct' && type.name === 'types.Event') return 'evt';
    switch (node.kind) {
      case 'identifier':
        return this.#variable(node.name) || !Object.hasOwn(this.#options.environment.names, node.name)
          ? null
          : node.name;
      case 'chain':
        return this.#path(node.body);
      case 'member': {
        const before = this.#path(node.object);
        if (before === null || before.endsWith('*') || before === 'queue') return before;
        return node.property.kind === 'string' ? `${before}.${node.property.value}` : `${before}.*`;
      }
      default:
        return null;
    }
  }

  /** Notes a read; a whole map or structure means anything inside it. */
  #note(path: string | null, type: Type): void {
    if (path === null) return;
    const whole = (type.kind === 'map' || type.kind === 'struct') && path !== 'queue' && !path.endsWith('*');
    this.#reads.add(whole ? `${path}.*` : path);
  }

  #noteKey(node: Node, type: Type, key: string): void {
    const path = this.#path(node);
    if (path === null) return;
    this.#reads.add((type.kind === 'map' || type.kind === 'struct') && !path.endsWith('*') ? `${path}.${key}` : path);
  }

  #noteStore(node: CallNode, stores: { map: number; key: number }): void {
    const map = node.args[stores.map];
    const key = node.args[stores.key];
    const path = map === undefined ? null : this.#path(map);
    if (path !== null) this.#writes.add(`${path}.${key?.kind === 'string' ? key.value : '*'}`);
  }
}

/** Chains of these are compiled to loops, so that their length is not depth. */
const flat: ReadonlySet<string> = new Set(['or', 'and', '+']);

/** From which argument on the names of data files stand. */
const fileArgument: Readonly<Record<string, number>> = {
  File: 0,
  FileMap: 0,
  RegexpInFile: 1,
  LookupFile: 1,
  MatchKnownBot: 3,
};

function propertyText(node: Node): string {
  return node.kind === 'string' ? node.value : node.kind === 'int' ? String(node.value) : 'a computed name';
}
