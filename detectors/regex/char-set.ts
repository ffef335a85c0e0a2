/**
 * Sets of characters as sorted, disjoint, inclusive ranges in one flat array: `[low, high, low, high, …]`. Values are code
 * points, or bytes when the pattern is about bytes.
 */
import type { Subject } from './syntax.ts';

export type CharSet = readonly number[];

/** Unicode's last code point. */
export const highestCodePoint = 0x10ffff;

export const digits: CharSet = [0x30, 0x39];
export const wordChars: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
/** RE2's `\s`: without the vertical tab. */
export const re2Space: CharSet = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];
/** PCRE's `\s` and POSIX `[:space:]`: with the vertical tab. */
export const posixSpace: CharSet = [0x09, 0x0d, 0x20, 0x20];

/** By the name between the colons of `[[:name:]]`. All are ASCII, as in RE2. */
export const posixClasses: ReadonlyMap<string, CharSet> = new Map([
  ['alnum', [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ['alpha', [0x41, 0x5a, 0x61, 0x7a]],
  ['ascii', [0x00, 0x7f]],
  ['blank', [0x09, 0x09, 0x20, 0x20]],
  ['cntrl', [0x00, 0x1f, 0x7f, 0x7f]],
  ['digit', digits],
  ['graph', [0x21, 0x7e]],
  ['lower', [0x61, 0x7a]],
  ['print', [0x20, 0x7e]],
  ['punct', [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ['space', posixSpace],
  ['upper', [0x41, 0x5a]],
  ['word', wordChars],
  ['xdigit', [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);

/** The largest value a character of the subject can have. */
export function highestOf(subject: Subject): number {
  return subject === 'bytes' ? 0xff : highestCodePoint;
}

/** Any ranges, in any order, overlapping or not, as a set. */
export function charSetOf(ranges: readonly number[]): CharSet {
  if (ranges.length <= 2) return ranges;
  const pairs: [number, number][] = [];
  for (let index = 0; index < ranges.length; index += 2) pairs.push([ranges[index] ?? 0, ranges[index + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [low, high] of pairs) {
    const last = merged.length - 1;
    const reached = merged[last];
    if (reached !== undefined && low <= reached + 1) merged[last] = Math.max(reached, high);
    else merged.push(low, high);
  }
  return merged;
}

/** Every value from 0 to `highest` that is not in the set. */
export function complementOf(set: CharSet, highest: number): CharSet {
  const result: number[] = [];
  let next = 0;
  for (let index = 0; index < set.length; index += 2) {
    const low = set[index] ?? 0;
    if (low > next) result.push(next, Math.min(low - 1, highest));
    next = (set[index + 1] ?? 0) + 1;
  }
  if (next <= highest) result.push(next, highest);
  return result;
}

/** The members between `low` and `high`, both included. */
export function clip(set: CharSet, low: number, high: number): CharSet {
  const result: number[] = [];
  for (let index = 0; index < set.length; index += 2) {
    const from = Math.max(set[index] ?? 0, low);
    const to = Math.min(set[index + 1] ?? 0, high);
    if (from <= to) result.push(from, to);
  }
  return result;
}

export function setHas(set: CharSet, value: number): boolean {
  let left = 0;
  let right = set.length / 2 - 1;
  while (left <= right) {
    const middle = (left + right) >> 1;
    if (value < (set[middle * 2] ?? 0)) right = middle - 1;
    else if (value > (set[middle * 2 + 1] ?? 0)) left = middle + 1;
    else return true;
  }
  return false;
}

/** How many characters the set holds. */
export function setSize(set: CharSet): number {
  let size = 0;
  for (let index = 0; index < set.length; index += 2) size += (set[index + 1] ?? 0) - (set[index] ?? 0) + 1;
  return size;
}

/** The set as pairs. */
export function rangesOf(set: CharSet): [number, number][] {
  const pairs: [number, number][] = [];
  for (let index = 0; index < set.length; index += 2) pairs.push([set[index] ?? 0, set[index + 1] ?? 0]);
  return pairs;
}
