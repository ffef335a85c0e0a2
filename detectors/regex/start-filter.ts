/**
 * Where in a text one of many words may begin: wherever three characters stand that one of them begins with. Text is read as
 * one byte a character, which V8 copies out of a string faster than it hands out characters one by one.
 */
import { Buffer } from 'node:buffer';

/** How many characters are looked at together. */
export const startLength = 3;
/** Classes are folded to so many bits, and three of them number an entry of the table: 32 KB, one byte each for speed. */
const classBits = 5;
const classMask = (1 << classBits) - 1;
const gramMask = (1 << (classBits * startLength)) - 1;
/** Entries of the table for four characters. */
const longerHashes = 1 << 14;
/** Below this length, in characters, copying costs more than it spares. */
const shortestText = 24;
/** Longer texts are not copied. */
const longestText = 65_536;

export class StartFilter {
  readonly #classes = new Uint8Array(256);
  readonly #grams = new Uint8Array(gramMask + 1);
  /** The same for four characters, hashed: asked where the three are found. */
  readonly #longer = new Uint8Array(longerHashes);
  /** Grows with the texts. */
  #copy = Buffer.alloc(1_024);

  /** `classes` by character. Null when a word is too short or not of latin1. */
  static of(words: readonly string[], classes: Uint16Array): StartFilter | null {
    const wanted = words.filter((word) => word !== '');
    if (classes.length > 256 || wanted.some((word) => word.length < startLength)) return null;
    return new StartFilter(wanted, classes);
  }

  private constructor(words: readonly string[], classes: Uint16Array) {
    for (const [code, one] of classes.entries()) this.#classes[code] = one & classMask;
    for (const word of words) {
      let gram = 0;
      for (let at = 0; at < startLength; at++) gram = (gram << classBits) | this.#classOf(word.charCodeAt(at));
      this.#grams[gram] = 1;
      const fourth = word.length > startLength ? [this.#classOf(word.charCodeAt(startLength))] : everyClass;
      for (const one of fourth) this.#longer[hashOf(gram, one)] = 1;
    }
  }

  get byteLength(): number {
    return this.#classes.byteLength + this.#grams.byteLength + this.#longer.byteLength;
  }

  /** The text's characters, each cut to eight bits; good until the next call. Null for a text that is better not copied. */
  read(text: string): Uint8Array | null {
    const { length } = text;
    if (length < shortestText || length > longestText) return null;
    if (length > this.#copy.length) this.#copy = Buffer.alloc(Math.min(longestText, length * 2));
    this.#copy.write(text, 0, 'latin1');
    return this.#copy;
  }

  /** The first place from `from` on where a word may begin, -1 for none. `length` is that of the text. */
  next(bytes: Uint8Array, from: number, length: number): number {
    const classes = this.#classes;
    const grams = this.#grams;
    let gram = (this.#classOf(bytes[from] ?? 0) << classBits) | this.#classOf(bytes[from + 1] ?? 0);
    for (let at = from + 2; at < length; at++) {
      gram = ((gram << classBits) | (classes[bytes[at] ?? 0] ?? 0)) & gramMask;
      if (grams[gram] === 0) continue;
      const fourth = at + 1 < length ? (classes[bytes[at + 1] ?? 0] ?? 0) : 0;
      if (this.#longer[hashOf(gram, fourth)] === 1) return at - 2;
    }
    return -1;
  }

  #classOf(code: number): number {
    return this.#classes[code] ?? 0;
  }
}

const everyClass = Array.from({ length: classMask + 1 }, (_, one) => one);

function hashOf(gram: number, fourth: number): number {
  return Math.imul((gram << classBits) | fourth, 0x9e3779b1) >>> 18;
}
