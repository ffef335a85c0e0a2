/**
 * Source text to tokens, by the rules of expr-lang 1.17: Go's string escapes, raw strings in backticks, `_` in numbers,
 * `//` and `/* ... ` comments, and `#` as a token of its own.
 */
import { InvalidExpression } from './source-error.ts';

export type TokenKind = 'Number' | 'String' | 'Identifier' | 'Operator' | 'Bracket' | 'EOF';

export interface Token {
  readonly kind: TokenKind;
  /** The decoded text of a string; the spelling of everything else. */
  readonly value: string;
  readonly at: number;
}

/** Longer sources are refused: the longest of the hub has 41 288 characters. */
const longestSource = 131_072;

const wordOperators: ReadonlySet<string> = new Set([
  'in',
  'or',
  'and',
  'not',
  'matches',
  'contains',
  'startsWith',
  'endsWith',
  'let',
  'if',
  'else',
]);

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};

const space = /[\s\u0085]+/y;
const word = /[\p{L}\p{Nd}_$]+/uy;
const operator = /\|\||&&|\*\*|[=!<>]=|\.\.|\?\.|\?\?|::|[|?:.,;+\-*/%^!<>=#&]/y;
const fraction = /\.(?!\.)[\d_]*/y;
const exponent = /[eE][+-]?[\d_]*/y;
const wholeNumber = /0[xX][\da-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[\d_]+/y;

/** @throws InvalidExpression */
export function tokenize(source: string): Token[] {
  if (source.length > longestSource) {
    throw new InvalidExpression(source.slice(0, 80), 0, `expression is longer than ${longestSource} characters`);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const skipped = skip(source, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const { token, end } = next(source, at);
    tokens.push(token);
    at = end;
  }
  tokens.push({ kind: 'EOF', value: '', at: source.length });
  return tokens;
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function next(source: string, at: number): Read {
  const first = source[at] ?? '';
  if (first === "'" || first === '"') return quoted(source, at, first);
  if (first === '`') return raw(source, at);
  if (isDigit(first) || (first === '.' && isDigit(source[at + 1] ?? ''))) return number(source, at);
  if ('([{)]}'.includes(first)) return { token: { kind: 'Bracket', value: first, at }, end: at + 1 };
  const name = match(word, source, at);
  if (name !== '') {
    const kind = wordOperators.has(name) ? 'Operator' : 'Identifier';
    return { token: { kind, value: name, at }, end: at + name.length };
  }
  const sign = match(operator, source, at);
  if (sign !== '' && sign !== '&') return { token: { kind: 'Operator', value: sign, at }, end: at + sign.length };
  const point = source.codePointAt(at) ?? 0;
  const hex = point.toString(16).toUpperCase().padStart(4, '0');
  throw new InvalidExpression(source, at, `unrecognized character: U+${hex} '${String.fromCodePoint(point)}'`);
}

/** The offset after white space and comments at `at`. */
function skip(source: string, at: number): number {
  const white = match(space, source, at);
  if (white !== '') return at + white.length;
  if (source.startsWith('//', at)) {
    const end = source.indexOf('\n', at);
    return end === -1 ? source.length : end;
  }
  if (!source.startsWith('/*', at)) return at;
  const end = source.indexOf('*/', at + 2);
  if (end === -1) throw new InvalidExpression(source, at, 'unclosed comment');
  return end + 2;
}

function number(source: string, at: number): Read {
  const start = source[at] === '.' ? '' : match(wholeNumber, source, at);
  let end = at + start.length;
  const decimal = !/^0[xXoObB]/.test(start);
  if (decimal) {
    end += match(fraction, source, end).length;
    end += match(exponent, source, end).length;
  }
  const following = match(word, source, end);
  if (following !== '') {
    const written = source.slice(at, end + String.fromCodePoint(source.codePointAt(end) ?? 0).length);
    throw new InvalidExpression(source, at, `bad number syntax: ${JSON.stringify(written)}`);
  }
  return { token: { kind: 'Number', value: source.slice(at, end), at }, end };
}

function raw(source: string, at: number): Read {
  let end = at + 1;
  for (;;) {
    end = source.indexOf('`', end);
    if (end === -1) throw new InvalidExpression(source, at, 'literal not terminated');
    if (source[end + 1] !== '`') break;
    end += 2;
  }
  const value = source.slice(at + 1, end).replaceAll('``', '`');
  return { token: { kind: 'String', value, at }, end: end + 1 };
}

function quoted(source: string, at: number, quote: string): Read {
  let value = '';
  let from = at + 1;
  for (let index = from; index < source.length; index++) {
    const character = source[index];
    if (character === quote) {
      value += source.slice(from, index);
      return { token: { kind: 'String', value, at }, end: index + 1 };
    }
    if (character === '\n') break;
    if (character !== '\\') continue;
    value += source.slice(from, index);
    const escape = escaped(source, index);
    value += escape.text;
    from = escape.end;
    index = from - 1;
  }
  throw new InvalidExpression(source, at, 'literal not terminated');
}

/** One escape; `\xNN` and `\NNN` are code points, as in expr-lang, not bytes. */
function escaped(source: string, at: number): { text: string; end: number } {
  const letter = source[at + 1] ?? '';
  const simple = Object.hasOwn(simpleEscapes, letter) ? simpleEscapes[letter] : undefined;
  if (simple !== undefined) return { text: simple, end: at + 2 };
  const braced = /u\{([\da-fA-F]{1,6})\}/y;
  const digits =
    capture(/x([\da-fA-F]{2})/y, source, at + 1) ??
    capture(braced, source, at + 1) ??
    capture(/u([\da-fA-F]{4})/y, source, at + 1) ??
    capture(/U([\da-fA-F]{8})/y, source, at + 1);
  const octal = digits === null ? capture(/([0-3][0-7]{2})/y, source, at + 1) : null;
  const found = digits ?? octal;
  if (found === null) throw new InvalidExpression(source, at, 'invalid char escape');
  const point = Number.parseInt(found.digits, octal === null ? 16 : 8);
  if (point > 0x10ffff) throw new InvalidExpression(source, at, 'invalid char escape');
  // Half a surrogate pair is no character; Go writes the replacement character for it.
  const text = point >= 0xd800 && point <= 0xdfff ? '\ufffd' : String.fromCodePoint(point);
  return { text, end: at + 1 + found.length };
}

function capture(pattern: RegExp, source: string, at: number): { digits: string; length: number } | null {
  pattern.lastIndex = at;
  const found = pattern.exec(source);
  return found === null ? null : { digits: found[1] ?? '', length: found[0].length };
}

function match(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? '';
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1;
}
