/**
 * The groups of a pattern's first match. In a long text an automaton says first whereabouts it is: to look for groups takes V8's
 * linear engine some microseconds for each character that it has to read.
 */
import { compileParsed, type Pattern } from '../../regex/compile-pattern.ts';
import { foldPattern } from '../../regex/fold-pattern.ts';
import { type AutomatonMemory, LazyAutomaton, type MatchPlace } from '../../regex/lazy-automaton.ts';
import { contains } from '../../regex/pattern-shape.ts';
import type { ParsedPattern, PatternNode } from '../../regex/syntax.ts';
import { lowerAscii } from '../seclang/ascii.ts';

/** Groups are looked for so far behind the place where the first match can end: what a longer one holds besides is left out. */
const room = 2_048;

/** Null: the text has to be read from its beginning to its end. */
type PlaceFinder = (text: string) => MatchPlace | null;

export class GroupFinder {
  readonly #source: string;
  readonly #parse: () => ParsedPattern;
  readonly #memory: AutomatonMemory;
  #pattern: Pattern | null = null;
  #place: PlaceFinder | null = null;

  /** `parse`: the tree with its groups. */
  constructor(source: string, parse: () => ParsedPattern, memory: AutomatonMemory) {
    this.#source = source;
    this.#parse = parse;
    this.#memory = memory;
  }

  get pattern(): Pattern {
    return (this.#pattern ??= compileParsed(this.#source, this.#parse(), 'bytes'));
  }

  find(text: string): RegExpExecArray | null {
    if (text.length <= room) return this.pattern.exec(text);
    const place = (this.#place ??= this.#finder())(text);
    return place === null ? this.pattern.exec(text) : this.pattern.exec(text.slice(0, place.end + room), place.from);
  }

  #finder(): PlaceFinder {
    const { root } = this.#parse();
    const folded = foldPattern(root);
    const automaton = new LazyAutomaton(folded ?? root, this.#source, this.#memory);
    const knowsEnd = contains(root, isAtEnd);
    return (text) => {
      const place = automaton.find(folded === null ? text : lowerAscii(text));
      if (place === null || place.end === -1) return null;
      // Where the text is cut would be an end to such a pattern.
      return knowsEnd ? { from: place.from, end: text.length } : place;
    };
  }
}

function isAtEnd(node: PatternNode): boolean {
  return node.kind === 'position' && (node.at === 'text-end' || node.at === 'line-end');
}
