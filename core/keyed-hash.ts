/**
 * The hash that places addresses in the decision index. Its constants are drawn at start, so that nobody can choose
 * addresses that fall into one place and slow every lookup down.
 */
import type { Random } from './random.ts';

export interface KeyedHash {
  /** A bijection of 32-bit words: two words never share a hash. The result is signed. */
  word(value: number): number;
  /** Of a network: four address words and the word that tells version and prefix. Not a bijection; signed too. */
  network(k0: number, k1: number, k2: number, k3: number, k4: number): number;
}

export function createKeyedHash(random: Random): KeyedHash {
  const words = new Uint32Array(random.bytes(24).slice().buffer);
  const [s0 = 0, s1 = 0, s2 = 0] = words;
  // An odd factor is what makes a multiplication modulo 2^32 reversible.
  const [m0 = 1, m1 = 1, m2 = 1] = [...words.subarray(3)].map((word) => (word | 1) >>> 0);
  const word = (value: number): number => {
    let x = value ^ s0;
    x = Math.imul(x ^ (x >>> 16), m0) ^ s1;
    x = Math.imul(x ^ (x >>> 15), m1) ^ s2;
    x = Math.imul(x ^ (x >>> 16), m2);
    return x ^ (x >>> 15);
  };
  const join = (hash: number, value: number): number => {
    const x = Math.imul(hash ^ value, m1);
    return Math.imul(x ^ (x >>> 15), m0) ^ (x >>> 13);
  };
  return {
    word,
    network: (k0, k1, k2, k3, k4) =>
      word(
        k1 === 0 && k2 === 0 && k3 === 0
          ? join(join(s1, k4), k0)
          : join(join(join(join(join(s2, k4), k0), k1), k2), k3),
      ),
  };
}
