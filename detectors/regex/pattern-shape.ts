/**
 * Questions about a syntax tree that decide how it is emitted: whether JavaScript's answers would differ from RE2's, which
 * rounds can match nothing, and which parts V8's compiler is better spared.
 */
import { emptyNode, isNullable, type PatternNode, type Position } from './syntax.ts';

/**
 * True when JavaScript's match can end elsewhere than RE2's, or, where `groups` are wanted, hold other groups: JavaScript
 * forgets the groups of a loop's earlier rounds and refuses rounds that match nothing.
 */
export function needsReplay(node: PatternNode, groups: boolean): boolean {
  return contains(node, (inner) => {
    if (inner.kind !== 'repeat' || (inner.min === 1 && inner.max === 1)) return false;
    if (isNullable(inner.body)) return !emptyComesLast(inner.body) || (groups && contains(inner.body, isCapture));
    return groups && inner.max > 1 && hasSkippableCapture(inner.body);
  });
}

/** True when the node or one inside it satisfies `test`. */
export function contains(node: PatternNode, test: (node: PatternNode) => boolean): boolean {
  if (test(node)) return true;
  if (node.kind === 'capture' || node.kind === 'repeat') return contains(node.body, test);
  if (node.kind === 'sequence') return node.parts.some((part) => contains(part, test));
  return node.kind === 'choice' && node.branches.some((branch) => contains(branch, test));
}

export function isCapture(node: PatternNode): boolean {
  return node.kind === 'capture';
}

/** True when a capture can be passed by on some way through the node. */
function hasSkippableCapture(node: PatternNode): boolean {
  switch (node.kind) {
    case 'empty':
    case 'char':
    case 'position':
      return false;
    case 'capture':
      return hasSkippableCapture(node.body);
    case 'sequence':
      return node.parts.some(hasSkippableCapture);
    case 'choice':
      return contains(node, isCapture);
    case 'repeat':
      return node.min === 0 ? contains(node.body, isCapture) : hasSkippableCapture(node.body);
    default:
      return node satisfies never;
  }
}

/** True when matching nothing is the last thing the node tries, if it can do so at all. */
function emptyComesLast(node: PatternNode): boolean {
  if (!isNullable(node)) return true;
  switch (node.kind) {
    case 'empty':
    case 'char':
    case 'position':
      return true;
    case 'capture':
      return emptyComesLast(node.body);
    case 'sequence':
      return node.parts.every(emptyComesLast);
    case 'choice':
      return node.branches.every((branch, index) =>
        isNullable(branch) ? index === node.branches.length - 1 && emptyComesLast(branch) : true,
      );
    case 'repeat':
      return node.max === 0 || (node.greedy && emptyComesLast(node.body));
    default:
      return node satisfies never;
  }
}

/** True when no way through the node reads a character. */
export function readsNothing(node: PatternNode): boolean {
  return !contains(node, (inner) => inner.kind === 'char');
}

/** True when the node can match nothing anywhere, whatever stands around it. */
export function isEmptyAnywhere(node: PatternNode): boolean {
  switch (node.kind) {
    case 'empty':
      return true;
    case 'char':
    case 'position':
      return false;
    case 'capture':
      return isEmptyAnywhere(node.body);
    case 'sequence':
      return node.parts.every(isEmptyAnywhere);
    case 'choice':
      return node.branches.some(isEmptyAnywhere);
    case 'repeat':
      return node.min === 0 || isEmptyAnywhere(node.body);
    default:
      return node satisfies never;
  }
}

/**
 * The node without assertions that are known to hold where they stand, because the same one was just passed. V8's compiler
 * takes twice as long for each `(\b)` in a row: sixteen take eight seconds. `known` is added to as assertions are passed.
 */
export function withoutImplied(node: PatternNode, known: Set<Position>): PatternNode {
  switch (node.kind) {
    case 'empty':
      return node;
    case 'char':
      known.clear();
      return node;
    case 'position':
      if (known.has(node.at)) return emptyNode;
      known.add(node.at);
      return node;
    case 'capture':
      return { ...node, body: withoutImplied(node.body, known) };
    case 'sequence':
      return { kind: 'sequence', parts: node.parts.map((part) => withoutImplied(part, known)) };
    case 'choice': {
      const branches = node.branches.map((branch) => withoutImplied(branch, new Set(known)));
      known.clear();
      return { kind: 'choice', branches };
    }
    case 'repeat':
      known.clear();
      return { ...node, body: withoutImplied(node.body, new Set()) };
    default:
      return node satisfies never;
  }
}

/** True when every match of the node has the same, known length above zero. */
export function hasFixedWidth(node: PatternNode): boolean {
  return (fixedWidth(node) ?? 0) > 0;
}

function fixedWidth(node: PatternNode): number | null {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return 0;
    case 'char':
      return 1;
    case 'capture':
      return fixedWidth(node.body);
    case 'sequence': {
      let total = 0;
      for (const part of node.parts) {
        const width = fixedWidth(part);
        if (width === null) return null;
        total += width;
      }
      return total;
    }
    case 'choice': {
      const widths = node.branches.map(fixedWidth);
      return widths.every((width) => width === widths[0]) ? (widths[0] ?? null) : null;
    }
    case 'repeat': {
      const width = node.min === node.max ? fixedWidth(node.body) : null;
      return width === null ? null : width * node.min;
    }
    default:
      return node satisfies never;
  }
}
