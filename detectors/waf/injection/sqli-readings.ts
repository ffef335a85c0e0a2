/** The ways to read a value as SQL: as it is, and behind an open quote of either kind, in either dialect. */
import { foldTokens } from './sql-folder.ts';
import type { SqlToken } from './sql-token.ts';
import { type SqlContext, type SqlDialect, SqlTokenizer } from './sql-tokenizer.ts';
import type { SqlWords } from './sql-words.ts';

/** One way to read a value. */
export interface SqlReading {
  readonly fingerprint: string;
  readonly tokens: readonly SqlToken[];
  readonly context: SqlContext;
  /** Tokens read before folding, comments included. */
  readonly tokenCount: number;
  /** True when something among them compares. */
  readonly compares: boolean;
  /** True when MySQL may read the value otherwise. */
  readonly mysqlDiffers: boolean;
}

/** Reads a value in one context and dialect. */
export function readSql(text: string, words: SqlWords, context: SqlContext, dialect: SqlDialect): SqlReading {
  const tokenizer = new SqlTokenizer(text, words, context, dialect);
  const tokens = foldTokens(tokenizer, words);
  let fingerprint = '';
  for (const token of tokens) fingerprint += token.kind;
  if (fingerprint.includes('X')) fingerprint = 'X';
  const { tokens: tokenCount, compares, mysqlDiffers } = tokenizer;
  return { fingerprint, tokens, context, tokenCount, compares, mysqlDiffers };
}

/** Every reading of a value that is worth a look, most likely first. */
export function* readingsOf(text: string, words: SqlWords): Generator<SqlReading> {
  const plain = readSql(text, words, '', 'ansi');
  yield plain;
  if (plain.mysqlDiffers) yield readSql(text, words, '', 'mysql');
  if (text.includes("'")) {
    const quoted = readSql(text, words, "'", 'ansi');
    yield quoted;
    if (quoted.mysqlDiffers) yield readSql(text, words, "'", 'mysql');
  }
  if (text.includes('"')) yield readSql(text, words, '"', 'mysql');
}
