/** References in XML texts: the five entities that every reader knows, and characters by number. Others stay as they are. */
import { utf8Bytes } from './utf8-bytes.ts';

const entities: ReadonlyMap<string, string> = new Map([
  ['amp;', '&'],
  ['lt;', '<'],
  ['gt;', '>'],
  ['quot;', '"'],
  ['apos;', "'"],
]);

const highestCode = 0x10_ffff;

interface Reference {
  readonly meaning: string;
  /** The position after its semicolon. */
  readonly end: number;
}

/** Latin1 text in UTF-8 bytes, in and out. The very same string when it holds no `&`. */
export function decodeReferences(text: string): string {
  let ampersand = text.indexOf('&');
  if (ampersand < 0) return text;
  const pieces: string[] = [];
  let from = 0;
  while (ampersand >= 0) {
    const reference = referenceAt(text, ampersand + 1);
    if (reference !== null) {
      pieces.push(text.slice(from, ampersand), reference.meaning);
      from = reference.end;
    }
    ampersand = text.indexOf('&', reference === null ? ampersand + 1 : reference.end);
  }
  pieces.push(text.slice(from));
  return pieces.join('');
}

/** `start` is after the `&`. */
function referenceAt(text: string, start: number): Reference | null {
  const first = text.charCodeAt(start);
  if (first === 0x23) return characterAt(text, start + 1);
  if (first < 0x61 || first > 0x71) return null;
  for (let length = 3; length <= 5; length += 1) {
    const meaning = entities.get(text.slice(start, start + length));
    if (meaning !== undefined) return { meaning, end: start + length };
  }
  return null;
}

/** Any number of leading zeros is allowed, so the digits are counted into a number and not cut out. */
function characterAt(text: string, start: number): Reference | null {
  const hexadecimal = (text.charCodeAt(start) | 0x20) === 0x78;
  const radix = hexadecimal ? 16 : 10;
  const digits = hexadecimal ? start + 1 : start;
  let at = digits;
  let code = 0;
  for (; at < text.length; at += 1) {
    const digit = digitOf(text.charCodeAt(at));
    if (digit >= radix) break;
    code = Math.min(code * radix + digit, highestCode + 1);
  }
  if (at === digits || text.charCodeAt(at) !== 0x3b || code > highestCode) return null;
  return { meaning: utf8Bytes(code), end: at + 1 };
}

/** Of a hexadecimal digit; 16 and more: none. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : 16;
}
