/** How short a match of a pattern can be: shorter texts need not be tried. */
import type { PatternNode } from './syntax.ts';

/** In characters. Never more than the true minimum. */
export function shortestMatch(node: PatternNode): number {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return 0;
    case 'char':
      return 1;
    case 'capture':
      return shortestMatch(node.body);
    case 'sequence':
      return node.parts.reduce((total, part) => total + shortestMatch(part), 0);
    case 'choice':
      return node.branches.reduce((least, branch) => Math.min(least, shortestMatch(branch)), Infinity);
    case 'repeat':
      return node.min === 0 ? 0 : node.min * shortestMatch(node.body);
    default:
      return node satisfies never;
  }
}
