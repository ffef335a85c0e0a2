/**
 * What the kinds of characters in a text and its length tell about every operator. Texts are alike in this, so an answer is
 * kept for the next text of the same kinds, in a table of fixed size.
 */
import type { LiteralFormula } from '../../regex/required-literals.ts';
import { CharQuestion, charConditionOf } from './char-condition.ts';
import { QuestionTable } from './question-table.ts';

/** Lengths from here on are one. */
const longLength = 15;
/** Answers that are kept: a power of two. */
const keptAnswers = 2_048;

/** What is to be done when a literal of a list is seen: not asked yet, nothing, name the operator, or look for others. */
export const unknown = 0;
export const ignore = 1;
export const nameIt = 2;
export const remember = 3;

export class ClassAnswer {
  readonly low: number;
  readonly high: number;
  readonly length: number;
  /** Operators that may match whatever literals there are. */
  readonly certain: Uint32Array;
  /** Operators that may match if their literals are there; null when there are none. */
  readonly searched: Uint32Array | null;
  readonly hasCertain: boolean;
  /** By list of literals: `unknown` and so on. */
  readonly verdicts: Uint8Array;
  /** By literal, as bits: all its lists are to be ignored. */
  readonly ignored: Int32Array;

  constructor(
    low: number,
    high: number,
    length: number,
    certain: Uint32Array,
    searched: Uint32Array,
    verdicts: Uint8Array,
    ignored: Int32Array,
  ) {
    this.low = low;
    this.high = high;
    this.length = length;
    this.certain = certain;
    this.hasCertain = certain.some((word) => word !== 0);
    this.searched = searched.some((word) => word !== 0) ? searched : null;
    this.verdicts = verdicts;
    this.ignored = ignored;
  }
}

interface Tables {
  readonly possible: QuestionTable;
  readonly certain: QuestionTable;
  /** By length: operators whose matches are no longer. */
  readonly fitting: readonly Uint32Array[];
  readonly lists: number;
  readonly literalWords: number;
}

export class ClassAnswers {
  readonly #possible: CharQuestion[] = [];
  readonly #certain: CharQuestion[] = [];
  readonly #shortest: number[] = [];
  readonly #kept: (ClassAnswer | undefined)[] = Array.from({ length: keptAnswers }, () => undefined);
  /** Null until all operators are known. */
  #tables: Tables | null = null;

  /** The next operator: what its matches hold, and how short they are. */
  add(formula: LiteralFormula, shortest: number): void {
    this.#shortest.push(shortest);
    this.#possible.push(new CharQuestion(charConditionOf(formula, 'possible')));
    this.#certain.push(new CharQuestion(charConditionOf(formula, 'absent')));
  }

  /** All operators are known, and how many lists of literals and literals they have. */
  finish(lists: number, literals: number): void {
    this.#tables = {
      possible: new QuestionTable(this.#possible),
      certain: new QuestionTable(this.#certain),
      fitting: Array.from({ length: longLength + 1 }, (_, length) => fittingIn(this.#shortest, length)),
      lists,
      literalWords: Math.ceil(literals / 32),
    };
  }

  /** At most, in bytes. */
  get bytes(): number {
    return (
      keptAnswers *
      ((this.#tables?.lists ?? 0) +
        (this.#tables?.literalWords ?? 0) * 4 +
        Math.ceil(this.#shortest.length / 32) * 8 +
        400)
    );
  }

  /** The same for one operator, whatever literals there are: false when it cannot match. */
  isPossible(operator: number, low: number, high: number, textLength: number): boolean {
    if ((this.#shortest[operator] ?? 0) > textLength) return false;
    return this.#possible[operator]?.holds(low, high) ?? false;
  }

  of(low: number, high: number, textLength: number): ClassAnswer {
    const length = Math.min(textLength, longLength);
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1) ^ length, 0x85ebca6b);
    const slot = (hash ^ (hash >>> 15)) & (keptAnswers - 1);
    const kept = this.#kept[slot];
    if (kept !== undefined && kept.low === low && kept.high === high && kept.length === length) return kept;
    const answer = this.#workOut(low, high, length);
    this.#kept[slot] = answer;
    return answer;
  }

  #workOut(low: number, high: number, length: number): ClassAnswer {
    const tables = this.#tables;
    if (tables === null) throw new Error('finish() comes before the first question');
    const { possible, certain, fitting, lists, literalWords } = tables;
    const searched = possible.ask(low, high, fitting[length] ?? new Uint32Array(0));
    const sure = certain.ask(low, high, searched);
    for (let word = 0; word < searched.length; word++) searched[word] = (searched[word] ?? 0) & ~(sure[word] ?? 0);
    return new ClassAnswer(low, high, length, sure, searched, new Uint8Array(lists), new Int32Array(literalWords));
  }
}

/** As bits: the operators that can match a text of that length; from `longLength` on, all. */
function fittingIn(shortest: readonly number[], length: number): Uint32Array {
  const set = new Uint32Array(Math.ceil(shortest.length / 32));
  for (const [number, least] of shortest.entries()) {
    if (least <= length || length >= longLength) set[number >>> 5] = (set[number >>> 5] ?? 0) | (1 << (number & 31));
  }
  return set;
}
