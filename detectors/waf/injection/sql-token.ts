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

export interface SqlToken {
  readonly kind: SqlKind;
  /** As written, without the quotes of a string, cut at `longestValue`. */
  readonly value: string;
  /** The upper-case value of a word or operator, '' for the other kinds and for what is longer than any word. */
  readonly word: string;
  /** For strings and quoted variables: the opening quote, '' where the text began inside; and the closing one, '' where it ended inside. */
  readonly open: string;
  readonly close: string;
}

/** Characters of a token that are kept: what is longer tells nothing more. */
export const longestValue = 31;
