/** Our own items pass their hub tests, and each of them has one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../core/clock.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { loadItems } from '../../../detectors/engine/load-items.ts';
import { createAppSecTester } from '../../../detectors/waf/appsec-tests/appsec-tester.ts';
import { createTestDependencies } from '../../../detectors/waf/appsec-tests/test-dependencies.ts';
import { loadAppSecItems } from '../../../detectors/waf/appsec/load-appsec-items.ts';
import { createHubTester } from '../../../detectors/hubtest/hub-tester.ts';
import { rules } from './support.ts';

const tests = join(rules, 'tests');
const runtime = { clock: systemClock, random: createSystemRandom(), log: createLog('silent') };

t.test('every hub test of our own items passes', async (t) => {
  const tester = await createHubTester({ hub: rules, tests, dataFolders: [join(rules, 'data')] }, runtime);
  t.teardown(() => tester.close());
  let assertions = 0;
  for (const name of tester.names) {
    const result = await tester.run(name);
    t.equal(result.outcome, 'passed', name);
    t.same(result.failures, [], name);
    t.ok(result.assertions >= 10, `${name}: ${result.assertions} assertions`);
    assertions += result.assertions;
  }
  t.equal(tester.names.length, 30);
  t.ok(assertions > 3_000, `${assertions} assertions`);
});

t.test('every parser and every scenario has a hub test', async (t) => {
  const named = readdirSync(tests)
    .map((name) => readFileSync(join(tests, name, 'config.yaml'), 'utf8'))
    .join('\n');
  const parsers = readdirSync(join(rules, 'parsers'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.yaml'),
  );
  for (const path of parsers) t.match(named, `- parsers/${path}\n`);
  t.equal(parsers.length, 9);
  // What the gateway's own front and its WAF refused is in no log of another program.
  const own = ['http-malformed.yaml', 'waf-core-rules.yaml', 'waf-virtual-patches.yaml'];
  const scenarios = readdirSync(join(rules, 'scenarios')).filter((name) => !own.includes(name));
  for (const name of scenarios) t.match(named, `- scenarios/${name}\n`);
  t.equal(scenarios.length, 21);
});

t.test('a pattern that several of our parsers define is the same in all of them', async (t) => {
  const { parsers, faults } = await loadItems([join(rules, 'parsers')]);
  t.same(faults, []);
  const bodies = new Map<string, string>();
  let shared = 0;
  for (const { patterns, file } of parsers) {
    for (const [name, body] of patterns) {
      t.match(name, /^PORTCULLIS_/, 'names of our own never meet those of the hub');
      if (bodies.has(name)) shared++;
      t.equal(bodies.get(name) ?? body, body, `${name} in ${file}`);
      bodies.set(name, body);
    }
  }
  t.ok(shared > 10, `${shared} shared`);
});

t.test('every virtual patch has a test that refuses attacks and passes ordinary requests', (t) => {
  const patches = loadAppSecItems(['appsec-rules', 'appsec-configs'].map((name) => join(rules, name)));
  t.same(patches.faults, []);
  const folder = join(rules, 'appsec-tests');
  const dependencies = createTestDependencies(systemClock);
  const tester = createAppSecTester({ hub: rules, tests: folder, dataFolders: [] }, dependencies);
  const names = patches.rules
    .map(({ name }) => name.replace('portcullis/', ''))
    .filter((name) => name !== 'base-config');
  t.same(tester.names, names.toSorted());
  t.equal(names.length, 14);
  for (const name of names) {
    t.match(readFileSync(join(folder, name, `${name}.yaml`), 'utf8'), /== 403[^]*== 200/, name);
    t.match(tester.run(name), { outcome: 'passed' }, name);
  }
  t.end();
});
