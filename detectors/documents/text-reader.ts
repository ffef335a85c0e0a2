/** Reads a field's text for the index: which of many literals are in it. The same few texts come again and again. */
import { LiteralSet } from '../regex/literal-set.ts';
import { ownCopy } from './own-copy.ts';

/** What is known of one text: the literals in it, each once, or that it is not ASCII and may count as having any. */
export interface Reading {
  readonly found: readonly number[];
  readonly opaque: boolean;
  /** In lower case where that may be a value that the field is compared with, else "". */
  readonly folded: string;
}

const nothingFound: readonly number[] = Object.freeze([]);

/** What is known of the empty text, and of any other in which nothing is. */
export const nothingRead: Reading = {
  found: nothingFound,
  opaque: false,
  folded: '',
};

const beyondAscii = /[^\x00-\x7f]/;

/**
 * Readings remembered for each field, and the texts of which they are: user agents come again and again. Looking at a shorter
 * text for literals costs less than remembering it does.
 */
const mostReadings = 2_048;
const shortestRemembered = 64;
const longestRemembered = 256;

/** Looks for literals in texts. */
export class TextReader {
  readonly words: readonly string[];
  private readonly literals: LiteralSet;
  /** Lengths of the values that the text is compared with in lower case. */
  private readonly foldedLengths: ReadonlySet<number>;
  private readonly shortestRemembered: number;
  private readonly readings = new Map<string, Reading>();
  private found: number[] = [];
  /** By literal: 1 while it is in `found`. */
  private readonly isFound: Uint8Array;
  private readonly visit: (word: number) => boolean;

  /** `folded`: values in lower case that the text is compared with. */
  constructor(words: readonly string[], folded: Iterable<string>) {
    this.words = words;
    this.foldedLengths = new Set([...folded].map((value) => value.length));
    this.shortestRemembered = words.length === 0 ? 0 : shortestRemembered;
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
    if (text.length > longestRemembered || text.length < this.shortestRemembered) return this.look(text);
    const known = this.readings.get(text);
    if (known !== undefined) return known;
    const reading = this.look(text);
    if (this.readings.size >= mostReadings) this.readings.clear();
    this.readings.set(ownCopy(text), reading);
    return reading;
  }

  private look(text: string): Reading {
    const folded = this.foldedLengths.has(text.length) ? text.toLowerCase() : '';
    if (beyondAscii.test(text)) return { found: nothingFound, opaque: true, folded };
    this.literals.each(text, this.visit);
    const { found } = this;
    if (found.length === 0) return folded === '' ? nothingRead : { found: nothingFound, opaque: false, folded };
    this.found = [];
    for (const word of found) this.isFound[word] = 0;
    return { found, opaque: false, folded };
  }
}
