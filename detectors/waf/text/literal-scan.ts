/**
 * `LiteralScan`: finds many words in a short text. In the texts of requests most places begin no word, but words of two
 * letters are among those looked for, so that an Aho-Corasick machine hardly ever rests. Here a table of three characters
 * tells where a word may begin, and only from there the words are followed, as a tree whose edges are in a hash table.
 *
 * Letters match in either case. The time is that of the text, times the length of a word where words overlap.
 */

/** Called for each word found, by where they begin, shorter ones first. `start` and `end` are offsets in the text. */
export type ScanVisitor = (word: number, start: number, end: number) => void;

/** Characters that are looked at together. */
const gramLength = 3;
/** Classes of characters are folded to so many bits. */
const gramBits = 5;
const gramMask = (1 << gramBits) - 1;
const gramsMask = (1 << (gramBits * gramLength)) - 1;
/** Marks of three characters: with them begins a longer word; the first two of them are a word. */
const beginsWord = 1;
const holdsPair = 2;
/** In place of a node. */
const severalNodes = -1;
/** Entries of the filter for four characters: a power of two. */
const longerEntries = 1 << 15;

export class LiteralScan {
  /** Class of a character: 0 for those of no word. */
  readonly #classes = new Uint8Array(256);
  readonly #marks = new Uint8Array(gramsMask + 1);
  /** Four characters with which a word begins, hashed; all fourth ones for words of three. */
  readonly #longer = new Uint8Array(longerEntries);
  /** Word of two characters by their classes, -1 for none. */
  readonly #pairs: Int32Array;
  readonly #width: number;
  readonly #tree: WordTree;
  /** By marked three characters: the node of the tree that they lead to, and their classes; several look alike when folded. */
  readonly #begins = new Int32Array(gramsMask + 1);
  readonly #beginnings = new Int32Array(gramsMask + 1);

  /** The words are distinct, lower case, of latin1 and of two characters or more. */
  constructor(words: readonly string[]) {
    this.#width = classify(words, this.#classes);
    this.#pairs = new Int32Array(this.#width * this.#width).fill(-1);
    this.#tree = new WordTree(words, this.#classes);
    for (const [number, word] of words.entries()) this.#enter(word, number);
  }

  get bytes(): number {
    return (
      this.#begins.byteLength * 2 +
      this.#marks.byteLength +
      this.#longer.byteLength +
      this.#pairs.byteLength +
      this.#tree.bytes +
      256
    );
  }

  each(text: string, visit: ScanVisitor): void {
    const classes = this.#classes;
    const marks = this.#marks;
    const longer = this.#longer;
    const { length } = text;
    if (length < 2) return;
    let second = classes[text.charCodeAt(0) & 0xff] ?? 0;
    let third = classes[text.charCodeAt(1) & 0xff] ?? 0;
    let gram = ((second & gramMask) << gramBits) | (third & gramMask);
    for (let at = 2; at <= length; at++) {
      const first = second;
      second = third;
      third = at < length ? (classes[text.charCodeAt(at) & 0xff] ?? 0) : 0;
      gram = ((gram << gramBits) | (third & gramMask)) & gramsMask;
      const mark = marks[gram] ?? 0;
      if (mark === 0) continue;
      if ((mark & holdsPair) !== 0) {
        const pair = this.#pairs[first * this.#width + second] ?? -1;
        if (pair !== -1) visit(pair, at - 2, at);
      }
      if ((mark & beginsWord) === 0) continue;
      const fourth = at + 1 < length ? (classes[text.charCodeAt(at + 1) & 0xff] ?? 0) : 0;
      if (longer[hashOf(gram, fourth)] === 0) continue;
      const node = this.#begins[gram] ?? 0;
      if (node === severalNodes) this.#tree.follow(0, text, at - 2, at - 2, visit);
      else if (this.#beginnings[gram] === ((first << 16) | (second << 8) | third)) {
        const word = this.#tree.wordAt(node);
        if (word !== -1) visit(word, at - 2, at + 1);
        this.#tree.follow(node, text, at - 2, at + 1, visit);
      }
    }
  }

  #enter(word: string, number: number): void {
    const classes = Array.from(word.slice(0, gramLength + 1), (character) => this.#classOf(character));
    const [first = 0, second = 0, third, fourth] = classes;
    const pair = ((first & gramMask) << gramBits) | (second & gramMask);
    if (third === undefined) {
      this.#pairs[first * this.#width + second] = number;
      for (let any = 0; any <= gramMask; any++) this.#mark((pair << gramBits) | any, holdsPair);
      return;
    }
    const gram = (pair << gramBits) | (third & gramMask);
    this.#begin(gram, (first << 16) | (second << 8) | third, word);
    if (fourth !== undefined) this.#longer[hashOf(gram, fourth)] = 1;
    else for (let any = 0; any < this.#width; any++) this.#longer[hashOf(gram, any)] = 1;
  }

  #begin(gram: number, classes: number, word: string): void {
    const isNew = ((this.#marks[gram] ?? 0) & beginsWord) === 0;
    this.#mark(gram, beginsWord);
    if (isNew) {
      this.#begins[gram] = this.#tree.nodeOf(word.slice(0, gramLength));
      this.#beginnings[gram] = classes;
    } else if (this.#beginnings[gram] !== classes) this.#begins[gram] = severalNodes;
  }

  #mark(gram: number, mark: number): void {
    this.#marks[gram] = (this.#marks[gram] ?? 0) | mark;
  }

  #classOf(character: string): number {
    return this.#classes[character.charCodeAt(0)] ?? 0;
  }
}

/** Words of three characters and more as a tree. Edges are found by node and class in an open table. */
class WordTree {
  readonly #classes: Uint8Array;
  /** Node and class, plus one; 0 for a free entry. */
  readonly #keys: Int32Array;
  readonly #targets: Int32Array;
  readonly #shift: number;
  /** The word that ends in a node, -1 for none. */
  readonly #words: Int32Array;

  constructor(words: readonly string[], classes: Uint8Array) {
    this.#classes = classes;
    const edges = new Map<number, number>();
    const ends: number[] = [-1];
    for (const [number, word] of words.entries()) {
      if (word.length < gramLength) continue;
      let node = 0;
      for (let at = 0; at < word.length; at++) {
        const key = node * 256 + (classes[word.charCodeAt(at)] ?? 0);
        let next = edges.get(key);
        if (next === undefined) {
          next = ends.push(-1) - 1;
          edges.set(key, next);
        }
        node = next;
      }
      ends[node] = number;
    }
    this.#words = Int32Array.from(ends);
    const bits = Math.max(4, Math.ceil(Math.log2(edges.size + 1)) + 1);
    this.#shift = 32 - bits;
    this.#keys = new Int32Array(1 << bits);
    this.#targets = new Int32Array(1 << bits);
    for (const [key, target] of edges) this.#put(key, target);
  }

  get bytes(): number {
    return this.#keys.byteLength + this.#targets.byteLength + this.#words.byteLength;
  }

  /** The node that a beginning of a word leads to. */
  nodeOf(beginning: string): number {
    let node = 0;
    for (let at = 0; at < beginning.length; at++) node = this.#next(node * 256 + this.#classAt(beginning, at));
    return node;
  }

  wordAt(node: number): number {
    return this.#words[node] ?? -1;
  }

  /** Visits the words that begin at `start` and end behind `from`, which `node` stands for. */
  follow(node: number, text: string, start: number, from: number, visit: ScanVisitor): void {
    const words = this.#words;
    let reached = node;
    for (let at = from; at < text.length; at++) {
      reached = this.#next(reached * 256 + this.#classAt(text, at));
      if (reached === 0) return;
      const word = words[reached] ?? -1;
      if (word !== -1) visit(word, start, at + 1);
    }
  }

  #classAt(text: string, at: number): number {
    return this.#classes[text.charCodeAt(at) & 0xff] ?? 0;
  }

  /** The node at the end of an edge; 0, where none ends, when there is no such edge. */
  #next(key: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    for (let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift; ; slot = (slot + 1) & mask) {
      const found = keys[slot] ?? 0;
      if (found === key + 1) return this.#targets[slot] ?? 0;
      if (found === 0) return 0;
    }
  }

  #put(key: number, target: number): void {
    const mask = this.#keys.length - 1;
    let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift;
    while (this.#keys[slot] !== 0) slot = (slot + 1) & mask;
    this.#keys[slot] = key + 1;
    this.#targets[slot] = target;
  }
}

function hashOf(gram: number, fourth: number): number {
  return (Math.imul((gram << 8) | fourth, 0x9e3779b1) >>> 17) & (longerEntries - 1);
}

/** Gives each character of the words a class, both cases of a letter the same. Returns how many there are, 0 included. */
function classify(words: readonly string[], classes: Uint8Array): number {
  let count = 1;
  for (const word of words) {
    for (let at = 0; at < word.length; at++) {
      const code = word.charCodeAt(at);
      if (classes[code] !== 0) continue;
      classes[code] = count;
      if (code >= 0x61 && code <= 0x7a) classes[code - 32] = count;
      count++;
    }
  }
  return count;
}
