/**
 * Expressions to closures: the one entry of the expression language. An expression is parsed, checked against its
 * environment and compiled once, when a scenario, parser or profile is loaded; on the request path it is only called.
 * Specification: `expr-lang` 1.17 with CrowdSec's helpers.
 */
import { messageOf } from '../../core/errors.ts';
import type { Node } from './ast.ts';
import { createBuiltins } from './builtins.ts';
import { check } from './check.ts';
import { Context, Locals, type Run, type SharedTools, type TextMemo } from './code.ts';
import { compileNode } from './compile-node.ts';
import type { PatternTest } from './data-files.ts';
import type { HelperDependencies } from './dependencies.ts';
import type { Environment } from './environment.ts';
import { createHelpers } from './helpers.ts';
import { parse } from './parser.ts';
import type { Scope } from './scope.ts';
import { ExpressionError } from './source-error.ts';
import { goType, ValueError } from './values.ts';

export type { Scope } from './scope.ts';
export { AwaitedValue } from './awaited-value.ts';
export { ExpressionError, InvalidExpression } from './source-error.ts';

export interface Expression {
  readonly source: string;
  readonly ast: Node;
  /**
   * Dotted paths read: `evt.Meta.http_status`, `evt.Parsed.*` for a key only known at run time or for the whole map, `queue`.
   * `GetMeta('x')` reads `evt.Meta.x`. Members of the queue's events are reported as members of `evt`: that is what they were.
   */
  readonly reads: ReadonlySet<string>;
  /** Dotted paths written by `SetMeta`, `SetParsed`, `UnmarshalJSON`, `ParseKV`, `ParseKVLax`. */
  readonly writes: ReadonlySet<string>;
  /** Data files that it names by a literal. */
  readonly files: ReadonlySet<string>;
  /**
   * The value: null for nil, boolean, string, bigint for Go's int, number for float64, arrays, maps, `GoTime`, `GoDuration`.
   * Of an expression that was compiled as `bool` or `string`, always one.
   * @throws ExpressionError where CrowdSec's evaluation returns an error; AwaitedValue if it was compiled with `mayWait`.
   */
  evaluate(scope: Scope): unknown;
}

export interface ExpressionCompiler {
  /** @throws InvalidExpression with line, column and a caret. */
  compile(source: string, expected: 'bool' | 'string' | 'any', options?: CompileOptions): Expression;
}

export interface CompileOptions {
  /** Whoever evaluates it knows `AwaitedValue`: helpers that ask other servers may be called. */
  readonly mayWait?: boolean;
}

export interface ExpressionCompilerOptions {
  readonly environment: Environment;
  readonly helpers: HelperDependencies;
  /** The most nodes that one expression may have. */
  readonly nodeLimit?: number;
}

/** As in expr-lang. */
const defaultNodeLimit = 10_000;

export function createExpressionCompiler(options: ExpressionCompilerOptions): ExpressionCompiler {
  const { environment, helpers: deps, nodeLimit = defaultNodeLimit } = options;
  const tools: SharedTools = {
    deps,
    helpers: createHelpers(deps),
    builtins: createBuiltins(deps.clock),
    pattern: createPatternCache(deps.regex),
    lastAnswer: createTextMemos(),
  };
  const isBuiltin = (name: string): boolean => Object.hasOwn(tools.builtins, name);
  return {
    compile(source, expected, { mayWait = false } = {}) {
      const ast = parse(source, { isBuiltin, nodeLimit });
      const { helpers, builtins } = tools;
      const checked = check(source, ast, { environment, helpers, builtins, expected, mayWait });
      const context = new Context(source, checked.types, tools, compileNode);
      const run = expecting(source, context.run(ast), expected, context.typeOf(ast).kind);
      return {
        source,
        ast,
        reads: checked.reads,
        writes: checked.writes,
        files: checked.files,
        evaluate: context.needsLocals ? withLocals(run, context.slotCount) : (scope) => run(scope, noLocals),
      };
    },
  };
}

/** Shared by all expressions without variables, loops or lists: they never touch it. */
const noLocals = new Locals(0);

function withLocals(run: Run, slotCount: number): (scope: Scope) => unknown {
  return (scope) => run(scope, new Locals(slotCount));
}

/** Raises when the value is not what the caller compiled for; left out where the checker knows that it is. */
function expecting(source: string, run: Run, expected: 'bool' | 'string' | 'any', known: string): Run {
  if (expected === 'any' || expected === known) return run;
  const wanted = expected === 'bool' ? 'boolean' : 'string';
  return (scope, locals) => {
    const value = run(scope, locals);
    if (typeof value === wanted) return value;
    throw new ExpressionError(source, 0, `expected ${expected}, but got ${goType(value)}`);
  };
}

/** Computed patterns that are kept compiled. */
const mostPatterns = 2_048;

function createPatternCache(regex: HelperDependencies['regex']): SharedTools['pattern'] {
  const known = new Map<string, PatternTest>();
  return (source) => {
    const found = known.get(source);
    if (found !== undefined) return found;
    const pattern = compilePattern(regex, source);
    // The oldest goes first: a rule that computes ever new patterns must not push the memory up.
    if (known.size >= mostPatterns)
      for (const key of known.keys()) {
        known.delete(key);
        break;
      }
    known.set(source, pattern);
    return pattern;
  };
}

function compilePattern(regex: HelperDependencies['regex'], source: string): PatternTest {
  try {
    return regex(source);
  } catch (thrown) {
    throw new ValueError(`invalid pattern: ${messageOf(thrown)}`);
  }
}

function createTextMemos(): SharedTools['lastAnswer'] {
  const memos = new Map<string, TextMemo>();
  return (key) => {
    const known = memos.get(key) ?? { text: null, answer: '' };
    memos.set(key, known);
    return known;
  };
}
