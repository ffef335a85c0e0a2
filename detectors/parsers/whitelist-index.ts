/**
 * Which expressions of a whitelist may hold for an event. The hub's allowlists ask two dozen questions about every request,
 * most of which one status or one path answers. Only expressions that cannot raise are left out of turn: one that raises ends
 * the whitelist, so that those after it are not asked.
 */
import { createFilterIndex, type FilterIndex } from '../documents/filter-index.ts';
import type { Node } from '../expr/ast.ts';
import type { Expression } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';
import { fieldReader } from './field-reader.ts';

/** Fewer expressions are asked as fast as they are looked up. */
const leastExpressions = 4;

/** Positions of expressions in their order; the others do not hold. */
export function createWhitelistIndex(expressions: readonly Expression[], files: DataFiles): FilterIndex {
  if (expressions.length >= leastExpressions && expressions.every(({ ast }) => isPlain(ast))) {
    return createFilterIndex(expressions, new Set(), files);
  }
  const all = [...expressions.keys()];
  return { candidates: () => all };
}

/** Comparisons of texts, which raise nothing and change nothing. */
function isPlain(node: Node): boolean {
  switch (node.kind) {
    case 'bool':
      return true;
    case 'unary':
      return node.operator === 'not' && isPlain(node.operand);
    case 'binary':
      return isPlainBinary(node);
    default:
      return false;
  }
}

function isPlainBinary({ operator, left, right }: Node & { kind: 'binary' }): boolean {
  switch (operator) {
    case 'and':
    case 'or':
      return isPlain(left) && isPlain(right);
    case '==':
    case '!=':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return isText(left) && isText(right);
    case 'matches':
      return isText(left) && right.kind === 'string';
    case 'in':
      return isText(left) && right.kind === 'array' && right.items.every(isText);
    default:
      return false;
  }
}

function isText(node: Node): boolean {
  if (node.kind === 'string') return true;
  if (node.kind !== 'builtin') return fieldReader(node) !== null;
  return (node.name === 'lower' || node.name === 'upper') && node.args.length === 1 && node.args.every(isText);
}
