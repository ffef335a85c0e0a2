/** `variables_tracking`: values of which variables go into events. */
import { GatewayError, messageOf } from '../../../core/errors.ts';
import { compilePattern } from '../../regex/compile-pattern.ts';
import { setOwn } from '../../expr/values.ts';
import type { BandTransaction } from './band-engine.ts';

export interface VariablePattern {
  test(text: string): boolean;
}

export interface TrackedPatterns {
  readonly patterns: readonly VariablePattern[];
  /** Patterns that are none. */
  readonly faults: readonly GatewayError[];
}

/** Patterns of `VARIABLE.key`, as RE2 has them. */
export function trackedPatterns(sources: readonly string[]): TrackedPatterns {
  const patterns: VariablePattern[] = [];
  const faults: GatewayError[] = [];
  for (const source of sources) {
    try {
      patterns.push(compilePattern(source));
    } catch (cause) {
      const remedy = 'Correct it in the appsec-config; the other patterns are used.';
      faults.push(
        new GatewayError('RULES_INVALID', `variables_tracking ${source}: ${messageOf(cause)}`, { remedy, cause }),
      );
    }
  }
  return { patterns, faults };
}

/** Values of one event, and characters of each. */
const mostValues = 200;
const longestValue = 1_000;

/** The last value of each variable that a pattern names; empty ones are left out. */
export function trackedValues(
  transaction: BandTransaction,
  patterns: readonly VariablePattern[],
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  if (patterns.length === 0) return values;
  let count = 0;
  transaction.eachVariable((name, key, value) => {
    const full = key === '' ? name : `${name}.${key}`;
    if (value === '' || count >= mostValues || !patterns.some((pattern) => pattern.test(full))) return;
    count++;
    setOwn(values, full, value.slice(0, longestValue));
  });
  return values;
}
