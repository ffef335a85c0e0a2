/**
 * Deviations from what tests expect, each with its reason, in the ftw overrides format: the output of an override stands in for
 * that of every stage of the test. Specification: `ftw-tests-schema` (`FTWTestOverrides`); the override files of the Core Rule
 * Set.
 */
import { isMap, isScalar } from 'yaml';
import { readDocuments } from '../../documents/document-reader.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { FtwOutput, FtwTest } from './ftw-test.ts';
import { integers, readOutput } from './read-ftw-file.ts';

export interface FtwOverride {
  readonly ruleId: number;
  readonly tests: readonly number[];
  readonly reason: string;
  /** The test has to fail. */
  readonly expectFailure: boolean;
  /** Null: the expectations of the test stay. */
  readonly output: FtwOutput | null;
}

const kind = { what: 'list of overrides', code: 'WAF_TEST_INVALID' } as const;
const keys = {
  file: new Set(['version', 'meta', 'test_overrides']),
  override: new Set(['rule_id', 'test_ids', 'reason', 'expect_failure', 'output']),
} as const;

/** @throws GatewayError WAF_TEST_INVALID: a list that is not understood in full must not hide a failure. */
export function readOverrides(source: string, path: string): readonly FtwOverride[] {
  const overrides: FtwOverride[] = [];
  for (const reader of readDocuments(source, path, kind)) {
    const root = reader.root();
    const known = (
      map: Parameters<typeof reader.checkKeys>[0] | null,
      allowed: ReadonlySet<string>,
      what: string,
    ): void => {
      if (map !== null) reader.checkKeys(map, allowed, what);
    };
    known(root, keys.file, 'the file');
    for (const node of root === null ? [] : reader.list(root, 'test_overrides')) {
      if (!isMap(node)) {
        reader.fault(node, 'an override is a map');
        continue;
      }
      known(node, keys.override, 'an override');
      const reason = reader.text(node, 'reason').trim();
      if (reason === '') reader.fault(node, 'an override gives its reason');
      const output = reader.value(node, 'output');
      overrides.push({
        ruleId: reader.integer(node, 'rule_id'),
        tests: integers(reader, node, 'test_ids'),
        reason,
        expectFailure: reader.boolean(node, 'expect_failure'),
        output:
          isScalar(output) || output === null ? null : readOutput(reader, reader.map(node, 'output', null), known),
      });
    }
    const [fault] = reader.faults;
    if (fault !== undefined)
      throw new GatewayError('WAF_TEST_INVALID', fault.error.message, { remedy: 'Correct the overrides.' });
  }
  return overrides;
}

export interface OverriddenTest {
  readonly test: FtwTest;
  readonly override: FtwOverride | null;
}

/** Each test with the override that names it, its output put in place. */
export function applyOverrides(
  tests: readonly FtwTest[],
  overrides: readonly FtwOverride[],
): readonly OverriddenTest[] {
  const byTest = new Map(
    overrides.flatMap((override) =>
      override.tests.map((number) => [`${override.ruleId}-${number}`, override] as const),
    ),
  );
  return tests.map((test) => {
    const override = byTest.get(`${test.ruleId}-${test.number}`) ?? null;
    const output = override?.output ?? null;
    if (output === null) return { test, override };
    return { test: { ...test, stages: test.stages.map(({ input }) => ({ input, output })) }, override };
  });
}
