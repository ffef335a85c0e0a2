/**
 * `SearchIndex`: which operators of a rule set can match a text at all. What each operator needs (`SearchNeed`) is known
 * from its pattern or its phrases; the index asks all of them at once. First the kinds of characters in the text and its
 * length rule operators out, which for the same kinds is worked out once; then, for those that need literals too, one pass
 * of an Aho-Corasick machine finds which are there. It may name an operator that does not match, and never leaves out one
 * that does.
 *
 * An answer is a bit set: bit n % 32 of word n / 32 for operator n.
 */
import { LiteralSet } from '../../regex/literal-set.ts';
import type { LiteralFormula } from '../../regex/required-literals.ts';
import { type CharCondition, charConditionOf, conditionHolds } from './char-condition.ts';
import { LiteralGroups, type LiteralNeed, needHolds } from './literal-need.ts';

export interface SearchNeed {
  /** Holds for every text that matches. Its literals are lower case and found in either case. */
  readonly formula: LiteralFormula;
  /** Characters of the shortest text that matches. */
  readonly shortest: number;
}

/** Lengths from here on are one. */
const longLength = 15;
/** Answers by kinds of characters that are kept: a power of two. */
const keptAnswers = 1_024;

interface IndexedOperator {
  readonly shortest: number;
  readonly possible: CharCondition;
  readonly certain: CharCondition;
  readonly need: LiteralNeed;
}

/** Takes the needs of all operators of a rule set. Operators with an equal `key` share a number. */
export class SearchIndexBuilder {
  readonly #needs: SearchNeed[] = [];
  readonly #numbers = new Map<string, number>();

  /** The operator's number. */
  add(key: string, needOf: () => SearchNeed): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#needs.push(needOf()) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  build(): SearchIndex {
    return new SearchIndex(this.#needs);
  }
}

export class SearchIndex {
  /** How many operators there are. */
  readonly size: number;
  /** Length of an answer in words of 32 bits. */
  readonly words: number;
  /** The answer without any bit; never written to. */
  readonly none: Uint32Array;
  readonly #operators: readonly IndexedOperator[];
  readonly #groups = new LiteralGroups();
  readonly #literals: LiteralSet;
  readonly #groupsOf: readonly (readonly number[])[];
  /** By group: the operators that it may make candidates. */
  readonly #startedBy: readonly (readonly number[])[];
  /** The round in which a group was last satisfied: no clearing between texts. */
  readonly #seen: Uint32Array;
  #round = 0;
  readonly #started: number[] = [];

  /** Kept answers: `low` and `high` with the length by slot, then the bits of two sets. */
  readonly #keys = new Int32Array(keptAnswers * 3);
  readonly #answers: Uint32Array;
  readonly #filled = new Uint8Array(keptAnswers);

  constructor(needs: readonly SearchNeed[]) {
    this.size = needs.length;
    this.words = Math.ceil(needs.length / 32);
    this.none = new Uint32Array(this.words);
    this.#answers = new Uint32Array(keptAnswers * this.words * 2);
    const startedBy: number[][] = [];
    this.#operators = needs.map(({ formula, shortest }, number) => {
      const need = this.#groups.needOf(formula);
      for (const group of this.#groups.triggersOf(formula)) (startedBy[group] ??= []).push(number);
      const possible = charConditionOf(formula, 'possible');
      return { shortest, need, possible, certain: charConditionOf(formula, 'absent') };
    });
    this.#startedBy = Array.from({ length: this.#groups.size }, (_, group) => startedBy[group] ?? []);
    this.#groupsOf = this.#groups.groupsOf;
    this.#literals = new LiteralSet(this.#groups.literals, { caseInsensitive: true });
    this.#seen = new Uint32Array(this.#groups.size);
  }

  /** What the tables hold, in bytes. */
  get bytes(): number {
    const kept = this.#keys.byteLength + this.#answers.byteLength + this.#filled.byteLength;
    return this.#literals.bytes + this.#seen.byteLength + kept;
  }

  /** The operators that may match a text with these classes of characters. `none` itself when there are none. */
  candidates(text: string, low: number, high: number): Uint32Array {
    const { words } = this;
    const from = this.#answerFor(low, high, Math.min(text.length, longLength)) * words * 2;
    const answers = this.#answers;
    let any = 0;
    let searched = 0;
    for (let word = 0; word < words; word++) {
      any |= answers[from + word] ?? 0;
      searched |= answers[from + words + word] ?? 0;
    }
    const found = searched === 0 ? null : this.#search(text, from + words);
    if (any === 0) return found ?? this.none;
    const result = found ?? new Uint32Array(words);
    for (let word = 0; word < words; word++) result[word] = (result[word] ?? 0) | (answers[from + word] ?? 0);
    return result;
  }

  /**
   * The first of the literals that the operator needs, for an operator that is nothing but its phrases: the one that starts
   * leftmost, the longest of those. Null when none is there.
   */
  findPhrase(text: string, operator: number): string | null {
    const need = this.#operators[operator]?.need;
    if (need?.kind !== 'group') return null;
    const { group } = need;
    const { literals } = this.#groups;
    let bestStart = text.length;
    let bestEnd = 0;
    this.#literals.each(text, (literal, end) => {
      if (!(this.#groupsOf[literal]?.includes(group) ?? false)) return true;
      const start = end - (literals[literal]?.length ?? 0);
      if (start < bestStart || (start === bestStart && end > bestEnd)) {
        bestStart = start;
        bestEnd = end;
      }
      return true;
    });
    return bestEnd === 0 ? null : text.slice(bestStart, bestEnd);
  }

  /** The bits of `wanted` whose literals are in the text; null when there are none. `wanted`: an offset in the answers. */
  #search(text: string, wanted: number): Uint32Array | null {
    if (this.#round === 0xffff_ffff) {
      this.#seen.fill(0);
      this.#round = 0;
    }
    this.#round++;
    this.#started.length = 0;
    this.#literals.each(text, this.#see);
    let result: Uint32Array | null = null;
    for (const number of this.#started) {
      const word = number >>> 5;
      const bit = 1 << (number & 31);
      if (((this.#answers[wanted + word] ?? 0) & bit) === 0) continue;
      const operator = this.#operators[number];
      if (operator === undefined || !needHolds(operator.need, this.#seen, this.#round)) continue;
      result ??= new Uint32Array(this.words);
      result[word] = (result[word] ?? 0) | bit;
    }
    return result;
  }

  readonly #see = (literal: number): boolean => {
    const seen = this.#seen;
    for (const group of this.#groupsOf[literal] ?? []) {
      if (seen[group] === this.#round) continue;
      seen[group] = this.#round;
      for (const operator of this.#startedBy[group] ?? []) this.#started.push(operator);
    }
    return true;
  };

  /** The slot with two sets: operators that may match whatever literals there are, and those that need a search. */
  #answerFor(low: number, high: number, length: number): number {
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1) ^ length, 0x85ebca6b);
    const slot = (hash ^ (hash >>> 15)) & (keptAnswers - 1);
    const keys = this.#keys;
    const key = slot * 3;
    const known = keys[key] === low && keys[key + 1] === high && keys[key + 2] === length;
    if (known && this.#filled[slot] === 1) return slot;
    keys[key] = low;
    keys[key + 1] = high;
    keys[key + 2] = length;
    this.#filled[slot] = 1;
    this.#work(slot, low, high, length);
    return slot;
  }

  #work(slot: number, low: number, high: number, length: number): void {
    const { words } = this;
    const answers = this.#answers;
    const from = slot * words * 2;
    answers.fill(0, from, from + words * 2);
    for (const [number, operator] of this.#operators.entries()) {
      if (operator.shortest > length && length < longLength) continue;
      if (!conditionHolds(operator.possible, low, high)) continue;
      const set = conditionHolds(operator.certain, low, high) ? 0 : words;
      const word = from + set + (number >>> 5);
      answers[word] = (answers[word] ?? 0) | (1 << (number & 31));
    }
  }
}
