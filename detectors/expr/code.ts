/** What the compiler makes of nodes: closures, and the state of one evaluation that they share. */
import type { Node } from './ast.ts';
import { AwaitedValue } from './awaited-value.ts';
import type { BuiltinTable } from './builtin.ts';
import type { PatternTest } from './data-files.ts';
import type { HelperDependencies } from './dependencies.ts';
import type { HelperTable } from './helper.ts';
import type { Scope } from './scope.ts';
import { ExpressionError } from './source-error.ts';
import type { Type } from './types.ts';
import { elementBudget, stepBudget, ValueError } from './values.ts';

/** Variables, elements and budgets of one evaluation. Expressions that need none of them share one. */
export class Locals {
  readonly slots: unknown[] = [];
  elements = elementBudget;
  steps = stepBudget;

  constructor(slotCount: number) {
    for (let slot = 0; slot < slotCount; slot++) this.slots.push(null);
  }

  /** Accounts for a list or map that is about to be made. @throws ValueError */
  takeElements(count: number): void {
    this.elements -= count;
    if (this.elements < 0) throw new ValueError('memory budget exceeded');
  }

  /** Accounts for a loop that is about to run. @throws ValueError */
  takeSteps(count: number): void {
    this.steps -= count;
    if (this.steps < 0) throw new ValueError('the expression takes too many steps');
  }
}

export type Run = (scope: Scope, locals: Locals) => unknown;

export interface Code {
  readonly run: Run;
  /** The value, when it is the same for every evaluation. */
  readonly constant: { readonly value: unknown } | null;
}

/** Where the elements of the innermost predicate are kept. */
export interface PredicateFrame {
  readonly element: number;
  readonly index: number;
  readonly accumulator: number;
  /** Where the list itself is kept when it is a data file named by a literal: what is derived from a line is kept. */
  readonly fileList: number | null;
}

/** What all expressions of one compiler share. */
export interface SharedTools {
  readonly helpers: HelperTable;
  readonly builtins: BuiltinTable;
  readonly deps: HelperDependencies;
  /** A computed pattern, from a bounded cache. @throws ValueError */
  readonly pattern: (source: string) => PatternTest;
  /** The last answer of a helper about one text of the event; shared by the expressions of one compiler. */
  readonly lastAnswer: (key: string) => TextMemo;
}

export interface TextMemo {
  text: string | null;
  answer: string;
}

/** The compilation of one expression. */
export class Context {
  readonly source: string;
  readonly tools: SharedTools;
  readonly variables: { readonly name: string; readonly slot: number }[] = [];
  readonly predicates: PredicateFrame[] = [];
  /** Whether anything needs a `Locals` of its own. */
  needsLocals = false;
  #slots = 0;
  readonly #types: ReadonlyMap<Node, Type>;
  readonly #compileNode: (node: Node, context: Context) => Code;
  readonly #codes = new Map<Node, Code>();

  constructor(
    source: string,
    types: ReadonlyMap<Node, Type>,
    tools: SharedTools,
    compileNode: (node: Node, context: Context) => Code,
  ) {
    this.source = source;
    this.#types = types;
    this.tools = tools;
    this.#compileNode = compileNode;
  }

  get slotCount(): number {
    return this.#slots;
  }

  slot(): number {
    this.needsLocals = true;
    return this.#slots++;
  }

  typeOf(node: Node): Type {
    return this.#types.get(node) ?? { kind: 'any' };
  }

  /** Compiles a node, once: an optimisation may look at the code of a node that is then compiled in the usual way. */
  compile(node: Node): Code {
    const known = this.#codes.get(node);
    if (known !== undefined) return known;
    const code = this.#compileNode(node, this);
    this.#codes.set(node, code);
    return code;
  }

  run(node: Node): Run {
    return this.compile(node).run;
  }

  /** `run`, whose mistakes get the place `at`. */
  located(at: number, run: Run): Run {
    const { source } = this;
    return (scope, locals) => {
      try {
        return run(scope, locals);
      } catch (thrown) {
        throw located(source, at, thrown);
      }
    };
  }

  /** Folds: when all parts are constant and evaluating ahead works, the answer is constant too. */
  pure(parts: readonly Code[], run: Run): Code {
    if (!parts.every(({ constant }) => constant !== null)) return { run, constant: null };
    try {
      return constantCode(run({}, new Locals(0)));
    } catch {
      // It will raise whenever it is evaluated, with its place.
      return { run, constant: null };
    }
  }
}

export function constantCode(value: unknown): Code {
  return { run: () => value, constant: { value } };
}

export function dynamicCode(run: Run): Code {
  return { run, constant: null };
}

/** The error with its place; one that has a place already is passed on, and so is a value that has to be awaited. */
export function located(source: string, at: number, thrown: unknown): ExpressionError | AwaitedValue {
  if (thrown instanceof ExpressionError || thrown instanceof AwaitedValue) return thrown;
  return new ExpressionError(source, at, thrown instanceof Error ? thrown.message : String(thrown));
}
