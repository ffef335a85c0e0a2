/**
 * Where a pattern can end, in the order in which RE2 prefers the ends: what decides how it behaves inside of a larger
 * pattern. Two patterns with equal lists everywhere can stand for each other. Written for plainness.
 */
import type { PatternNode } from '../../../detectors/regex/syntax.ts';
import { holds } from '../regex/re2-model.ts';

type Next = (at: number) => void;

/** Distinct ends of matches that begin at `from`, the most preferred first. */
export function matchEnds(root: PatternNode, text: string, from: number): number[] {
  const ends = new Set<number>();
  walk(root, text, from, (at) => ends.add(at));
  return [...ends];
}

/** Calls `next` for each end, each once. */
function walk(node: PatternNode, text: string, at: number, next: Next): void {
  switch (node.kind) {
    case 'empty':
      return next(at);
    case 'position':
      if (holds(node.at, text, at)) next(at);
      return;
    case 'char': {
      const point = text.codePointAt(at) ?? -1;
      const { set } = node;
      for (let index = 0; index < set.length; index += 2) {
        if (point >= (set[index] ?? 0) && point <= (set[index + 1] ?? 0)) return next(at + (point > 0xffff ? 2 : 1));
      }
      return;
    }
    case 'capture':
      return walk(node.body, text, at, next);
    case 'sequence': {
      let ends: readonly number[] = [at];
      for (const part of node.parts) ends = distinct(ends, (end, found) => walk(part, text, end, found));
      for (const end of ends) next(end);
      return;
    }
    case 'choice': {
      const ends = distinct(node.branches, (branch, found) => walk(branch, text, at, found));
      for (const end of ends) next(end);
      return;
    }
    case 'repeat':
      return rounds(node, text, at, 0, new Set(), next);
    default:
      return node satisfies never;
  }
}

/** What `each` finds for all of them, in order, every end once. */
function distinct<T>(items: readonly T[], each: (item: T, found: Next) => void): readonly number[] {
  const ends = new Set<number>();
  for (const item of items) each(item, (end) => ends.add(end));
  return [...ends];
}

/** `tried` holds the rounds and places that were already gone on from: a second way to them finds nothing new. */
function rounds(
  node: PatternNode & { kind: 'repeat' },
  text: string,
  at: number,
  done: number,
  tried: Set<string>,
  next: Next,
): void {
  const counted = node.max === Infinity ? Math.min(done, node.min) : done;
  const place = `${counted} ${at}`;
  if (tried.has(place)) return;
  tried.add(place);
  const again = (): void => {
    if (done >= node.max) return;
    for (const end of distinct([at], (from, found) => walk(node.body, text, from, found))) {
      if (end > at || done < node.min) rounds(node, text, end, done + 1, tried, next);
    }
  };
  if (done < node.min) return again();
  if (node.greedy) again();
  next(at);
  if (!node.greedy) again();
}
