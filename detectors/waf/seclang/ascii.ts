/**
 * Blanks and case for strings that hold bytes. JavaScript's own `trim`, `\s` and `toLowerCase` also change the characters
 * 0x80 to 0xFF, which here are halves of UTF-8 sequences.
 */

export function isBlank(character: string | undefined): boolean {
  return (
    character === ' ' ||
    character === '\t' ||
    character === '\r' ||
    character === '\n' ||
    character === '\v' ||
    character === '\f'
  );
}

export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

const upperCase = /[A-Z]+/g;

/** Lower-cases A to Z. */
export function lowerAscii(text: string): string {
  return text.replace(upperCase, (letters) => letters.toLowerCase());
}

/** True when the character at `index` stands behind an odd run of backslashes. */
export function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text[index - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}
