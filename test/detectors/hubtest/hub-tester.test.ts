import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createHubTester, type HubTester } from '../../../detectors/hubtest/hub-tester.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const raw = `filter: "evt.Line.Labels.type == 'app'"
onsuccess: next_stage
name: me/raw
statics:
  - parsed: message
    expression: evt.Line.Raw
  - parsed: program
    expression: evt.Line.Labels.program
  - meta: datasource_path
    expression: evt.Line.Src
  - meta: module
    expression: evt.Line.Module
`;

const app = `filter: "evt.Parsed.program == 'web'"
onsuccess: next_stage
name: me/app
grok:
  pattern: '^%{IP:ip} %{WORD:what} %{WORD:second}$'
  apply_on: message
statics:
  - meta: source_ip
    expression: evt.Parsed.ip
  - meta: what
    expression: evt.Parsed.what
  - target: evt.StrTime
    expression: "'2026-03-01T10:00:' + evt.Parsed.second + 'Z'"
`;

const dates = `filter: evt.StrTime != ''
name: me/dates
statics:
  - method: ParseDate
    expression: evt.StrTime
  - target: evt.MarshaledTime
    expression: evt.Enriched.MarshaledTime
`;

const geo = `name: me/geo
data:
  - source_url: https://example.org/Tiny-City.mmdb
    dest_file: GeoLite2-City.mmdb
statics:
  - method: GeoIpCity
    expression: evt.Meta.source_ip
`;

const scenario = (name: string): string => `type: leaky
name: me/${name}
description: three failures
filter: evt.Meta.what == 'failed'
groupby: evt.Meta.source_ip
capacity: 2
leakspeed: 10s
labels:
  remediation: true
`;

const listed = `type: trigger
name: me/listed
description: a word of the list
filter: evt.Meta.what in File('words.txt')
data:
  - source_url: https://example.org/lists/words.txt
    dest_file: words.txt
    type: string
labels:
  remediation: false
`;

const enrich = `name: me/rename
onsuccess: next_stage
statics:
  - target: evt.Overflow.Alert.Source.Value
    expression: evt.Overflow.Alert.Source.IP + '/32'
`;

const whitelist = `name: me/whitelist
whitelist:
  reason: ours
  ip:
    - 192.0.2.7
`;

const hub = {
  parsers: {
    's00-raw': { me: { 'raw.yaml': raw } },
    's01-parse': { me: { 'app.yaml': app } },
    's02-enrich': { me: { 'dates.yaml': dates, 'geo.yaml': geo } },
  },
  scenarios: { me: { 'bf.yaml': scenario('bf'), 'again.yaml': scenario('again'), 'listed.yaml': listed } },
  postoverflows: { 's00-enrich': { me: { 'rename.yaml': enrich } }, 's01-whitelist': { me: { 'wl.yaml': whitelist } } },
};

const log = `192.0.2.7 failed 01
192.0.2.8 failed 02

192.0.2.7 failed 03\r
nonsense
192.0.2.7 failed 04
`;

const config = (more: string): string => `parsers:
- me/raw
- me/app
- ./parsers/s02-enrich/me/dates.yaml
log_file: app.log
log_type: app
labels: {program: web, type: overridden}
${more}`;

const node = (stage: string, name: string): string => `results["${stage}"]["me/${name}"]`;

async function open(t: Test, tests: Record<string, Record<string, string>>): Promise<HubTester> {
  const root = t.testdir({
    hub,
    tests: Object.fromEntries(Object.entries(tests).map(([name, files]) => [name, { 'app.log': log, ...files }])),
    data: { lists: { 'words.txt': 'failed\n' } },
  });
  const runtime = { clock: createManualClock(), random: createSystemRandom(), log: createLog('silent') };
  const folders = { hub: join(root, 'hub'), tests: join(root, 'tests'), dataFolders: [join(root, 'data')] };
  const tester = await createHubTester(folders, runtime);
  t.teardown(() => tester.close());
  return tester;
}

t.test('what parsers leave behind is what assertions see', async (t) => {
  const tester = await open(t, {
    good: {
      'config.yaml': config(''),
      'parser.assert': `len(results) == 4
len(results["success"][""]) == 0
len(${node('s00-raw', 'raw')}) == 5
${node('s00-raw', 'raw')}[0].Evt.Parsed["program"] == "web"
${node('s00-raw', 'raw')}[0].Evt.Parsed["ip"] == ""
${node('s00-raw', 'raw')}[0].Evt.Meta["datasource_path"] == "app.log"
${node('s00-raw', 'raw')}[0].Evt.Meta["module"] == "file"
${node('s01-parse', 'app')}[2].Evt.Meta["source_ip"] == "192.0.2.7"
${node('s01-parse', 'app')}[3].Success == false
len(${node('s02-enrich', 'dates')}) == 4
${node('s02-enrich', 'dates')}[3].Evt.MarshaledTime == "2026-03-01T10:00:04Z"
${node('s02-enrich', 'dates')}[0].Evt.Line.Labels["type"] == "app"
`,
    },
  });
  t.strictSame(tester.names, ['good']);
  t.strictSame(await tester.run('good'), {
    name: 'good',
    outcome: 'passed',
    reason: '',
    assertions: 12,
    lines: 5,
    failures: [],
  });
});

t.test('overflows are sorted, whitelisted ones are among them, and what postoverflows changed is seen', async (t) => {
  const overflow = (
    index: number,
    name: string,
  ): string => `results[${index}].Overflow.Alert.GetScenario() == "me/${name}"
"192.0.2.7" in results[${index}].Overflow.GetSources()
results[${index}].Overflow.Alert.GetEventsCount() == 3
results[${index}].Overflow.Alert.Events[2].GetMeta("what") == "failed"
`;
  const scenarios = 'ignore_parsers: true\nscenarios: [me/again, me/bf]\n';
  const tester = await open(t, {
    plain: {
      'config.yaml': config(scenarios),
      'scenario.assert': `len(results) == 2
${overflow(0, 'bf')}${overflow(1, 'again')}results[0].Overflow.Whitelisted == false
`,
    },
    postoverflows: {
      'config.yaml': config(`${scenarios}postoverflows: [me/wl, me/rename]\n`),
      'scenario.assert': `len(results) == 2
results[0].Overflow.Whitelisted == true
results[0].WhitelistReason == "ours"
results[0].Overflow.Sources["192.0.2.7"].GetValue() == "192.0.2.7/32"
results[0].Overflow.Sources["192.0.2.7"].IP == "192.0.2.7"
`,
    },
  });
  for (const [name, assertions] of [
    ['plain', 10],
    ['postoverflows', 5],
  ] as const) {
    t.match(await tester.run(name), { outcome: 'passed', assertions, failures: [] }, name);
  }
});

t.test('postoverflows are among the stages that parser assertions count', async (t) => {
  const more = 'scenarios: [me/bf]\npostoverflows: [me/wl]\n';
  const tester = await open(t, {
    both: {
      'config.yaml': config(more),
      'parser.assert': `len(results) == 5\n${node('s01-whitelist', 'whitelist')}[0].Evt.Whitelisted == true\n`,
      'scenario.assert': 'len(results) == 1\n',
    },
  });
  t.match(await tester.run('both'), { outcome: 'passed', assertions: 3 });
});

t.test('statics of the configuration come before all parsers', async (t) => {
  const more = `override_statics:
  - target: evt.Line.Module
    value: wineventlog
  - meta: port
    value: 0022
`;
  const tester = await open(t, {
    overridden: {
      'config.yaml': config(more),
      'parser.assert': `len(results["s00-raw"]["overrides"]) == 5
results["s00-raw"]["overrides"][0].Evt.Meta["port"] == "0022"
${node('s00-raw', 'raw')}[0].Evt.Meta["module"] == "wineventlog"
`,
    },
  });
  t.match(await tester.run('overridden'), { outcome: 'passed', assertions: 3 });
});

t.test('what does not hold is a failure with its place; the tests do not disturb each other', async (t) => {
  const tester = await open(t, {
    wrong: {
      'config.yaml': config('scenarios: [me/bf]\n'),
      'parser.assert': `len(results) == 4\n\n${node('s01-parse', 'app')}[0].Evt.Meta["what"] == "passed"\n`,
      'scenario.assert': 'len(results) == 2\nresults[1].Overflow.Alert.GetEventsCount() == 3\n',
    },
    ignored: {
      'config.yaml': config('ignore_parsers: true\n'),
      'parser.assert': 'len(results) == 77\n',
    },
    unfinished: { 'config.yaml': config('scenarios: [me/bf]\n'), 'parser.assert': 'len(results) == 4\n' },
    unknown: { 'config.yaml': config('scenarios: [me/nobody]\n') },
    unreadable: { 'config.yaml': 'parsers: [a' },
    logless: { 'config.yaml': config('ignore_parsers: true\n').replace('app.log', 'gone.log') },
    broken: {
      'config.yaml': config('scenarios: [./broken.yaml]\n'),
      'broken.yaml':
        'type: leaky\nname: me/broken\ndescription: x\nfilter: evt.Nothing == 1\ncapacity: 1\nleakspeed: 1s\n',
    },
  });
  const wrong = await tester.run('wrong');
  t.match(wrong, { outcome: 'failed', assertions: 4, lines: 5 });
  t.match(wrong.failures, [
    { file: /parser\.assert$/, line: 3, found: 'failed', reason: 'is false' },
    { file: /scenario\.assert$/, line: 1, found: 1n, reason: 'is false' },
    { file: /scenario\.assert$/, line: 2, found: null, reason: /out of range/ },
  ]);
  t.equal(wrong.failures.length, 3);
  t.match(await tester.run('ignored'), { outcome: 'passed', assertions: 0 });
  t.match(await tester.run('unfinished'), {
    outcome: 'failed',
    failures: [{ file: /scenario\.assert$/, reason: 'it has no assertions' }],
  });
  t.match(await tester.run('unknown'), {
    outcome: 'failed',
    failures: [{ file: /unknown.config\.yaml$/, reason: /^me\/nobody is neither in the index nor a file/ }],
  });
  t.match(await tester.run('unreadable'), { outcome: 'failed', failures: [{ file: /config\.yaml$/ }] });
  t.match(await tester.run('logless'), { outcome: 'failed', failures: [{ reason: /gone\.log cannot be read/ }] });
  t.match(await tester.run('broken'), {
    outcome: 'failed',
    failures: [{ file: /broken\.yaml$/, line: 4, reason: /Nothing/ }],
  });
});

t.test('lists are found by the place they are published at; a MaxMind database that is not there skips', async (t) => {
  const tester = await open(t, {
    lists: {
      'config.yaml': config('ignore_parsers: true\nscenarios: [me/listed]\n'),
      'scenario.assert': 'len(results) == 4\n',
    },
    geography: { 'config.yaml': config('').replace('- me/app', '- me/app\n- me/geo'), 'parser.assert': '1 == 1\n' },
    firewall: { 'config.yaml': 'appsec-rules: [a/b]\n' },
  });
  t.match(await tester.run('lists'), { outcome: 'passed' });
  t.match(await tester.run('geography'), { outcome: 'skipped', reason: 'it needs Tiny-City.mmdb', assertions: 0 });
  t.match(await tester.run('firewall'), { outcome: 'skipped' });
});

t.test('folders that are not there are refused by name', async (t) => {
  const runtime = { clock: createManualClock(), random: createSystemRandom(), log: createLog('silent') };
  const root = t.testdir({ hub: { '.index.json': '[]' }, tests: {} });
  const [hubPath, tests] = [join(root, 'hub'), join(root, 'tests')];
  await t.rejects(createHubTester({ hub: hubPath, tests: join(root, 'gone'), dataFolders: [] }, runtime), {
    code: 'HUBTEST_INVALID',
    message: /gone/,
  });
  await t.rejects(createHubTester({ hub: hubPath, tests, dataFolders: [] }, runtime), { code: 'HUB_INDEX_INVALID' });
});
