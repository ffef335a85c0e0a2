/** The operator of a rule: `!@rx ^a`, `@pmFromFile list.data`, or a bare regular expression. */
import { isBlank, isEscaped, lowerAscii } from './ascii.ts';
import type { OperatorDefinition } from './definition.ts';
import { parseMacro } from './parse-macro.ts';
import { type Report, quoted, suggestion } from './report.ts';

/** As their manuals spell them: ModSecurity 2 and 3, Coraza. */
export const operatorNames = [
  'beginsWith',
  'contains',
  'containsWord',
  'detectSQLi',
  'detectXSS',
  'endsWith',
  'eq',
  'fuzzyHash',
  'ge',
  'geoLookup',
  'gsbLookup',
  'gt',
  'inspectFile',
  'ipMatch',
  'ipMatchF',
  'ipMatchFromDataset',
  'ipMatchFromFile',
  'le',
  'lt',
  'noMatch',
  'pm',
  'pmf',
  'pmFromDataset',
  'pmFromFile',
  'rbl',
  'restpath',
  'rsub',
  'rx',
  'rxGlobal',
  'streq',
  'strmatch',
  'unconditionalMatch',
  'validateByteRange',
  'validateDTD',
  'validateHash',
  'validateNid',
  'validateSchema',
  'validateUrlEncoding',
  'validateUtf8Encoding',
  'verifyCC',
  'verifyCPF',
  'verifySSN',
  'verifySVNR',
  'within',
] as const;

const known: ReadonlySet<string> = new Set(operatorNames.map((name) => name.toLowerCase()));
/** `%{…}` in these is more often a part of the pattern than a mistake. */
const patterns: ReadonlySet<string> = new Set(['rx', 'rxglobal', 'strmatch']);

/** Null when there is no such operator; `report` has heard so. `folder`: of the rule's file. */
export function parseOperator(text: string, folder: string, report: Report): OperatorDefinition | null {
  let at = skipBlanks(text, 0);
  const negated = text[at] === '!';
  if (negated) at = skipBlanks(text, at + 1);
  let name = 'rx';
  if (text[at] === '@') {
    let end = at + 1;
    while (end < text.length && !isBlank(text[end])) end++;
    const written = text.slice(at + 1, end);
    name = lowerAscii(written);
    if (!known.has(name)) {
      report('error', `There is no operator ${quoted(`@${written}`)}.${suggestion(written, operatorNames)}`);
      return null;
    }
    at = skipBlanks(text, end);
  }
  const source = text.slice(at, argumentEnd(text, at));
  return { name, negated, argument: parseMacro(source, patterns.has(name) ? null : report), folder };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text[at])) at++;
  return at;
}

/** Blanks at the end go, unless a backslash makes one a part of the pattern. */
function argumentEnd(text: string, from: number): number {
  let end = text.length;
  while (end > from && isBlank(text[end - 1]) && !isEscaped(text, end - 1)) end--;
  return end;
}
