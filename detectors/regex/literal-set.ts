/**
 * `LiteralSet`: many words looked for in one pass (Aho and Corasick, 1975). For phrase lists (`@pm`, data files) and for the
 * literals that patterns require (`pattern-set.ts`).
 *
 * The machine is stored as rows of next states, one column for each class of characters that no word tells apart. States
 * near the root, where ordinary text stays, have such rows; once `maxRowEntries` are used up the deeper ones keep only
 * their own edges and a failure link. A state that needs more than a row look-up (it ends a word, or has no row) is stored
 * as a negative number, so that ordinary text costs one look-up and one comparison per character.
 *
 * Most of a text begins no word. Where no word is shorter than three characters, `start-filter.ts` names the places that do,
 * and the machine runs from there until it holds too little to have been worth starting it.
 */
import { buildTrie, classify, type Trie } from './literal-trie.ts';
import { StartFilter, startLength } from './start-filter.ts';

/** Four bytes each: at most 4 MB of rows in one set. */
const maxRowEntries = 1 << 20;

export interface LiteralSetOptions {
  /** ASCII letters match in either case, in the words and in the text. */
  readonly caseInsensitive?: boolean;
}

/** Called for each word found, in the order of their ends; return false to stop. `end` is the offset after the word. */
export type LiteralVisitor = (word: number, end: number) => boolean;

export class LiteralSet {
  /** What the tables hold, in bytes. */
  readonly bytes: number;
  readonly #words: readonly string[];
  readonly #classes: Uint16Array;
  readonly #classCount: number;
  readonly #trie: Trie;
  readonly #rowStates: number;
  readonly #rows: Int32Array;
  readonly #starts: StartFilter | null;
  /** States below this one, as the rows hold them, stand for less than `startLength` characters. */
  readonly #shallow: number;

  /** Words are any UTF-16 texts; an empty word is never found. Of equal words, the first is reported. */
  constructor(words: readonly string[], options: LiteralSetOptions = {}) {
    this.#words = words;
    this.#classes = classify(words, options.caseInsensitive ?? false);
    this.#classCount = this.#classes.reduce((most, one) => Math.max(most, one), 0) + 1;
    this.#trie = buildTrie(words, this.#classes);
    this.#rowStates = Math.min(this.#trie.size, Math.floor(maxRowEntries / this.#classCount));
    this.#rows = this.#buildRows();
    this.#starts = StartFilter.of(words, this.#classes);
    this.#shallow = this.#trie.depthStarts(startLength) * this.#classCount;
    this.bytes = this.#classes.byteLength + this.#rows.byteLength + this.#trie.bytes + (this.#starts?.byteLength ?? 0);
  }

  /** True when any of the words is in the text. */
  matches(text: string): boolean {
    return !this.#walk(text, stopAtFirst);
  }

  /** Every word at every place where it occurs, overlaps included. The visitor must not ask this set. */
  each(text: string, visit: LiteralVisitor): void {
    this.#walk(text, visit);
  }

  /** False when the visitor wanted no more. */
  #walk(text: string, visit: LiteralVisitor): boolean {
    const starts = this.#starts;
    const bytes = starts?.read(text) ?? null;
    if (starts === null || bytes === null) return this.#walkText(text, visit);
    return this.#walkBytes(starts, bytes, text, visit);
  }

  #walkText(text: string, visit: LiteralVisitor): boolean {
    const classes = this.#classes;
    const rows = this.#rows;
    const known = classes.length;
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const column = code < known ? (classes[code] ?? 0) : 0;
      state = state >= 0 ? (rows[state + column] ?? 0) : this.#step(~state, column);
      if (state < 0 && !this.#report(~state, index + 1, visit)) return false;
    }
    return true;
  }

  /** `bytes` holds the text's characters, cut to eight bits: what is found is looked at again in the text. */
  #walkBytes(starts: StartFilter, bytes: Uint8Array, text: string, visit: LiteralVisitor): boolean {
    const classes = this.#classes;
    const rows = this.#rows;
    const { length } = text;
    let start = starts.next(bytes, 0, length);
    while (start !== -1) {
      let state = 0;
      let at = start;
      do {
        const column = classes[bytes[at++] ?? 0] ?? 0;
        state = state >= 0 ? (rows[state + column] ?? 0) : this.#step(~state, column);
        if (state < 0 && !this.#report(~state, at, isLatin1(text) ? visit : onlyIn(text, this.#words, visit)))
          return false;
      } while (at < length && (state < 0 || state >= this.#shallow || at < start + startLength));
      // What the machine holds now began after this place.
      start = starts.next(bytes, at - startLength + 1, length);
    }
    return true;
  }

  /** The words that end in a state. False when the visitor wanted no more. */
  #report(state: number, end: number, visit: LiteralVisitor): boolean {
    const { firstWord, word, shorter } = this.#trie;
    for (let ending = firstWord[state] ?? -1; ending !== -1; ending = shorter[ending] ?? -1) {
      if (!visit(word[ending] ?? 0, end)) return false;
    }
    return true;
  }

  /** The index of the word that starts leftmost, the longest of those; -1 when none is in the text. */
  find(text: string): number {
    let best = -1;
    let bestStart = Infinity;
    this.each(text, (word, end) => {
      const length = this.#words[word]?.length ?? 0;
      const start = end - length;
      if (start < bestStart || (start === bestStart && length > (this.#words[best]?.length ?? 0))) {
        best = word;
        bestStart = start;
      }
      return end - bestStart <= this.#trie.longest;
    });
    return best;
  }

  /** The state after one character, from a state that has no row or ends a word. States without one ask their suffixes. */
  #step(from: number, column: number): number {
    const { firstChild, sibling, column: edge, failure } = this.#trie;
    let state = from;
    while (state >= this.#rowStates) {
      for (let child = firstChild[state] ?? 0; child !== 0; child = sibling[child] ?? 0) {
        if (edge[child] === column) return this.#stored(child);
      }
      state = failure[state] ?? 0;
    }
    return this.#rows[state * this.#classCount + column] ?? 0;
  }

  /** A state as the rows hold it. */
  #stored(state: number): number {
    return state >= this.#rowStates || this.#trie.firstWord[state] !== -1 ? ~state : state * this.#classCount;
  }

  /** Rows in breadth-first order: the failure state of each is nearer to the root and has its row already. */
  #buildRows(): Int32Array {
    const { firstChild, sibling, column, failure } = this.#trie;
    const width = this.#classCount;
    const rows = new Int32Array(this.#rowStates * width);
    for (let state = 0; state < this.#rowStates; state++) {
      if (state > 0) {
        const suffix = (failure[state] ?? 0) * width;
        rows.copyWithin(state * width, suffix, suffix + width);
      }
      for (let child = firstChild[state] ?? 0; child !== 0; child = sibling[child] ?? 0) {
        rows[state * width + (column[child] ?? 0)] = this.#stored(child);
      }
    }
    return rows;
  }
}

const stopAtFirst: LiteralVisitor = () => false;

function isLatin1(text: string): boolean {
  return !/[^\x00-\xff]/.test(text);
}

/** Leaves out what is only found because the characters of the text were cut to eight bits. */
function onlyIn(text: string, words: readonly string[], visit: LiteralVisitor): LiteralVisitor {
  return (word, end) => {
    const found = text.slice(end - (words[word]?.length ?? 0), end);
    return isLatin1(found) ? visit(word, end) : true;
  };
}
