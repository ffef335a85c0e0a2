import { readFileSync } from 'node:fs';
import t from 'tap';
import type { FtwTest } from '../../../../detectors/waf/ftw/ftw-test.ts';
import { readFtwFile } from '../../../../detectors/waf/ftw/read-ftw-file.ts';
import { applyOverrides, readOverrides } from '../../../../detectors/waf/ftw/read-overrides.ts';
import { runTest } from '../../../../detectors/waf/ftw/run-test.ts';
import { ownOverrides } from '../../../../detectors/waf/ftw/load-waf-tests.ts';
import { suitePath } from '../../../support/suites.ts';

const overrides = `
version: v0.0.0
meta: {engine: Portcullis}
test_overrides:
  - rule_id: 7
    test_ids: [1, 3]
    reason: because
    output: {status: 200, log: {no_expect_ids: [7]}}
  - {rule_id: 7, test_ids: [2], reason: not yet, expect_failure: true}
`;

const tests: readonly FtwTest[] = readFtwFile(
  `rule_id: 7
tests:
${[1, 2, 3, 4]
  .map((id) => `  - {test_id: ${id}, stages: [{input: {}, output: {log: {expect_ids: [7]}}}, {input: {}, output: {}}]}`)
  .join('\n')}
`,
  'f',
).tests;

const sender = { send: async () => ({ error: null, status: 200, body: '', lines: ['[id "8"]'] }) };

t.test('the output of an override stands in for that of every stage', async (t) => {
  const applied = applyOverrides(tests, readOverrides(overrides, 'o'));
  t.strictSame(
    applied.map(({ test }) => test.stages.map(({ output }) => output.expectIds)),
    [
      [[], []],
      [[7], []],
      [[], []],
      [[7], []],
    ],
  );
  const failures = await Promise.all(applied.map(async (one) => (await runTest(one, sender))?.expected ?? null));
  t.strictSame(failures, [null, null, null, 'rule 7']);
  const passing = { send: async () => ({ error: null, status: 200, body: '', lines: ['[id "7"]'] }) };
  const [, second] = await Promise.all(applied.map((one) => runTest(one, passing)));
  t.match(second, { test: '7-2', expected: 'a failure, as its override says' });
});

t.test('a list that is not understood in full is refused', async (t) => {
  const wrong = [
    'test_overrides: [{rule_id: 1, test_ids: [1]}]',
    'test_overrides: [{rule_id: 1, test_ids: [1], reason: x, outputs: {}}]',
    'test_overrides: [{rule_id: x, test_ids: [1], reason: x}]',
    'test_overrides: [x]',
    'overrides: []',
    'test_overrides: [{rule_id: 1, test_ids: [1], reason: x, output: {log: {expect: 1}}}]',
    'test_overrides: [',
  ];
  for (const source of wrong) t.throws(() => readOverrides(source, 'o.yaml'), { code: 'WAF_TEST_INVALID' }, source);
  t.equal(wrong.length, 7);
});

t.test('our own list is short, and each deviation has a reason', async (t) => {
  const own = readOverrides(readFileSync(ownOverrides, 'utf8'), ownOverrides);
  const count = own.reduce((sum, { tests: numbers }) => sum + numbers.length, 0);
  t.ok(count <= 10, `${count} tests are overridden`);
  for (const { reason } of own) t.ok(reason.length > 40, reason);
});

t.test('the override files of other engines are read', async (t) => {
  for (const [name, count] of [
    ['httpd', 2],
    ['coraza', 9],
    ['nginx', 24],
  ] as const) {
    const path = suitePath(t, `crs/${name}-overrides.yaml`);
    if (path !== null) t.equal(readOverrides(readFileSync(path, 'utf8'), path).length, count, name);
  }
});
