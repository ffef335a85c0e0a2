/**
 * Cuts a value into HTML tokens as a browser's tokenizer would (WHATWG HTML §13.2.5), from any of the places in a page
 * where an application may have put it: in text, in a tag, or in an attribute's value without quotes or in one of three kinds.
 *
 * It is more lenient than the standard where browsers were: a backquote delimits a value as old Internet Explorers had it,
 * NUL is white space, `<%` begins a comment. In one pass: every token starts where the last one ended.
 */

/** Where in a page the value stands. */
export type HtmlContext = 'data' | 'tag' | 'unquoted' | "'" | '"' | '`';

export type HtmlTokenType =
  | 'DATA_TEXT'
  | 'TAG_NAME_OPEN'
  | 'TAG_NAME_CLOSE'
  | 'TAG_NAME_SELFCLOSE'
  | 'TAG_CLOSE'
  | 'ATTR_NAME'
  | 'ATTR_VALUE'
  | 'TAG_COMMENT'
  | 'DOCTYPE';

export interface HtmlToken {
  readonly type: HtmlTokenType;
  readonly value: string;
}

/** How the tokenizer reads on: each is a state of the standard, or some that differ in nothing that matters here. */
type State = 'data' | 'tag-name' | 'attribute' | 'after-name' | 'value' | 'end';

/** Which kinds of names and values a character ends, as bits. */
const endsTagName = 1;
const endsAttributeName = 2;
const endsValue = 4;

const ends = new Uint8Array(256);
for (const char of '\t\n\v\f\r ') ends[char.charCodeAt(0)] = endsTagName | endsAttributeName | endsValue;
for (const char of '/>') ends[char.charCodeAt(0)] = endsTagName | endsAttributeName;
ends[62] = endsTagName | endsAttributeName | endsValue;
ends[61] = endsAttributeName;

function isWhite(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0;
}

export class HtmlTokenizer {
  readonly #text: string;
  #at = 0;
  #state: State;
  /** The quote that the text began in, until it is read; '' for a value without quotes. */
  #begun: string | null = null;
  /** True for an end tag. */
  #closing = false;

  constructor(text: string, context: HtmlContext) {
    this.#text = text;
    switch (context) {
      case 'data':
        this.#state = 'data';
        break;
      case 'tag':
        this.#state = 'attribute';
        break;
      default:
        this.#state = 'value';
        this.#begun = context === 'unquoted' ? '' : context;
    }
  }

  /** The next token, or null at the end. */
  next(): HtmlToken | null {
    while (this.#state !== 'end') {
      const token = this.#step();
      if (token !== null) return token;
    }
    return null;
  }

  /** A token, or null when only the state or the place changed. */
  #step(): HtmlToken | null {
    switch (this.#state) {
      case 'data':
        return this.#data();
      case 'tag-name':
        return this.#tagName();
      case 'attribute':
        return this.#attribute();
      case 'after-name':
        return this.#afterName();
      case 'value':
        return this.#value();
      case 'end':
        return null;
      default:
        return this.#state satisfies never;
    }
  }

  /** Moves on; the token is the text in between. */
  #emit(type: HtmlTokenType, from: number, to: number, state: State, at: number): HtmlToken {
    this.#state = state;
    this.#at = at;
    return { type, value: this.#text.slice(from, to) };
  }

  /** Where a name or value of this kind ends that begins before `from`. */
  #find(kind: number, from: number): number {
    const text = this.#text;
    let index = from;
    while (index < text.length && ((ends[text.charCodeAt(index) & 255] ?? 0) & kind) === 0) index++;
    return index;
  }

  /** Skips white space; false at the end of the text. */
  #skipWhite(): boolean {
    while (this.#at < this.#text.length && isWhite(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at < this.#text.length) return true;
    this.#state = 'end';
    return false;
  }

  #data(): HtmlToken | null {
    const text = this.#text;
    const from = this.#at;
    const open = text.indexOf('<', from);
    if (open < 0) {
      this.#state = 'end';
      return from < text.length ? this.#emit('DATA_TEXT', from, text.length, 'end', text.length) : null;
    }
    if (open > from) return this.#emit('DATA_TEXT', from, open, 'data', open);
    return this.#openTag(open);
  }

  /** Reads on behind a `<`; when it begins nothing, it is text. */
  #openTag(open: number): HtmlToken | null {
    const text = this.#text;
    const next = text.charAt(open + 1);
    this.#closing = next === '/';
    switch (next) {
      case '!':
        return this.#declaration(open + 2);
      case '?':
        return this.#comment(open + 2, '>');
      case '%':
        return this.#comment(open + 2, '%>');
      case '/':
        if (text.charAt(open + 2) === '>') {
          this.#at = open + 3;
          return null;
        }
        if (!/[A-Za-z]/.test(text.charAt(open + 2))) return this.#comment(open + 2, '>');
        break;
      default:
        if (!/[A-Za-z\0]/.test(next)) return this.#emit('DATA_TEXT', open, open + 1, 'data', open + 1);
    }
    this.#state = 'tag-name';
    this.#at = this.#closing ? open + 2 : open + 1;
    return null;
  }

  #comment(from: number, closing: string): HtmlToken {
    const end = this.#text.indexOf(closing, from);
    if (end < 0) return this.#emit('TAG_COMMENT', from, this.#text.length, 'end', this.#text.length);
    return this.#emit('TAG_COMMENT', from, end, 'data', end + closing.length);
  }

  #declaration(from: number): HtmlToken {
    const text = this.#text;
    if (text.startsWith('--', from)) {
      const commentEnd = /--!?\0*>/g;
      commentEnd.lastIndex = from + 2;
      const end = commentEnd.exec(text);
      if (end === null) return this.#emit('TAG_COMMENT', from + 2, text.length, 'end', text.length);
      return this.#emit('TAG_COMMENT', from + 2, end.index, 'data', end.index + end[0].length);
    }
    if (text.startsWith('[CDATA[', from)) {
      const end = text.indexOf(']]>', from);
      if (end < 0) return this.#emit('DATA_TEXT', from + 7, text.length, 'end', text.length);
      return this.#emit('DATA_TEXT', from + 7, end, 'data', end + 3);
    }
    if (text.slice(from, from + 7).toUpperCase() !== 'DOCTYPE') return this.#comment(from, '>');
    const end = text.indexOf('>', from);
    return this.#emit('DOCTYPE', from, end < 0 ? text.length : end, end < 0 ? 'end' : 'data', end + 1);
  }

  #tagName(): HtmlToken {
    const from = this.#at;
    const end = this.#find(endsTagName, from);
    if (this.#closing && this.#text.charAt(end) === '>') return this.#emit('TAG_CLOSE', from, end, 'data', end + 1);
    return this.#emit('TAG_NAME_OPEN', from, end, 'attribute', end);
  }

  /** The end of the tag at the place, if it is there. */
  #tagEnd(): HtmlToken | null {
    const at = this.#at;
    if (this.#text.charAt(at) === '>') return this.#emit('TAG_NAME_CLOSE', at, at + 1, 'data', at + 1);
    if (this.#text.startsWith('/>', at)) return this.#emit('TAG_NAME_SELFCLOSE', at, at + 2, 'data', at + 2);
    return null;
  }

  #attribute(): HtmlToken | null {
    if (!this.#skipWhite()) return null;
    const end = this.#tagEnd();
    if (end !== null) return end;
    const from = this.#at;
    if (this.#text.charAt(from) === '/') {
      this.#at = from + 1;
      return null;
    }
    // The first character is of the name whatever it is, even `=`.
    const nameEnd = this.#find(endsAttributeName, from + 1);
    return this.#emit('ATTR_NAME', from, nameEnd, 'after-name', nameEnd);
  }

  #afterName(): null {
    if (!this.#skipWhite()) return null;
    if (this.#text.charAt(this.#at) === '=') {
      this.#at++;
      this.#state = 'value';
    } else this.#state = 'attribute';
    return null;
  }

  #value(): HtmlToken | null {
    const text = this.#text;
    const begun = this.#begun;
    this.#begun = null;
    if (begun !== null) return begun === '' ? this.#unquoted(0) : this.#quoted(begun, 0);
    if (!this.#skipWhite()) return null;
    const first = text.charAt(this.#at);
    if (first === '"' || first === "'" || first === '`') return this.#quoted(first, this.#at + 1);
    return this.#unquoted(this.#at);
  }

  #quoted(quote: string, from: number): HtmlToken {
    const end = this.#text.indexOf(quote, from);
    if (end < 0) return this.#emit('ATTR_VALUE', from, this.#text.length, 'end', this.#text.length);
    return this.#emit('ATTR_VALUE', from, end, 'attribute', end + 1);
  }

  #unquoted(from: number): HtmlToken {
    const end = this.#find(endsValue, from);
    return this.#emit('ATTR_VALUE', from, end, 'attribute', end);
  }
}
