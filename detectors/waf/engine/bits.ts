/** Words of bits. Plain arrays: V8 allocates them faster than typed ones, and they hold 32 bits as well. */
export type Bits = number[];

/** So many words without a bit. */
export function emptyBits(words: number): Bits {
  return Array.from({ length: words }, () => 0);
}

export function setBit(bits: Bits, position: number): void {
  const word = position >>> 5;
  bits[word] = (bits[word] ?? 0) | (1 << (position & 31));
}

/** The first bit that is set at or behind a position; 32 times the words when there is none. */
export function nextBit(bits: Bits, from: number): number {
  let word = from >>> 5;
  if (word >= bits.length) return bits.length * 32;
  let rest = (bits[word] ?? 0) & (-1 << (from & 31));
  while (rest === 0) {
    word++;
    if (word >= bits.length) return bits.length * 32;
    rest = bits[word] ?? 0;
  }
  return word * 32 + 31 - Math.clz32(rest & -rest);
}
