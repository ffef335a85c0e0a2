import t from 'tap';
import { run } from './run.ts';

const template = (path: string, matcher: string): string =>
  `id: x\nhttp:\n  - raw: ["GET ${path} HTTP/1.1\\nHost: {{Hostname}}\\n", "GET /ok HTTP/1.1\\nHost: {{Hostname}}\\n"]\n    matchers: [${matcher}]\n`;
const config = 'appsec-rules: [appsec-rules/me/one.yaml]\nnuclei_template: t.yaml\n';

const hub = {
  'appsec-rules': {
    me: { 'one.yaml': 'name: me/one\nrules:\n  - {zones: [URI], match: {type: contains, value: /bad}}\n' },
  },
  '.appsec-tests': {
    good: { 'config.yaml': config, 't.yaml': template('/bad', '{type: status, status: [403]}') },
    wrong: {
      'config.yaml': config,
      't.yaml': template('/bad', '{type: dsl, condition: and, dsl: ["status_code_1 == 403", "status_code_2 == 403"]}'),
    },
  },
};

t.test('all tests, with the requests of those that failed, and the sum as the last line', async (t) => {
  const cwd = t.testdir({ hub });
  const { status, stdout, stderr } = await run(['appsec', 'test', '--hub', 'hub'], { cwd });
  t.equal(status, 1);
  t.equal(stderr, '');
  t.same(stdout.trimEnd().split('\n'), [
    '✗ wrong',
    '  hub/.appsec-tests/wrong/t.yaml',
    '    expected dsl status_code_1 == 403 and status_code_2 == 403',
    '    GET /bad (1 of 2)',
    '      403, ban by me/one',
    '    GET /ok (2 of 2)',
    '      404, passed by the rules',
    '1 passed, 1 failed',
  ]);
});

t.test('JSON names each failure with its request, what was expected and what was found', async (t) => {
  const cwd = t.testdir({ hub });
  const { status, stdout, stderr } = await run(['appsec', 'test', '--hub', 'hub', '--json'], { cwd });
  t.equal(status, 1);
  t.equal(stderr, '1 passed, 1 failed\n');
  t.match(JSON.parse(stdout), {
    passed: 1,
    failed: 1,
    requests: 4,
    failures: [
      { test: 'wrong', request: 'GET /bad (1 of 2)', found: '403, ban by me/one' },
      { test: 'wrong', request: 'GET /ok (2 of 2)', expected: /^dsl /, found: '404, passed by the rules' },
    ],
  });
});

t.test('CSV has a row for each failure', async (t) => {
  const cwd = t.testdir({ hub });
  const { stdout } = await run(['appsec', 'test', '--hub', 'hub', '-o', 'raw'], { cwd });
  t.match(stdout.split('\n').slice(0, 2), ['test,file,request,expected,found', /^wrong,.*GET \/bad/]);
});

t.test('named tests are told when they pass; tests may lie elsewhere', async (t) => {
  const cwd = t.testdir({ hub, more: { third: { ...hub['.appsec-tests'].good } } });
  const named = await run(['appsec', 'test', '--hub', 'hub', 'good'], { cwd });
  t.match(named, { status: 0, stdout: '✓ good  2 requests\n1 passed, 0 failed\n' });
  const elsewhere = await run(['appsec', 'test', '--hub', 'hub', '--tests', 'more'], { cwd });
  t.match(elsewhere, { status: 0, stdout: '1 passed, 0 failed\n' });
});

t.test('names and folders that are not there', async (t) => {
  const cwd = t.testdir({ hub, empty: {} });
  const misspelt = await run(['appsec', 'test', '--hub', 'hub', 'goood'], { cwd });
  t.not(misspelt.status, 0);
  t.match(misspelt.stderr, /there is no test "goood"\. Did you mean good\?/);
  const empty = await run(['appsec', 'test', '--hub', 'hub', '--tests', 'empty'], { cwd });
  t.not(empty.status, 0);
  t.match(empty.stderr, /no folder in there has a config\.yaml/);
  const nowhere = await run(['appsec', 'test', '--hub', 'nowhere'], { cwd });
  t.not(nowhere.status, 0);
  t.match(nowhere.stderr, /cannot be read/);
});
