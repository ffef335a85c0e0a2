import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../core/clock.ts';
import { createSystemRandom } from '../../core/random.ts';
import { createSuiteSender } from '../../detectors/waf/ftw/engine-sender.ts';
import { loadWafTests, ownOverrides } from '../../detectors/waf/ftw/load-waf-tests.ts';
import { readOverrides } from '../../detectors/waf/ftw/read-overrides.ts';
import { runTest } from '../../detectors/waf/ftw/run-test.ts';
import { loadSuiteProgram } from '../../detectors/waf/ftw/suite-program.ts';
import { suitePath } from '../support/suites.ts';

const deps = { clock: systemClock, random: createSystemRandom() };

/**
 * Rules of release 3.3.4 that are not in use, each with a fault that says why: addresses are looked up by the gateway, not by
 * rules (910), and these patterns need more than a linear engine can do.
 */
const unusable = /operator @(?:rbl|geolookup) is not supported|look-around|possessive/;

/** Where Debian's modsecurity-crs puts release 3.3.4. */
const debianRules = '/usr/share/modsecurity-crs';

t.test("the Core Rule Set's own tests pass in the engine", async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { sender, faults } = createSuiteSender(loadSuiteProgram(crs), 'detection-only', deps);
  t.strictSame(faults, []);
  const { tests } = loadWafTests({ tests: join(crs, 'tests'), overrides: ownOverrides, ids: [] });
  t.ok(tests.length >= 2_671, `${tests.length} tests`);
  const failures: string[] = [];
  for (const one of tests) {
    const failure = await runTest(one, sender);
    if (failure !== null) failures.push(`${failure.test}: expected ${failure.expected}, found ${failure.found}`);
  }
  t.strictSame(failures, []);
});

t.test('each of our overrides is needed', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { sender } = createSuiteSender(loadSuiteProgram(crs), 'detection-only', deps);
  const { tests } = loadWafTests({ tests: join(crs, 'tests'), overrides: null, ids: [] });
  const overrides = readOverrides(readFileSync(ownOverrides, 'utf8'), ownOverrides);
  const named = overrides.flatMap(({ ruleId, tests: numbers }) => numbers.map((number) => `${ruleId}-${number}`));
  for (const name of named) {
    const one = tests.find(({ test }) => test.id === name);
    if (one !== undefined) t.not(await runTest(one, sender), null, `${name} passes without its override`);
  }
  t.ok(named.length <= 10, `${named.length} tests are overridden`);
});

t.test("release 3.3.4 of Debian's package is read unmodified", async (t) => {
  t.ok(existsSync(debianRules), 'the package modsecurity-crs is installed');
  const { faults } = createSuiteSender(loadSuiteProgram(debianRules), 'detection-only', deps);
  t.strictSame(
    faults.filter(({ reason }) => !unusable.test(reason)),
    [],
  );
  t.ok(faults.length <= 12, `${faults.length} rules are not in use`);
});
