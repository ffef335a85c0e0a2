/** Reads a field's text for the index: which of many literals are in it. The same few texts come again and again. */
import { LiteralSet } from '../regex/literal-set.ts';
import { ownCopy } from './own-copy.ts';

/** What is known of one text: the literals in it, each once, or that it is not ASCII and may count as having any. */
export interface Reading {
  readonly found: readonly number[];
  readonly opaque: boolean;
  /** In lower case, for fields that are compared so; "" for others. */
  readonly folded: string;
}

/** What is known of the empty text. */
export const nothingRead: Reading = { found: [], opaque: false, folded: '' };

const beyondAscii = /[^\x00-\x7f]/;

/** Readings remembered for each field, and the longest text of which one is: paths and user agents come again and again. */
const mostReadings = 512;
const longestRemembered = 256;

/** Looks for literals in texts. */
export class TextReader {
  readonly words: readonly string[];
  private readonly literals: LiteralSet;
  private readonly folds: boolean;
  private readonly readings = new Map<string, Reading>();
  private found: number[] = [];
  /** By literal: 1 while it is in `found`. */
  private readonly isFound: Uint8Array;
  private readonly visit: (word: number) => boolean;

  constructor(words: readonly string[], folds: boolean) {
    this.words = words;
    this.folds = folds;
    this.literals = new LiteralSet(words, { caseInsensitive: true });
    const isFound = new Uint8Array(words.length);
    this.isFound = isFound;
    // A literal is noted once, so that a text made of nothing else costs no more than its length.
    this.visit = (word) => {
      if (isFound[word] === 0) {
        isFound[word] = 1;
        this.found.push(word);
      }
      return true;
    };
  }

  read(text: string): Reading {
    if (text === '') return nothingRead;
    if (text.length > longestRemembered) return this.look(text);
    const known = this.readings.get(text);
    if (known !== undefined) return known;
    const reading = this.look(text);
    if (this.readings.size >= mostReadings) this.readings.clear();
    this.readings.set(ownCopy(text), reading);
    return reading;
  }

  private look(text: string): Reading {
    const folded = this.folds ? text.toLowerCase() : '';
    if (beyondAscii.test(text)) return { found: [], opaque: true, folded };
    this.found = [];
    this.literals.each(text, this.visit);
    for (const word of this.found) this.isFound[word] = 0;
    return { found: this.found, opaque: false, folded };
  }
}
