/** The transformations of backslashes, as JavaScript, CSS and ANSI C mean them: `jsDecode`, `cssDecode`, `escapeSeqDecode`. */
import { foldFullWidth, hexByte, hexDigit, hexUnit, utf8Bytes } from './bytes.ts';
import type { Transformation } from './transformation.ts';

/** What one escape stands for, and how many characters it takes with its backslash. */
interface Escape {
  readonly text: string;
  readonly length: number;
}

const backslash: Transformation['changes'] = [[0x5c, 0x5c]];

/** `\uHHHH` (its low byte; full-width forms as ASCII), `\xHH`, octal up to `\377`, `\n` and the like, else the backslash goes. */
export const jsDecode: Transformation = {
  name: 'jsDecode',
  changes: backslash,
  apply: (value) => decodeEscapes(value, readScriptEscape),
};

/**
 * One to six hex digits and one blank behind them; a line feed after a backslash goes with it, any other character stays. Codes
 * beyond ASCII become UTF-8, as in browsers and Coraza; ModSecurity keeps the last two digits, and reads `\6565` as `e`.
 */
export const cssDecode: Transformation = {
  name: 'cssDecode',
  changes: backslash,
  apply: (value) => decodeEscapes(value, readCssEscape),
};

/** The sequences of ANSI C: `\n`, `\xHH`, `\377`; any other character stays without its backslash. */
export const escapeSeqDecode: Transformation = {
  name: 'escapeSeqDecode',
  changes: backslash,
  apply: (value) => decodeEscapes(value, readCEscape),
};

function decodeEscapes(value: string, read: (value: string, at: number) => Escape): string {
  let at = value.indexOf('\\');
  if (at < 0) return value;
  let out = '';
  let copied = 0;
  while (at >= 0) {
    const { text, length } = read(value, at);
    out += value.slice(copied, at) + text;
    copied = at + length;
    at = value.indexOf('\\', copied);
  }
  return out + value.slice(copied);
}

function readScriptEscape(value: string, at: number): Escape {
  const letter = value.charAt(at + 1);
  if (letter === 'u') {
    const unit = hexUnit(value, at + 2);
    if (unit >= 0) return { text: String.fromCharCode(foldFullWidth(unit) & 0xff), length: 6 };
  }
  if (letter === 'x') {
    const byte = hexByte(value, at + 2);
    if (byte >= 0) return { text: String.fromCharCode(byte), length: 4 };
  }
  return readOctal(value, at, 0xff) ?? readLetter(value, at);
}

function readCEscape(value: string, at: number): Escape {
  const letter = value.charAt(at + 1);
  if (letter === 'x' || letter === 'X') {
    const byte = hexByte(value, at + 2);
    if (byte >= 0) return { text: String.fromCharCode(byte), length: 4 };
  }
  // C takes three octal digits whatever they amount to, and the byte is what is left of them.
  return readOctal(value, at, 0o777) ?? readLetter(value, at);
}

/** Up to three octal digits, as long as they do not exceed `highest`; null when there is none. */
function readOctal(value: string, at: number, highest: number): Escape | null {
  let number = 0;
  let digits = 0;
  while (digits < 3) {
    const digit = value.charCodeAt(at + 1 + digits) - 0x30;
    if (!(digit >= 0 && digit <= 7) || number * 8 + digit > highest) break;
    number = number * 8 + digit;
    digits += 1;
  }
  return digits === 0 ? null : { text: String.fromCharCode(number & 0xff), length: 1 + digits };
}

const control: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A letter that stands for a control character, else the character without its backslash. A last backslash stays. */
function readLetter(value: string, at: number): Escape {
  if (at + 1 >= value.length) return { text: '\\', length: 1 };
  const letter = value.charAt(at + 1);
  return { text: control[letter] ?? letter, length: 2 };
}

function readCssEscape(value: string, at: number): Escape {
  let point = 0;
  let end = at + 1;
  while (end < at + 7) {
    const digit = hexDigit(value, end);
    if (digit < 0) break;
    point = point * 16 + digit;
    end += 1;
  }
  if (end === at + 1) {
    const next = value.charAt(end);
    return { text: next === '\n' ? '' : next, length: 2 };
  }
  const code = value.charCodeAt(end);
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) end += 1;
  return { text: utf8Bytes(foldFullWidth(point)), length: end - at };
}
