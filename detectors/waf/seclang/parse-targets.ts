/**
 * The variables of a rule: `ARGS|!ARGS:token|&REQUEST_HEADERS:Host|TX:/^score_/|XML:/*`. Alternatives are split at `|` and,
 * as ModSecurity 2 does, at a comma before another variable, but not inside of a regular expression.
 */
import { isBlank, isEscaped, lowerAscii, trimBlanks } from './ascii.ts';
import type { Selector, Target } from './definition.ts';
import { checkedPattern } from './name-pattern.ts';
import { type Report, quoted, suggestion } from './report.ts';
import { type Variable, allVariableNames, findVariable, isUnsupportedVariable } from './variables.ts';

export interface Targets {
  readonly targets: readonly Target[];
  readonly excluded: readonly Target[];
}

/** More variables than this in one rule are a mistake of whatever wrote it. */
export const mostTargets = 2_000;

const namePattern = /[A-Za-z0-9_]*/y;
/** A comma that separates: another variable follows it. */
const nextTarget = /,[ \t]*[!&]{0,2}([A-Za-z_]+)[ \t]*(?=[:|,]|$)/y;

/** Null when a part cannot be understood; `report` has heard why. */
export function parseTargets(text: string, report: Report): Targets | null {
  const targets: Target[] = [];
  const excluded: Target[] = [];
  let at = 0;
  while (at < text.length) {
    const read = readTarget(text, at, report);
    if (read === null) return null;
    (read.excluded ? excluded : targets).push(read.target);
    at = read.end;
    if (targets.length + excluded.length > mostTargets) {
      report('error', `A rule can name ${mostTargets} variables at most.`);
      return null;
    }
  }
  if (targets.length === 0 && excluded.length === 0) {
    report('error', 'No variable is named.');
    return null;
  }
  return { targets, excluded };
}

interface ReadTarget {
  readonly target: Target;
  readonly excluded: boolean;
  /** Where the next one starts. */
  readonly end: number;
}

function readTarget(text: string, start: number, report: Report): ReadTarget | null {
  let at = start;
  let excluded = false;
  let count = false;
  while (isBlank(text[at]) || text[at] === '!' || text[at] === '&') {
    excluded ||= text[at] === '!';
    count ||= text[at] === '&';
    at++;
  }
  namePattern.lastIndex = at;
  const name = namePattern.exec(text)?.[0] ?? '';
  at += name.length;
  const variable = findVariable(name);
  if (variable === null) {
    report('error', unknownVariable(name === '' ? text.slice(start, start + 40) : name));
    return null;
  }
  const read = text[at] === ':' ? readSelector(text, at + 1, variable) : { selector: all, end: at };
  if (read === null) {
    report('error', `The selector of ${variable.name} is not closed.`);
    return null;
  }
  if (read.selector.kind === 'pattern' && checkedPattern(read.selector.source, report) === null) return null;
  if (!variable.isCollection && read.selector.kind !== 'all') {
    report('error', `${variable.name} is a single value: it takes no selector.`);
    return null;
  }
  const end = separatorEnd(text, read.end);
  if (end === null) {
    report('error', `Text follows the variable ${variable.name}: ${quoted(text.slice(read.end))}. Separate by "|".`);
    return null;
  }
  return { target: { variable: variable.name, selector: read.selector, count }, excluded, end };
}

/** Behind `|` or a separating comma; null when something else stands there. */
function separatorEnd(text: string, from: number): number | null {
  let at = from;
  while (isBlank(text[at])) at++;
  if (at >= text.length) return at;
  return text[at] === '|' || text[at] === ',' ? at + 1 : null;
}

const all: Selector = { kind: 'all' };

interface ReadSelector {
  readonly selector: Selector;
  readonly end: number;
}

function readSelector(text: string, start: number, variable: Variable): ReadSelector | null {
  const isDocument = variable.name === 'XML' || variable.name === 'RESPONSE_XML';
  if (text.startsWith("'/", start) && !isDocument) {
    const end = patternEnd(text, start + 2, "/'");
    return end === -1 ? null : { selector: { kind: 'pattern', source: text.slice(start + 2, end) }, end: end + 2 };
  }
  if (text[start] === '/' && !isDocument) {
    const end = patternEnd(text, start + 1, '/');
    return end === -1 ? null : { selector: { kind: 'pattern', source: text.slice(start + 1, end) }, end: end + 1 };
  }
  if (text[start] === "'") {
    const end = patternEnd(text, start + 1, "'");
    if (end === -1) return null;
    const written = text.slice(start + 1, end).replaceAll("\\'", "'");
    return { selector: selectorOf(written, isDocument), end: end + 1 };
  }
  const end = plainEnd(text, start);
  return { selector: selectorOf(trimBlanks(text.slice(start, end)), isDocument), end };
}

function selectorOf(written: string, isDocument: boolean): Selector {
  if (written === '') return all;
  if (isDocument) return { kind: 'xpath', path: written };
  return { kind: 'key', key: lowerAscii(written), written };
}

/** Where `mark` closes: not escaped, and a separator or the end follows. -1: nowhere. */
function patternEnd(text: string, from: number, mark: string): number {
  for (let at = text.indexOf(mark, from); at !== -1; at = text.indexOf(mark, at + 1)) {
    if (!isEscaped(text, at) && endsAt(text, at + mark.length)) return at;
  }
  return -1;
}

function plainEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !endsAt(text, at)) at++;
  return at;
}

/** True at the end, at `|`, and at a comma before a variable. */
function endsAt(text: string, at: number): boolean {
  if (at >= text.length || text[at] === '|') return true;
  if (text[at] !== ',') return false;
  nextTarget.lastIndex = at;
  const name = nextTarget.exec(text)?.[1];
  return name !== undefined && findVariable(name) !== null;
}

function unknownVariable(name: string): string {
  if (isUnsupportedVariable(name)) {
    return `The variable ${name} is ModSecurity's and has no meaning in this gateway.`;
  }
  return `There is no variable ${quoted(name)}.${suggestion(name, allVariableNames)}`;
}
