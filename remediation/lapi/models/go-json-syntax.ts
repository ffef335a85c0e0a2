/**
 * What Go's JSON decoder says of a text that is not JSON, and where the first value of a text ends: CrowdSec's clients and the
 * people who debug them know these messages. Only texts that `JSON.parse` refuses come here. Iterative, so that no nesting
 * exhausts the stack. Specification: Go `encoding/json/scanner.go`, `Decoder.Decode`.
 */

export type JsonExtent =
  /** A value from the start to `end`; a decoder reads no further. */
  { readonly kind: 'value'; readonly end: number } | { readonly kind: 'fault'; readonly message: string };

/** As deep as Go follows. */
const deepest = 10_000;

/** Where the first JSON value of a UTF-8 text ends, or what is wrong with it. */
export function firstJsonValue(bytes: Uint8Array): JsonExtent {
  const scanner = new Scanner(bytes);
  try {
    return { kind: 'value', end: scanner.scan() };
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return { kind: 'fault', message: thrown.message };
    throw thrown;
  }
}

class SyntaxFault extends Error {}

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const minus = 0x2d;
const plus = 0x2b;
const dot = 0x2e;
const zero = 0x30;

class Scanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** The brackets that are open. */
  readonly #open: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The end of the first value. @throws SyntaxFault */
  scan(): number {
    if (this.#next() === -1) throw new SyntaxFault('EOF');
    for (;;) {
      if (this.#value()) continue;
      if (this.#afterValue()) return this.#at;
    }
  }

  /** Reads a value, or only the beginning of one that is not empty: true, and its first member is next. */
  #value(): boolean {
    const code = this.#next();
    switch (code) {
      case openBrace:
        this.#enter(code);
        if (this.#next() === closeBrace) return this.#leave();
        this.#key();
        return true;
      case openBracket:
        this.#enter(code);
        return this.#next() === closeBracket ? this.#leave() : true;
      case quote:
        this.#string();
        return false;
      case 0x74:
        return this.#word('true');
      case 0x66:
        return this.#word('false');
      case 0x6e:
        return this.#word('null');
      default:
        if (code !== minus && !isDigit(code)) this.#refuse(code, 'looking for beginning of value');
        this.#number();
        return false;
    }
  }

  /** After a value: true at the end of all. Otherwise the next value is next. */
  #afterValue(): boolean {
    for (;;) {
      const open = this.#open.at(-1);
      if (open === undefined) return true;
      const code = this.#next();
      if (code === (open === openBrace ? closeBrace : closeBracket)) {
        this.#leave();
        continue;
      }
      if (code !== comma) {
        this.#refuse(code, open === openBrace ? 'after object key:value pair' : 'after array element');
      }
      this.#at++;
      if (open === openBrace) this.#key();
      return false;
    }
  }

  #key(): void {
    const code = this.#next();
    if (code !== quote) this.#refuse(code, 'looking for beginning of object key string');
    this.#string();
    const after = this.#next();
    if (after !== colon) this.#refuse(after, 'after object key');
    this.#at++;
  }

  #enter(code: number): void {
    this.#open.push(code);
    if (this.#open.length > deepest) this.#refuse(code, 'exceeded max depth');
    this.#at++;
  }

  #leave(): false {
    this.#open.pop();
    this.#at++;
    return false;
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const code = this.#peek();
      if (code === quote) break;
      if (code < 0x20) this.#refuse(code, 'in string literal');
      this.#at++;
      if (code === backslash) this.#escape();
    }
    this.#at++;
  }

  #escape(): void {
    const code = this.#peek();
    if (!'bfnrt\\/"u'.includes(String.fromCharCode(code)) || code === -1) this.#refuse(code, 'in string escape code');
    this.#at++;
    if (code !== 0x75) return;
    for (let digit = 0; digit < 4; digit++) {
      const hex = this.#peek();
      if (!isHex(hex)) this.#refuse(hex, 'in \\u hexadecimal character escape');
      this.#at++;
    }
  }

  #word(word: string): false {
    for (let index = 0; index < word.length; index++) {
      const code = this.#peek();
      if (code !== word.charCodeAt(index)) this.#refuse(code, `in literal ${word} (expecting '${word[index]}')`);
      this.#at++;
    }
    return false;
  }

  #number(): void {
    if (this.#peek() === minus) this.#at++;
    if (this.#peek() === zero) this.#at++;
    else this.#digits('in numeric literal');
    if (this.#peek() === dot) {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if ((this.#peek() | 0x20) !== 0x65) return;
    this.#at++;
    if (this.#peek() === plus || this.#peek() === minus) this.#at++;
    this.#digits('in exponent of numeric literal');
  }

  #digits(where: string): void {
    if (!isDigit(this.#peek())) this.#refuse(this.#peek(), where);
    while (isDigit(this.#peek())) this.#at++;
  }

  #peek(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** The next character that is no space, or -1. */
  #next(): number {
    for (;;) {
      const code = this.#peek();
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  #refuse(code: number, where: string): never {
    if (code === -1) throw new SyntaxFault('unexpected EOF');
    throw new SyntaxFault(`invalid character ${quoted(code)} ${where}`);
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isHex(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
}

const shortEscapes = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x0b, '\\v'],
  [0x27, "\\'"],
  [0x5c, '\\\\'],
]);

/** Go takes each byte for a character of its own. */
function quoted(code: number): string {
  const hex = code.toString(16).padStart(2, '0');
  const isPlain = (code >= 0x20 && code < 0x7f) || (code > 0xa0 && code !== 0xad);
  const text =
    shortEscapes.get(code) ?? (isPlain ? String.fromCharCode(code) : code < 0x80 ? `\\x${hex}` : `\\u00${hex}`);
  return `'${text}'`;
}
