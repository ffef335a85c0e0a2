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
const maxClass = 8;
/** Exact strings are cut here, in UTF-16 units: a longer literal is no more telling and costs table rows. */
const maxLiteral = 24;
/** Rounds of a counted repeat that are written out. */
const maxRounds = 4;

const always: LiteralFormula = { kind: 'always' };
const never: LiteralFormula = { kind: 'never' };

/** `exact`: all strings the node can match, or null; then `formula` holds for every match. */
interface Required {
  readonly exact: ReadonlySet<string> | null;
  readonly formula: LiteralFormula;
}

const anything: Required = { exact: null, formula: always };
const nothingRead: Required = { exact: new Set(['']), formula: always };

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
    const { exact } = required;
    if (exact === null) return required.formula;
    const literals = [...exact].sort((a, b) => a.length - b.length);
    if ((literals[0]?.length ?? Infinity) < this.#shortest && !this.#characters) return always;
    const kept: string[] = [];
    for (const literal of literals) if (!kept.some((shorter) => literal.includes(shorter))) kept.push(literal);
    return anyOf(kept.map((text) => (text.length < this.#shortest ? charactersOf(text) : { kind: 'literal', text })));
  }

  #readChar(set: CharSet): Required {
    if (set.length === 0) return { exact: null, formula: never };
    const unknown: Required = this.#characters ? { exact: null, formula: { kind: 'character', set } } : anything;
    if (setSize(set) > maxClass * 2) return unknown;
    const exact = new Set<string>();
    for (const [low, high] of rangesOf(set)) {
      for (let point = low; point <= high; point++) {
        exact.add(String.fromCodePoint(point >= 0x41 && point <= 0x5a ? point + 32 : point));
      }
    }
    return exact.size > maxClass ? unknown : { exact, formula: always };
  }

  #inSequence(parts: readonly Required[]): Required {
    const formulas: LiteralFormula[] = [];
    let exact: ReadonlySet<string> | null = nothingRead.exact;
    for (const part of parts) {
      const joined: ReadonlySet<string> | null = exact && part.exact && joinedSets(exact, part.exact);
      if (joined !== null) {
        exact = joined;
        continue;
      }
      // Too many strings, or unknown ones between: what is known ends here, and what follows is known by itself.
      if (exact !== null) formulas.push(this.formulaOf({ exact, formula: always }));
      if (part.exact === null) formulas.push(part.formula);
      exact = part.exact ?? nothingRead.exact;
      if (formulas.length === 0) formulas.push(always);
    }
    if (formulas.length === 0) return { exact, formula: always };
    formulas.push(this.formulaOf({ exact, formula: always }));
    return { exact: null, formula: allOf(formulas) };
  }

  #oneOf(branches: readonly Required[]): Required {
    const union = new Set<string>();
    for (const { exact } of branches) {
      for (const text of exact ?? []) union.add(text);
      if (exact === null || union.size > maxExact) {
        return { exact: null, formula: anyOf(branches.map((branch) => this.formulaOf(branch))) };
      }
    }
    return { exact: union, formula: always };
  }

  #repeated(node: RepeatNode): Required {
    if (node.max === 0) return nothingRead;
    if (node.min === 0 && node.max > 1) return anything;
    const body = this.read(node.body);
    if (node.min === 0) {
      return body.exact === null ? anything : this.#oneOf([body, nothingRead]);
    }
    const rounds = Array.from({ length: Math.min(node.min, maxRounds) }, () => body);
    const known = node.max === rounds.length;
    return this.#inSequence(known ? rounds : [...rounds, anything]);
  }
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

/** Every string of the one followed by every string of the other; null when they are too many or too long. */
function joinedSets(left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> | null {
  if (left.size * right.size > maxExact) return null;
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
  const possible = parts.filter((part) => part.kind !== 'never');
  if (possible.length === 0) return never;
  return possible.length === 1 ? (possible[0] ?? never) : { kind: 'any', parts: possible };
}
