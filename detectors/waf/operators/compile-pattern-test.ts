/**
 * The patterns of `@rx`, on bytes, with RE2's syntax. Two are made of each: one that only says whether it occurs, trimmed
 * and for lower-cased texts where it can be, and, when it is first asked for, one that captures.
 */
import { compileParsed, type Pattern } from '../../regex/compile-pattern.ts';
import { type AutomatonMemory, LazyAutomaton } from '../../regex/lazy-automaton.ts';
import { foldPattern } from '../../regex/fold-pattern.ts';
import { contains } from '../../regex/pattern-shape.ts';
import { parsePattern } from '../../regex/parse-pattern.ts';
import type { PatternOptions } from '../../regex/syntax.ts';
import { trimEdges } from '../../regex/trim-edges.ts';
import { lowerAscii } from '../seclang/ascii.ts';
import type { SearchNeed } from '../text/search-index.ts';
import type { Text } from '../text/text.ts';
import { needOfPattern } from './search-need.ts';

/** `.` is any byte, `^` and `$` are the ends of the text: what ModSecurity 2 does and the Core Rule Set is written for. */
const options = { subject: 'bytes', dotAll: true } as const satisfies PatternOptions;

/**
 * Texts from here on are read by an automaton: in a text of so many characters V8's backtracking engine often gives up, and its
 * linear one takes a hundred times as long.
 */
const longText = 512;

/** Groups are looked for so far behind the place where the first match can end: what a longer one holds besides is left out. */
const captureRoom = 2_048;

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
export function compilePatternTest(source: string, memory: AutomatonMemory): PatternTest {
  const { root } = parsePattern(source, { ...options, groups: 'none' });
  const occurs = trimEdges(root);
  const folded = foldPattern(occurs);
  const whole = folded ?? occurs;
  const { regexp } = compileParsed(source, { root: whole, groupNames: [null] }, 'bytes');
  let automaton: LazyAutomaton | null = null;
  const automatonOf = (): LazyAutomaton => (automaton ??= new LazyAutomaton(whole, source, memory));
  const occursIn = (text: string): boolean =>
    text.length < longText ? regexp.test(text) : (automatonOf().test(text) ?? regexp.test(text));
  const knowsEnd = contains(
    root,
    (node) => node.kind === 'position' && (node.at === 'text-end' || node.at === 'line-end'),
  );
  const withRoom = (text: string): string => {
    if (text.length <= captureRoom || knowsEnd) return text;
    const end = automatonOf().firstEnd(folded === null ? text : lowerAscii(text));
    return end === null || end === -1 ? text : text.slice(0, end + captureRoom);
  };
  let capturing: Pattern | null = null;
  const withGroups = (): Pattern => (capturing ??= compileParsed(source, parsePattern(source, options), 'bytes'));
  return {
    need: needOfPattern(root),
    test: folded === null ? (text) => occursIn(text.value) : (text) => occursIn(text.lower),
    capture: (text) =>
      withGroups()
        .exec(withRoom(text))
        ?.slice(0, mostCaptures)
        .map((group) => group ?? '') ?? null,
    everyMatch: () => new RegExp(withGroups().regexp.source, 'g'),
  };
}
