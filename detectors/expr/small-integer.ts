/**
 * Integers that are certain to fit a plain number (literals, lengths, integer fields) without the detour over bigint, which
 * allocates. Only comparisons use it: everywhere else an int is a bigint.
 */
import type { Node } from './ast.ts';
import { lengthOf } from './builtins/collections.ts';
import type { Context, Locals } from './code.ts';
import { located } from './code.ts';
import type { Scope } from './scope.ts';

type SmallRun = (scope: Scope, locals: Locals) => number;

/** The node as a plain number, or null when it is not certain to be one. */
export function smallInteger(node: Node, context: Context): SmallRun | null {
  if (node.kind === 'int') {
    const value = Number(node.value);
    return Number.isSafeInteger(value) ? () => value : null;
  }
  const [argument] = node.kind === 'builtin' && node.name === 'len' ? node.args : [];
  if (argument === undefined) return null;
  const run = context.run(argument);
  const { source } = context;
  return (scope, locals) => {
    const value = run(scope, locals);
    if (typeof value !== 'string' && Array.isArray(value)) return value.length;
    try {
      return lengthOf(value);
    } catch (thrown) {
      throw located(source, node.at, thrown);
    }
  };
}
