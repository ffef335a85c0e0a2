/**
 * What a text must hold for a pattern to match it, as a formula of literals: `(?i)\bfoo.*(bar|baz)` requires `foo` and one
 * of `bar` and `baz`. A text without them need not be tried. After RE2's prefilter: each node either has its exact set,
 * every string that it can match, or only a formula that its matches satisfy. A node like `.*` has neither; what stands
 * before and after it is required, but never the two joined.
 *
 * Literals are lower-cased (ASCII): look for them without regard to ASCII case.
 *
 * On request it also tells what single characters are required, for those who know which characters a text holds.
 */
import { type CharSet, charSetOf, rangesOf, setSize } from './char-set.ts';
import { firstCharacters } from './first-characters.ts';
import type { PatternNode, RepeatNode } from './syntax.ts';

export type LiteralFormula =
  /** Every text can match. */
  | { readonly kind: 'always' }
  /** No text can match. */
  | { readonly kind: 'never' }
  | { readonly kind: 'literal'; readonly text: string }
  /** One character of the set; only where `LiteralOptions.characters` asks for it. */
  | { readonly kind: 'character'; readonly set: CharSet }
  | { readonly kind: 'all'; readonly parts: readonly LiteralFormula[] }
  | { readonly kind: 'any'; readonly parts: readonly LiteralFormula[] };

export interface LiteralOptions {
  /** Shorter literals say too little and are left out; 3 by default. In UTF-16 units. */
  readonly shortest?: number;
  /** Say which characters are required where no literal is; false by default. */
  readonly characters?: boolean;
}

/** Strings of one exact set, and characters of one class that is read as letters. */
const maxExact = 64;
/** Strings that matches begin with: they are only joined to what stands before them. */
const maxStarts = 64;
const maxClass = 8;
/** Exact strings are cut here, in UTF-16 units: a longer literal is no more telling and costs table rows. */
const maxLiteral = 24;
/** Rounds of a counted repeat that are written out. */
const maxRounds = 4;

/** A part that may be left out is passed over when it begins with one of at most so many characters. */
const maxRare = 32;
/** Space, digits and letters, and all beyond ASCII, as far as a range that holds one of them holds these. */
const common: readonly number[] = Array.from({ length: 256 }, (_, code) => code).filter(
  (code) => code === 0x20 || code >= 0x80 || /\w/.test(String.fromCharCode(code)),
);
/** Characters of a piece that is worth to be looked for beside the whole that it is a piece of. */
const tellingPiece = 3;

const always: LiteralFormula = { kind: 'always' };
const never: LiteralFormula = { kind: 'never' };

/** What is known of every match of a node. */
interface Required {
  /** All strings the node can match, but for those in which `unless` holds; null when unknown. */
  readonly exact: ReadonlySet<string> | null;
  /** What every match begins with, but for those in which `unless` holds; used where `exact` is unknown. */
  readonly starts: ReadonlySet<string>;
  readonly unless: LiteralFormula;
  /** Holds for every match, whatever `exact` says. */
  readonly formula: LiteralFormula;
}

const emptySet: ReadonlySet<string> = new Set(['']);
const anything: Required = { exact: null, starts: emptySet, unless: never, formula: always };
const nothingRead: Required = { exact: emptySet, starts: emptySet, unless: never, formula: always };

/** A formula that holds for every text in which the pattern matches somewhere. */
export function requiredLiterals(root: PatternNode, options: LiteralOptions = {}): LiteralFormula {
  const reader = new LiteralReader(options.shortest ?? 3, options.characters ?? false);
  return reader.formulaOf(reader.read(root));
}

/** True when the formula holds for a text of which `has` tells the literals in it; required characters count as there. */
export function formulaHolds(formula: LiteralFormula, has: (literal: string) => boolean): boolean {
  switch (formula.kind) {
    case 'always':
    case 'character':
      return true;
    case 'never':
      return false;
    case 'literal':
      return has(formula.text);
    case 'all':
      return formula.parts.every((part) => formulaHolds(part, has));
    case 'any':
      return formula.parts.some((part) => formulaHolds(part, has));
    default:
      return formula satisfies never;
  }
}

/**
 * The most telling set of literals of which every match holds at least one; null when there is none. Telling is: the
 * shortest of them is long, then: they are few.
 */
export function triggersOf(formula: LiteralFormula): ReadonlySet<string> | null {
  switch (formula.kind) {
    case 'always':
    case 'character':
      return null;
    case 'never':
      return new Set();
    case 'literal':
      return new Set([formula.text]);
    case 'all':
      return formula.parts.map(triggersOf).reduce(moreTelling, null);
    case 'any': {
      const union = new Set<string>();
      for (const part of formula.parts) {
        const literals = triggersOf(part);
        if (literals === null) return null;
        for (const literal of literals) union.add(literal);
      }
      return union;
    }
    default:
      return formula satisfies never;
  }
}

function moreTelling(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): ReadonlySet<string> | null {
  if (a === null || b === null) return a ?? b;
  const [lengthA, lengthB] = [shortestOf(a), shortestOf(b)];
  if (lengthA !== lengthB) return lengthA > lengthB ? a : b;
  return b.size < a.size ? b : a;
}

function shortestOf(literals: ReadonlySet<string>): number {
  return literals.values().reduce((least, literal) => Math.min(least, literal.length), Infinity);
}

class LiteralReader {
  readonly #shortest: number;
  readonly #characters: boolean;

  constructor(shortest: number, characters: boolean) {
    this.#shortest = shortest;
    this.#characters = characters;
  }

  read(node: PatternNode): Required {
    switch (node.kind) {
      case 'empty':
      case 'position':
        return nothingRead;
      case 'char':
        return this.#readChar(node.set);
      case 'capture':
        return this.read(node.body);
      case 'sequence':
        return this.#inSequence(node.parts.map((part) => this.read(part)));
      case 'choice':
        return this.#oneOf(node.branches.map((branch) => this.read(branch)));
      case 'repeat':
        return this.#repeated(node);
      default:
        return node satisfies never;
    }
  }

  formulaOf(required: Required): LiteralFormula {
    const { exact, unless, formula } = required;
    return exact === null ? formula : allOf([formula, this.#oneOfStrings(exact, unless)]);
  }

  #oneOfStrings(exact: ReadonlySet<string>, unless: LiteralFormula): LiteralFormula {
    const literals = [...exact].sort((a, b) => a.length - b.length);
    if ((literals[0]?.length ?? Infinity) < this.#shortest && !this.#characters) return always;
    const kept: string[] = [];
    for (const literal of literals) if (!kept.some((shorter) => literal.includes(shorter))) kept.push(literal);
    const formulas = kept.map(
      (text): LiteralFormula => (text.length < this.#shortest ? charactersOf(text) : { kind: 'literal', text }),
    );
    return anyOf([...formulas, unless]);
  }

  #readChar(set: CharSet): Required {
    if (set.length === 0) return { ...anything, formula: never };
    const unknown: Required = this.#characters ? { ...anything, formula: { kind: 'character', set } } : anything;
    if (setSize(set) > maxClass * 2) return unknown;
    const exact = new Set<string>();
    for (const [low, high] of rangesOf(set)) {
      for (let point = low; point <= high; point++) {
        exact.add(String.fromCodePoint(point >= 0x41 && point <= 0x5a ? point + 32 : point));
      }
    }
    return exact.size > maxClass ? unknown : { ...nothingRead, exact, starts: exact };
  }

  #inSequence(parts: readonly Required[]): Required {
    const formulas = parts.map((part) => part.formula);
    const pieces = new Pieces();
    let exact = emptySet;
    let unless = never;
    let starts: ReadonlySet<string> | null = null;
    let unlessAtStart = never;
    for (const part of parts) {
      pieces.add(part);
      const joined: ReadonlySet<string> | null = part.exact && joinedSets(exact, part.exact);
      if (joined !== null) {
        exact = joined;
        unless = anyOf([unless, part.unless]);
        continue;
      }
      // Too many strings, or unknown ones between: what is known ends here, and what follows is known by itself.
      const begun = joinedSets(exact, part.exact === null ? part.starts : emptySet, maxStarts);
      if (begun !== null && part.exact === null) unless = anyOf([unless, part.unless]);
      // What a part of unknown strings begins with is in its own formula.
      if (part.exact !== null || exact !== emptySet) formulas.push(this.#oneOfStrings(begun ?? exact, unless));
      if (starts === null) {
        starts = begun ?? exact;
        unlessAtStart = unless;
      }
      exact = part.exact ?? emptySet;
      unless = part.exact === null ? never : part.unless;
    }
    for (const piece of pieces.telling()) formulas.push(this.#oneOfStrings(piece, never));
    if (starts === null) return { exact, starts: exact, unless, formula: allOf(formulas) };
    formulas.push(this.#oneOfStrings(exact, unless));
    return { exact: null, starts, unless: unlessAtStart, formula: allOf(formulas) };
  }

  #oneOf(branches: readonly Required[]): Required {
    const unless = anyOf(branches.map((branch) => branch.unless));
    const starts = fewer(new Set(branches.flatMap((branch) => [...(branch.exact ?? branch.starts)])));
    if (branches.some((branch) => branch.exact === null) || starts.strings.size > maxExact) {
      const formula = anyOf(branches.map((branch) => this.formulaOf(branch)));
      return { exact: null, starts: starts.strings, unless, formula };
    }
    const formula = anyOf(branches.map((branch) => branch.formula));
    return { exact: starts.strings, starts: starts.strings, unless, formula };
  }

  #repeated(node: RepeatNode): Required {
    if (node.max === 0) return nothingRead;
    if (node.min === 0) {
      const first = this.#characters ? firstCharacters(node.body) : [];
      // Left out, or begun with one of few characters: what stands around it is joined for texts without those.
      if (first.length > 0 && isRare(first)) return { ...nothingRead, unless: { kind: 'character', set: first } };
      const body = node.max > 1 ? anything : this.read(node.body);
      return body.exact === null ? anything : this.#oneOf([body, nothingRead]);
    }
    const body = this.read(node.body);
    const rounds = Array.from({ length: Math.min(node.min, maxRounds) }, () => body);
    const known = node.max === rounds.length;
    return this.#inSequence(known ? rounds : [...rounds, anything]);
  }
}

/**
 * The strings of a sequence between the parts that may be left out. Where texts hold the characters with which those begin,
 * nothing is known of the whole, but the longer pieces are still required.
 */
class Pieces {
  readonly #ended: ReadonlySet<string>[] = [];
  #current = emptySet;
  #several = false;

  add(part: Required): void {
    const joined = part.exact !== null && part.unless.kind === 'never' ? joinedSets(this.#current, part.exact) : null;
    if (joined !== null) {
      this.#current = joined;
      return;
    }
    this.#several ||= part.unless.kind !== 'never';
    this.#ended.push(this.#current);
    this.#current = part.exact !== null && part.unless.kind === 'never' ? part.exact : emptySet;
  }

  /** Those that say more than their characters do; none when nothing was left out, for then they are known anyway. */
  telling(): readonly ReadonlySet<string>[] {
    if (!this.#several) return [];
    return [...this.#ended, this.#current].filter((piece) => shortestOf(piece) >= tellingPiece);
  }
}

/** Characters that ordinary words and numbers do not hold. */
function isRare(set: CharSet): boolean {
  return (
    setSize(set) <= maxRare && !rangesOf(set).some(([low, high]) => common.some((one) => low <= one && one <= high))
  );
}

/** Each of the characters, in either case. */
function charactersOf(text: string): LiteralFormula {
  return allOf(
    Array.from(text, (character) => ({ kind: 'character', set: eitherCase(character.codePointAt(0) ?? 0) })),
  );
}

function eitherCase(point: number): CharSet {
  return point >= 0x61 && point <= 0x7a ? charSetOf([point - 32, point - 32, point, point]) : [point, point];
}

/** The strings, or so much of their beginnings that there are not too many. */
function fewer(strings: ReadonlySet<string>): { readonly strings: ReadonlySet<string>; readonly cut: boolean } {
  let kept = strings;
  for (let length = maxLiteral; kept.size > maxStarts; length--) {
    kept = new Set([...kept].map((text) => text.slice(0, length)));
  }
  return { strings: kept, cut: kept !== strings };
}

/** Every string of the one followed by every string of the other; null when they are too many or too long. */
function joinedSets(
  left: ReadonlySet<string>,
  right: ReadonlySet<string>,
  most = maxExact,
): ReadonlySet<string> | null {
  if (left.size * right.size > most) return null;
  if (left === emptySet) return right;
  const joined = new Set<string>();
  for (const head of left) {
    for (const tail of right) {
      if (head.length + tail.length > maxLiteral) return null;
      joined.add(head + tail);
    }
  }
  return joined;
}

function allOf(parts: readonly LiteralFormula[]): LiteralFormula {
  if (parts.some((part) => part.kind === 'never')) return never;
  const telling = parts.filter((part) => part.kind !== 'always');
  if (telling.length === 0) return always;
  return telling.length === 1 ? (telling[0] ?? always) : { kind: 'all', parts: telling };
}

function anyOf(parts: readonly LiteralFormula[]): LiteralFormula {
  if (parts.some((part) => part.kind === 'always')) return always;
  const possible: LiteralFormula[] = parts.filter((part) => part.kind !== 'never' && part.kind !== 'character');
  const sets = parts.flatMap((part) => (part.kind === 'character' ? part.set : []));
  if (sets.length > 0) possible.push({ kind: 'character', set: charSetOf(sets) });
  if (possible.length === 0) return never;
  return possible.length === 1 ? (possible[0] ?? never) : { kind: 'any', parts: possible };
}
