/**
 * Many questions about the kinds of characters in a text, asked at once: for each kind, as bits, the questions that a character of
 * it goes some way to answer. The few that are still open then are asked one by one.
 */
import { type CharCondition, type CharQuestion, conditionHolds } from './char-condition.ts';

/** Bits of a `CharClasses`, `low` before `high`. */
const kinds = 64;

export class QuestionTable {
  readonly #words: number;
  /** By kind: questions whose first and second classes hold it. */
  readonly #first: readonly Uint32Array[];
  readonly #second: readonly Uint32Array[];
  readonly #always: Uint32Array;
  /** What is left to be asked, by question; null: nothing. */
  readonly #rest: readonly (CharCondition | null)[];
  readonly #hasRest: Uint32Array;
  readonly #firstFound: Uint32Array;
  readonly #secondFound: Uint32Array;

  constructor(questions: readonly CharQuestion[]) {
    this.#words = Math.ceil(questions.length / 32);
    const bits = (is: (question: CharQuestion) => boolean): Uint32Array => {
      const set = new Uint32Array(this.#words);
      for (const [number, question] of questions.entries()) {
        if (is(question)) set[number >>> 5] = (set[number >>> 5] ?? 0) | (1 << (number & 31));
      }
      return set;
    };
    const byKind = (of: 'first' | 'second'): readonly Uint32Array[] =>
      Array.from({ length: kinds }, (_, kind) =>
        bits(({ [of]: { low, high } }) => (((kind < 32 ? low : high) >>> (kind & 31)) & 1) === 1),
      );
    this.#first = byKind('first');
    this.#second = byKind('second');
    this.#always = bits(({ always }) => always);
    this.#rest = questions.map(({ rest }) => rest);
    this.#hasRest = bits(({ rest }) => rest !== null);
    this.#firstFound = new Uint32Array(this.#words);
    this.#secondFound = new Uint32Array(this.#words);
  }

  /** Those of `among` that hold for a text with these classes. */
  ask(low: number, high: number, among: Uint32Array): Uint32Array {
    const first = this.#firstFound;
    const second = this.#secondFound;
    first.set(this.#always);
    second.set(this.#always);
    this.#gather(low, 0);
    this.#gather(high, 32);
    const result = new Uint32Array(this.#words);
    for (let word = 0; word < result.length; word++) {
      const open = (first[word] ?? 0) & (second[word] ?? 0) & (among[word] ?? 0);
      result[word] = open === 0 ? 0 : this.#settled(open, word, low, high);
    }
    return result;
  }

  #gather(classes: number, offset: number): void {
    for (let rest = classes; rest !== 0; rest &= rest - 1) {
      const kind = offset + 31 - Math.clz32(rest & -rest);
      const first = this.#first[kind] as Uint32Array;
      const second = this.#second[kind] as Uint32Array;
      for (let word = 0; word < first.length; word++) {
        this.#firstFound[word] = (this.#firstFound[word] ?? 0) | (first[word] ?? 0);
        this.#secondFound[word] = (this.#secondFound[word] ?? 0) | (second[word] ?? 0);
      }
    }
  }

  #settled(open: number, word: number, low: number, high: number): number {
    let settled = open;
    for (let rest = open & (this.#hasRest[word] ?? 0); rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const condition = this.#rest[word * 32 + 31 - Math.clz32(bit)] ?? null;
      if (condition !== null && !conditionHolds(condition, low, high)) settled &= ~bit;
    }
    return settled;
  }
}
