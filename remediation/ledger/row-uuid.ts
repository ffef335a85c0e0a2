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

/** The two digits of each byte, the first in the lower half. */
const digitPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  return hexDigits.charCodeAt(byte >>> 4) | (hexDigits.charCodeAt(byte & 15) << 8);
});

/** Writes the 36 characters of four words at `at`. Returns the place behind. */
export function writeUuidWords(to: DataView, at: number, w0: number, w1: number, w2: number, w3: number): number {
  writeHex(to, at, w0 >>> 16);
  writeHex(to, at + 4, w0);
  to.setUint8(at + 8, dash);
  writeHex(to, at + 9, w1 >>> 16);
  to.setUint8(at + 13, dash);
  writeHex(to, at + 14, w1);
  to.setUint8(at + 18, dash);
  writeHex(to, at + 19, w2 >>> 16);
  to.setUint8(at + 23, dash);
  writeHex(to, at + 24, w2);
  writeHex(to, at + 28, w3 >>> 16);
  writeHex(to, at + 32, w3);
  return at + uuidLength;
}

/** The lower 16 bits. */
function writeHex(to: DataView, at: number, bits: number): void {
  const first = digitPairs[(bits >>> 8) & 255] as number;
  to.setInt32(at, first | ((digitPairs[bits & 255] as number) << 16), true);
}
