/**
 * `TextPool`: the texts of a rule set, kept across requests. User agents, header values, names of arguments and common
 * cookies come again and again, and what is known of them need not be found out again. The pool has two generations: a text
 * that is asked for moves to the young one, and when that is full the old one goes. Requests can only churn it.
 *
 * Longer texts are not kept: they live as long as who asked for them keeps them.
 */
import type { SearchIndex } from './search-index.ts';
import { noNumbers, Text } from './text.ts';
import type { TextChain, TextStep } from './text-step.ts';

export interface TextPoolOptions {
  /** Texts in one generation. */
  readonly texts?: number;
  /** Characters of all texts in one generation, with what transformations made of them. */
  readonly characters?: number;
}

const defaults = { texts: 2_048, characters: 1 << 20 } as const;
/** Characters of the longest text that is kept. */
const longestKept = 512;
/** A shorter slice is a copy anyway: V8's `SlicedString::kMinLength`. */
const shortestSlice = 13;
export class TextPool {
  readonly index: SearchIndex;
  readonly #texts: number;
  readonly #characters: number;
  #young = new Map<string, Text>();
  #old = new Map<string, Text>();
  #youngCharacters = 0;

  constructor(index: SearchIndex, options: TextPoolOptions = {}) {
    this.index = index;
    this.#texts = options.texts ?? defaults.texts;
    this.#characters = options.characters ?? defaults.characters;
  }

  /** Texts that are kept now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The text of a string. The same one while it is kept. */
  text(value: string): Text {
    if (value.length > longestKept) return new Text(value, this.index);
    const young = this.#young.get(value);
    if (young !== undefined) return young;
    const old = this.#old.get(value);
    const text = old ?? new Text(ownCopy(value), this.index);
    this.#keep(text);
    return text;
  }

  /** The text after one transformation; the same text when nothing changes. */
  transform(text: Text, step: TextStep): Text {
    if (!step.always && ((step.classes.low & text.low) | (step.classes.high & text.high)) === 0) return text;
    const { stepNumbers } = text;
    for (let at = 0; at < stepNumbers.length; at++) {
      if (stepNumbers[at] === step.number) return text.stepResults[at] ?? text;
    }
    const value = step.change.apply(text.value);
    const result = value === text.value ? text : (resultOf(text, value) ?? new Text(value, this.index));
    if (stepNumbers === noNumbers) {
      text.stepNumbers = [step.number];
      text.stepResults = [result];
    } else {
      stepNumbers.push(step.number);
      text.stepResults.push(result);
    }
    // It lives as long as the text that it was made of.
    if (result !== text) this.#youngCharacters += value.length;
    return result;
  }

  /** The text after all transformations of a chain. */
  run(text: Text, chain: TextChain): Text {
    if (!chain.always && ((chain.classes.low & text.low) | (chain.classes.high & text.high)) === 0) return text;
    let result = text;
    for (const step of chain.steps) result = this.transform(result, step);
    return result;
  }

  #keep(text: Text): void {
    if (this.#young.size >= this.#texts || this.#youngCharacters >= this.#characters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCharacters = 0;
    }
    this.#young.set(text.value, text);
    this.#youngCharacters += text.value.length;
  }
}

/** A string of its own: a slice would hold on to the whole body that it was cut from. */
function ownCopy(value: string): string {
  return value.length < shortestSlice ? value : ` ${value}`.slice(1);
}

/** What another step has made of the text already: the same text need not be looked at twice. */
function resultOf({ stepResults }: Text, value: string): Text | null {
  for (const result of stepResults) if (result.value === value) return result;
  return null;
}
