/**
 * The expression language with the helpers of a stage of hooks. It is `expr/compile.ts` with functions added, which that has no
 * option for: parser, checker and compiler are the same.
 */
import { createBuiltins } from '../../expr/builtins.ts';
import { check } from '../../expr/check.ts';
import { Context, Locals, type SharedTools, type TextMemo } from '../../expr/code.ts';
import { compileNode } from '../../expr/compile-node.ts';
import type { HelperDependencies } from '../../expr/dependencies.ts';
import type { Environment } from '../../expr/environment.ts';
import type { HelperTable } from '../../expr/helper.ts';
import { createHelpers } from '../../expr/helpers.ts';
import { parse } from '../../expr/parser.ts';
import type { Scope } from '../../expr/scope.ts';
import { ExpressionError } from '../../expr/source-error.ts';

/** An expression of a hook over its scope. @throws ExpressionError */
export type HookExpression = (scope: Scope) => unknown;

/** @throws InvalidExpression with its place */
export type HookCompiler = (source: string, expected: 'bool' | 'any') => HookExpression;

/** As in expr-lang. */
const nodeLimit = 10_000;

/** Computed patterns that are kept compiled. */
const mostPatterns = 256;

export function createHookCompiler(
  environment: Environment,
  functions: HelperTable,
  deps: HelperDependencies,
): HookCompiler {
  const tools: SharedTools = {
    deps,
    helpers: { ...createHelpers(deps), ...functions },
    builtins: createBuiltins(deps.clock),
    pattern: createPatterns(deps.regex),
    lastAnswer: createMemos(),
  };
  const isBuiltin = (name: string): boolean => Object.hasOwn(tools.builtins, name);
  return (source, expected) => {
    const ast = parse(source, { isBuiltin, nodeLimit });
    const { helpers, builtins } = tools;
    const checked = check(source, ast, { environment, helpers, builtins, expected, mayWait: false });
    const context = new Context(source, checked.types, tools, compileNode);
    const run = context.run(ast);
    return (scope) => {
      const value = run(scope, new Locals(context.slotCount));
      if (expected === 'any' || typeof value === 'boolean') return value;
      throw new ExpressionError(source, 0, 'expected bool');
    };
  };
}

function createPatterns(regex: HelperDependencies['regex']): SharedTools['pattern'] {
  const known = new Map<string, ReturnType<typeof regex>>();
  return (source) => {
    const found = known.get(source) ?? regex(source);
    if (known.size >= mostPatterns) known.clear();
    known.set(source, found);
    return found;
  };
}

function createMemos(): SharedTools['lastAnswer'] {
  const memos = new Map<string, TextMemo>();
  return (key) => {
    const known = memos.get(key) ?? { text: null, answer: '' };
    memos.set(key, known);
    return known;
  };
}
