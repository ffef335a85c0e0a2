/** The tokens that `sql-tokenizer.ts` makes and `sql-folder.ts` reduces. Their kinds, in order, are a text's fingerprint. */

/**
 * - `E` begins an expression (SELECT, INSERT, EXEC …), `T` a procedural statement (DECLARE, WAITFOR, IF after `;` …)
 * - `U` UNION and its like, `B` GROUP BY, ORDER BY, LIMIT, HAVING, `A` COLLATE, `k` another keyword
 * - `f` a function's name, `n` a bareword, `t` a type, `v` a variable or a named constant
 * - `1` a number, `s` a string, `o` an operator, `&` a logical operator
 * - `c` a comment, `X` a comment that only an attack needs, `?` what is in no dialect
 * - the rest stand for themselves
 */
export type SqlKind =
  | 'E'
  | 'T'
  | 'U'
  | 'B'
  | 'A'
  | 'k'
  | 'f'
  | 'n'
  | 't'
  | 'v'
  | '1'
  | 's'
  | 'o'
  | '&'
  | 'c'
  | 'X'
  | '?'
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | '.'
  | ';'
  | ':'
  | '\\';

/** Characters of a token that are kept: what is longer tells nothing more. */
export const longestValue = 31;

/** A piece of a text. Values are cut out when asked for: most tokens are folded away unread. */
export class SqlToken {
  readonly kind: SqlKind;
  /** The upper-case value of a known word or an operator, '' for every other token. */
  readonly word: string;
  /** For strings and quoted names: the opening quote, '' where the text began inside; and the closing one, '' where it ended inside. */
  readonly open: string;
  readonly close: string;
  readonly #text: string;
  readonly #from: number;
  readonly #to: number;

  constructor(kind: SqlKind, text: string, from: number, to: number, word = '', open = '', close = '') {
    this.kind = kind;
    this.word = word;
    this.open = open;
    this.close = close;
    this.#text = text;
    this.#from = from;
    this.#to = to;
  }

  /** As written, without the quotes of a string, cut at `longestValue`. */
  get value(): string {
    return this.#text.slice(this.#from, Math.min(this.#to, this.#from + longestValue));
  }

  get isEmpty(): boolean {
    return this.#from >= this.#to;
  }

  /** The same piece as another kind. */
  as(kind: SqlKind): SqlToken {
    return new SqlToken(kind, this.#text, this.#from, this.#to, this.word, this.open, this.close);
  }

  /** The same string with the quotes of its dialect. */
  quoted(open: string, close: string): SqlToken {
    return new SqlToken(this.kind, this.#text, this.#from, this.#to, this.word, open, close);
  }

  /** One token of two words, whose value is both with one space between. */
  joined(next: SqlToken, kind: SqlKind): SqlToken {
    const value = `${this.value} ${next.value}`;
    return new SqlToken(kind, value, 0, value.length, `${this.word} ${next.word}`);
  }
}
