/**
 * `LiteralSet`: many words looked for in one pass (Aho and Corasick, 1975). For phrase lists (`@pm`, data files) and for the
 * literals that patterns require (`pattern-set.ts`).
 *
 * The machine is stored as rows of next states, one column for each class of characters that no word tells apart. States
 * near the root, where ordinary text stays, have such rows; once `maxRowEntries` are used up the deeper ones keep only
 * their own edges and a failure link. A state that needs more than a row look-up (it ends a word, or has no row) is stored
 * as a negative number, so that ordinary text costs one look-up and one comparison per character.
 */

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

  /** Words are any UTF-16 texts; an empty word is never found. Of equal words, the first is reported. */
  constructor(words: readonly string[], options: LiteralSetOptions = {}) {
    this.#words = words;
    this.#classes = classify(words, options.caseInsensitive ?? false);
    this.#classCount = this.#classes.reduce((most, one) => Math.max(most, one), 0) + 1;
    this.#trie = buildTrie(words, this.#classes);
    this.#rowStates = Math.min(this.#trie.size, Math.floor(maxRowEntries / this.#classCount));
    this.#rows = this.#buildRows();
    this.bytes = this.#classes.byteLength + this.#rows.byteLength + this.#trie.bytes;
  }

  /** True when any of the words is in the text. */
  matches(text: string): boolean {
    const classes = this.#classes;
    const rows = this.#rows;
    const ends = this.#trie.firstWord;
    const known = classes.length;
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const column = code < known ? (classes[code] ?? 0) : 0;
      state = state >= 0 ? (rows[state + column] ?? 0) : this.#step(~state, column);
      if (state < 0 && ends[~state] !== -1) return true;
    }
    return false;
  }

  /** Every word at every place where it occurs, overlaps included. */
  each(text: string, visit: LiteralVisitor): void {
    const classes = this.#classes;
    const rows = this.#rows;
    const { firstWord, word, shorter } = this.#trie;
    const known = classes.length;
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const column = code < known ? (classes[code] ?? 0) : 0;
      state = state >= 0 ? (rows[state + column] ?? 0) : this.#step(~state, column);
      if (state >= 0) continue;
      for (let ending = firstWord[~state] ?? -1; ending !== -1; ending = shorter[ending] ?? -1) {
        if (!visit(word[ending] ?? 0, index + 1)) return;
      }
    }
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

/** Class 0 for characters of no word, a class of its own for each other one; 256 entries, or 65,536 beyond latin1. */
function classify(words: readonly string[], caseInsensitive: boolean): Uint16Array {
  const used = new Set<number>();
  for (const word of words) for (let index = 0; index < word.length; index++) used.add(word.charCodeAt(index));
  const latin1 = used.values().every((code) => code < 256);
  const classes = new Uint16Array(latin1 ? 256 : 65_536);
  let count = 0;
  for (const code of used) {
    const letter = caseInsensitive && ((code >= 65 && code <= 90) || (code >= 97 && code <= 122));
    if (classes[code] !== 0) continue;
    classes[code] = ++count;
    if (letter) classes[code ^ 32] = count;
  }
  return classes;
}

/** The words as a tree, states numbered in breadth-first order from the root, 0. No state is a child's 0: it means none. */
interface Trie {
  readonly size: number;
  readonly bytes: number;
  /** Length of the longest word. */
  readonly longest: number;
  readonly firstChild: Int32Array;
  readonly sibling: Int32Array;
  /** The class of the edge that leads here. */
  readonly column: Uint16Array;
  /** The state of the longest proper suffix that is in the tree. */
  readonly failure: Int32Array;
  /** The word that ends here, -1 for none. */
  readonly word: Int32Array;
  /** The nearest state, this one or along the failure links, in which a word ends; -1 for none. */
  readonly firstWord: Int32Array;
  /** The next such state after this one; -1 for none. */
  readonly shorter: Int32Array;
}

function buildTrie(words: readonly string[], classes: Uint16Array): Trie {
  const tree = insertWords(words, classes);
  const numbered = numberByBreadth(tree);
  const { size, firstChild, sibling, column, word } = numbered;
  const failure = new Int32Array(size);
  const firstWord = new Int32Array(size).fill(-1);
  const shorter = new Int32Array(size).fill(-1);
  const childOf = (state: number, wanted: number): number => {
    for (let child = firstChild[state] ?? 0; child !== 0; child = sibling[child] ?? 0) {
      if (column[child] === wanted) return child;
    }
    return 0;
  };
  for (let state = 0; state < size; state++) {
    const suffixWord = state === 0 ? -1 : (firstWord[failure[state] ?? 0] ?? -1);
    firstWord[state] = word[state] === -1 ? suffixWord : state;
    shorter[state] = suffixWord;
    for (let child = firstChild[state] ?? 0; child !== 0; child = sibling[child] ?? 0) {
      if (state === 0) continue;
      let suffix = failure[state] ?? 0;
      let target = childOf(suffix, column[child] ?? 0);
      while (target === 0 && suffix !== 0) {
        suffix = failure[suffix] ?? 0;
        target = childOf(suffix, column[child] ?? 0);
      }
      failure[child] = target;
    }
  }
  const longest = words.reduce((most, one) => Math.max(most, one.length), 0);
  return { ...numbered, bytes: size * (6 * 4 + 2), longest, failure, firstWord, shorter };
}

type Tree = Pick<Trie, 'size' | 'firstChild' | 'sibling' | 'column' | 'word'>;

function insertWords(words: readonly string[], classes: Uint16Array): Tree {
  const capacity = words.reduce((total, word) => total + word.length, 1);
  const firstChild = new Int32Array(capacity);
  const sibling = new Int32Array(capacity);
  const column = new Uint16Array(capacity);
  const word = new Int32Array(capacity).fill(-1);
  let size = 1;
  for (const [index, text] of words.entries()) {
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      const wanted = classes[text.charCodeAt(at)] ?? 0;
      let child = firstChild[state] ?? 0;
      while (child !== 0 && column[child] !== wanted) child = sibling[child] ?? 0;
      if (child === 0) {
        child = size++;
        column[child] = wanted;
        sibling[child] = firstChild[state] ?? 0;
        firstChild[state] = child;
      }
      state = child;
    }
    if (state !== 0 && word[state] === -1) word[state] = index;
  }
  return { size, firstChild, sibling, column, word };
}

function numberByBreadth(tree: Tree): Tree {
  const order = new Int32Array(tree.size);
  const renamed = new Int32Array(tree.size);
  let filled = 1;
  for (let index = 0; index < filled; index++) {
    const state = order[index] ?? 0;
    renamed[state] = index;
    for (let child = tree.firstChild[state] ?? 0; child !== 0; child = tree.sibling[child] ?? 0) {
      order[filled++] = child;
    }
  }
  const rename = (column: Int32Array): Int32Array => order.map((state) => renamed[column[state] ?? 0] ?? 0);
  return {
    size: tree.size,
    firstChild: rename(tree.firstChild),
    sibling: rename(tree.sibling),
    column: Uint16Array.from(order, (state) => tree.column[state] ?? 0),
    word: order.map((state) => tree.word[state] ?? -1),
  };
}
