import { join } from 'node:path';
import t from 'tap';
import { loadWafTests } from '../../../../detectors/waf/ftw/load-waf-tests.ts';
import { suitePath } from '../../../support/suites.ts';

const file = (rule: number, numbers: readonly number[]): string =>
  `rule_id: ${rule}\ntests: [${numbers.map((id) => `{test_id: ${id}, stages: [{input: {}, output: {}}]}`).join(', ')}]\n`;

t.test('tests of a folder and the folders in it, by name of the file', async (t) => {
  const tests = t.testdir({
    b: { '2.yaml': file(222, [1, 2]), 'notes.txt': 'no test' },
    a: { deep: { '1.yml': file(1, [7]) } },
    '3.yaml': file(3, [1]),
  });
  const ids = (...chosen: string[]): readonly string[] =>
    loadWafTests({ tests, overrides: null, ids: chosen }).tests.map(({ test }) => test.id);
  t.strictSame(ids(), ['3-1', '1-7', '222-1', '222-2']);
  t.strictSame(ids('222'), ['222-1', '222-2']);
  t.strictSame(ids('222-2', '3', '222-2'), ['3-1', '222-2']);
  t.throws(() => ids('222-3'), { code: 'NOT_FOUND', message: /no test "222-3". Did you mean 222-[12]/ });
  t.strictSame(loadWafTests({ tests: join(tests, '3.yaml'), overrides: null, ids: [] }).tests.length, 1);
});

t.test('what cannot be read says so', async (t) => {
  const tests = t.testdir({ empty: {}, 'o.yaml': 'test_overrides: [{rule_id: 1}]', '1.yaml': file(1, [1]) });
  const load = (path: string, overrides: string | null = null) =>
    loadWafTests({ tests: join(tests, path), overrides: overrides === null ? null : join(tests, overrides), ids: [] });
  t.throws(() => load('nothing'), { code: 'WAF_TEST_INVALID', remedy: /--tests/ });
  t.throws(() => load('empty'), { code: 'WAF_TEST_INVALID', message: /no test in/ });
  t.throws(() => load('1.yaml', 'o.yaml'), { code: 'WAF_TEST_INVALID', message: /reason/ });
  t.throws(() => load('1.yaml', 'absent.yaml'), { code: 'WAF_TEST_INVALID', message: /cannot be read/ });
});

t.test("the Core Rule Set's tests are read without a mistake", async (t) => {
  const path = suitePath(t, 'crs/tests');
  if (path === null) return;
  const { tests, faults } = loadWafTests({ tests: path, overrides: null, ids: [] });
  t.strictSame(faults, []);
  t.ok(tests.length >= 2_671, `${tests.length} tests`);
});
