/**
 * `parser.assert` and `scenario.assert`: one expression on each line, over `results`. A line that is false or raises fails the
 * test. Specification: CrowdSec `pkg/hubtest/parser_assert.go`, `scenario_assert.go`.
 */
import { messageOf } from '../../core/errors.ts';
import { type ExpressionCompiler, ExpressionError } from '../expr/compile.ts';

export type AssertionKind = 'parser' | 'scenario';

export interface Assertion {
  /** From 1. */
  readonly line: number;
  /** As it is written. */
  readonly text: string;
}

/** One thing that kept a test from passing. */
export interface HubTestFailure {
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  /** As it is written; "" where the failure is none of an assertion. */
  readonly assertion: string;
  /** What the left side of the assertion gave; null when it has none or gave none. */
  readonly found: unknown;
  /** Why, in words. */
  readonly reason: string;
}

export interface Verdict {
  /** Assertions that were looked at. */
  readonly count: number;
  readonly failures: readonly HubTestFailure[];
}

/** The assertions of a file's text; empty lines are none. */
export function readAssertions(text: string): readonly Assertion[] {
  return text
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter((assertion) => assertion.text !== '');
}

/** Looks at every assertion, also after one has failed. `file` is named in failures. */
export function checkAssertions(
  kind: AssertionKind,
  { file, assertions }: { readonly file: string; readonly assertions: readonly Assertion[] },
  results: unknown,
  compiler: ExpressionCompiler,
): Verdict {
  const failures: HubTestFailure[] = [];
  for (const { line, text } of assertions) {
    const complaint = complaintOf(kind, text, results, compiler);
    if (complaint !== null) failures.push({ file, line, assertion: text, ...complaint });
  }
  return { count: assertions.length, failures };
}

type Complaint = Pick<HubTestFailure, 'found' | 'reason'>;

function complaintOf(
  kind: AssertionKind,
  text: string,
  results: unknown,
  compiler: ExpressionCompiler,
): Complaint | null {
  try {
    const source = comparesBaseNames(text);
    if (compiler.compile(source, 'bool').evaluate({ results }) === true) return null;
    if (kind === 'scenario' && !hasVariable.test(text)) return null;
    const left = leftSide(source);
    return { found: left === null ? false : compiler.compile(left, 'any').evaluate({ results }), reason: 'is false' };
  } catch (thrown) {
    return { found: null, reason: thrown instanceof ExpressionError ? firstLine(thrown.message) : messageOf(thrown) };
  }
}

/**
 * Upstream shows the value of what stands before ` == `, and a line of `scenario.assert` without it, such as a false
 * `"192.0.2.1" in results[0].Overflow.GetSources()`, is passed over without counting as a failure.
 */
const hasVariable = /[^ ]+ == ./;

/** Older assertions compare `datasource_path` with the name of the log alone, wherever the log was. */
function comparesBaseNames(text: string): string {
  if (!text.includes('datasource_path') || text.includes('basename(')) return text;
  const left = leftSide(text);
  return left === null ? text : `basename(${left})${text.slice(left.length)}`;
}

/** What stands before the first ` == ` outside of quotes, or null. */
function leftSide(text: string): string | null {
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === '\\' && quote !== '`') at++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'" || character === '`') quote = character;
    else if (text.startsWith(' == ', at)) return text.slice(0, at);
  }
  return null;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
