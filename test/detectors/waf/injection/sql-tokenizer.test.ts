import t from 'tap';
import { foldTokens } from '../../../../detectors/waf/injection/sql-folder.ts';
import type { SqlToken } from '../../../../detectors/waf/injection/sql-token.ts';
import { type SqlDialect, SqlTokenizer } from '../../../../detectors/waf/injection/sql-tokenizer.ts';
import { createSqlWords } from '../../../../detectors/waf/injection/sql-words.ts';
import { suitePath } from '../../../support/suites.ts';
import { readInjectionCases, trimLines } from './injection-cases.ts';

const words = createSqlWords();

function tokensOf(text: string, dialect: SqlDialect = 'ansi'): SqlToken[] {
  const tokenizer = new SqlTokenizer(text, words, '', dialect);
  const tokens: SqlToken[] = [];
  for (let token = tokenizer.next(); token !== null; token = tokenizer.next()) tokens.push(token);
  return tokens;
}

/** As the cases write tokens: strings and variables with their quotes. */
function render(tokens: readonly SqlToken[]): string {
  const lines = tokens.map(({ kind, value, open, close }) =>
    kind === 's' || kind === 'v' ? `${kind} ${open}${value}${close}` : `${kind} ${value}`,
  );
  return trimLines(lines.join('\n'));
}

function kindsOf(tokens: readonly SqlToken[]): string {
  return tokens.map((token) => token.kind).join('');
}

t.test('values are cut into the tokens of the suite', async (t) => {
  const folder = suitePath(t, 'injection-samples/cases');
  if (folder === null) return;
  const cases = readInjectionCases(folder, 'test-tokens-');
  t.equal(cases.length, 249);
  for (const { file, input, expected } of cases) t.equal(render(tokensOf(input)), expected, file);
});

t.test('tokens fold to those of the suite', async (t) => {
  const folder = suitePath(t, 'injection-samples/cases');
  if (folder === null) return;
  const cases = readInjectionCases(folder, 'test-folding-');
  t.equal(cases.length, 118);
  for (const { file, input, expected } of cases) {
    t.equal(render(foldTokens(new SqlTokenizer(input, words, '', 'ansi'), words)), expected, file);
  }
});

t.test('MySQL reads # as a comment, and two dashes only with white space behind them', async (t) => {
  t.equal(kindsOf(tokensOf('1 # 2', 'ansi')), '1o1');
  t.equal(kindsOf(tokensOf('1 # 2', 'mysql')), '1c');
  t.equal(kindsOf(tokensOf('1 --2', 'ansi')), '1c');
  t.equal(kindsOf(tokensOf('1 --2', 'mysql')), '1oo1');
  t.equal(kindsOf(tokensOf('1 -- 2', 'mysql')), '1c');
});

t.test('0xA0 is white space and other bytes above 127 are letters', async (t) => {
  t.equal(kindsOf(tokensOf('1\xa0OR\xa01')), '1&1');
  t.equal(kindsOf(tokensOf('caf\xc3\xa9 or\xff')), 'nn');
});

t.test('a value that begins in a string ends it at the quote it names', async (t) => {
  const tokenizer = new SqlTokenizer(`a"b' or 1`, words, "'", 'ansi');
  const first = tokenizer.next();
  t.equal(first?.value, 'a"b');
  t.equal(first?.open, '');
  t.equal(first?.close, "'");
  t.equal(tokenizer.next()?.kind, '&');
});
