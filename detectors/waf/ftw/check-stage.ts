/**
 * Whether what was seen of a request is what its test expects, in go-ftw's order: error, status, response, log. Specification:
 * go-ftw `check/` and `runner/run.go`.
 */
import { compilePattern } from '../../regex/compile-pattern.ts';
import { messageOf } from '../../../core/errors.ts';
import type { FtwOutput } from './ftw-test.ts';
import { idsOf } from './log-line.ts';

/** What came of sending a request. */
export interface StageOutcome {
  /** Why there is no response; null: there is one. */
  readonly error: string | null;
  readonly status: number;
  /** A binary string. */
  readonly body: string;
  /** Lines that rules wrote to the log. */
  readonly lines: readonly string[];
}

export interface Mismatch {
  readonly expected: string;
  readonly found: string;
}

/** The first thing that is not as expected; null: all is. */
export function checkStage(output: FtwOutput, outcome: StageOutcome): Mismatch | null {
  const { error } = outcome;
  if (output.expectError === true) {
    return error === null ? { expected: 'no readable response', found: `status ${outcome.status}` } : null;
  }
  if (error !== null) return { expected: 'a response', found: error };
  if (output.status.length > 0 && !output.status.includes(outcome.status)) {
    return { expected: `status ${output.status.join(' or ')}`, found: `status ${outcome.status}` };
  }
  const wanted = Buffer.from(output.responseContains).toString('latin1');
  if (!outcome.body.includes(wanted)) {
    return { expected: `response with ${JSON.stringify(output.responseContains)}`, found: shorten(outcome.body) };
  }
  return checkLog(output, outcome.lines);
}

function checkLog(output: FtwOutput, lines: readonly string[]): Mismatch | null {
  const ids = idsOf(lines);
  const found = ids.length === 0 ? 'no rule' : `rules ${[...new Set(ids)].join(', ')}`;
  const missing = output.expectIds.filter((id) => !ids.includes(id));
  if (missing.length > 0) return { expected: `rule ${missing.join(', ')}`, found };
  const unwanted = output.noExpectIds.filter((id) => ids.includes(id));
  if (unwanted.length > 0) return { expected: `not rule ${unwanted.join(', ')}`, found };
  return checkPatterns(output, lines) ?? checkIsolated(output, ids, found);
}

function checkPatterns({ matchRegex, noMatchRegex }: FtwOutput, lines: readonly string[]): Mismatch | null {
  const seen = lines.length === 0 ? 'an empty log' : shorten(lines.join('\n'));
  try {
    if (matchRegex !== '' && !lines.some(matcher(matchRegex))) {
      return { expected: `log line like ${matchRegex}`, found: seen };
    }
    const unwanted = noMatchRegex === '' ? undefined : lines.find(matcher(noMatchRegex));
    return unwanted === undefined ? null : { expected: `no log line like ${noMatchRegex}`, found: shorten(unwanted) };
  } catch (thrown) {
    return { expected: 'a regular expression', found: messageOf(thrown) };
  }
}

function checkIsolated({ isolated, expectIds }: FtwOutput, ids: readonly number[], found: string): Mismatch | null {
  if (!isolated) return null;
  if (expectIds.length !== 1)
    return { expected: 'one id in a test that is isolated', found: `${expectIds.length} ids` };
  const alone = ids.every((id) => id === expectIds[0]);
  return alone ? null : { expected: `only rule ${expectIds[0]}`, found };
}

function matcher(source: string): (line: string) => boolean {
  const pattern = compilePattern(source);
  return (line) => pattern.test(line);
}

function shorten(text: string): string {
  return text.length <= 1_000 ? text : `${text.slice(0, 1_000)}…`;
}
