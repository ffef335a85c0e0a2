import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../../core/clock.ts';
import type { CompileBand } from '../../../../detectors/waf/appsec/band-engine.ts';
import { withoutRules } from '../../../../detectors/waf/appsec/band-program.ts';
import { createAppSecTester } from '../../../../detectors/waf/appsec-tests/appsec-tester.ts';
import { createTestDependencies } from '../../../../detectors/waf/appsec-tests/test-dependencies.ts';
import { suitePath } from '../../../support/suites.ts';

const rule = (name: string, value: string): string =>
  `name: ${name}\nrules:\n  - {zones: [URI], match: {type: contains, value: ${value}}}\n`;
const template = (path: string, status = 403): string =>
  `id: x\nhttp:\n  - path: ["{{BaseURL}}${path}"]\n    matchers: [{type: status, status: [${status}]}]\n`;
const config = (rules: string, more = ''): string => `appsec-rules: [${rules}]\nnuclei_template: t.yaml\n${more}`;
const one = './appsec-rules/me/one.yaml';

const deps = createTestDependencies(systemClock);

t.test('tests of a hub', async (t) => {
  const hub = t.testdir({
    'appsec-rules': { me: { 'one.yaml': rule('me/one', '/one'), 'bad.yaml': 'name: me/bad\nrules: [{}]\n' } },
    '.appsec-tests': {
      passes: { 'config.yaml': config(one), 't.yaml': template('/one') },
      'by-name': { 'config.yaml': config('me/one'), 't.yaml': template('/one') },
      own: { 'config.yaml': config('own.yaml'), 'own.yaml': rule('own', '/own'), 't.yaml': template('/own') },
      'not-loaded': { 'config.yaml': config('own.yaml'), 'own.yaml': rule('own', '/own'), 't.yaml': template('/one') },
      control: { 'config.yaml': config(one), 't.yaml': template('/other', 404) },
      'other-site': { 'config.yaml': config(one), 't.yaml': template('/other', 200) },
      expected: { 'config.yaml': config(one, 'expect_failure: true\n'), 't.yaml': template('/other') },
      unexpected: { 'config.yaml': config(one, 'expect_failure: true\n'), 't.yaml': template('/one') },
      faulty: { 'config.yaml': config('./appsec-rules/me/bad.yaml'), 't.yaml': template('/one') },
      missing: { 'config.yaml': config('me/none'), 't.yaml': template('/one') },
      'no-template': { 'config.yaml': config(one) },
      'no-config': { 't.yaml': template('/one') },
      unclear: { 'config.yaml': 'nuclei_template: t.yaml\n' },
    },
  });
  const tests = join(hub, '.appsec-tests');
  const tester = createAppSecTester({ hub, tests, dataFolders: [] }, deps);
  t.equal(tester.names.length, 12);
  const results = Object.fromEntries(tester.names.map((name) => [name, tester.run(name)]));
  t.same(
    tester.names.filter((name) => results[name]?.outcome === 'passed'),
    ['by-name', 'control', 'expected', 'other-site', 'own', 'passes'],
  );
  t.match(results['not-loaded'], {
    requests: 1,
    failures: [
      {
        file: join(tests, 'not-loaded', 't.yaml'),
        request: 'GET /one',
        expected: 'status 403',
        found: '404, passed by the rules',
      },
    ],
  });
  t.match(results.unexpected?.failures, [{ expected: 'no match of status 403', found: '403, ban by me/one' }]);
  t.match(results.faulty?.failures, [{ found: /bad\.yaml:2:\d+: appsec-rule me\/bad: a rule needs zones/ }]);
  t.match(results.missing?.failures, [{ found: 'me/none is no rule of the hub or of the test' }]);
  t.match(results['no-template']?.failures, [{ found: /no such file/ }]);
  t.match(results.unclear?.failures, [{ found: /it names no appsec-rules/ }]);
});

t.test('a folder that is not there', async (t) => {
  t.throws(() => createAppSecTester({ hub: '/nowhere', tests: '/nowhere', dataFolders: [] }, deps), {
    code: 'HUBTEST_INVALID',
  });
});

t.test('mistakes in SecLang fail the test', async (t) => {
  const secLang = 'name: me/lang\nseclang_rules:\n  - SecRule ARGS "@nothing x" "id:1,phase:2,deny"\n';
  const hub = t.testdir({
    'appsec-rules': { 'lang.yaml': secLang },
    '.appsec-tests': { one: { 'config.yaml': config('./appsec-rules/lang.yaml'), 't.yaml': template('/', 200) } },
  });
  const tester = createAppSecTester({ hub, tests: join(hub, '.appsec-tests'), dataFolders: [] }, deps);
  t.match(tester.run('one').failures, [{ found: /lang\.yaml:3: / }]);
});

t.test('the tests of the hub, all of them', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const tester = createAppSecTester({ hub, tests: join(hub, '.appsec-tests'), dataFolders: [] }, deps);
  const results = tester.names.map((name) => tester.run(name));
  t.same(
    results.filter(({ outcome }) => outcome === 'failed'),
    [],
  );
  t.ok(results.length >= 120, `${results.length} tests`);
  t.ok(results.every(({ requests }) => requests > 0));
});

t.test('the tests of our own rules', async (t) => {
  const hub = join(import.meta.dirname, '..', '..', '..', '..', 'detectors', 'rules');
  const tester = createAppSecTester({ hub, tests: join(hub, 'appsec-tests'), dataFolders: [] }, deps);
  const results = tester.names.map((name) => tester.run(name));
  t.same(
    results.filter(({ outcome }) => outcome === 'failed'),
    [],
  );
  t.ok(results.length >= 14);
});

t.test('a test whose rule is taken away fails', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const tests = join(hub, '.appsec-tests');
  // The same names, and rules that match nothing.
  const names = createAppSecTester({ hub, tests, dataFolders: [] }, deps).names.slice(0, 30);
  const compile: CompileBand = (band, program, limits) =>
    deps.compile(
      band,
      withoutRules(program, () => true),
      limits,
    );
  const tester = createAppSecTester({ hub, tests, dataFolders: [] }, { ...deps, compile });
  t.same(
    names.filter((name) => tester.run(name).outcome === 'passed'),
    [],
  );
});
