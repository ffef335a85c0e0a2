/**
 * `SearchIndex`: which operators of a rule set can match a text at all. What each operator needs (`SearchNeed`) is known
 * from its pattern or its phrases; the index asks all of them at once. First the kinds of characters in the text and its
 * length rule operators out, which for the same kinds is worked out once; then, for those that need literals too, one pass
 * over the text finds which are there. It may name an operator that does not match, and never leaves out one
 * that does.
 *
 * An answer is a bit set: bit n % 32 of word n / 32 for operator n.
 */
import type { LiteralFormula } from '../../regex/required-literals.ts';
import { type ClassAnswer, ClassAnswers, ignore, nameIt, remember, unknown } from './class-answers.ts';
import { ClauseTable, type IndexedClause } from './clause-table.ts';
import { LiteralScan } from './literal-scan.ts';
import { clausesOf } from './search-clauses.ts';

export interface SearchNeed {
  /** Holds for every text that matches. Its literals are lower case and found in either case. */
  readonly formula: LiteralFormula;
  /** Characters of the shortest text that matches. */
  readonly shortest: number;
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
  readonly #answers = new ClassAnswers();
  readonly #clauses = new ClauseTable();
  readonly #literals: LiteralScan;
  /** The lists of a literal are those from its start to that of the next one. */
  readonly #starts: Int32Array;
  readonly #lists: Int32Array;
  readonly #operatorOf: Int32Array;
  /** The round in which a list was last seen, for those that are wanted together: no clearing between texts. */
  readonly #seen: Uint32Array;
  #round = 0;
  /** Lists of this round whose clause wants others too. */
  readonly #pending: number[] = [];
  /** The answer for the text that is searched now, and what was found in it so far. */
  #answer: ClassAnswer;
  #verdicts: Uint8Array;
  #ignored: Int32Array;
  readonly #found: Uint32Array;
  #foundAny = false;

  constructor(needs: readonly SearchNeed[]) {
    this.size = needs.length;
    this.words = Math.ceil(needs.length / 32);
    this.none = new Uint32Array(this.words);
    this.#found = new Uint32Array(this.words);
    for (const [number, { formula, shortest }] of needs.entries()) {
      for (const clause of clausesOf(formula)) this.#clauses.add(number, clause);
      this.#answers.add(formula, shortest);
    }
    const { clauseOf, literals } = this.#clauses;
    this.#literals = new LiteralScan(literals);
    const { starts, lists } = this.#clauses.flat();
    this.#starts = starts;
    this.#lists = lists;
    this.#operatorOf = Int32Array.from(clauseOf, (clause) => clause?.operator ?? -1);
    this.#seen = new Uint32Array(clauseOf.length);
    this.#answers.finish(clauseOf.length, literals.length);
    this.#answer = this.#answers.of(0, 0, 0);
    this.#verdicts = this.#answer.verdicts;
    this.#ignored = this.#answer.ignored;
  }

  /** What the tables hold, in bytes. */
  get bytes(): number {
    const lists =
      this.#starts.byteLength + this.#lists.byteLength + this.#operatorOf.byteLength + this.#seen.byteLength;
    return this.#literals.bytes + this.#answers.bytes + lists;
  }

  /** The operators that may match a text with these classes of characters. `none` itself when there are none. */
  candidates(text: string, low: number, high: number): Uint32Array {
    const answer = this.#answers.of(low, high, text.length);
    const found = answer.searched !== null && this.#search(text, answer);
    if (!found) return answer.hasCertain ? answer.certain.slice() : this.none;
    const result = this.#found.slice();
    if (!answer.hasCertain) return result;
    const { certain } = answer;
    for (let word = 0; word < result.length; word++) result[word] = (result[word] ?? 0) | (certain[word] ?? 0);
    return result;
  }

  /** Whether one operator may match, without a search: quicker where few are asked for. */
  isPossible(operator: number, text: string, low: number, high: number): boolean {
    return this.#answers.isPossible(operator, low, high, text.length);
  }

  /**
   * The first of the literals that the operator needs, for an operator that is nothing but its phrases: the one that starts
   * leftmost, the longest of those. Null when none is there.
   */
  findPhrase(text: string, operator: number): string | null {
    let bestStart = text.length;
    let bestEnd = 0;
    this.#literals.each(text, (literal, start, end) => {
      const lists = this.#lists.subarray(this.#starts[literal], this.#starts[literal + 1]);
      if (!lists.some((list) => this.#operatorOf[list] === operator)) return;
      if (start < bestStart || (start === bestStart && end > bestEnd)) {
        bestStart = start;
        bestEnd = end;
      }
    });
    return bestEnd === 0 ? null : text.slice(bestStart, bestEnd);
  }

  /** Leaves the operators whose literals are in the text in `#found`; false when there are none. */
  #search(text: string, answer: ClassAnswer): boolean {
    if (this.#round === 0xffff_ffff) {
      this.#seen.fill(0);
      this.#round = 0;
    }
    this.#round++;
    if (this.#foundAny) this.#found.fill(0);
    this.#foundAny = false;
    this.#pending.length = 0;
    this.#answer = answer;
    this.#verdicts = answer.verdicts;
    this.#ignored = answer.ignored;
    this.#literals.each(text, this.#see);
    for (const list of this.#pending) {
      const clause = this.#clauses.clauseOf[list];
      if (clause?.also.every((other) => this.#seen[other] === this.#round)) this.#name(clause.operator);
    }
    return this.#foundAny;
  }

  readonly #see = (literal: number): void => {
    const ignored = this.#ignored;
    const word = literal >>> 5;
    const bit = 1 << (literal & 31);
    if (((ignored[word] ?? 0) & bit) !== 0) return;
    const verdicts = this.#verdicts;
    const end = this.#starts[literal + 1] ?? 0;
    let matters = false;
    for (let at = this.#starts[literal] ?? 0; at < end; at++) {
      const list = this.#lists[at] ?? 0;
      const verdict = verdicts[list] ?? 0;
      if (verdict === ignore) continue;
      if (verdict === nameIt) this.#name(this.#operatorOf[list] ?? 0);
      else this.#lookAt(list);
      matters ||= verdicts[list] !== ignore;
    }
    if (!matters) ignored[word] = (ignored[word] ?? 0) | bit;
  };

  #name(operator: number): void {
    const word = operator >>> 5;
    this.#found[word] = (this.#found[word] ?? 0) | (1 << (operator & 31));
    this.#foundAny = true;
  }

  /** A list that is new to this answer, or wanted together with others. */
  #lookAt(list: number): void {
    const clause = this.#clauses.clauseOf[list];
    if (this.#verdicts[list] === unknown) this.#verdicts[list] = this.#verdictOn(clause);
    if (this.#verdicts[list] === nameIt) this.#name(clause?.operator ?? 0);
    if (this.#verdicts[list] !== remember || this.#seen[list] === this.#round) return;
    this.#seen[list] = this.#round;
    if (clause !== undefined) this.#pending.push(list);
  }

  #verdictOn(clause: IndexedClause | undefined): number {
    if (clause === undefined) return remember;
    const { low, high, searched } = this.#answer;
    const wanted = (((searched?.[clause.operator >>> 5] ?? 0) >>> (clause.operator & 31)) & 1) === 1;
    if (!wanted || !clause.when.holds(low, high)) return ignore;
    return clause.also.length > 0 ? remember : nameIt;
  }
}
