/**
 * `compilePattern`: the one way from a pattern that somebody wrote (grok, `matches`, data files, SecLang) to something that
 * runs. RE2 syntax in, RE2's meaning out, on V8: the backtracking engine for speed, and its linear engine as soon as a match
 * needs more than a thousand steps back (`linear-engine.ts`), so that no text can stop the event loop.
 */
import { messageOf } from '../../core/errors.ts';
import { emitPattern } from './emit-pattern.ts';
import { parsePattern } from './parse-pattern.ts';
import { patternError } from './pattern-error.ts';
import { contains, needsReplay } from './pattern-shape.ts';
import { type MatchSlots, ReplayMatcher } from './replay-match.ts';
import type { ParsedPattern, PatternNode, PatternOptions, Position, Subject } from './syntax.ts';

export interface Pattern {
  /** As it was written. */
  readonly source: string;
  /**
   * For where only a RegExp will do. Flagless and accepted by the linear engine. It says whether a text matches and where a
   * match starts; its groups and the end can differ from RE2's in the patterns that `exec` looks at twice. With a multi-line
   * `$` it can also match before a lone `\r`, and with `\B` inside a surrogate pair.
   */
  readonly regexp: RegExp;
  /** By number; index 0 is the whole match, null is a group without a name. Go allows a name to occur twice. */
  readonly groupNames: readonly (string | null)[];
  test(text: string): boolean;
  /**
   * The leftmost match that begins at `from` (0) or later, with RE2's end and groups; `undefined` for a group that took no part.
   * `groups` is never set.
   */
  exec(text: string, from?: number): RegExpExecArray | null;
}

/**
 * Above this length, or with more places where a source forks, V8 is asked at once whether it can compile it, which it otherwise
 * finds out at the first text. Its compiler recurses for each fork in a row and gives up at about six thousand; the largest
 * grok of the hub has 1,700.
 */
const tryAbove = { length: 32_768, forks: 2_500 } as const;

/**
 * Defaults are those of Go's `regexp`: case matters, `.` excludes `\n`, `^` and `$` are the ends of the text.
 * Text is well-formed UTF-16: half a surrogate pair may or may not match `.`.
 * @throws GatewayError PATTERN_INVALID with position and reason: not RE2 syntax, or too large when unrolled.
 */
export function compilePattern(source: string, options: PatternOptions = {}): Pattern {
  return compileParsed(source, parsePattern(source, options), options.subject ?? 'text');
}

/** The same, from what `parsePattern` made of the source, for those who read the tree as well. */
export function compileParsed(source: string, parsed: ParsedPattern, subject: Subject): Pattern {
  const { root, groupNames } = parsed;
  const groups = groupNames.length > 1;
  const doubt = doubtOf(root, subject);
  let replayed = needsReplay(root, groups);
  const emitted = emitPattern(root, subject, source, groups && !replayed);
  replayed ||= groups && emitted.withoutGroups;
  const replay = replayed || doubt !== null ? new ReplayMatcher(root, groupNames.length, subject, source) : null;
  return new CompiledPattern(source, regexpOf(source, emitted.source), groupNames, replay, replayed, doubt);
}

/**
 * Tells the texts on which the emitted pattern can match where RE2 does not: those with a line end that is one to JavaScript
 * only, or with a surrogate pair, in which `\B` holds.
 */
function doubtOf(root: PatternNode, subject: Subject): RegExp | null {
  const has = (at: Position): boolean => contains(root, (node) => node.kind === 'position' && node.at === at);
  const insidePair = subject === 'text' && has('not-word-edge');
  if (has('line-end')) return insidePair ? /[\r\u2028\u2029\ud800-\udbff]/ : /[\r\u2028\u2029]/;
  return insidePair ? /[\ud800-\udbff]/ : null;
}

function regexpOf(written: string, source: string): RegExp {
  try {
    const regexp = new RegExp(source);
    if (source.length > tryAbove.length || forksIn(source) > tryAbove.forks) regexp.test('');
    return regexp;
  } catch (error) {
    throw patternError(
      written,
      null,
      `V8 cannot compile it (${messageOf(error).slice(-80)})`,
      'Write a smaller pattern.',
    );
  }
}

/** At most: signs that are escaped or in a class are counted too. */
function forksIn(source: string): number {
  return source.length > tryAbove.forks ? (source.match(/[?*+|{]/g)?.length ?? 0) : 0;
}

class CompiledPattern implements Pattern {
  readonly source: string;
  readonly regexp: RegExp;
  readonly groupNames: readonly (string | null)[];
  readonly #replay: ReplayMatcher | null;
  readonly #always: boolean;
  readonly #doubt: RegExp | null;
  /** For matches that begin later. */
  #onward: RegExp | null = null;

  constructor(
    source: string,
    regexp: RegExp,
    groupNames: readonly (string | null)[],
    replay: ReplayMatcher | null,
    always: boolean,
    doubt: RegExp | null,
  ) {
    this.source = source;
    this.regexp = regexp;
    this.groupNames = groupNames;
    this.#replay = replay;
    this.#always = always;
    this.#doubt = doubt;
  }

  test(text: string): boolean {
    if (!this.regexp.test(text)) return false;
    if (this.#replay === null || this.#doubt === null || !this.#doubt.test(text)) return true;
    return this.#replay.find(text, 0) !== null;
  }

  exec(text: string, from = 0): RegExpExecArray | null {
    const match = from === 0 ? this.regexp.exec(text) : this.#execFrom(text, from);
    if (match === null || this.#replay === null) return match;
    if (!this.#always && !this.#doubt?.test(text)) return match;
    const slots = this.#replay.find(text, match.index);
    return slots && execArray(slots, text);
  }

  #execFrom(text: string, from: number): RegExpExecArray | null {
    const onward = (this.#onward ??= new RegExp(this.regexp.source, 'g'));
    onward.lastIndex = from;
    return onward.exec(text);
  }
}

function execArray(slots: MatchSlots, text: string): RegExpExecArray {
  const result: (string | undefined)[] = [];
  for (let slot = 0; slot < slots.length; slot += 2) {
    const from = slots[slot] ?? -1;
    const to = slots[slot + 1] ?? -1;
    result.push(from === -1 || to === -1 ? undefined : text.slice(from, to));
  }
  const index = slots[0] ?? 0;
  // The shape of a match is an array of strings with three more members; only the engine builds one otherwise.
  return Object.assign(result, { index, input: text, groups: undefined }) as unknown as RegExpExecArray;
}
