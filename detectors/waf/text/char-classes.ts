/**
 * Which kinds of characters a text holds, as 64 bits in two words: each ASCII punctuation character has a bit of its own in
 * `low`, everything else shares the bits of `high`. One pass over a text yields them, and they answer most questions about
 * it: what a transformation could change, and what an operator could match.
 */

/** `low` and `high` as signed 32-bit numbers. */
export interface CharClasses {
  readonly low: number;
  readonly high: number;
}

/** Ranges of character codes, both ends included. */
export type CharRanges = readonly (readonly [number, number])[];

export const noClasses: CharClasses = { low: 0, high: 0 };
export const allClasses: CharClasses = { low: -1, high: -1 };

/** Kinds that share one bit of `high` each, in the order of the bits. */
const kinds: readonly CharRanges[] = [
  [[0x61, 0x7a]],
  [[0x41, 0x5a]],
  [[0x31, 0x39]],
  [[0x30, 0x30]],
  [[0x20, 0x20]],
  [[0x09, 0x09]],
  [[0x0a, 0x0a]],
  [[0x0b, 0x0b]],
  [[0x0c, 0x0c]],
  [[0x0d, 0x0d]],
  [[0x00, 0x00]],
  [
    [0x01, 0x08],
    [0x0e, 0x1f],
    [0x7f, 0x7f],
  ],
  [[0x80, 0xbf]],
  [[0xc0, 0xff]],
];

const punctuation: CharRanges = [
  [0x21, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0x7e],
];

const lowBits = new Int32Array(256);
const highBits = new Int32Array(256);
for (const [bit, code] of punctuation.flatMap(codesOf).entries()) lowBits[code] = 1 << bit;
for (const [bit, kind] of kinds.entries()) for (const code of kind.flatMap(codesOf)) highBits[code] = 1 << bit;

const lowerCase = classesOf([[0x61, 0x7a]]).high;
const upperCase = classesOf([[0x41, 0x5a]]).high;
const letters = lowerCase | upperCase;
const wordCharacters = letters | classesOf([[0x30, 0x39]]).high;
const eightBit = classesOf([[0x80, 0xff]]).high;

function codesOf([first, last]: readonly [number, number]): number[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
}

/** The classes that a character of the ranges may be in. */
export function classesOf(ranges: CharRanges): CharClasses {
  let low = 0;
  let high = 0;
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) {
      low |= lowBitsOf(code);
      high |= highBitsOf(code);
    }
  }
  return { low, high };
}

/** The bits of one character, for passes over a text. Codes above 255 do not occur. */
export function lowBitsOf(code: number): number {
  return lowBits[code] ?? 0;
}

export function highBitsOf(code: number): number {
  return highBits[code] ?? 0;
}

/** Bits of a letter in either case where one of the two is asked for. */
export function foldCase(high: number): number {
  return (high & letters) === 0 ? high : high | letters;
}

export function hasUpperCase(high: number): boolean {
  return (high & upperCase) !== 0;
}

export function hasWordCharacter(high: number): boolean {
  return (high & wordCharacters) !== 0;
}

export function hasEightBit(high: number): boolean {
  return (high & eightBit) !== 0;
}

/** True when the two have a class in common. */
export function overlap(a: CharClasses, low: number, high: number): boolean {
  return ((a.low & low) | (a.high & high)) !== 0;
}
