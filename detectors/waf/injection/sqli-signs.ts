/**
 * Signs of an attack behind the part of a value that fits into a fingerprint: an attacker may begin with as long an
 * expression as he likes. The tokens of the whole value are read once, without folding.
 */
import type { SqlToken } from './sql-token.ts';
import { type SqlContext, SqlTokenizer } from './sql-tokenizer.ts';
import type { SqlWords } from './sql-words.ts';

/** Texts without these words have no sign that is looked for here. */
const firstLook =
  /union|waitfor|;\s*(?:alter|create|delete|drop|insert|truncate)\b|\(\s*select|(?:and|x?or|&&|\|\|)[\s(+~!-]*\d+\)*\s*[=<!]/i;

const repeated = new Set(['ALL', 'DISTINCT', 'DISTINCTROW']);
const compared = new Set(['=', '==', '<>', '!=', '<=>']);
/** What is selected by anyone who does not write prose. */
const selected = new Set(['1', 's', 'v', 'f', '(', '&', 'X']);

/** The kinds of the tokens that give an attack away (`UE`, `&1o1`), or null. */
export function findSqlSign(text: string, words: SqlWords, context: SqlContext): string | null {
  if (!firstLook.test(text) || text.startsWith('/')) return null;
  const tokenizer = new SqlTokenizer(text, words, context, 'ansi');
  // A state of its own for each sign: how much of it the last tokens were.
  let union = 0;
  let beforeUnion = '';
  let subquery = 0;
  let statement = '';
  let before: SqlToken | null = null;
  let condition = 0;
  for (;;) {
    const token = tokenizer.next();
    if (token === null) return null;
    if (token.kind === 'c') continue;
    if (token.kind === 'U') beforeUnion = before?.kind ?? '';
    union = unionStep(union, token, beforeUnion === 'n' || beforeUnion === '');
    if (union === unionFound) return 'UE';
    subquery = subqueryStep(subquery, token);
    if (subquery === subqueryFound) return '(E';
    statement = statementStep(statement, token);
    if (statement === statementFound) return ';Ek';
    if (before?.word === 'WAITFOR' && /^(?:DELAY|TIME)$/.test(token.word)) return 'Tk';
    before = token;
    condition = conditionStep(condition, token);
    if (condition === 4) return '&1o1';
  }
}

const unionFound = 9;

/** UNION, then SELECT with any brackets between, then a value; a name is enough where a list or, out of prose, FROM follows. */
function unionStep(state: number, token: SqlToken, prose: boolean): number {
  if (token.kind === 'U') return 1;
  switch (state) {
    case 1:
      if (token.kind === '(' || repeated.has(token.word)) return 1;
      return token.kind === 'E' && token.word.startsWith('SELECT') ? 2 : 0;
    case 2:
      if (repeated.has(token.word)) return 2;
      if (token.kind === 'n') return 3;
      return selected.has(token.kind) || token.word === '*' ? unionFound : 0;
    case 3:
      return token.kind === ',' || (token.word === 'FROM' && !prose) ? unionFound : 0;
    default:
      return 0;
  }
}

/** A second statement: what it does, and the word that has to follow. */
const statements: Readonly<Record<string, string>> = {
  ALTER: 'TABLE',
  CREATE: 'TABLE',
  DELETE: 'FROM',
  DROP: 'TABLE',
  INSERT: 'INTO',
  TRUNCATE: 'TABLE',
};

const statementFound = '!';

/** `; DROP TABLE` and its like; the state is the word that was last, as far as it matters. */
function statementStep(state: string, token: SqlToken): string {
  if (token.kind === ';') return ';';
  if (state === ';') return token.kind === 'E' ? token.word : '';
  return state !== '' && statements[state] === token.word ? statementFound : '';
}

const subqueryFound = 9;

/** SELECT in a bracket, then `* FROM`, a variable of the server or a call. */
function subqueryStep(state: number, token: SqlToken): number {
  if (token.kind === '(' && state !== 3) return 1;
  switch (state) {
    case 1:
      return token.kind === 'E' && token.word === 'SELECT' ? 2 : 0;
    case 2:
      if (token.kind === 'v' && token.value.startsWith('@@')) return subqueryFound;
      if (token.kind === 'f') return 3;
      return token.word === '*' ? 4 : 0;
    case 3:
      return token.kind === '(' ? subqueryFound : 0;
    case 4:
      return token.word === 'FROM' ? subqueryFound : 0;
    default:
      return 0;
  }
}

/** AND or OR, then a number that is compared with a number: true or false as the attacker wants it. */
function conditionStep(state: number, token: SqlToken): number {
  if (token.kind === '&') return 1;
  if (state === 1 || state === 3) {
    if (token.kind === '(' || (token.kind === 'o' && /^[-+~!]$/.test(token.word))) return state;
    return token.kind === '1' ? state + 1 : 0;
  }
  if (state === 2) {
    if (token.kind === ')') return 2;
    return token.kind === 'o' && compared.has(token.word) ? 3 : 0;
  }
  return 0;
}
