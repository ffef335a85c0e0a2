/** Texts for property tests: pieces that transformations look for, whole and broken, between noise; or bytes of any kind. */
import fc from 'fast-check';

const byteText = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
/** Pieces that transformations look for, whole and broken. */
// biome-ignore format: a list of short words
const pieces: readonly string[] = [
  '%', '%4', '%41', '%u', '%u00', '%u0041', '%uff1c', '+', '\\', '\\x', '\\x4', '\\x41', '\\u', '\\u0041', '\\101',
  '\\4', '\\41 ', '\\000041', '\\\n', '&', '&lt', '&lt;', '&colon;', '&#', '&#x', '&#60', '&#x3c;', '&#0;', '&#x80;',
  '/*', '*/', '<!--', '-->', '--', '#', '/', '//', '/./', '/../', '..', '.', '\\..\\', '"', "'", '^', ',', ';', ' /',
  ' (', ' ', '  ', '\t', '\r\n', '\v', '\0', '\xa0', '\xc2\xa0', '\xc3\xa4', '\xc0\xbc', '\xe2\x82\xac',
  '\xf0\x9f\x98\x80', '\xff', '0x', '0x41', '0X4', 'YWJj', '=', 'select', 'SELECT', 'A', 'z', '7', '\x7f',
];
const piece = fc.constantFrom(...pieces);
export const hostileText = fc.oneof(
  fc
    .array(fc.oneof(piece, fc.string({ unit: 'binary-ascii', maxLength: 3 })), { maxLength: 24 })
    .map((parts) => parts.join('')),
  byteText,
);
