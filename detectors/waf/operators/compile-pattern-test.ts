/**
 * The patterns of `@rx`, on bytes, with RE2's syntax. Two are made of each: one that only says whether it occurs, trimmed
 * and for lower-cased texts where it can be, and, when it is first asked for, one that captures.
 */
import { compileParsed } from '../../regex/compile-pattern.ts';
import { type AutomatonMemory, LazyAutomaton } from '../../regex/lazy-automaton.ts';
import { foldPattern } from '../../regex/fold-pattern.ts';
import { parsePattern } from '../../regex/parse-pattern.ts';
import type { PatternOptions } from '../../regex/syntax.ts';
import { trimEdges } from '../../regex/trim-edges.ts';
import type { SearchNeed } from '../text/search-index.ts';
import type { Text } from '../text/text.ts';
import { GroupFinder } from './group-finder.ts';
import { needOfPattern } from './search-need.ts';

/** `.` is any byte, `^` and `$` are the ends of the text: what ModSecurity 2 does and the Core Rule Set is written for. */
const options = { subject: 'bytes', dotAll: true } as const satisfies PatternOptions;

/**
 * Texts from here on are read by an automaton: in a text of so many characters V8's backtracking engine often gives up, and its
 * linear one takes a hundred times as long.
 */
const longText = 512;

/** Groups of a match that TX can hold: 0 is the whole. */
export const mostCaptures = 10;

export interface PatternTest {
  readonly need: SearchNeed;
  test(text: Text): boolean;
  /** The groups of the first match, at most ten; those that took no part are "". Null: no match. */
  capture(text: string): readonly string[] | null;
  /** A copy of the capturing pattern that goes from match to match. */
  everyMatch(): RegExp;
}

/** @throws GatewayError PATTERN_INVALID */
export function compilePatternTest(written: string, memory: AutomatonMemory): PatternTest {
  const source = withBytesSpelt(written);
  const { root } = parsePattern(source, { ...options, groups: 'none' });
  const occurs = trimEdges(root);
  const folded = foldPattern(occurs);
  const whole = folded ?? occurs;
  const { regexp } = compileParsed(source, { root: whole, groupNames: [null] }, 'bytes');
  let automaton: LazyAutomaton | null = null;
  const occursIn = (text: string): boolean => {
    if (text.length < longText) return regexp.test(text);
    automaton ??= new LazyAutomaton(whole, source, memory);
    return automaton.test(text) ?? regexp.test(text);
  };
  const groups = new GroupFinder(source, () => parsePattern(source, options), memory);
  return {
    need: needOfPattern(root),
    test: folded === null ? (text) => occursIn(text.value) : (text) => occursIn(text.lower),
    capture: (text) =>
      groups
        .find(text)
        ?.slice(0, mostCaptures)
        .map((group) => group ?? '') ?? null,
    everyMatch: () => new RegExp(groups.pattern.regexp.source, 'g'),
  };
}

/**
 * Rule files are bytes, and so are their patterns: in a class, a letter beyond ASCII stands for each of its bytes, as in PCRE without
 * UTF mode (942420 to 942432 of the Core Rule Set 3).
 */
function withBytesSpelt(source: string): string {
  return source.replaceAll(/\\([^\x80-\xff])|\\?([\x80-\xff])/gs, (found: string, _escaped, byte?: string) =>
    byte === undefined ? found : `\\x${byte.charCodeAt(0).toString(16)}`,
  );
}
