/**
 * Patterns that do not tell upper from lower case, made for texts that are in lower case already: half as many characters
 * to compare, and literals that V8 can look for.
 */
import { type CharSet, charSetOf, clip, setHas } from './char-set.ts';
import type { PatternNode } from './syntax.ts';

const upperA = 0x41;
const upperZ = 0x5a;
const toLower = 32;

/**
 * The pattern for texts without A to Z: it matches the lower-cased text where the node matches the text as it was. Null
 * when the node tells the two cases of a letter apart.
 */
export function foldPattern(node: PatternNode): PatternNode | null {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return node;
    case 'char':
      return isFolded(node.set) ? { kind: 'char', set: withoutUpperCase(node.set) } : null;
    case 'capture':
    case 'repeat': {
      const body = foldPattern(node.body);
      return body && { ...node, body };
    }
    case 'sequence': {
      const parts = foldAll(node.parts);
      return parts && { kind: 'sequence', parts };
    }
    case 'choice': {
      const branches = foldAll(node.branches);
      return branches && { kind: 'choice', branches };
    }
    default:
      return node satisfies never;
  }
}

function foldAll(nodes: readonly PatternNode[]): readonly PatternNode[] | null {
  const folded: PatternNode[] = [];
  for (const node of nodes) {
    const one = foldPattern(node);
    if (one === null) return null;
    folded.push(one);
  }
  return folded;
}

function isFolded(set: CharSet): boolean {
  for (let code = upperA; code <= upperZ; code++) {
    if (setHas(set, code) !== setHas(set, code + toLower)) return false;
  }
  return true;
}

/** Where all letters are in the set the upper-case ones stay: they do no harm, and the class stays short. */
function withoutUpperCase(set: CharSet): CharSet {
  if (clip(set, upperA, upperZ).length === 2 && setHas(set, upperA) && setHas(set, upperZ)) return set;
  return charSetOf([...clip(set, 0, upperA - 1), ...clip(set, upperZ + 1, Infinity)]);
}
