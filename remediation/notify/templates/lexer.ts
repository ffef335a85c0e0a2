/**
 * Template text → tokens: the literal texts, trimmed where `{{-` or `-}}` says so, and what stands inside the actions.
 * Specification: Go text/template, "Actions" and "Text and spaces".
 */
import { syntaxFault } from './template-error.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'variable'
  | 'word'
  | 'number'
  | 'char'
  | 'string'
  | 'dot'
  | 'sign'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a text what is left after trimming. Signs: `|` `(` `)` `,` `:=` `=`. */
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

const open = '{{';
const close = '}}';
const spaces = /[ \t\r\n]/;
const trimmedEnd = /[ \t\r\n]+$/;
const trimmedStart = /^[ \t\r\n]+/;
const wordStart = /[\p{L}_]/u;
const word = /[\p{L}\p{Nd}_]*/uy;
const number =
  /[+-]?(?:0[xX](?:_?[0-9a-fA-F])*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)i?/y;
const quoted = /"(?:[^"\\\n]|\\[^\n])*"/y;
const raw = /`[^`]*`/y;
const character = /'(?:[^'\\\n]|\\[^\n])*'/y;

/** Tokens that a template may have. Texts of 1 MiB have fewer. */
const mostTokens = 200_000;

/** @throws TemplateError */
export function lexTemplate(name: string, source: string): readonly Token[] {
  return new Lexer(name, source).run();
}

class Lexer {
  readonly #name: string;
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #parentheses = 0;
  /** The literal text that follows starts after its spaces. */
  #trimNext = false;

  constructor(name: string, source: string) {
    this.#name = name;
    this.#source = source;
  }

  run(): readonly Token[] {
    while (this.#at < this.#source.length) {
      const start = this.#source.indexOf(open, this.#at);
      this.#literal(start === -1 ? this.#source.length : start);
      if (start !== -1) this.#action(start);
    }
    this.#push('end', '', this.#at, this.#at);
    return this.#tokens;
  }

  #push(kind: TokenKind, text: string, at: number, end: number): void {
    if (this.#tokens.length >= mostTokens) throw this.#fault(at, `the template has more than ${mostTokens} parts`);
    this.#tokens.push({ kind, text, at, end });
  }

  #fault(at: number, reason: string): Error {
    return syntaxFault(this.#name, this.#source, at, reason);
  }

  /** The text up to `end`, where an action or nothing follows. */
  #literal(end: number): void {
    const at = this.#at;
    let text = this.#source.slice(at, end);
    if (this.#trimNext) text = text.replace(trimmedStart, '');
    if (this.#trimsBefore(end)) text = text.replace(trimmedEnd, '');
    this.#trimNext = false;
    if (text !== '') this.#push('text', text, at, end);
    this.#at = end;
  }

  #trimsBefore(start: number): boolean {
    return this.#source.startsWith(`${open}-`, start) && spaces.test(this.#source[start + 3] ?? '');
  }

  #action(start: number): void {
    const inside = start + (this.#trimsBefore(start) ? 3 : 2);
    const first = this.#source.slice(inside).search(/[^ \t\r\n]/);
    const comment = this.#trimsBefore(start) ? inside + Math.max(first, 0) : inside;
    if (this.#source.startsWith('/*', comment)) return this.#comment(start, comment);
    this.#push('open', open, start, inside);
    this.#at = inside;
    this.#parentheses = 0;
    while (!this.#closes()) this.#inside(start);
  }

  #comment(start: number, from: number): void {
    const end = this.#source.indexOf('*/', from + 2);
    if (end === -1) throw this.#fault(start, 'unclosed comment');
    this.#at = end + 2;
    if (this.#source.startsWith(close, this.#at)) this.#at += 2;
    else {
      const trim = /[ \t\r\n]+-\}\}/y;
      trim.lastIndex = this.#at;
      if (!trim.test(this.#source)) throw this.#fault(end, 'comment ends before closing delimiter');
      this.#at = trim.lastIndex;
      this.#trimNext = true;
    }
  }

  /** Consumes the end of the action when it is here. */
  #closes(): boolean {
    const at = this.#at;
    const trims = this.#source.startsWith(`-${close}`, at) && spaces.test(this.#source[at - 1] ?? '');
    if (!trims && !this.#source.startsWith(close, at)) return false;
    if (this.#parentheses > 0) throw this.#fault(at, 'unclosed left paren');
    this.#at += trims ? 3 : 2;
    this.#trimNext = trims;
    this.#push('close', close, at, this.#at);
    return true;
  }

  /** One token inside an action that began at `start`. */
  #inside(start: number): void {
    const at = this.#at;
    const here = this.#source[at];
    if (here === undefined) throw this.#fault(start, 'unclosed action');
    if (spaces.test(here)) return this.#spaces();
    switch (here) {
      case ':':
        if (this.#source[at + 1] !== '=') throw this.#fault(at, 'expected :=');
        return this.#take('sign', at + 2);
      case '=':
      case '|':
      case ',':
        return this.#take('sign', at + 1);
      case '(':
        this.#parentheses++;
        return this.#take('sign', at + 1);
      case ')':
        if (--this.#parentheses < 0) throw this.#fault(at, 'unexpected right paren');
        return this.#take('sign', at + 1);
      case '"':
        return this.#match('string', quoted, 'unterminated quoted string');
      case '`':
        return this.#match('string', raw, 'unterminated raw quoted string');
      case "'":
        return this.#match('char', character, 'unterminated character constant');
      case '.':
        if (!/[0-9]/.test(this.#source[at + 1] ?? '')) return this.#name_('field', 'dot');
        return this.#number();
      case '$':
        return this.#name_('variable', 'variable');
      default:
        if (/[0-9+-]/.test(here)) return this.#number();
        if (wordStart.test(this.#character(at))) return this.#word();
        throw this.#fault(at, `unexpected ${shown(this.#character(at))} in command`);
    }
  }

  #take(kind: TokenKind, end: number): void {
    this.#push(kind, this.#source.slice(this.#at, end), this.#at, end);
    this.#at = end;
  }

  #match(kind: TokenKind, pattern: RegExp, otherwise: string): void {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#source)) throw this.#fault(this.#at, otherwise);
    this.#take(kind, pattern.lastIndex);
  }

  #spaces(): void {
    let end = this.#at;
    while (spaces.test(this.#source[end] ?? '')) end++;
    this.#take('space', end);
  }

  #number(): void {
    number.lastIndex = this.#at;
    const end = number.test(this.#source) ? number.lastIndex : this.#at + 1;
    if (end === this.#at + 1 && !/[0-9]/.test(this.#source[this.#at] ?? '')) {
      throw this.#fault(this.#at, `bad number syntax: ${JSON.stringify(this.#source.slice(this.#at, end + 1))}`);
    }
    const next = this.#character(end);
    if (next !== '' && /[\p{L}\p{Nd}_.]/u.test(next)) {
      throw this.#fault(this.#at, `bad number syntax: ${JSON.stringify(this.#source.slice(this.#at, end + 1))}`);
    }
    this.#take('number', end);
  }

  /** `.Name` or `$name`, or the sign alone. */
  #name_(kind: TokenKind, alone: TokenKind): void {
    word.lastIndex = this.#at + 1;
    word.test(this.#source);
    const end = Math.max(word.lastIndex, this.#at + 1);
    this.#checkEnd(end);
    this.#take(end === this.#at + 1 ? alone : kind, end);
  }

  #word(): void {
    word.lastIndex = this.#at;
    word.test(this.#source);
    const end = word.lastIndex;
    this.#checkEnd(end);
    this.#take('word', end);
  }

  /** A name ends where something follows that can follow a name. */
  #checkEnd(end: number): void {
    const next = this.#character(end);
    if (next === '' || spaces.test(next) || '.,|:()='.includes(next) || this.#source.startsWith(close, end)) return;
    throw this.#fault(end, `bad character ${shown(next)}`);
  }

  #character(at: number): string {
    const point = this.#source.codePointAt(at);
    return point === undefined ? '' : String.fromCodePoint(point);
  }
}

/** `U+0023 '#'`. */
function shown(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `U+${point.toString(16).toUpperCase().padStart(4, '0')} '${character}'`;
}
