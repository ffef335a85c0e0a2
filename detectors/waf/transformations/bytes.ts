/** What the transformations share: hex digits read from and bytes written to latin1 strings (one character for each byte). */

/** The value of the hex digit at `at`, or -1; also beyond the end. */
export function hexDigit(value: string, at: number): number {
  const code = value.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** The value of two hex digits at `at`, or -1. */
export function hexByte(value: string, at: number): number {
  const high = hexDigit(value, at);
  if (high < 0) return -1;
  const low = hexDigit(value, at + 1);
  return low < 0 ? -1 : high * 16 + low;
}

/** The value of four hex digits at `at`, or -1. */
export function hexUnit(value: string, at: number): number {
  const high = hexByte(value, at);
  if (high < 0) return -1;
  const low = hexByte(value, at + 2);
  return low < 0 ? -1 : high * 256 + low;
}

/** A code point as the bytes of its UTF-8 form; what is no code point as U+FFFD. */
export function utf8Bytes(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return '\xef\xbf\xbd';
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), tail(point));
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), tail(point >> 6), tail(point));
  return String.fromCharCode(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point));
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** The full-width forms of ASCII (U+FF01 to U+FF5E) as the ASCII that they stand for; every other code as it is. */
export function foldFullWidth(point: number): number {
  return point >= 0xff01 && point <= 0xff5e ? point - 0xfee0 : point;
}
