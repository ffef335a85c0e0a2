/** Regular expressions on tags and messages of rules, which removals and updates have. They match anywhere. */
import { messageOf } from '../../../core/errors.ts';
import { type Pattern, compilePattern } from '../../regex/compile-pattern.ts';
import type { Report } from './report.ts';

/** Null when it is not valid; `report` has heard why. */
export function namePattern(source: string, report: Report): Pattern | null {
  try {
    return compilePattern(source, { subject: 'bytes', dotAll: true });
  } catch (error) {
    report('error', messageOf(error));
    return null;
  }
}

/** The source itself when it is a valid pattern. */
export function checkedPattern(source: string, report: Report): string | null {
  return namePattern(source, report) === null ? null : source;
}
