import t from 'tap';
import { allInBand, ask, createWorld, isRefused, requestOf } from './world.ts';

const rule = (name: string, path: string): string =>
  `name: ${name}\ndescription: about ${name}\nrules:\n  - {zones: [URI], match: {type: contains, value: ${path}}}\n`;

const two = `${rule('me/in', '/bad')}---\n${rule('me/out', '/odd')}`;
const bands = 'name: me/config\ninband_rules: [me/in]\noutofband_rules: [me/out]\n';

t.test('a match in-band refuses the request, tells the scenarios and raises an alert', async (t) => {
  const { run, answer } = ask(createWorld({ rules: two, configs: [bands] }), { target: '/bad/x?y=1' });
  t.match(answer, {
    action: 'ban',
    allowed: false,
    bouncerStatus: 403,
    visitorStatus: 403,
    verdict: { action: 'deny', phase: 2 },
  });
  t.match(run.matches, [{ msg: 'about me/in|me/in', place: { file: 'rules.yaml', line: 4 } }]);
  t.equal(run.events.length, 1);
  t.match(run.events[0], {
    Type: 0,
    ExpectMode: 0,
    Stage: 's00-raw',
    Line: { Labels: { type: 'appsec', request_id: 'request-1' }, Module: 'appsec', Process: true },
    Parsed: {
      source_ip: '192.0.2.7',
      target_host: 'shop.example',
      target_uri: '/bad/x?y=1',
      method: 'GET',
      req_uuid: 'request-1',
      source: 'crowdsec-appsec',
      remediation_cmpt_ip: '198.51.100.9',
      inband_interrupted: 'true',
      inband_action: 'deny',
    },
    Meta: { log_type: 'appsec-block', rule_name: 'me/in', source_ip: '192.0.2.7', service: 'appsec' },
    Appsec: {
      HasInBandMatches: true,
      HasOutBandMatches: false,
      MatchedRules: [
        {
          name: 'me/in',
          msg: 'about me/in|me/in',
          uri: '/bad/x?y=1',
          method: 'GET',
          rule_type: 'inband',
          disruptive: true,
          severity: 'emergency',
          tags: ['crowdsec-me/in', 'cs-custom-rule'],
          matched_zones: ['REQUEST_FILENAME'],
          file: 'rules.yaml',
        },
      ],
    },
  });
  t.equal(run.alerts.length, 1);
  t.match(run.alerts[0], {
    kind: 'waf',
    scenario: 'me/in',
    message: 'WAF block: me/in from 192.0.2.7 (198.51.100.9)',
    source: { scope: 'Ip', value: '192.0.2.7', ip: '192.0.2.7' },
    capacity: 1,
    eventsCount: 1,
    remediation: false,
    simulated: false,
    requestIds: ['request-1'],
  });
  t.match(run.alerts[0]?.scenarioHash, /^[0-9a-f]{64}$/);
  const meta = Object.fromEntries((run.alerts[0]?.events[0]?.meta ?? []).map(({ key, value }) => [key, value]));
  t.match(meta, {
    rule_name: 'me/in',
    message: 'about me/in|me/in',
    uri: '/bad/x?y=1',
    matched_zones: 'REQUEST_FILENAME',
    data: '/bad/x',
    target_fqdn: 'shop.example',
  });
});

t.test('a match out-of-band passes the request, and is an event without an alert', async (t) => {
  const { run, answer } = ask(createWorld({ rules: two, configs: [bands] }), { target: '/odd' });
  t.match(answer, { action: 'allow', allowed: true, bouncerStatus: 200, visitorStatus: 200, verdict: null });
  t.match(run.events, [
    {
      Parsed: { outofband_interrupted: 'true', outofband_action: 'deny' },
      Meta: { log_type: 'appsec-info', rule_name: 'me/out' },
      Appsec: { HasInBandMatches: false, HasOutBandMatches: true, MatchedRules: [{ rule_type: 'outofband' }] },
    },
  ]);
  t.same(run.alerts, []);
  t.match(run.matches, [{ msg: 'about me/out|me/out' }]);
});

t.test('both bands judge a request, each with rules of its own, and out-of-band only once', async (t) => {
  const { run, answer } = ask(createWorld({ rules: two, configs: [bands] }), { target: '/bad/odd' });
  t.equal(answer.action, 'ban');
  t.equal(run.events.length, 2);
  run.runOutOfBand();
  t.equal(run.events.length, 2);
});

t.test('what matches nothing leaves nothing', async (t) => {
  const { run, answer } = ask(createWorld({ rules: two, configs: [bands] }), { target: '/good' });
  t.ok(answer.allowed);
  t.same([run.events, run.alerts, run.matches], [[], [], []]);
});

t.test('a rule of the headers decides before the body is there', async (t) => {
  const rules =
    'name: me/early\nseclang_rules:\n  - SecRule REQUEST_URI "@contains bad" "id:5,phase:1,deny,msg:\'early\'"\n';
  const run = createWorld({ rules }).begin(requestOf({ target: '/bad', method: 'POST' }));
  t.match(run.requestHeaders(), { action: 'ban', verdict: { ruleId: 5, phase: 1 } });
  t.equal(run.requestBodyBytes, 0);
  t.match(run.requestBody(Buffer.from('x'), true), { action: 'ban' });
  t.equal(run.events.length, 1);
  t.match(run.events[0]?.Meta.rule_name, 'native_rule:5');
});

const bodyRule = 'name: me/body\nrules:\n  - {zones: [RAW_BODY], match: {type: contains, value: evil}}\n';
const excess = (action: string): string =>
  `${allInBand}on_load:\n  - apply: [SetMaxBodySize(10), SetBodySizeExceededAction("${action}")]\n`;
const post = { headers: ['Content-Type', 'text/plain'] };

t.test('a body above the limit is refused, judged by its beginning, or not judged', async (t) => {
  const long = `evil${'x'.repeat(20)}`;
  const good = 'x'.repeat(24);
  const outcomes = ['drop', 'partial', 'allow'].map((action) => {
    const appSec = createWorld({ rules: bodyRule, configs: [excess(action)] });
    t.equal(appSec.bodyBytes, 10);
    return [long, good, `${good}evil`, 'evil'].map((body) => isRefused(appSec, { ...post, body }));
  });
  t.same(outcomes, [
    [true, true, true, true],
    [true, false, false, true],
    [false, false, false, true],
  ]);
});

t.test('a body that was cut at the limit counts as above it, one that broke off before does not', async (t) => {
  const appSec = createWorld({ rules: bodyRule, bodyBytes: 10 });
  const judge = (body: string): boolean => {
    const run = appSec.begin(requestOf({ ...post, body }));
    run.requestHeaders();
    return run.requestBody(Buffer.from(body), false).allowed;
  };
  t.equal(judge('x'.repeat(10)), false);
  t.equal(judge('x'.repeat(9)), true);
});

t.test('a caller may bring limits of its own, unless hooks have set them', async (t) => {
  const mine = { limits: { bodyBytes: 30, bodyExcess: 'partial' } } as const;
  const judge = (configs: string[], body: string) => {
    const appSec = createWorld({ rules: bodyRule, configs, bodyBytes: 10, mostBodyBytes: 30 });
    const run = appSec.begin(requestOf({ ...post, body }), mine);
    run.requestHeaders();
    const bytes = run.requestBodyBytes;
    return { ...appSec.limitsFor(mine), bytes, allowed: run.requestBody(Buffer.from(body), true).allowed };
  };
  const late = `${'x'.repeat(20)}evil`;
  const later = `${'x'.repeat(40)}evil`;
  t.match(judge([allInBand], late), { bodyBytes: 30, bodyExcess: 'partial', bytes: 30, allowed: false });
  t.match(judge([allInBand], later), { allowed: true }, 'its own limit');
  t.match(judge([excess('drop')], later), { bodyBytes: 10, bodyExcess: 'drop', bytes: 10, allowed: false });
  t.match(judge([excess('allow')], late), { bodyBytes: 10, bodyExcess: 'allow', allowed: true });
  t.equal(createWorld({ rules: bodyRule, bodyBytes: 10 }).limitsFor({}).bodyExcess, 'drop');
});

t.test('what a limit refuses is told like a rule', async (t) => {
  const { run } = ask(createWorld({ rules: bodyRule, bodyBytes: 3 }), { ...post, body: 'xxxx' });
  t.match(run.events[0]?.Appsec.MatchedRules, [
    { id: 0n, name: 'native_rule:0', msg: 'the body has more than 3 bytes' },
  ]);
  t.match(run.alerts[0]?.scenario, 'native_rule:0');
});

t.test('a band can leave bodies alone', async (t) => {
  const off = createWorld({
    rules: bodyRule,
    configs: [`${allInBand}inband_options: {disable_body_inspection: true}\n`],
  });
  t.equal(off.begin(requestOf({ ...post, body: 'evil' })).requestBodyBytes, 0);
  t.notOk(isRefused(off, { ...post, body: 'evil' }));
  t.ok(isRefused(createWorld({ rules: bodyRule }), { ...post, body: 'evil' }));
});

t.test('the statuses and words of the configuration', async (t) => {
  const config = `${allInBand}default_remediation: slow\ndefault_pass_action: fine\nblocked_http_code: 418\nuser_blocked_http_code: 451\npassed_http_code: 204\nuser_passed_http_code: 202\n`;
  const appSec = createWorld({ rules: two, configs: [config] });
  t.match(ask(appSec, { target: '/bad' }).answer, { action: 'slow', bouncerStatus: 418, visitorStatus: 451 });
  t.match(ask(appSec, {}).answer, { action: 'fine', allowed: true, bouncerStatus: 204, visitorStatus: 202 });
});

t.test('tracked variables go into the event', async (t) => {
  const rules = `name: me/rule
seclang_rules:
  - SecAction "id:1,phase:1,pass,nolog,setvar:tx.score=7,setvar:tx.other=1"
  - SecRule ARGS:q "@streq x" "id:2,phase:2,deny,msg:'x'"
`;
  const appSec = createWorld({ rules, configs: [`${allInBand}variables_tracking: ['^TX\\.sc', 'ARGS_GET', '(']\n`] });
  t.match(appSec.faults, [{ message: /variables_tracking \(/ }]);
  const { run } = ask(appSec, { target: '/?q=x&secret=1' });
  t.match(run.events[0]?.Appsec.Vars, { 'TX.score': '7', 'ARGS_GET.q': 'x' });
  t.notOk(Object.keys(run.events[0]?.Appsec.Vars ?? {}).some((name) => name.startsWith('TX.other')));
});

t.test('places and documents of both sorts of rules', async (t) => {
  const rules = `name: me/rule
seclang_rules:
  - |
    # comment
    SecAction "id:1,phase:1,pass,nolog"
    SecRule ARGS "@nothing x" "id:2,phase:2,deny"
rules:
  - {zones: [URI], match: {type: contains, value: x}}
`;
  const appSec = createWorld({ rules });
  t.match(appSec.ruleFaults, [{ level: 'error', place: { file: 'rules.yaml', line: 6 } }]);
  t.match(
    appSec.rules.map(({ name, place }) => [name, place.line]),
    [
      ['native_rule:1', 5],
      ['me/rule', 8],
    ],
  );
});

t.test('rules that a configuration names and nobody has installed are faults, globs are not', async (t) => {
  const configs = ['name: c\ninband_rules: [me/nothing, me/none-*]\n'];
  const appSec = createWorld({ rules: two, configs });
  t.match(appSec.faults, [{ code: 'RULES_INVALID', message: /me\/nothing, which is not installed/ }]);
  t.same(appSec.bands, { in: false, out: false });
  t.ok(ask(appSec, { target: '/bad' }).answer.allowed);
});

t.test('SecLang files are globs in the data folders, and those that are missing are named', async (t) => {
  const folder = t.testdir({
    plugins: { a: { 'a-before.conf': 'SecRule ARGS "@streq a" "id:10,phase:2,deny,msg:\'a\'"\n' } },
    'one.conf': 'SecRule ARGS "@pmFromFile words.data" "id:11,phase:2,deny,msg:\'b\'"\n',
    'words.data': 'bee\n',
  });
  const rules =
    'name: me/files\nseclang_files_rules: [one.conf, plugins/*/*-before.conf, plugins/*/*-after.conf, two.conf, ../x.conf]\n';
  const appSec = createWorld({ rules, dataFolders: [folder] });
  t.match(
    appSec.faults.map(({ message }) => message),
    [/me\/files needs the data file two\.conf; looked in /, /needs the data file \.\.\/x\.conf/],
  );
  t.same(appSec.ruleFaults, []);
  t.ok(isRefused(appSec, { target: '/?q=a' }));
  t.ok(isRefused(appSec, { target: '/?q=a+bee+c' }));
  t.notOk(isRefused(appSec, { target: '/?q=c' }));
});

t.test('each rule is there once, whatever names it', async (t) => {
  const configs = ['name: c\ninband_rules: [me/in, "me/*", "me/i?"]\n', 'name: d\ninband_rules: ["*in"]\n'];
  t.equal(createWorld({ rules: two, configs }).rules.length, 2);
});

t.test('addresses of the alert', async (t) => {
  const locate = (): object => ({ country: 'FR', asNumber: '64500' });
  const { run } = ask(createWorld({ rules: two, deps: { locate } }), { target: '/bad' });
  t.match(run.alerts[0]?.source, { country: 'FR', asNumber: '64500', value: '192.0.2.7' });
});
