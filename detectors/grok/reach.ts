/**
 * How far a grok pattern came in a text that it does not match: the longest beginning of the pattern, cut behind one of its
 * references, that is found in the text. For people who look for the mistake; not for the path of a line.
 */
import { compilePattern } from '../regex/compile-pattern.ts';
import { type Definition, expand, unusedMark } from './definition.ts';

export interface GrokReach {
  /** The beginning of the pattern that is found, and the rest, which is not. */
  readonly matched: string;
  readonly rest: string;
  /** Where in the text the beginning ends, in UTF-16 units. */
  readonly end: number;
}

/** Null when not even the first reference is found, or the pattern cannot be cut. */
export function reachOf(definition: Definition, subject: string): GrokReach | null {
  const cuts = cutsOf(definition);
  // A longer beginning is found only where a shorter one is.
  let low = 0;
  let high = cuts.length - 1;
  let found: GrokReach | null = null;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const reach = tryBeginning(definition, cuts[middle] as number, subject);
    if (reach === null) high = middle - 1;
    else {
      found = reach;
      low = middle + 1;
    }
  }
  return found;
}

function tryBeginning(definition: Definition, cut: number, subject: string): GrokReach | null {
  const beginning: Definition = {
    ...definition,
    text: definition.text.slice(0, cut),
    references: definition.references.filter(({ end }) => end <= cut),
    yields: new Map(),
  };
  const match = compilePattern(expand(beginning, unusedMark(definition)), { groups: 'all' }).exec(subject);
  if (match === null) return null;
  const end = (match.index ?? 0) + (match[0] ?? '').length;
  return { matched: beginning.text, rest: definition.text.slice(cut), end };
}

/** Ends of references that no group and no class surrounds. None where the whole pattern is a choice. */
function cutsOf({ text, references }: Definition): readonly number[] {
  const cuts: number[] = [];
  let next = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const reference = references[next];
    if (reference !== undefined && at === reference.start) {
      next++;
      at = reference.end - 1;
      if (depth === 0) cuts.push(reference.end);
      continue;
    }
    const unit = text[at];
    if (unit === '\\') at++;
    else if (unit === '[') at = classEnd(text, at);
    else if (unit === '(') depth++;
    else if (unit === ')') depth--;
    else if (unit === '|' && depth === 0) return [];
  }
  return cuts.filter((cut) => !isQuantified(text, cut));
}

/** `]` right after the opening stands for itself. */
function classEnd(text: string, start: number): number {
  let at = start + (text[start + 1] === '^' ? 2 : 1);
  if (text[at] === ']') at++;
  while (at < text.length && text[at] !== ']') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** What follows belongs to the reference: `%{WORD:x}?`. */
function isQuantified(text: string, cut: number): boolean {
  return /^(?:[?*+]|\{\d)/.test(text.slice(cut, cut + 2));
}
