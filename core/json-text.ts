/** JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators of JavaScript are escaped. */

const special = /[<>&\u2028\u2029]/g;

/** Keys stay in their order; undefined ones are left out. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.replace(special, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The shortest number that is the same one in 32 bits, as Go writes a `float32`. */
export function float32Value(value: number): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) return 0;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(rounded.toPrecision(digits));
    if (Math.fround(short) === rounded) return short;
  }
  return Number(rounded.toPrecision(9));
}
