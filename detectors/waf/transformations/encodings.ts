/** The transformations of base 64, hexadecimal digits and UTF-8. */
import type { Transformation } from './transformation.ts';

const notAlphabet = /[^0-9A-Za-z+/\r\n]/;
const blank = /[\r\n]/;

/** Up to the first character that does not belong (line ends are passed over) or the padding; the remainder is dropped. */
export const base64Decode: Transformation = {
  name: 'base64Decode',
  changes: null,
  apply: (value) => {
    const stop = value.search(notAlphabet);
    const text = stop < 0 ? value : value.slice(0, stop);
    return decodeBase64(blank.test(text) ? text.replaceAll(/[\r\n]+/g, '') : text);
  },
};

/** Everything that does not belong is passed over, as PHP does. */
export const base64DecodeExt: Transformation = {
  name: 'base64DecodeExt',
  changes: null,
  apply: (value) => decodeBase64(value.replaceAll(/[^0-9A-Za-z+/]+/g, '')),
};

function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1');
}

export const base64Encode: Transformation = {
  name: 'base64Encode',
  changes: null,
  apply: (value) => Buffer.from(value, 'latin1').toString('base64'),
};

export const hexEncode: Transformation = {
  name: 'hexEncode',
  changes: null,
  apply: (value) => Buffer.from(value, 'latin1').toString('hex'),
};

/** Pairs of digits. A value that is anything else stays as it is, so that what an attacker spoiled is still looked at. */
export const hexDecode: Transformation = {
  name: 'hexDecode',
  changes: [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ],
  apply: (value) =>
    value.length % 2 !== 0 || /[^0-9A-Fa-f]/.test(value) ? value : Buffer.from(value, 'hex').toString('latin1'),
};

/** `0x414243`, as SQL writes strings. */
export const sqlHexDecode: Transformation = {
  name: 'sqlHexDecode',
  changes: [
    [0x58, 0x58],
    [0x78, 0x78],
  ],
  apply: (value) =>
    value.replaceAll(/0[xX]((?:[0-9A-Fa-f]{2})+)/g, (_, digits: string) =>
      Buffer.from(digits, 'hex').toString('latin1'),
    ),
};

/**
 * Characters of two to four bytes as `%uhhhh` (five digits where it takes them). Over-long forms too, as in ModSecurity: what
 * hides behind them is what counts. Bytes that are no UTF-8 stay.
 */
export const utf8toUnicode: Transformation = {
  name: 'utf8toUnicode',
  changes: [[0xc0, 0xf7]],
  apply: (value) =>
    !/[\xc0-\xf7]/.test(value)
      ? value
      : value.replaceAll(/[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}/g, (character) => {
          const point = codePoint(character);
          const valid = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
          return valid ? `%u${point.toString(16).padStart(4, '0')}` : character;
        }),
};

function codePoint(bytes: string): number {
  let point = bytes.charCodeAt(0) & (0x7f >> bytes.length);
  for (let index = 1; index < bytes.length; index += 1) point = (point << 6) | (bytes.charCodeAt(index) & 0x3f);
  return point;
}
