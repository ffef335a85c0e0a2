/**
 * `PatternSet`: many patterns asked as one, for data files of regular expressions. One pass over the text finds the literals
 * that the patterns require, and only those patterns run whose literals are there: for ordinary text, none.
 */
import { compileParsed, type Pattern } from './compile-pattern.ts';
import { LiteralSet } from './literal-set.ts';
import { parsePattern } from './parse-pattern.ts';
import { formulaHolds, type LiteralFormula, requiredLiterals, triggersOf } from './required-literals.ts';
import type { PatternOptions } from './syntax.ts';

export type PatternSetOptions = Omit<PatternOptions, 'groups'>;

export class PatternSet {
  readonly size: number;
  readonly #patterns: readonly Pattern[];
  readonly #formulas: readonly LiteralFormula[];
  /** Patterns without a required literal: they run on every text. */
  readonly #untriggered: readonly number[];
  readonly #literals: LiteralSet;
  readonly #numberOf: ReadonlyMap<string, number>;
  /** For each literal, the patterns that it may start. */
  readonly #startedBy: readonly (readonly number[])[];
  /** The round in which a literal was last seen and a pattern last named: no clearing between texts. */
  readonly #seenIn: Uint32Array;
  readonly #namedIn: Uint32Array;
  readonly #candidates: number[] = [];
  #round = 0;

  /** @throws GatewayError PATTERN_INVALID for the first pattern that is not valid. */
  constructor(sources: readonly string[], options: PatternSetOptions = {}) {
    const parsed = sources.map((source) => parsePattern(source, { ...options, groups: 'none' }));
    this.size = sources.length;
    this.#patterns = parsed.map((one, index) => compileParsed(sources[index] ?? '', one, options.subject ?? 'text'));
    this.#formulas = parsed.map((one) => requiredLiterals(one.root));
    const numberOf = new Map<string, number>();
    const startedBy: number[][] = [];
    const number = (literal: string): number => {
      const known = numberOf.get(literal);
      if (known !== undefined) return known;
      numberOf.set(literal, startedBy.length);
      return startedBy.push([]) - 1;
    };
    const untriggered: number[] = [];
    for (const [index, formula] of this.#formulas.entries()) {
      const triggers = triggersOf(formula);
      if (triggers === null) untriggered.push(index);
      for (const literal of triggers ?? []) startedBy[number(literal)]?.push(index);
      for (const literal of literalsOf(formula)) number(literal);
    }
    this.#untriggered = untriggered;
    this.#numberOf = numberOf;
    this.#startedBy = startedBy;
    this.#literals = new LiteralSet([...numberOf.keys()], { caseInsensitive: true });
    this.#seenIn = new Uint32Array(startedBy.length);
    this.#namedIn = new Uint32Array(sources.length);
  }

  /** What the tables of literals hold, in bytes; the compiled patterns are V8's and not counted. */
  get bytes(): number {
    return this.#literals.bytes + this.#seenIn.byteLength + this.#namedIn.byteLength;
  }

  /** True when any of the patterns matches. */
  matches(text: string): boolean {
    for (const index of this.#candidatesFor(text)) if (this.#try(index, text)) return true;
    for (const index of this.#untriggered) if (this.#patterns[index]?.test(text)) return true;
    return false;
  }

  /** The lowest index of a pattern that matches, -1 when none does. */
  firstMatch(text: string): number {
    const candidates = this.#candidatesFor(text);
    if (candidates.length === 0 && this.#untriggered.length === 0) return -1;
    for (const index of [...candidates, ...this.#untriggered].sort((a, b) => a - b)) {
      if (this.#try(index, text)) return index;
    }
    return -1;
  }

  #candidatesFor(text: string): readonly number[] {
    this.#candidates.length = 0;
    if (++this.#round > 0xffff_fffe) this.#startOver();
    this.#literals.each(text, this.#see);
    return this.#candidates;
  }

  readonly #see = (literal: number): boolean => {
    if (this.#seenIn[literal] === this.#round) return true;
    this.#seenIn[literal] = this.#round;
    for (const pattern of this.#startedBy[literal] ?? []) {
      if (this.#namedIn[pattern] === this.#round) continue;
      this.#namedIn[pattern] = this.#round;
      this.#candidates.push(pattern);
    }
    return true;
  };

  #startOver(): void {
    this.#seenIn.fill(0);
    this.#namedIn.fill(0);
    this.#round = 1;
  }

  #try(index: number, text: string): boolean {
    const formula = this.#formulas[index];
    if (formula === undefined || !formulaHolds(formula, this.#isSeen)) return false;
    return this.#patterns[index]?.test(text) ?? false;
  }

  readonly #isSeen = (literal: string): boolean => this.#seenIn[this.#numberOf.get(literal) ?? -1] === this.#round;
}

function literalsOf(formula: LiteralFormula): readonly string[] {
  if (formula.kind === 'literal') return [formula.text];
  return formula.kind === 'all' || formula.kind === 'any' ? formula.parts.flatMap(literalsOf) : [];
}
