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
import { clausesOf, type SearchClause } from './search-clauses.ts';

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

/** What can be told before the search. */
interface IndexedOperator {
  readonly shortest: number;
  readonly possible: CharCondition;
  readonly certain: CharCondition;
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
  readonly #clauses = new ClauseTable();
  readonly #literals: LiteralSet;
  /** The round in which a list of literals was last seen: no clearing between texts. */
  readonly #seen: Uint32Array;
  #round = 0;
  /** Of the text that is searched now. */
  #low = 0;
  #high = 0;
  #wanted = 0;
  #found: Uint32Array | null = null;
  /** Lists whose clause wants others too. */
  readonly #pending: number[] = [];

  /** Kept answers: `low`, `high` and the length by slot, and the bits of two sets. */
  readonly #keys = new Int32Array(keptAnswers * 3);
  readonly #answers: Uint32Array;
  readonly #filled = new Uint8Array(keptAnswers);

  constructor(needs: readonly SearchNeed[]) {
    this.size = needs.length;
    this.words = Math.ceil(needs.length / 32);
    this.none = new Uint32Array(this.words);
    this.#answers = new Uint32Array(keptAnswers * this.words * 2);
    this.#operators = needs.map(({ formula, shortest }, number) => {
      for (const clause of clausesOf(formula)) this.#clauses.add(number, clause);
      const possible = charConditionOf(formula, 'possible');
      return { shortest, possible, certain: charConditionOf(formula, 'absent') };
    });
    this.#literals = new LiteralSet(this.#clauses.literals, { caseInsensitive: true });
    this.#seen = new Uint32Array(this.#clauses.lists);
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
    const found = searched === 0 ? null : this.#search(text, from + words, low, high);
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
    const { literals, listsOf, clauseOf } = this.#clauses;
    let bestStart = text.length;
    let bestEnd = 0;
    this.#literals.each(text, (literal, end) => {
      if (!(listsOf[literal]?.some((list) => clauseOf[list]?.operator === operator) ?? false)) return true;
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
  #search(text: string, wanted: number, low: number, high: number): Uint32Array | null {
    if (this.#round === 0xffff_ffff) {
      this.#seen.fill(0);
      this.#round = 0;
    }
    this.#round++;
    this.#low = low;
    this.#high = high;
    this.#wanted = wanted;
    this.#found = null;
    this.#pending.length = 0;
    this.#literals.each(text, this.#see);
    for (const list of this.#pending) {
      const clause = this.#clauses.clauseOf[list];
      if (clause?.also.every((other) => this.#seen[other] === this.#round)) this.#name(clause.operator);
    }
    return this.#found;
  }

  readonly #see = (literal: number): boolean => {
    const seen = this.#seen;
    const round = this.#round;
    for (const list of this.#clauses.listsOf[literal] ?? []) {
      if (seen[list] === round) continue;
      seen[list] = round;
      const clause = this.#clauses.clauseOf[list];
      if (clause === undefined || !this.#isWanted(clause.operator)) continue;
      if (!conditionHolds(clause.when, this.#low, this.#high)) continue;
      if (clause.also.length > 0) this.#pending.push(list);
      else this.#name(clause.operator);
    }
    return true;
  };

  #isWanted(operator: number): boolean {
    return (((this.#answers[this.#wanted + (operator >>> 5)] ?? 0) >>> (operator & 31)) & 1) === 1;
  }

  #name(operator: number): void {
    const found = (this.#found ??= new Uint32Array(this.words));
    const word = operator >>> 5;
    found[word] = (found[word] ?? 0) | (1 << (operator & 31));
  }

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

interface IndexedClause {
  readonly operator: number;
  readonly when: CharCondition;
  /** Numbers of lists. */
  readonly also: readonly number[];
}

/** The clauses of all operators by the literals that make them true. A list of literals is a number. */
class ClauseTable {
  readonly literals: string[] = [];
  /** By literal: the lists it is in. */
  readonly listsOf: number[][] = [];
  /** By list; undefined for one that other clauses want besides their own. */
  readonly clauseOf: (IndexedClause | undefined)[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #further = new Map<string, number>();

  /** How many lists there are. */
  get lists(): number {
    return this.clauseOf.length;
  }

  add(operator: number, { literals, when, also }: SearchClause): void {
    const further = also.map((list) => this.#furtherList(list));
    this.#list(literals, { operator, when, also: further });
  }

  #furtherList(literals: readonly string[]): number {
    const key = JSON.stringify(literals);
    const known = this.#further.get(key);
    if (known !== undefined) return known;
    const list = this.#list(literals, undefined);
    this.#further.set(key, list);
    return list;
  }

  #list(literals: readonly string[], clause: IndexedClause | undefined): number {
    const list = this.clauseOf.push(clause) - 1;
    for (const literal of literals) this.listsOf[this.#number(literal)]?.push(list);
    return list;
  }

  #number(literal: string): number {
    const known = this.#numbers.get(literal);
    if (known !== undefined) return known;
    const number = this.literals.push(literal) - 1;
    this.#numbers.set(literal, number);
    this.listsOf.push([]);
    return number;
  }
}
