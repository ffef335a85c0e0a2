/** Numbers that look random and are the same for one seed, on every machine: what generated logs are drawn from. */

export interface Sequence {
  /** Uniform in [0, 1), in steps of 2^-32. */
  fraction(): number;
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of them; throws on none. */
  pick<T>(choices: readonly T[]): T;
}

/** A Weyl sequence of 32 bits, mixed by two multiplications (the `lowbias32` constants of Wellons' hash prospector). */
export function createSequence(seed: number): Sequence {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const fraction = (): number => next() / 2 ** 32;
  const below = (count: number): number => Math.floor(fraction() * count);
  return {
    fraction,
    below,
    chance: (probability) => fraction() < probability,
    pick(choices) {
      if (choices.length === 0) throw new Error('there is nothing to pick from');
      return choices[below(choices.length)] as (typeof choices)[number];
    },
  };
}
