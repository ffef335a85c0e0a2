/** Walks over the tokens of a template, with or without regard to spaces, and words the faults that the parser finds. */
import type { Token } from './lexer.ts';
import { syntaxFault, type TemplateError } from './template-error.ts';

export class TokenCursor {
  readonly #name: string;
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(name: string, source: string, tokens: readonly Token[]) {
    this.#name = name;
    this.#source = source;
    this.#tokens = tokens;
  }

  /** The token `ahead` of the next one; the end again and again after it. */
  peek(ahead = 0): Token {
    const at = this.#source.length;
    return this.#tokens[this.#next + ahead] ?? { kind: 'end', text: '', at, end: at };
  }

  take(): Token {
    const token = this.peek();
    this.#next++;
    return token;
  }

  skipSpace(): void {
    while (this.peek().kind === 'space') this.#next++;
  }

  peekPastSpace(): Token {
    return this.peek(this.peek().kind === 'space' ? 1 : 0);
  }

  takePastSpace(): Token {
    this.skipSpace();
    return this.take();
  }

  /** A place to come back to. */
  mark(): number {
    return this.#next;
  }

  back(mark: number): void {
    this.#next = mark;
  }

  /** Where the last token ended. */
  before(): number {
    return this.#tokens[this.#next - 1]?.end ?? 0;
  }

  /** Takes the end of an action. @throws TemplateError when something else is there. */
  close(where: string): number {
    const token = this.takePastSpace();
    if (token.kind !== 'close') throw this.unexpected(token, where);
    return token.end;
  }

  textOf({ at, end }: { readonly at: number; readonly end: number }): string {
    return this.#source.slice(at, end);
  }

  unexpected(token: Token, where: string): TemplateError {
    if (token.kind === 'end') return this.fault(token.at, `unexpected EOF in ${where}`);
    const shown = token.text.length > 20 ? `${token.text.slice(0, 20)}...` : token.text;
    return this.fault(token.at, `unexpected ${JSON.stringify(shown)} in ${where}`);
  }

  fault(at: number, reason: string): TemplateError {
    return syntaxFault(this.#name, this.#source, at, reason);
  }
}
