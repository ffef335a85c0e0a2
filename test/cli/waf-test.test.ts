import { join } from 'node:path';
import t from 'tap';
import { run } from './run.ts';

const rules = `
SecRuleEngine On
SecRequestBodyAccess On
SecRule ARGS "@contains attack" "id:1001,phase:2,deny,status:406,log,msg:'An attack',logdata:'found in %{MATCHED_VAR_NAME}'"
SecRule RESPONSE_BODY "@contains secret" "id:1002,phase:4,deny,log,msg:'A leak'"
`;

const stage = (input: string, output: string): string =>
  `{input: {headers: {Host: localhost}, ${input}}, output: {${output}}}`;
const leak = `method: POST, uri: /reflect, headers: {Host: a, Content-Type: application/json}, data: '{"body": "a secret"}'`;
const tests = `rule_id: 1001
tests:
  - {test_id: 1, stages: [${stage('uri: "/?a=attack"', 'log: {expect_ids: [1001], match_regex: "found in ARGS:a"}')}]}
  - {test_id: 2, desc: harmless, stages: [${stage('uri: "/?a=b"', 'log: {expect_ids: [1001]}')}]}
  - {test_id: 3, stages: [{input: {${leak}}, output: {response_contains: a secret, log: {expect_ids: [1002]}}}]}
  - {test_id: 4, stages: [${stage('uri: "/?a=attack"', 'status: 406')}]}
`;
const overrides = 'test_overrides: [{rule_id: 1001, test_ids: [2], reason: it is harmless, output: {status: 200}}]\n';

const folder = { 'rules.conf': rules, tests: { '1001.yaml': tests }, 'overrides.yaml': overrides };
const ran = (cwd: string, ...more: string[]) =>
  run(['waf', 'test', '--rules', 'rules.conf', '--tests', 'tests', ...more], { cwd });

t.test('each failure with what was expected and found, and the sum at the end', async (t) => {
  const { status, stdout, stderr } = await ran(t.testdir(folder));
  t.equal(status, 1);
  t.equal(stderr, '');
  t.strictSame(stdout.split('\n'), [
    '✗ 1001-2  tests/1001.yaml:4',
    '  harmless',
    '  expected rule 1001',
    '  found    no rule',
    '  | GET /?a=b HTTP/1.1',
    '✗ 1001-4  tests/1001.yaml:6',
    '  expected status 406',
    '  found    status 200',
    '  | GET /?a=attack HTTP/1.1',
    '2 passed, 2 failed',
    '',
  ]);
});

t.test('tests by name, overrides, rules that block', async (t) => {
  const cwd = t.testdir(folder);
  const named = await ran(cwd, '1001-1', '1001-3');
  t.strictSame([named.status, named.stdout], [0, '✓ 1001-1\n✓ 1001-3\n2 passed, 0 failed\n']);
  t.match(await ran(cwd, '1001-2', '--overrides', 'overrides.yaml'), { status: 0, stdout: /\n1 passed, 0 failed\n$/ });
  t.match(await ran(cwd, '1001-2', '--overrides', 'overrides.yaml', '--strict'), { status: 1 });
  t.match(await ran(cwd, '1001-4', '--block'), { status: 0, stdout: /\n1 passed, 0 failed\n$/ });
  const blocked = await ran(cwd, '1001-3', '--block', '--requests');
  t.match(blocked, {
    status: 1,
    stdout: /expected response with "a secret"\n[^]*\n {2}\| \{"body": "a secret"\}\n0 passed, 1 failed\n$/,
  });
});

t.test('as JSON and CSV, the sum where people look', async (t) => {
  const cwd = t.testdir(folder);
  const json = await ran(cwd, '--json');
  t.strictSame([json.status, json.stderr], [1, '2 passed, 2 failed\n']);
  const { passed, failed, failures } = JSON.parse(json.stdout) as {
    passed: number;
    failed: number;
    failures: unknown[];
  };
  t.strictSame([passed, failed], [2, 2]);
  t.strictSame(failures[0], {
    test: '1001-2',
    stage: 1,
    file: join(cwd, 'tests', '1001.yaml'),
    line: 4,
    description: 'harmless',
    expected: 'rule 1001',
    found: 'no rule',
    request: 'GET /?a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  });
  const csv = await ran(cwd, '-o', 'raw', '1001-2');
  t.match(csv.stdout, /^test,stage,file,line,expected,found\n1001-2,1,.*,4,rule 1001,no rule\n$/);
});

t.test('what is wrong with the files is told, and damaged tests are no success', async (t) => {
  const cwd = t.testdir({
    ...folder,
    'rules.conf': `${rules}SecRule ARGS "@nothing x" "id:1003,phase:2,pass"\n`,
    tests: { '1001.yaml': `${tests}  - {test_id: x, colour: red, stages: [{input: {}}]}\n` },
  });
  const { status, stderr } = await ran(cwd, '1001-1');
  t.equal(status, 1);
  t.match(stderr, /^error: .*1001\.yaml:\d+:\d+: /m);
  t.match(stderr, /^warning: .*1001\.yaml:\d+: "colour" in a test has no effect$/m);
  t.match(stderr, /^error: .*rules\.conf:6: .*nothing/m);
  for (const [argv, code] of [
    [['--tests', 'absent'], /absent cannot be read/],
    [['--rules', 'absent', '--tests', 'tests'], /holds no rules/],
    [['--tests', 'tests', '--http', 'localhost'], /is no URL/],
    [['--tests', 'tests', '--backend', 'nowhere'], /is no address/],
    [['--tests', 'tests', '--overrides', 'absent'], /cannot be read/],
  ] as const) {
    const wrong = await run(['waf', 'test', ...argv], { cwd: t.testdir(folder) });
    t.not(wrong.status, 0);
    t.match(wrong.stderr, code);
  }
});

t.test('through a gateway: none that runs is said before a request is sent', async (t) => {
  const cwd = t.testdir(folder);
  const { status, stderr } = await ran(
    cwd,
    '--http',
    'http://127.0.0.1:9',
    '--backend',
    ':0',
    '--socket',
    '/nonexistent/socket',
  );
  t.equal(status, 69);
  t.match(stderr, /the simulated backend listens on 127\.0\.0\.1:\d+\n[^]*no gateway answers/);
});

t.test('a progress line is drawn on a terminal, and gone at the end', async (t) => {
  const cwd = t.testdir(folder);
  const { stderr } = await run(['waf', 'test', '--rules', 'rules.conf', '--tests', 'tests'], { cwd, columns: 80 });
  t.match(stderr, '1/4 1001-1, 0 failed');
  t.ok(stderr.endsWith('\r\x1b[2K'));
});

t.test('what a gateway has to be told for the tests of the Core Rule Set', async (t) => {
  const { status, stdout } = await run(['waf', 'test', '--settings']);
  t.equal(status, 0);
  t.match(stdout, /^SecRuleEngine DetectionOnly\nSecAction "id:900005,.*setvar:tx\.blocking_paranoia_level=4.*"\n$/);
});
