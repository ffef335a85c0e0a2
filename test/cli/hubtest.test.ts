import { join } from 'node:path';
import t from 'tap';
import { run } from './run.ts';

const parser = `filter: "evt.Line.Labels.type == 'app'"
name: me/app
grok:
  pattern: '^%{SYSLOGTIMESTAMP:time} %{WORD:what}\\[%{INT:number}\\]$'
  apply_on: Line.Raw
statics:
  - meta: what
    expression: evt.Parsed.what
  - method: ParseDate
    expression: evt.Parsed.time
`;

const config = 'parsers: [parsers/s00-raw/me/app.yaml]\nlog_file: app.log\nlog_type: app\n';
const log = 'Feb  3 04:05:06 walk[1]\nFeb  3 04:05:07 r\u00fcn\n';
const result = 'results["s00-raw"]["me/app"]';

const hub = {
  parsers: { 's00-raw': { me: { 'app.yaml': parser } } },
  '.tests': {
    good: { 'config.yaml': config, 'app.log': log, 'parser.assert': `${result}[0].Evt.Meta["what"] == "walk"\n` },
    bad: {
      'config.yaml': config,
      'app.log': log,
      'parser.assert': `len(results) == 2\n${result}[0].Evt.Parsed["what"] == "run"\n${result}[9].Success == true\n`,
    },
    dated: {
      'config.yaml': config,
      'app.log': log,
      'parser.assert': `${result}[0].Evt.Enriched["MarshaledTime"] == "2019-02-03T04:05:06Z"\n`,
    },
    placed: {
      'config.yaml': config.replace('app.yaml', 'app.yaml, geo.yaml'),
      'geo.yaml':
        'name: me/geo\ndata: [{dest_file: City.mmdb}]\nstatics: [{method: GeoIpCity, expression: evt.Parsed.ip}]\n',
      'app.log': log,
      'parser.assert': 'len(results) == 2\n',
    },
  },
};

t.test('all tests, with what failed and why, and the sum at the end', async (t) => {
  const cwd = t.testdir({ hub });
  const { status, stdout, stderr } = await run(['hubtest', '--hub', 'hub'], { cwd });
  t.equal(status, 1);
  t.equal(stderr, '');
  const lines = stdout.split('\n');
  t.match(lines, [
    /^✗ bad$/,
    /^ {2}hub\/\.tests\/bad\/parser\.assert:2$/,
    /^ {4}results\["s00-raw"\]\["me\/app"\]\[0\]\.Evt\.Parsed\["what"\] == "run"$/,
    /^ {4}found "walk"$/,
    /^ {2}.*bad\/parser\.assert:3$/,
    /Success == true$/,
    /^ {4}index out of range: 9 /,
    /^✗ dated$/,
    /parser\.assert:1$/,
    /MarshaledTime/,
    /^ {4}found "20\d\d-02-03T04:05:06Z"$/,
  ]);
  t.match(stdout, /^- placed {2}skipped: it needs City\.mmdb$/m);
  t.match(stdout, /^5 assertions on 6 lines of logs, in \d+\.\d s$/m);
  t.equal(lines.at(-2), 'hubtest: 1 passed, 2 failed, 1 skipped');
});

t.test('named tests say that they passed, and the day can be set', async (t) => {
  const cwd = t.testdir({ hub });
  const line = ['hubtest', '--hub', 'hub', 'good', 'dated', 'good', '--today', '2019-11-30'];
  const { status, stdout } = await run(line, { cwd });
  t.equal(status, 0);
  t.match(stdout, /^✓ good {2}1 assertion\n✓ dated {2}1 assertion\n.*\nhubtest: 2 passed, 0 failed\n$/);
});

t.test('in a hub, no folder has to be named', async (t) => {
  const cwd = t.testdir({ hub });
  t.match(await run(['hubtest', 'good'], { cwd: join(cwd, 'hub') }), { status: 0, stdout: /1 passed, 0 failed\n$/ });
  const elsewhere = ['hubtest', '--tests', join(cwd, 'hub', '.tests'), '--hub', 'hub', 'good'];
  t.match(await run(elsewhere, { cwd }), { status: 0 });
});

t.test('as JSON, every failure with the value that was found', async (t) => {
  const cwd = t.testdir({ hub });
  const { status, stdout, stderr } = await run(['hubtest', '--hub', 'hub', '--json', 'bad', 'good', 'placed'], { cwd });
  t.equal(status, 1);
  t.equal(stderr, 'hubtest: 1 passed, 1 failed, 1 skipped\n');
  const answer = JSON.parse(stdout) as { tests: { failures: unknown[] }[] };
  t.match(answer, {
    passed: 1,
    failed: 1,
    skipped: 1,
    assertions: 4,
    tests: [
      { name: 'bad', outcome: 'failed', assertions: 3, lines: 2 },
      { name: 'good', outcome: 'passed', failures: [] },
      { name: 'placed', outcome: 'skipped', reason: 'it needs City.mmdb' },
    ],
  });
  t.strictSame(answer.tests[0]?.failures[0], {
    file: join(cwd, 'hub', '.tests', 'bad', 'parser.assert'),
    line: 2,
    assertion: `${result}[0].Evt.Parsed["what"] == "run"`,
    found: 'walk',
    reason: 'is false',
  });
  t.equal(answer.tests[0]?.failures.length, 2);
  const raw = await run(['hubtest', '--hub', 'hub', '-o', 'raw', 'bad', 'good'], { cwd });
  t.match(raw.stdout.split('\n'), [
    'test,outcome,file,line,assertion,found,reason',
    /^bad,failed,/,
    /^bad,/,
    'good,passed,,,,,',
  ]);
});

t.test('what cannot be done is said', async (t) => {
  const cwd = t.testdir({ hub, empty: { '.tests': { notes: {} } } });
  for (const [line, status, message] of [
    [['--hub', 'hub', 'goof'], 1, /no test "goof"\. Did you mean good\?/],
    [['--hub', 'nowhere'], 1, /nowhere.* cannot be read/],
    [['--hub', 'empty'], 1, /no folder in there has a config\.yaml/],
    [['--hub', 'hub', '--today', 'tomorrow'], 64, /"tomorrow" is no date/],
    [['--hub', 'hub', '--today', '2026-13-01'], 64, /is no date/],
  ] as const) {
    t.match(await run(['hubtest', ...line], { cwd }), { status, stdout: '', stderr: message }, line.join(' '));
  }
});
