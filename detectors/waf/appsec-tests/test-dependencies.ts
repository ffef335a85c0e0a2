/** What tests of AppSec rules run with: the engine as it is, without a gateway around it. */
import type { Clock } from '../../../core/clock.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { noDataFiles } from '../../expr/data-files.ts';
import { compilePattern } from '../../regex/compile-pattern.ts';
import type { AppSecDeps } from '../appsec/appsec-core.ts';
import { compileRuleSet } from '../engine/compile-rule-set.ts';
import { defaultEngineOptions } from '../engine/engine-options.ts';
import { createSqliDetector } from '../injection/sqli-detector.ts';
import { createXssDetector } from '../injection/xss-detector.ts';
import { createRuleFiles } from '../seclang/rule-files.ts';

/** A busy machine must not decide a test, in milliseconds. */
const budgetMs = 10_000;

export function createTestDependencies(clock: Clock): AppSecDeps {
  const files = createRuleFiles();
  // Their tables are made once for all tests.
  const parts = { clock, files, detectSqli: createSqliDetector(), detectXss: createXssDetector() };
  return {
    clock,
    random: createSystemRandom(),
    log: createLog('silent'),
    files,
    helpers: { clock, files: noDataFiles, regex: (pattern) => compilePattern(pattern) },
    compile: (_band, program) => compileRuleSet(program, { ...defaultEngineOptions, budgetMs }, parts),
  };
}
