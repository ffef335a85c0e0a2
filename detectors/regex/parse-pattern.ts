/**
 * RE2's notation, as Go's `regexp/syntax` reads it with the Perl flags, to a syntax tree. What RE2 refuses is refused here
 * with its place: look-around, back-references, atomic groups, possessive and stacked repeats, counts above 1,000.
 * Specification: github.com/google/re2/wiki/Syntax and Go's `regexp/syntax`.
 *
 * Long for this house because the notation is one piece: groups, repeats, escapes and classes share the reading position.
 */
import {
  type CharSet,
  charSetOf,
  complementOf,
  digits,
  highestOf,
  posixClasses,
  posixSpace,
  re2Space,
  wordChars,
} from './char-set.ts';
import { type PatternError, patternError } from './pattern-error.ts';
import { emptyNode, type ParsedPattern, type PatternNode, type PatternOptions, type Subject } from './syntax.ts';
import { UnicodeSets } from './unicode-sets.ts';

/** RE2's limit on one count, and on the product of nested counts. */
const maxRepeat = 1_000;
/** RE2 allows 1,000; V8's own compiler is recursive and ends the process when it runs out of stack. */
const maxDepth = 200;
/** In UTF-16 units. The longest pattern of the Core Rule Set has 12,182; expanded grok has about as many. */
const maxSource = 131_072;

interface Flags {
  readonly fold: boolean;
  readonly lines: boolean;
  readonly dotAll: boolean;
  readonly lazy: boolean;
}

/** @throws GatewayError PATTERN_INVALID naming the position (UTF-16 offset) and the reason. */
export function parsePattern(source: string, options: PatternOptions = {}): ParsedPattern {
  return new PatternParser(source, options).parse();
}

const controlEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

class PatternParser {
  readonly #source: string;
  readonly #subject: Subject;
  readonly #highest: number;
  readonly #groups: 'all' | 'named' | 'none';
  readonly #groupNames: (string | null)[] = [null];
  readonly #unicode = new UnicodeSets();
  /** No `:]` stands further on: a search from every `[:` would take quadratic time. */
  readonly #lastPosixEnd: number;
  #flags: Flags;
  #at = 0;
  #depth = 0;

  constructor(source: string, options: PatternOptions) {
    this.#source = source;
    this.#lastPosixEnd = source.lastIndexOf(':]');
    this.#subject = options.subject ?? 'text';
    this.#highest = highestOf(this.#subject);
    this.#groups = options.groups ?? 'all';
    this.#flags = {
      fold: options.caseInsensitive ?? false,
      lines: options.multiline ?? false,
      dotAll: options.dotAll ?? false,
      lazy: false,
    };
  }

  parse(): ParsedPattern {
    if (this.#source.length > maxSource) {
      throw patternError(this.#source, null, `it is longer than ${maxSource} characters`);
    }
    if (!this.#source.isWellFormed()) throw patternError(this.#source, null, 'it holds half of a surrogate pair');
    const root = this.#choice();
    if (this.#at < this.#source.length) throw this.#fault('unmatched )');
    this.#checkCounts(root, maxRepeat);
    return { root, groupNames: this.#groupNames };
  }

  /** Branches up to a closing parenthesis or the end. Flags set on the way hold until there, `|` included. */
  #choice(): PatternNode {
    if (++this.#depth > maxDepth) throw this.#fault(`groups are nested deeper than ${maxDepth}`);
    const outerFlags = this.#flags;
    const branches: PatternNode[] = [this.#sequence()];
    while (this.#take('|')) branches.push(this.#sequence());
    this.#flags = outerFlags;
    this.#depth--;
    return branches.length === 1 ? (branches[0] ?? emptyNode) : { kind: 'choice', branches };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    let afterRepeat = false;
    while (this.#at < this.#source.length) {
      const next = this.#source.charAt(this.#at);
      if (next === '|' || next === ')') break;
      const count = this.#repeatCount();
      if (count === null) {
        this.#atom(parts);
        afterRepeat = false;
        continue;
      }
      if (afterRepeat) throw this.#fault('a repeat of a repeat (stacked or possessive) is not RE2 syntax', count.from);
      const body = parts.pop();
      if (body === undefined) throw this.#fault('there is nothing to repeat', count.from);
      const greedy = this.#take('?') === this.#flags.lazy;
      parts.push({ kind: 'repeat', body, min: count.min, max: count.max, greedy });
      afterRepeat = true;
    }
    if (parts.length === 1) return parts[0] ?? emptyNode;
    return parts.length === 0 ? emptyNode : { kind: 'sequence', parts };
  }

  /** Reads `*`, `+`, `?` or a well-formed `{n,m}`; null (and nothing read) when none is there. */
  #repeatCount(): { min: number; max: number; from: number } | null {
    const from = this.#at;
    if (this.#take('*')) return { min: 0, max: Infinity, from };
    if (this.#take('+')) return { min: 1, max: Infinity, from };
    if (this.#take('?')) return { min: 0, max: 1, from };
    const counted = /\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/y;
    counted.lastIndex = from;
    const match = counted.exec(this.#source);
    if (match === null) return null;
    const min = Number(match[1]);
    const upper = match[3] === undefined ? Infinity : Number(match[3]);
    const max = match[2] === undefined ? min : upper;
    if (min > maxRepeat || (max > maxRepeat && max !== Infinity)) throw this.#fault(`a count is above ${maxRepeat}`);
    if (match[3] !== undefined && upper < min) throw this.#fault('the lower count is above the upper one');
    if (match[3] !== undefined && upper === Infinity) throw this.#fault(`a count is above ${maxRepeat}`);
    this.#at = counted.lastIndex;
    return { min, max, from };
  }

  #atom(parts: PatternNode[]): void {
    const next = this.#source.charAt(this.#at);
    switch (next) {
      case '(':
        return this.#group(parts);
      case '[':
        parts.push({ kind: 'char', set: this.#charClass() });
        return;
      case '.':
        this.#at++;
        parts.push({ kind: 'char', set: this.#flags.dotAll ? [0, this.#highest] : [0, 9, 11, this.#highest] });
        return;
      case '^':
        this.#at++;
        parts.push({ kind: 'position', at: this.#flags.lines ? 'line-start' : 'text-start' });
        return;
      case '$':
        this.#at++;
        parts.push({ kind: 'position', at: this.#flags.lines ? 'line-end' : 'text-end' });
        return;
      case '\\':
        return this.#escapedAtom(parts);
      default:
        parts.push(this.#literal(this.#codePoint()));
    }
  }

  #group(parts: PatternNode[]): void {
    const opening = this.#at++;
    if (!this.#source.startsWith('?', this.#at)) {
      parts.push(this.#capture(null, opening));
      return;
    }
    const named = /\?P?<([A-Za-z0-9_]+)>/y;
    named.lastIndex = this.#at;
    const match = named.exec(this.#source);
    if (match !== null) {
      this.#at = named.lastIndex;
      parts.push(this.#capture(match[1] ?? null, opening));
      return;
    }
    const flagged = /\?([imsU]*)(-[imsU]+)?([:)])/y;
    flagged.lastIndex = this.#at;
    const setting = flagged.exec(this.#source);
    if (setting === null) throw this.#fault(unknownGroup(this.#source.slice(this.#at)), opening);
    this.#at = flagged.lastIndex;
    const changed = withFlags(this.#flags, setting[1] ?? '', setting[2] ?? '');
    if (setting[3] === ')') {
      this.#flags = changed;
      return;
    }
    const outerFlags = this.#flags;
    this.#flags = changed;
    const body = this.#choice();
    this.#flags = outerFlags;
    this.#close(opening);
    parts.push(body);
  }

  #capture(name: string | null, opening: number): PatternNode {
    const kept = this.#groups === 'all' || (this.#groups === 'named' && name !== null);
    const index = kept ? this.#groupNames.push(name) - 1 : 0;
    const body = this.#choice();
    this.#close(opening);
    return kept ? { kind: 'capture', index, name, body } : body;
  }

  #close(opening: number): void {
    if (!this.#take(')')) throw this.#fault('the group is not closed', opening);
  }

  /** One character of the pattern, with its case variants. In a pattern about bytes, the UTF-8 bytes of the character. */
  #literal(point: number): PatternNode {
    if (this.#subject === 'bytes' && point > 0x7f) {
      const bytes = [...Buffer.from(String.fromCodePoint(point), 'utf8')];
      return { kind: 'sequence', parts: bytes.map((byte) => ({ kind: 'char', set: [byte, byte] })) };
    }
    return { kind: 'char', set: this.#folded([point, point]) };
  }

  #escapedAtom(parts: PatternNode[]): void {
    const from = this.#at;
    const letter = this.#source.charAt(from + 1);
    const position = assertionEscapes.get(letter);
    if (position !== undefined) {
      this.#at += 2;
      parts.push({ kind: 'position', at: position });
      return;
    }
    if (letter === 'Q') return this.#quoted(parts);
    const named = this.#namedSet();
    if (named !== null) parts.push({ kind: 'char', set: named });
    else if (letter === 'C') throw this.#fault('\\C (one byte of a character) is not supported', from);
    else parts.push({ kind: 'char', set: this.#folded(this.#escapedChar()) });
  }

  /** `\Q…\E`, or to the end of the pattern. A repeat after it applies to its last character. */
  #quoted(parts: PatternNode[]): void {
    this.#at += 2;
    const closing = this.#source.indexOf('\\E', this.#at);
    const end = closing === -1 ? this.#source.length : closing;
    while (this.#at < end) parts.push(this.#literal(this.#codePoint()));
    if (closing !== -1) this.#at += 2;
  }

  /** `\d`, `\W`, `\pL`, `\P{Greek}` and their like, case variants included; null (and nothing read) when none is there. */
  #namedSet(): CharSet | null {
    const letter = this.#source.charAt(this.#at + 1);
    if (letter === 'p' || letter === 'P') return this.#unicodeSet(letter === 'P');
    const positive = this.#perlSet(letter.toLowerCase());
    if (positive === null) return null;
    this.#at += 2;
    return letter === letter.toLowerCase() ? positive : complementOf(positive, this.#highest);
  }

  #perlSet(letter: string): CharSet | null {
    if (letter === 'd') return digits;
    if (letter === 'w') return this.#folded(wordChars);
    if (letter === 's') return this.#subject === 'bytes' ? posixSpace : re2Space;
    return null;
  }

  #unicodeSet(negated: boolean): CharSet {
    const from = this.#at;
    if (this.#subject === 'bytes') throw this.#fault('Unicode classes have no meaning in a pattern about bytes', from);
    const property = /\\[pP](?:([A-Za-z])|\{(\^?)([A-Za-z_0-9]{1,40})\})/y;
    property.lastIndex = from;
    const match = property.exec(this.#source);
    const members = match === null ? null : this.#unicode.property(match[1] ?? match[3] ?? '');
    if (match === null || members === null) throw this.#fault('this Unicode class is not known', from);
    this.#at = property.lastIndex;
    const folded = this.#folded(members);
    return negated === (match[2] === '^') ? folded : complementOf(folded, this.#highest);
  }

  /** An escape that stands for one character, inside a class or outside. */
  #escapedChar(): CharSet {
    const from = this.#at;
    const escape =
      /\\(?:x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([afnrtv])|([^A-Za-z0-9\u0080-\uffff]))/y;
    escape.lastIndex = from;
    const match = escape.exec(this.#source);
    if (match === null) throw this.#fault(unknownEscape(this.#source.slice(from)), from);
    const [, braced, hex, octal, control, punctuation] = match;
    let point = punctuation?.charCodeAt(0) ?? 0;
    if (braced !== undefined || hex !== undefined) point = Number.parseInt(braced ?? hex ?? '', 16);
    if (octal !== undefined) point = Number.parseInt(octal, 8);
    if (control !== undefined) point = controlEscapes[control] ?? 0;
    if (point > this.#highest) {
      const reason = this.#subject === 'bytes' ? 'no byte is that large' : 'no character is that large';
      throw this.#fault(reason, from);
    }
    this.#at = escape.lastIndex;
    return [point, point];
  }

  #charClass(): CharSet {
    const opening = this.#at++;
    const negated = this.#take('^');
    const ranges: number[] = [];
    for (let first = true; first || !this.#source.startsWith(']', this.#at); first = false) {
      if (this.#at >= this.#source.length) throw this.#fault('the class is not closed', opening);
      const named = this.#source.startsWith('[:', this.#at) ? this.#posixSet() : this.#classEscape();
      for (const bound of named ?? this.#classRange()) ranges.push(bound);
    }
    this.#at++;
    const set = this.#folded(charSetOf(ranges));
    return negated ? complementOf(set, this.#highest) : set;
  }

  #classEscape(): CharSet | null {
    return this.#source.startsWith('\\', this.#at) ? this.#namedSet() : null;
  }

  /** `[:alpha:]`, `[:^alpha:]`; null when the text only begins like one, as in `[[:]`. */
  #posixSet(): CharSet | null {
    if (this.#at > this.#lastPosixEnd) return null;
    const closing = this.#source.indexOf(':]', this.#at + 2);
    if (closing === -1) return null;
    const written = this.#source.slice(this.#at + 2, closing);
    const negated = written.startsWith('^');
    const members = posixClasses.get(negated ? written.slice(1) : written);
    if (members === undefined) throw this.#fault('this POSIX class is not known');
    this.#at = closing + 2;
    const folded = this.#folded(members);
    return negated ? complementOf(folded, this.#highest) : folded;
  }

  #classRange(): CharSet {
    const from = this.#at;
    const low = this.#classChar();
    let high = low;
    if (this.#source.startsWith('-', this.#at) && this.#at + 1 < this.#source.length) {
      if (this.#source.charAt(this.#at + 1) !== ']') {
        this.#at++;
        high = this.#classChar();
      }
    }
    if (high < low) throw this.#fault('the range runs backwards', from);
    return [low, high];
  }

  #classChar(): number {
    if (this.#at >= this.#source.length) throw this.#fault('the class is not closed');
    if (this.#source.startsWith('\\', this.#at)) return this.#escapedChar()[0] ?? 0;
    const from = this.#at;
    const point = this.#codePoint();
    if (this.#subject === 'bytes' && point > 0x7f) {
      throw this.#fault('a class of bytes holds a character of several bytes; write the bytes as \\xHH', from);
    }
    return point;
  }

  #folded(set: CharSet): CharSet {
    return this.#flags.fold ? this.#unicode.foldCase(set, this.#subject) : set;
  }

  #codePoint(): number {
    const point = this.#source.codePointAt(this.#at) ?? 0;
    this.#at += point > 0xffff ? 2 : 1;
    return point;
  }

  #take(expected: string): boolean {
    if (!this.#source.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #fault(reason: string, position = this.#at): PatternError {
    return patternError(this.#source, position, reason);
  }

  /** RE2 refuses nested counts whose product is above its limit: `(?:a{100}){100}`. */
  #checkCounts(node: PatternNode, allowed: number): void {
    switch (node.kind) {
      case 'empty':
      case 'char':
      case 'position':
        return;
      case 'capture':
        return this.#checkCounts(node.body, allowed);
      case 'sequence':
        for (const part of node.parts) this.#checkCounts(part, allowed);
        return;
      case 'choice':
        for (const branch of node.branches) this.#checkCounts(branch, allowed);
        return;
      case 'repeat': {
        const counted = node.max === Infinity ? node.min : node.max;
        if (counted > allowed) throw patternError(this.#source, null, `nested counts multiply above ${maxRepeat}`);
        return this.#checkCounts(node.body, counted > 1 ? Math.floor(allowed / counted) : allowed);
      }
      default:
        return node satisfies never;
    }
  }
}

const assertionEscapes: ReadonlyMap<string, 'text-start' | 'text-end' | 'word-edge' | 'not-word-edge'> = new Map([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['b', 'word-edge'],
  ['B', 'not-word-edge'],
]);

function withFlags(flags: Flags, set: string, cleared: string): Flags {
  const value = (flag: string, current: boolean): boolean => {
    if (cleared.includes(flag)) return false;
    return set.includes(flag) || current;
  };
  return {
    fold: value('i', flags.fold),
    lines: value('m', flags.lines),
    dotAll: value('s', flags.dotAll),
    lazy: value('U', flags.lazy),
  };
}

function unknownGroup(text: string): string {
  if (/^\?<?[=!]/.test(text)) return 'look-around is not RE2 syntax';
  if (text.startsWith('?>')) return 'an atomic group is not RE2 syntax';
  if (/^\?P?</.test(text)) return 'the name of the group is not letters, digits and underscores between < and >';
  return 'this kind of group is not RE2 syntax';
}

function unknownEscape(text: string): string {
  if (text.length < 2) return 'it ends in a backslash';
  if (/^\\[1-9k]/.test(text)) return 'a back-reference is not RE2 syntax';
  return `the escape ${text.slice(0, 2)} is not RE2 syntax`;
}
