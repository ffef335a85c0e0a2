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

/** Bytes of the digits 0 to f. */
const digitBytes = new TextEncoder().encode(hexDigits);

/** Writes 36 characters at `at`. `word` gives the four words. */
export function writeUuid(bytes: Uint8Array, at: number, words: readonly [number, number, number, number]): void {
  let place = at;
  for (let digit = 0; digit < 32; digit++) {
    if (digit === 8 || digit === 12 || digit === 16 || digit === 20) bytes[place++] = dash;
    bytes[place++] = digitBytes[((words[digit >>> 3] as number) >>> (28 - 4 * (digit & 7))) & 15] as number;
  }
}
