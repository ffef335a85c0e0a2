/** The words of a `LiteralSet` as a tree with failure links (Aho and Corasick, 1975), in typed arrays. */

/** Class 0 for characters of no word, a class of its own for each other one; 256 entries, or 65,536 beyond latin1. */
export function classify(words: readonly string[], caseInsensitive: boolean): Uint16Array {
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
export interface Trie {
  readonly size: number;
  readonly bytes: number;
  /** Length of the longest word. */
  readonly longest: number;
  /** How many states stand for less than so many characters. */
  depthStarts(characters: number): number;
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

export function buildTrie(words: readonly string[], classes: Uint16Array): Trie {
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
  const depthStarts = (characters: number): number => statesAbove(characters, firstChild, sibling);
  return { ...numbered, bytes: size * (6 * 4 + 2), longest, depthStarts, failure, firstWord, shorter };
}

/** States are numbered by depth: those above `depth` are the first. */
function statesAbove(depth: number, firstChild: Int32Array, sibling: Int32Array): number {
  let first = 0;
  let end = 1;
  for (let level = 1; level < depth; level++) {
    let next = end;
    for (let state = first; state < end; state++) {
      for (let child = firstChild[state] ?? 0; child !== 0; child = sibling[child] ?? 0) next++;
    }
    first = end;
    end = next;
  }
  return end;
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
