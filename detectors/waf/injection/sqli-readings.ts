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

/** Takes a reading; true when it has seen enough. */
export type ReadingVisitor = (reading: SqlReading) => boolean;

function visitContext(text: string, words: SqlWords, context: SqlContext, visit: ReadingVisitor): boolean {
  const ansi = readSql(text, words, context, 'ansi');
  return visit(ansi) || (ansi.mysqlDiffers && visit(readSql(text, words, context, 'mysql')));
}

/** Hands on every reading of a value that is worth a look, until the visitor has seen enough: then it is true. */
export function visitReadings(text: string, words: SqlWords, visit: ReadingVisitor): boolean {
  if (visitContext(text, words, '', visit)) return true;
  if (text.includes("'") && visitContext(text, words, "'", visit)) return true;
  return text.includes('"') && visit(readSql(text, words, '"', 'mysql'));
}
