/** What a match can begin with. */
import { type CharSet, charSetOf } from './char-set.ts';
import { isNullable, type PatternNode } from './syntax.ts';

/** Every match of the node that is not empty begins with one of these. */
export function firstCharacters(node: PatternNode): CharSet {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return [];
    case 'char':
      return node.set;
    case 'capture':
    case 'repeat':
      return firstCharacters(node.body);
    case 'choice':
      return charSetOf(node.branches.flatMap(firstCharacters));
    case 'sequence': {
      const ranges: number[] = [];
      for (const part of node.parts) {
        ranges.push(...firstCharacters(part));
        if (!isNullable(part)) break;
      }
      return charSetOf(ranges);
    }
    default:
      return node satisfies never;
  }
}
