/** Uuids as rows keep them: 16 bytes for one in its usual spelling, which may follow a prefix. */

const hexDigits = '0123456789abcdef';
/** Value of a character code as a digit of lower case, 255 for what is none. */
const digitOf = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 16; digit++) digitOf[hexDigits.charCodeAt(digit)] = digit;
export const uuidLength = 36;
const dash = 45;

/** Reads the 36 characters from `start` on into four words; false when they are no uuid in lower case. */
export function readUuid(text: string, start: number, words: Int32Array): boolean {
  if (text.length - start !== uuidLength) return false;
  let digits = 0;
  let word = 0;
  for (let at = 0; at < uuidLength; at++) {
    const code = text.charCodeAt(start + at);
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (code !== dash) return false;
      continue;
    }
    const digit = code < 128 ? (digitOf[code] as number) : 255;
    if (digit === 255) return false;
    word = (word << 4) | digit;
    if ((++digits & 7) === 0) words[(digits >>> 3) - 1] = word;
  }
  return true;
}

/** The two digits of each byte. */
const digitPairs = new TextEncoder().encode(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''),
);

/** Writes 36 characters at `at`. `words` are the four words. */
export function writeUuid(bytes: Uint8Array, at: number, words: readonly [number, number, number, number]): void {
  let place = at;
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) bytes[place++] = dash;
    const pair = (((words[index >>> 2] as number) >>> (24 - 8 * (index & 3))) & 255) * 2;
    bytes[place++] = digitPairs[pair] as number;
    bytes[place++] = digitPairs[pair + 1] as number;
  }
}
