/**
 * Runs the trees of a template over a value. Nothing of the data is ever read as template text: values are only printed.
 * Specification: Go text/template/exec. What differs: a pointer is what it points at, so a text field of an alert can be
 * compared and formatted.
 */
import { GatewayError } from '../../../core/errors.ts';
import { coerceArgument } from './coerce-argument.ts';
import { formatValue } from './format-value.ts';
import type { ParsedTemplates } from './parser.ts';
import type { RenderContext } from './render-context.ts';
import type {
  BranchNode,
  CallNode,
  ChainNode,
  CommandNode,
  FunctionNode,
  OperandNode,
  PipeNode,
  TemplateNode,
} from './syntax-tree.ts';
import { runFault, TemplateError, ValueFault } from './template-error.ts';
import { timeMethods, TemplateTime } from './template-time.ts';
import {
  isList,
  isMap,
  isStruct,
  isTrue,
  type Result,
  sortedEntries,
  type TemplateFunction,
  type TemplateValue,
  typeName,
} from './values.ts';

export interface Evaluated {
  readonly name: string;
  readonly source: string;
  readonly parsed: ParsedTemplates;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
}

/** What flows into a command from the one before it. */
type Final = { readonly value: Result } | null;

type Jump = 'break' | 'continue' | null;

/** @throws TemplateError and nothing else. */
export function evaluateTemplate(template: Evaluated, data: TemplateValue, context: RenderContext): string {
  return new Evaluation(template, context).run(data);
}

class Evaluation {
  readonly #template: Evaluated;
  readonly #context: RenderContext;
  readonly #output: string[] = [];
  #bytes = 0;
  #variables: { readonly name: string; value: Result }[] = [];
  /** The name of the template that runs, for messages. */
  #running: string;
  #depth = 0;
  /** The part that is being evaluated. */
  #part: { readonly at: number; readonly end: number } = { at: 0, end: 0 };

  constructor(template: Evaluated, context: RenderContext) {
    this.#template = template;
    this.#context = context;
    this.#running = template.name;
  }

  run(data: TemplateValue): string {
    const dot = data ?? undefined;
    this.#variables.push({ name: '$', value: dot });
    try {
      this.#walk(this.#template.parsed.root, dot);
    } catch (thrown) {
      throw this.#asFault(thrown);
    }
    return this.#output.join('');
  }

  #asFault(thrown: unknown): TemplateError {
    if (thrown instanceof TemplateError) return thrown;
    const { name, source } = this.#template;
    const expected = thrown instanceof ValueFault || thrown instanceof GatewayError;
    // A stack that ran out is the only other thing that data can bring about.
    const reason = expected ? thrown.message : `it cannot be evaluated (${String(thrown).slice(0, 200)})`;
    return runFault(name, source, this.#part, this.#running, reason);
  }

  #walk(nodes: readonly TemplateNode[], dot: Result): Jump {
    for (const node of nodes) {
      const jump = this.#node(node, dot);
      if (jump !== null) return jump;
    }
    return null;
  }

  #node(node: TemplateNode, dot: Result): Jump {
    this.#part = node;
    this.#context.charge(1);
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return null;
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#print(value);
        return null;
      }
      case 'if':
      case 'with':
        return this.#conditional(node, dot);
      case 'range':
        return this.#range(node, dot);
      case 'template':
        this.#call(node, dot);
        return null;
      case 'break':
      case 'continue':
        return node.kind;
      default:
        return node satisfies never;
    }
  }

  #print(value: Result): void {
    if (value === undefined || value === null) this.#write('<no value>');
    else this.#write(typeof value === 'string' ? value : formatValue(value, this.#context));
  }

  #write(text: string): void {
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > this.#context.limits.textBytes) {
      throw new ValueFault(`the output grows beyond ${this.#context.limits.textBytes} bytes`);
    }
    this.#output.push(text);
  }

  #conditional(node: BranchNode, dot: Result): Jump {
    const mark = this.#variables.length;
    const value = this.#pipe(node.pipe, dot);
    const body = isTrue(value) ? node.body : (node.otherwise ?? []);
    const jump = this.#walk(body, node.kind === 'with' && isTrue(value) ? value : dot);
    this.#variables.length = mark;
    return jump;
  }

  #range(node: BranchNode, dot: Result): Jump {
    const mark = this.#variables.length;
    const over = this.#pipe(node.pipe, dot);
    const { variables, assigns } = node.pipe;
    const inner = this.#variables.length;
    let rounds = 0;
    for (const [key, element] of this.#elements(over)) {
      this.#context.charge(1);
      rounds++;
      // With one variable it is the element that it holds; over an integer it is the number itself.
      const values = variables.length === 2 ? [key, element] : [element];
      for (const [index, name] of variables.entries()) {
        if (assigns) this.#assign(name, values[index]);
        else this.#variables[inner - variables.length + index] = { name, value: values[index] };
      }
      const jump = this.#walk(node.body, element ?? undefined);
      this.#variables.length = inner;
      if (jump === 'break') break;
    }
    const jump = rounds === 0 && node.otherwise !== null ? this.#walk(node.otherwise, dot) : null;
    this.#variables.length = mark;
    return jump;
  }

  *#elements(over: Result): Generator<readonly [TemplateValue, TemplateValue]> {
    if (over === undefined || over === null) return;
    if (isList(over)) for (const [index, element] of over.entries()) yield [BigInt(index), element];
    else if (isMap(over)) yield* sortedEntries(over);
    else if (typeof over === 'bigint') for (let index = 0n; index < over; index++) yield [index, index];
    else throw new ValueFault(`range can't iterate over ${formatValue(over, this.#context)}`);
  }

  #call(node: CallNode, dot: Result): void {
    const nodes = this.#template.parsed.named.get(node.name);
    if (nodes === undefined) throw new ValueFault(`template ${JSON.stringify(node.name)} not defined`);
    this.#context.checkDepth(++this.#depth);
    const value = node.pipe === null ? undefined : this.#pipe(node.pipe, dot);
    const outer = { variables: this.#variables, running: this.#running };
    this.#variables = [{ name: '$', value: value ?? undefined }];
    this.#running = node.name;
    this.#walk(nodes, value ?? undefined);
    this.#variables = outer.variables;
    this.#running = outer.running;
    this.#depth--;
  }

  #pipe(pipe: PipeNode, dot: Result): Result {
    let final: Final = null;
    for (const command of pipe.commands) final = { value: this.#command(command, dot, final) };
    const value = final?.value;
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #assign(name: string, value: Result): void {
    const variable = this.#variables.findLast((each) => each.name === name);
    if (variable === undefined) throw new ValueFault(`undefined variable: ${name}`);
    variable.value = value;
  }

  #command(command: CommandNode, dot: Result, final: Final): Result {
    const [first, ...rest] = command.operands;
    if (first === undefined) return undefined;
    this.#part = first.kind === 'function' ? command : first;
    switch (first.kind) {
      case 'field':
        return this.#fields(dot, first.names, first, dot, rest, final);
      case 'variable':
        return this.#fields(this.#variable(first.name), first.names, first, dot, rest, final);
      case 'chain':
        return this.#chain(first, dot, rest, final);
      case 'function':
        return this.#function(first, dot, rest, final);
      case 'nil':
        throw new ValueFault('nil is not a command');
      default:
        this.#refuseArguments(first, rest, final);
        return this.#operand(first, dot);
    }
  }

  #refuseArguments(first: OperandNode, rest: readonly OperandNode[], final: Final): void {
    if (rest.length === 0 && final === null) return;
    const shown = this.#template.source.slice(first.at, first.end);
    throw new ValueFault(`can't give argument to non-function ${shown}`);
  }

  /** An operand as an argument: no arguments of its own. */
  #operand(node: OperandNode, dot: Result): Result {
    this.#context.charge(1);
    this.#part = node;
    switch (node.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
      case 'number':
        return node.value;
      case 'field':
        return this.#fields(dot, node.names, node, dot, [], null);
      case 'variable':
        return this.#fields(this.#variable(node.name), node.names, node, dot, [], null);
      case 'chain':
        return this.#chain(node, dot, [], null);
      case 'function':
        return this.#function(node, dot, [], null);
      case 'pipe':
        return this.#pipe(node, dot);
      default:
        return node satisfies never;
    }
  }

  #variable(name: string): Result {
    return this.#variables.findLast((each) => each.name === name)?.value;
  }

  #chain(node: ChainNode, dot: Result, rest: readonly OperandNode[], final: Final): Result {
    const base = this.#operand(node.base, dot);
    return this.#fields(base, node.names, node, dot, rest, final);
  }

  /** A path of fields; the last may be a method that takes the arguments. */
  #fields(
    start: Result,
    names: readonly string[],
    node: OperandNode,
    dot: Result,
    rest: readonly OperandNode[],
    final: Final,
  ): Result {
    if (names.length === 0) {
      this.#refuseArguments(node, rest, final);
      return start;
    }
    let value = start;
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      this.#part = node;
      value = this.#field(value, name, dot, isLast ? rest : [], isLast ? final : null);
    }
    return value;
  }

  #field(receiver: Result, name: string, dot: Result, rest: readonly OperandNode[], final: Final): Result {
    if (receiver === undefined) return undefined;
    if (receiver === null) throw new ValueFault(`nil pointer evaluating interface {}.${name}`);
    const hasArguments = rest.length > 0 || final !== null;
    const method = methodOf(receiver, name);
    if (method !== null) return this.#invoke(name, method, dot, rest, final);
    if (isStruct(receiver)) {
      const field = receiver.fields.get(name);
      if (field !== undefined) {
        if (hasArguments) throw new ValueFault(`${name} has arguments but cannot be invoked as function`);
        return field.value;
      }
    }
    if (isMap(receiver)) {
      if (hasArguments) throw new ValueFault(`${name} is not a method but has arguments`);
      return receiver.get(name);
    }
    throw new ValueFault(`can't evaluate field ${name} in type ${typeName(receiver)}`);
  }

  #function(node: FunctionNode, dot: Result, rest: readonly OperandNode[], final: Final): Result {
    if (node.name === 'and' || node.name === 'or') return this.#shortCircuit(node.name, dot, rest, final);
    const found = this.#template.functions.get(node.name);
    if (found === undefined) throw new ValueFault(`${JSON.stringify(node.name)} is not a defined function`);
    return this.#invoke(node.name, found, dot, rest, final);
  }

  /** The first argument that settles it; those after it are not evaluated. */
  #shortCircuit(name: 'and' | 'or', dot: Result, rest: readonly OperandNode[], final: Final): Result {
    if (rest.length === 0 && final === null) {
      throw new ValueFault(`wrong number of args for ${name}: want at least 1 got 0`);
    }
    let value: Result;
    for (const operand of rest) {
      value = this.#operand(operand, dot) ?? null;
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === null ? value : (final.value ?? null);
  }

  #invoke(
    name: string,
    { parameters, rest: restKind, run }: TemplateFunction,
    dot: Result,
    operands: readonly OperandNode[],
    final: Final,
  ): Result {
    const got = operands.length + (final === null ? 0 : 1);
    const want = parameters.length;
    if (restKind === null ? got !== want : got < want) {
      const atLeast = restKind === null ? '' : 'at least ';
      throw new ValueFault(`wrong number of args for ${name}: want ${atLeast}${want} got ${got}`);
    }
    const part = this.#part;
    const args: TemplateValue[] = [];
    for (const operand of operands) {
      const value = this.#operand(operand, dot);
      this.#part = operand;
      const isConstant = operand.kind === 'number' || operand.kind === 'literal';
      const literal = isConstant ? this.#template.source.slice(operand.at, operand.end) : null;
      args.push(coerceArgument(value, parameters[args.length] ?? restKind ?? 'any', literal));
    }
    if (final !== null) args.push(coerceArgument(final.value, parameters[args.length] ?? restKind ?? 'any', null));
    this.#part = part;
    this.#context.charge(1);
    try {
      return this.#bounded(run(args, this.#context));
    } catch (thrown) {
      if (!(thrown instanceof ValueFault) && !(thrown instanceof GatewayError)) throw thrown;
      throw new ValueFault(`error calling ${name}: ${thrown.message}`);
    }
  }

  /** What a function gives counts by its size, so that a loop cannot pile up more than it may print. */
  #bounded(value: TemplateValue): TemplateValue {
    if (typeof value === 'string') this.#context.reserve(value.length);
    else if (isList(value)) this.#context.charge(value.length >> 3);
    else if (isMap(value)) this.#context.charge(value.size >> 3);
    return value;
  }
}

function methodOf(receiver: TemplateValue, name: string): TemplateFunction | null {
  if (isStruct(receiver)) return receiver.methods.get(name) ?? null;
  if (receiver instanceof TemplateTime) return timeMethods(receiver).get(name) ?? null;
  return null;
}
