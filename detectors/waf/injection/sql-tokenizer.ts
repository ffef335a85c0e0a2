/**
 * Cuts a value into SQL tokens, one at a time and in one pass. It knows no single dialect: what any of MySQL, PostgreSQL,
 * SQL Server, Oracle or SQLite reads as a string, a number or a comment is one, for nobody knows which of them will read
 * the value. Two things cannot be had both ways and are asked for: whether the text began inside a string, and whether
 * `#` and `--x` are read as MySQL reads them.
 *
 * Text is a byte string; bytes above 127 are letters, but 0xA0 is white space as MySQL has it.
 */
import { type SqlKind, SqlToken } from './sql-token.ts';
import { longestWord, type SqlWords } from './sql-words.ts';

/** What the text is taken to continue: nothing, or a string opened by this quote. */
export type SqlContext = '' | "'" | '"';

export type SqlDialect = 'ansi' | 'mysql';

/** Characters by what they can begin or end. */
const dot = 46;
const backquote = 96;
const white = 1;
const digit = 2;
const stop = 4;

const classes = new Uint8Array(256);
for (let code = 0; code <= 32; code++) classes[code] = white | stop;
classes[0xa0] = white | stop;
for (const char of '0123456789') classes[char.charCodeAt(0)] = digit;
for (const char of '[]{}<>:\\?=@!#~+-*/&|^%(),\';"') classes[char.charCodeAt(0)] = stop;

function classAt(text: string, index: number): number {
  return classes[text.charCodeAt(index) & 255] ?? 0;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

/** Pairs of characters that are one operator: the first is ASCII, the second any byte. */
const pairs = new Uint8Array(256 * 128);
for (const pair of '!= !! !< !> %= &= *= += -= /= := <= <> << == >= >> ^= |= ~= ~* :: -> @> <@ ** &< &>'.split(' ')) {
  pairs[pair.charCodeAt(0) * 256 + pair.charCodeAt(1)] = 1;
}

const comparisons = new Set(
  '= == != <> < > <= >= <=> LIKE RLIKE REGEXP ILIKE GLOB BETWEEN IS IN SOUNDS := ^='.split(' '),
);
const closingBrackets: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };

export class SqlTokenizer {
  /** How many tokens have been made, comments included. */
  tokens = 0;
  /** True once an operator was met that compares. */
  compares = false;
  /** True once something was met that MySQL reads otherwise. */
  mysqlDiffers = false;
  readonly #text: string;
  readonly #words: SqlWords;
  readonly #mysql: boolean;
  #context: SqlContext;
  #at = 0;

  constructor(text: string, words: SqlWords, context: SqlContext, dialect: SqlDialect) {
    this.#text = text;
    this.#words = words;
    this.#context = context;
    this.#mysql = dialect === 'mysql';
  }

  /** Where the next token will be looked for. */
  get position(): number {
    return this.#at;
  }

  /** The next token, or null at the end. */
  next(): SqlToken | null {
    if (this.#text === '') return null;
    const token = this.#context === '' ? this.#read() : this.#readContext(this.#context);
    if (token === null) return null;
    this.tokens++;
    if (token.kind === 'o' && !this.compares && comparisons.has(token.word)) this.compares = true;
    return token;
  }

  #readContext(quote: "'" | '"'): SqlToken {
    this.#context = '';
    return this.#string('s', 0, '', quote);
  }

  #read(): SqlToken | null {
    const text = this.#text;
    while (this.#at < text.length && (classAt(text, this.#at) & white) !== 0) this.#at++;
    if (this.#at >= text.length) return null;
    const char = text.charAt(this.#at);
    const charClass = classAt(text, this.#at);
    if ((charClass & digit) !== 0) return this.#number();
    if ((charClass & stop) === 0) return this.#letter(char);
    return this.#punctuation(char);
  }

  #punctuation(char: string): SqlToken {
    switch (char) {
      case "'":
      case '"':
        return this.#string('s', this.#at + 1, char, char);
      case '(':
      case ')':
      case '{':
      case '}':
      case ',':
      case ';':
        return this.#take(char, 1);
      case '-':
        return this.#dash();
      case '#':
        return this.#hash();
      case '/':
        return this.#slash();
      case '@':
        return this.#variable();
      case '\\':
        return this.#text.charAt(this.#at + 1) === 'N' ? this.#take('1', 2) : this.#take('\\', 1);
      case '[':
        return this.#bracketedName();
      case ']':
      case '?':
        return this.#take('?', 1);
      default:
        return this.#operator(char);
    }
  }

  /** Words and what looks like one at first: quoted names, prefixed strings, money, numbers such as `.5`. */
  #letter(char: string): SqlToken {
    switch (char) {
      case '`':
        return this.#backquotedName();
      case '.':
        return (classAt(this.#text, this.#at + 1) & digit) !== 0 ? this.#number() : this.#take('.', 1);
      case '$':
        return this.#money();
      case 'b':
      case 'B':
        return this.#digitString(/[01]*'/y) ?? this.#word();
      case 'x':
      case 'X':
        return this.#digitString(/[\dA-Fa-f]*'/y) ?? this.#word();
      case 'e':
      case 'E':
        return this.#prefixedString(1) ?? this.#word();
      case 'n':
      case 'N':
        return this.#prefixedString(1) ?? this.#bracketString(1) ?? this.#word();
      case 'q':
      case 'Q':
        return this.#bracketString(0) ?? this.#word();
      case 'u':
      case 'U':
        return this.#unicodeString() ?? this.#word();
      default:
        return this.#word();
    }
  }

  #token(kind: SqlKind, from: number, to: number, open = '', close = ''): SqlToken {
    return new SqlToken(kind, this.#text, from, to, '', open, close);
  }

  /** A token of the next `length` characters; `word` is given where it is a word or an operator. */
  #take(kind: SqlKind, length: number, word = ''): SqlToken {
    const from = this.#at;
    this.#at = from + length;
    return new SqlToken(kind, this.#text, from, from + length, word);
  }

  #sign(kind: SqlKind, length: number): SqlToken {
    return this.#take(kind, length, this.#text.slice(this.#at, this.#at + length));
  }

  /** A string from `from` up to its closing quote, which a backslash or another quote takes for its content. */
  #string(kind: SqlKind, from: number, open: string, quote: string): SqlToken {
    const text = this.#text;
    let index = from;
    for (;;) {
      const end = text.indexOf(quote, index);
      if (end < 0) {
        this.#at = text.length;
        return this.#token(kind, from, text.length, open);
      }
      let backslashes = end;
      while (backslashes > index && text.charAt(backslashes - 1) === '\\') backslashes--;
      if ((end - backslashes) % 2 === 1) index = end + 1;
      else if (text.charAt(end + 1) === quote) index = end + 2;
      else {
        this.#at = end + 1;
        return this.#token(kind, from, end, open, quote);
      }
    }
  }

  #dash(): SqlToken {
    const text = this.#text;
    if (text.charAt(this.#at + 1) === '-') {
      const after = this.#at + 2;
      if (after >= text.length || (classAt(text, after) & white) !== 0) return this.#lineComment();
      this.mysqlDiffers = true;
      if (!this.#mysql) return this.#lineComment();
    }
    return this.#mysql && text.charAt(this.#at + 1) === '-' ? this.#sign('o', 1) : this.#operator('-');
  }

  #hash(): SqlToken {
    this.mysqlDiffers = true;
    return this.#mysql ? this.#lineComment() : this.#sign('o', 1);
  }

  #lineComment(): SqlToken {
    const from = this.#at;
    const end = this.#text.indexOf('\n', from);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return this.#token('c', from, end < 0 ? this.#text.length : end);
  }

  /** A comment in a comment, or one that MySQL executes, is written by attackers alone. */
  #slash(): SqlToken {
    const text = this.#text;
    const from = this.#at;
    if (text.charAt(from + 1) !== '*') return this.#operator('/');
    const end = text.indexOf('*/', from + 2);
    this.#at = end < 0 ? text.length : end + 2;
    const executed = text.charAt(from + 2) === '!';
    const nested = end >= 0 && text.slice(from + 2, end + 1).includes('/*');
    return this.#token(executed || nested ? 'X' : 'c', from, this.#at);
  }

  #variable(): SqlToken {
    const text = this.#text;
    const from = this.#at;
    let name = from + 1;
    if (text.charAt(name) === '@') name++;
    const quote = text.charAt(name);
    if (quote === '`' || quote === "'" || quote === '"') {
      const sign = text.slice(from, name);
      return this.#string('v', name + 1, sign + quote, quote);
    }
    this.#at = name;
    while (this.#at < text.length && (classAt(text, this.#at) & stop) === 0 && text.charAt(this.#at) !== '`')
      this.#at++;
    return this.#token('v', from, this.#at);
  }

  #bracketedName(): SqlToken {
    const end = this.#text.indexOf(']', this.#at);
    return this.#take('n', (end < 0 ? this.#text.length : end + 1) - this.#at);
  }

  #operator(char: string): SqlToken {
    const text = this.#text;
    const next = text.charAt(this.#at + 1);
    if (char === '<' && next === '=' && text.charAt(this.#at + 2) === '>') return this.#sign('o', 3);
    if ((char === '|' || char === '&') && next === char) return this.#sign('&', 2);
    if (pairs[text.charCodeAt(this.#at) * 256 + (text.charCodeAt(this.#at + 1) & 255)] === 1) return this.#sign('o', 2);
    return this.#sign(char === ':' ? ':' : 'o', 1);
  }

  /** A name in backquotes may be that of a function: `version`(). */
  #backquotedName(): SqlToken {
    const token = this.#string('n', this.#at + 1, '`', '`');
    return this.#words.kindOf(token.value.toUpperCase()) === 'f' ? token.as('f') : token;
  }

  /** PostgreSQL's `$tag$ … $tag$`, SQL Server's `$1,000.00`. */
  #money(): SqlToken {
    const text = this.#text;
    const from = this.#at;
    let end = from + 1;
    while (end < text.length && ((classAt(text, end) & digit) !== 0 || text[end] === '.' || text[end] === ',')) end++;
    if (end > from + 1)
      return text.charAt(end - 1) === '.' && end === from + 2 ? this.#word() : this.#take('1', end - from);
    while (end < text.length && isLetter(text.charCodeAt(end))) end++;
    if (text.charAt(end) !== '$') return this.#take('n', 1);
    const tag = text.slice(from, end + 1);
    const closing = text.indexOf(tag, end + 1);
    this.#at = closing < 0 ? text.length : closing + tag.length;
    return this.#token('s', end + 1, closing < 0 ? text.length : closing, '$', closing < 0 ? '' : '$');
  }

  /** `x'1F'` and `b'01'`: numbers, when nothing else is in the quotes. */
  #digitString(rest: RegExp): SqlToken | null {
    if (this.#text.charAt(this.#at + 1) !== "'") return null;
    rest.lastIndex = this.#at + 2;
    return rest.test(this.#text) ? this.#take('1', rest.lastIndex - this.#at) : null;
  }

  /** `N'…'` and `E'…'` with something after the quote. */
  #prefixedString(prefix: number): SqlToken | null {
    const quote = this.#at + prefix;
    if (this.#text.charAt(quote) !== "'" || quote + 1 >= this.#text.length) return null;
    return this.#string('s', quote + 1, "'", "'");
  }

  /** Oracle's `q'[ … ]'`, or with N before it; `prefix` says whether there is an N. */
  #bracketString(prefix: number): SqlToken | null {
    const text = this.#text;
    const quote = this.#at + prefix + 1;
    if (text.charAt(quote) !== "'" || text.charAt(quote - 1).toLowerCase() !== 'q') return null;
    const bracket = text.charAt(quote + 1);
    if (bracket === '' || bracket <= ' ') return null;
    const end = text.indexOf(`${closingBrackets[bracket] ?? bracket}'`, quote + 2);
    this.#at = end < 0 ? text.length : end + 2;
    return this.#token('s', quote + 2, end < 0 ? text.length : end, 'q', end < 0 ? '' : 'q');
  }

  /** `U&'…'`. */
  #unicodeString(): SqlToken | null {
    if (!this.#text.startsWith("&'", this.#at + 1)) return null;
    const token = this.#string('s', this.#at + 3, "'", "'");
    return token.quoted('u', token.close === '' ? '' : 'u');
  }

  #number(): SqlToken {
    const text = this.#text;
    const from = this.#at;
    const digits = text.charAt(from) === '0' ? this.#prefixedDigits() : null;
    if (digits !== null) return digits;
    let end = this.#digitsFrom(from);
    if (text.charAt(end) === '.') end = this.#digitsFrom(end + 1);
    const exponent = text.charAt(end);
    if (exponent === 'e' || exponent === 'E') {
      const sign = text.charAt(end + 1);
      const first = sign === '+' || sign === '-' ? end + 2 : end + 1;
      end = this.#digitsFrom(first);
      if (end === first) return this.#take('n', end - from);
    }
    return this.#take('1', end - from + this.#floatSuffix(end));
  }

  #digitsFrom(index: number): number {
    let end = index;
    while (end < this.#text.length && (classAt(this.#text, end) & digit) !== 0) end++;
    return end;
  }

  /** `0x1F` and `0b01`; without a digit they are names. */
  #prefixedDigits(): SqlToken | null {
    const letter = this.#text.charAt(this.#at + 1).toLowerCase();
    if (letter !== 'x' && letter !== 'b') return null;
    const rest = letter === 'x' ? /[\dA-Fa-f]*/y : /[01]*/y;
    rest.lastIndex = this.#at + 2;
    rest.test(this.#text);
    const length = Math.max(rest.lastIndex - this.#at, 2);
    return this.#take(length === 2 ? 'n' : '1', length);
  }

  /** Oracle's `1f` and `1d`: one letter, which nothing of a word may follow but UNION. */
  #floatSuffix(end: number): 0 | 1 {
    const text = this.#text;
    const letter = text.charCodeAt(end) | 32;
    if (letter !== 100 && letter !== 102) return 0;
    const next = text.charAt(end + 1);
    return next === '' || next === ';' || next === 'u' || next === 'U' || (classAt(text, end + 1) & white) !== 0
      ? 1
      : 0;
  }

  /** A name with its dots and backquotes, unless what stands before one of these is a word of SQL by itself. */
  #word(): SqlToken {
    const text = this.#text;
    const from = this.#at;
    let end = from;
    while (end < text.length && (classAt(text, end) & stop) === 0) {
      const char = text.charCodeAt(end);
      if ((char === dot || char === backquote) && end > from) {
        const word = this.#knownWord(from, end);
        const kind = word === '' ? undefined : this.#words.kindOf(word);
        if (kind !== undefined) return this.#take(kind, end - from, word);
      }
      end++;
    }
    const word = this.#knownWord(from, end);
    return this.#take((word === '' ? undefined : this.#words.kindOf(word)) ?? 'n', end - from, word);
  }

  /** The upper-case word there, '' when it is surely none that is known. */
  #knownWord(from: number, end: number): string {
    const text = this.#text;
    const length = end - from;
    if (length > longestWord || !this.#words.mayKnow(text.charCodeAt(from), text.charCodeAt(from + 1), length))
      return '';
    return text.slice(from, end).toUpperCase();
  }
}
