/** The tests that `portcullis waf test` runs: those of a folder, the chosen among them, with the overrides in place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closest } from '../../../config/closest.ts';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import { packageRoot } from '../../../core/package-root.ts';
import { findFtwTests } from './find-ftw-tests.ts';
import type { FtwFault } from './ftw-test.ts';
import { applyOverrides, type OverriddenTest, readOverrides } from './read-overrides.ts';

/** Deviations of this engine from the Core Rule Set's tests, each with its reason. */
export const ownOverrides = join(packageRoot, 'detectors', 'waf', 'crs-overrides.yaml');

export interface WafTestOptions {
  /** A folder of tests, or one file. */
  readonly tests: string;
  /** A file of overrides; null: expectations stay as they are written. */
  readonly overrides: string | null;
  /** `942100` for all tests of a rule, `942100-7` for one; none: all. */
  readonly ids: readonly string[];
}

export interface WafTests {
  readonly tests: readonly OverriddenTest[];
  readonly faults: readonly FtwFault[];
}

/** @throws GatewayError WAF_TEST_INVALID, NOT_FOUND for an id that no test has. */
export function loadWafTests({ tests, overrides, ids }: WafTestOptions): WafTests {
  const found = findFtwTests(tests);
  const applied = applyOverrides(found.tests, overrides === null ? [] : readOverrides(readText(overrides), overrides));
  if (ids.length === 0) return { tests: applied, faults: found.faults };
  const names = new Set(applied.flatMap(({ test }) => [test.id, String(test.ruleId)]));
  for (const id of ids) {
    if (names.has(id)) continue;
    const near = closest(id, [...names]);
    throw new GatewayError('NOT_FOUND', `there is no test "${id}"${near === null ? '' : `. Did you mean ${near}?`}`, {
      remedy: 'Name a rule (942100) or one of its tests (942100-7); without names, all are run.',
    });
  }
  const chosen = new Set(ids);
  const isChosen = ({ test }: OverriddenTest): boolean => chosen.has(test.id) || chosen.has(String(test.ruleId));
  return { tests: applied.filter(isChosen), faults: found.faults };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GatewayError('WAF_TEST_INVALID', `the overrides ${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Give a file in the ftw overrides format with --overrides.',
      cause,
    });
  }
}
