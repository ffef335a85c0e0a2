/**
 * For those who only ask whether a pattern occurs, and not where: the pattern without what its edges can do without.
 * `\s*foo.*` occurs where `foo` does, and `a+b` where `ab` does. It spares most of the steps back that open ends cost.
 */
import { isEmptyAnywhere } from './pattern-shape.ts';
import { emptyNode, type PatternNode } from './syntax.ts';

/** A pattern that matches somewhere in exactly those texts in which the node does. */
export function trimEdges(node: PatternNode): PatternNode {
  return trim(trim(node, 'start'), 'end');
}

type Edge = 'start' | 'end';

function trim(node: PatternNode, edge: Edge): PatternNode {
  switch (node.kind) {
    case 'empty':
    case 'char':
    case 'position':
      return node;
    case 'capture':
      return trim(node.body, edge);
    case 'sequence':
      return trimSequence(node.parts, edge);
    case 'choice': {
      const branches = node.branches.map((branch) => trim(branch, edge));
      return branches.some((branch) => branch.kind === 'empty') ? emptyNode : { kind: 'choice', branches };
    }
    case 'repeat':
      if (isEmptyAnywhere(node)) return emptyNode;
      if (node.min === 1) return trim(node.body, edge);
      return node.min === 0 ? node : { ...node, max: node.min };
    default:
      return node satisfies never;
  }
}

function trimSequence(parts: readonly PatternNode[], edge: Edge): PatternNode {
  const kept = [...parts];
  while (kept.length > 0) {
    const at = edge === 'start' ? 0 : kept.length - 1;
    const trimmed = trim(kept[at] ?? emptyNode, edge);
    if (!isEmptyAnywhere(trimmed)) {
      kept[at] = trimmed;
      break;
    }
    kept.splice(at, 1);
  }
  if (kept.length === 0) return emptyNode;
  return kept.length === 1 ? (kept[0] ?? emptyNode) : { kind: 'sequence', parts: kept };
}
