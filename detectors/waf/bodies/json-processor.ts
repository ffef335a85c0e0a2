/**
 * The body processor JSON: a document becomes arguments named by their path, `json.items.0.id`, read from its source text, so
 * that numbers stay as they were written and every one of several equal keys is seen. An array that is not empty also has an
 * argument with its length (`json.items` = `2`), null is an empty text, true and false are their names. Coraza's naming;
 * ModSecurity writes `json.items.array_0`.
 *
 * Where a document is not JSON (RFC 8259) reading ends with an error and the rest of the text becomes the value of the argument
 * that was being read: an origin with a more lenient reader would still be watched.
 */
import type { BodyContents, BodyContext, BodyProcessor } from './body-processor.ts';
import { ArgumentList, emptyContents, FirstFault } from './body-values.ts';
import { hexByteAt } from './percent-decode.ts';
import { isUtf8Text, toUtf8Document, utf8Bytes } from './utf8-bytes.ts';

export const jsonProcessor: BodyProcessor = {
  name: 'JSON',
  process(body, context): BodyContents {
    return new JsonReader(toUtf8Document(body).text, context).read();
  },
};

/**
 * A path longer than this is reported once as an argument of its own and then left out of the names below it: names would
 * otherwise grow with the product of depth and key length.
 */
const longestPath = 4_096;

interface Container {
  readonly path: string;
  /** Of the current element; -1: this is an object. */
  index: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const unicodeEscape = 0x75;

class JsonReader {
  readonly #text: string;
  readonly #truncated: boolean;
  readonly #depth: number;
  readonly #args: ArgumentList;
  readonly #fault = new FirstFault();
  readonly #open: Container[] = [];
  #at = 0;
  /** Nothing is read any more. */
  #over = false;
  /** Of the value that is being read. */
  #name = 'json';

  constructor(text: string, { limits, truncated }: BodyContext) {
    this.#text = text;
    this.#truncated = truncated;
    this.#depth = limits.depth;
    this.#args = new ArgumentList(limits.arguments);
  }

  read(): BodyContents {
    this.#skipSpace();
    if (this.#at < this.#text.length) {
      while (!this.#over) {
        const opened = this.#value();
        if (!this.#over) this.#next(opened);
      }
    }
    if (!isUtf8Text(this.#text, this.#truncated)) this.#fault.note('JSON parsing error: invalid bytes in UTF-8 text');
    return {
      ...emptyContents,
      args: this.#args.values,
      argumentsDropped: this.#args.dropped,
      error: this.#fault.text,
    };
  }

  /** Reads a scalar or enters a container. True: one that is not empty was entered. */
  #value(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === quote) {
      this.#add(this.#name, this.#string());
    } else if (code === openBrace || code === openBracket) return this.#enter(code === openBracket);
    else this.#word();
    return false;
  }

  #enter(isArray: boolean): boolean {
    if (this.#open.length >= this.#depth) {
      this.#stop(`nesting is deeper than ${this.#depth}`);
      return false;
    }
    this.#at += 1;
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) === (isArray ? closeBracket : closeBrace)) {
      this.#at += 1;
      return false;
    }
    let path = this.#name;
    if (path.length > longestPath) {
      this.#add(path, '');
      path = 'json';
    }
    this.#open.push({ path, index: isArray ? 0 : -1 });
    return true;
  }

  /** Goes on to the next value and its name: the first of a container, or what follows a value, or the end. */
  #next(opened: boolean): void {
    if (opened) {
      this.#nameNext();
      return;
    }
    for (;;) {
      this.#skipSpace();
      const container = this.#open.at(-1);
      if (container === undefined) {
        if (this.#at < this.#text.length) this.#stop('text after the document');
        this.#over = true;
        return;
      }
      const code = this.#text.charCodeAt(this.#at);
      if (code === comma) {
        this.#at += 1;
        this.#skipSpace();
        if (container.index >= 0) container.index += 1;
        this.#nameNext();
        return;
      }
      if (code !== (container.index < 0 ? closeBrace : closeBracket)) {
        this.#stop(`expected "," or "${container.index < 0 ? '}' : ']'}"`);
        return;
      }
      this.#at += 1;
      this.#open.pop();
      if (container.index >= 0) this.#add(container.path, String(container.index + 1));
      if (this.#over) return;
    }
  }

  #nameNext(): void {
    const container = this.#open.at(-1);
    if (container === undefined) return;
    if (container.index >= 0) {
      this.#name = `${container.path}.${container.index}`;
      return;
    }
    // Until the key is known, what goes wrong belongs to the object.
    this.#name = container.path;
    if (this.#text.charCodeAt(this.#at) !== quote) {
      this.#stop('expected a key in double quotes');
      return;
    }
    const key = this.#string();
    const name = `${container.path}.${key}`;
    if (this.#over) {
      this.#args.add(name, '');
      return;
    }
    this.#name = name;
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== colon) {
      if (this.#at >= this.#text.length) this.#args.add(name, '');
      this.#stop('expected ":"');
      return;
    }
    this.#at += 1;
    this.#skipSpace();
  }

  /** A number or one of the three words, as the source has it. */
  #word(): void {
    const start = this.#at;
    const text = this.#text;
    let end = start;
    let onlyDigits = true;
    for (; end < text.length; end += 1) {
      const code = text.charCodeAt(end);
      if (code >= 0x30 && code <= 0x39) continue;
      if (!isWordCharacter(code)) break;
      onlyDigits = false;
    }
    const word = text.slice(start, end);
    this.#at = end;
    if (end === text.length && this.#truncated) {
      if (word !== '') this.#args.add(this.#name, word);
      this.#over = true;
    } else if (onlyDigits && text.charCodeAt(start) !== 0x30 && end > start) this.#add(this.#name, word);
    else if (word === 'true' || word === 'false' || numberPattern.test(word)) this.#add(this.#name, word);
    else if (word === 'null') this.#add(this.#name, '');
    else {
      this.#at = start;
      this.#stop('expected a value');
    }
  }

  /** The string whose opening quote is here, decoded. One that has no end sets `#over`. */
  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === backslash) return this.#escapedString(start, at);
      if (code < 0x20) this.#complain('a control character in a string', at);
    }
    return this.#unfinished(text.slice(start));
  }

  /** The same from its first backslash on. */
  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text;
    let value = '';
    let from = start;
    let at = firstEscape;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        return value + text.slice(from, at);
      }
      if (code === backslash) {
        value += text.slice(from, at) + this.#escaped(at);
        at = this.#at;
        from = at;
        continue;
      }
      if (code < 0x20) this.#complain('a control character in a string', at);
      at += 1;
    }
    return this.#unfinished(value + text.slice(from));
  }

  /** What the escape at `at` stands for; `#at` is then behind it. A backslash that begins none stands for itself. */
  #escaped(at: number): string {
    const text = this.#text;
    const code = text.charCodeAt(at + 1);
    const simple = code === unicodeEscape ? '' : simpleEscape(code);
    if (simple !== '') {
      this.#at = at + 2;
      return simple;
    }
    const unit = code === unicodeEscape ? codeUnitAt(text, at + 2) : -1;
    if (unit < 0) {
      if (at + 6 < text.length || !this.#truncated) this.#complain('an escape that JSON does not have', at);
      this.#at = at + 1;
      return '\\';
    }
    this.#at = at + 6;
    if (unit >= 0xd800 && unit < 0xdc00 && text.startsWith('\\u', at + 6)) {
      const low = codeUnitAt(text, at + 8);
      if (low >= 0xdc00 && low < 0xe000) {
        this.#at = at + 12;
        return utf8Bytes(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      }
    }
    return utf8Bytes(unit);
  }

  #unfinished(value: string): string {
    this.#at = this.#text.length;
    this.#over = true;
    if (!this.#truncated) this.#complain('a string without its end', this.#at);
    return value;
  }

  #add(name: string, value: string): void {
    if (!this.#args.add(name, value)) this.#over = true;
  }

  #skipSpace(): void {
    const text = this.#text;
    let at = this.#at;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    this.#at = at;
  }

  #complain(what: string, at: number): void {
    if (!this.#fault.isNoted) this.#fault.note(`JSON parsing error: ${what} at byte ${at}`);
  }

  /** Ends the reading and keeps what is left. The end of a body that was cut is no mistake. */
  #stop(what: string): void {
    this.#over = true;
    const atEnd = this.#at >= this.#text.length;
    if (!(atEnd && this.#truncated)) this.#complain(what, this.#at);
    if (!atEnd) this.#args.add(this.#name, this.#text.slice(this.#at));
  }
}

const numberPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;

function isWordCharacter(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e
  );
}

/** What a backslash and this character stand for; "": nothing. */
function simpleEscape(code: number): string {
  switch (code) {
    case quote:
      return '"';
    case backslash:
      return '\\';
    case 0x2f:
      return '/';
    case 0x62:
      return '\b';
    case 0x66:
      return '\f';
    case 0x6e:
      return '\n';
    case 0x72:
      return '\r';
    case 0x74:
      return '\t';
    default:
      return '';
  }
}

/** The four hexadecimal digits at `at`, or -1. */
function codeUnitAt(text: string, at: number): number {
  const high = hexByteAt(text, at);
  const low = hexByteAt(text, at + 2);
  return high < 0 || low < 0 ? -1 : (high << 8) | low;
}
