/**
 * `Text`: a string that rules look at, with everything that was found out about it, each at most once. Strings are latin1,
 * one character for each byte.
 */
import { hasEightBit, hasUpperCase, highBitsOf, lowBitsOf } from './char-classes.ts';
import type { SearchIndex } from './search-index.ts';

const upperCaseRuns = /[A-Z]+/g;

/** Of texts that no step was tried on. Shared: never written to. */
export const noNumbers: number[] = [];
const noTexts: Text[] = [];

export class Text {
  readonly value: string;
  /** Kinds of characters in it: `char-classes.ts`. */
  readonly low: number;
  readonly high: number;
  readonly index: SearchIndex;
  /** What steps made of it, by the same places: `TextPool` fills them. */
  stepNumbers: number[] = noNumbers;
  stepResults: Text[] = noTexts;
  /** The rules that this value may match, as the engine has worked them out (`engine/wake-index.ts`). */
  wake: number[] | null = null;
  /** The places that `wake` covers, as bits. */
  wakePlaces = 0;
  wakePlacesHigh = 0;
  #candidates: Uint32Array | null = null;
  #lower: string | null = null;

  constructor(value: string, index: SearchIndex) {
    this.value = value;
    let low = 0;
    let high = 0;
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      low |= lowBitsOf(code);
      high |= highBitsOf(code);
    }
    this.low = low;
    this.high = high;
    this.index = index;
  }

  /** With A to Z in lower case; the same string when there are none. */
  get lower(): string {
    if (this.#lower !== null) return this.#lower;
    const lower = hasUpperCase(this.high) ? lowerCased(this.value, this.high) : this.value;
    this.#lower = lower;
    return lower;
  }

  /** A bit for each operator that may match: `SearchIndex`. Not to be written to. */
  get candidates(): Uint32Array {
    return (this.#candidates ??= this.index.candidates(this.value, this.low, this.high));
  }

  /** `candidates` has been asked for. */
  get isSearched(): boolean {
    return this.#candidates !== null;
  }

  /** False: the operator does not match. Says less than `mayMatch`, and searches for nothing. */
  couldMatch(operator: number): boolean {
    return this.index.isPossible(operator, this.value, this.low, this.high);
  }

  /** False: the operator does not match. */
  mayMatch(operator: number): boolean {
    return (((this.candidates[operator >>> 5] ?? 0) >>> (operator & 31)) & 1) === 1;
  }

  /** The operator was run and does not match: it is a candidate no more. */
  ruleOut(operator: number): void {
    const candidates = this.#candidates;
    if (candidates === null || candidates === this.index.none) return;
    const word = operator >>> 5;
    candidates[word] = (candidates[word] ?? 0) & ~(1 << (operator & 31));
  }
}

/** The language's own is several times faster, but changes letters beyond ASCII too. */
function lowerCased(value: string, high: number): string {
  if (!hasEightBit(high)) return value.toLowerCase();
  return value.replace(upperCaseRuns, (letters) => letters.toLowerCase());
}
