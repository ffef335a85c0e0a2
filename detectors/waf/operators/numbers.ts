/** `@eq`, `@ge`, `@gt`, `@le`, `@lt`: whole numbers. ModSecurity Reference Manual, "Operators". */

export type Comparison = (value: number, argument: number) => boolean;

export const comparisons: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['eq', (value, argument) => value === argument],
  ['ge', (value, argument) => value >= argument],
  ['gt', (value, argument) => value > argument],
  ['le', (value, argument) => value <= argument],
  ['lt', (value, argument) => value < argument],
]);

const mostPlainDigits = 9;
const leadingNumber = /^[\t-\r ]*([+-]?\d+)/;

/** The number that a text begins with, as C's `atoi` reads it but without its overflow; 0 when it begins with none. */
export function wholeNumber(text: string): number {
  // Counts and scores, which most comparisons are about, are a few digits.
  if (text.length <= mostPlainDigits) {
    let number = 0;
    for (let index = 0; index < text.length; index++) {
      const digit = text.charCodeAt(index) - 0x30;
      if (digit < 0 || digit > 9) return leadingWholeNumber(text);
      number = number * 10 + digit;
    }
    return number;
  }
  return leadingWholeNumber(text);
}

function leadingWholeNumber(text: string): number {
  return Number(leadingNumber.exec(text)?.[1] ?? 0);
}
