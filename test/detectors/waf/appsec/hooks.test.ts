import t from 'tap';
import { createLog } from '../../../../core/log.ts';
import { allInBand, ask, createWorld, isRefused } from './world.ts';

const rule = (name: string, path: string): string =>
  `name: ${name}\nrules:\n  - {zones: [URI], match: {type: contains, value: ${path}}}\n`;
const native = `name: me/native
seclang_rules:
  - SecRule REQUEST_FILENAME "@contains /native" "id:77,phase:2,deny,msg:'n',tag:'attack-x'"
`;
const rules = [rule('me/one', '/one'), rule('me/two', '/two'), native].join('---\n');

const hook = (stage: string, apply: string, filter = ''): string =>
  `${stage}:\n  - {${filter === '' ? '' : `filter: ${JSON.stringify(filter)}, `}apply: [${JSON.stringify(apply)}]}\n`;
const hooked = (...hooks: readonly string[]): readonly string[] => [`${allInBand}${hooks.join('')}`];

t.test('on_load removes rules by number, tag and name, of one band', async (t) => {
  const both = `${allInBand}outofband_rules: ["*"]\n`;
  const refusals = [
    'RemoveInBandRuleByID(77)',
    'RemoveInBandRuleByTag("attack-x")',
    'RemoveInBandRuleByName("me/one")',
  ].map((apply) => {
    const appSec = createWorld({ rules, configs: [both + hook('on_load', apply)] });
    t.same(appSec.faults, []);
    const { run } = ask(appSec, { target: '/native' });
    t.equal(run.events.filter(({ Appsec }) => Appsec.HasOutBandMatches).length, 1, 'the other band keeps its rules');
    return ['/native', '/one', '/two'].map((target) => isRefused(appSec, { target }));
  });
  t.same(refusals, [
    [false, true, true],
    [false, true, true],
    [true, false, true],
  ]);
  const out = createWorld({ rules, configs: [both + hook('on_load', 'RemoveOutBandRuleByName("me/one")')] });
  t.equal(ask(out, { target: '/one' }).run.events.length, 1);
});

t.test(
  'remediations: by tag before by number, before SetRemediation, before the default; on_match before all',
  async (t) => {
    const byId = hook('on_load', 'SetRemediationByID(77, "by-id")');
    const byTag = hook('on_load', 'SetRemediationByTag("attack-x", "by-tag")');
    const byName = hook('on_load', 'SetRemediationByName("me/one", "by-name")');
    const pending = hook('pre_eval', 'SetRemediation("pending")');
    const final = hook('on_match', 'SetRemediation("final")');
    const both = `on_load:\n  - apply: ['SetRemediationByTag("attack-x", "by-tag")', 'SetRemediationByID(77, "by-id")']\n`;
    const action = (target: string, ...hooks: readonly string[]): string =>
      ask(createWorld({ rules, configs: hooked(...hooks) }), { target }).answer.action;
    t.equal(action('/native'), 'ban');
    t.equal(action('/native', pending), 'pending');
    t.equal(action('/native', byId, pending), 'by-id');
    t.equal(action('/one', byId, pending), 'pending');
    t.equal(action('/native', byTag), 'by-tag');
    t.equal(action('/native', both, pending), 'by-tag');
    t.equal(action('/one', byName), 'by-name');
    t.equal(action('/native', both, pending, final), 'final');
  },
);

t.test('pre_eval removes and remedies for its own request only', async (t) => {
  const configs = hooked(
    `pre_eval:
  - {filter: "req.Header.Get('X-Skip') == 'one'", apply: [RemoveInBandRuleByName("me/one")]}
  - {filter: "req.URL.Query().Get('captcha') != ''", apply: ['SetRemediationByName("me/one", "captcha")', SetReturnCode(429)]}
`,
  );
  const appSec = createWorld({ rules, configs });
  t.same(appSec.faults, []);
  t.notOk(isRefused(appSec, { target: '/one', headers: ['X-Skip', 'one'] }));
  t.match(ask(appSec, { target: '/one?captcha=1' }).answer, {
    action: 'captcha',
    visitorStatus: 429,
    bouncerStatus: 403,
  });
  t.match(ask(appSec, { target: '/one' }).answer, { action: 'ban', visitorStatus: 403 });
});

t.test('pre_eval knows the request as Go does', async (t) => {
  const truths = [
    'req.Method == "POST"',
    'req.Host == "shop.example"',
    'req.URL.Path == "/a b"',
    'req.URL.RawQuery == "x=1&x=2&y=%20z"',
    'req.URL.Query().Get("x") == "1" && req.URL.Query().Get("y") == " z"',
    'req.URL.Query().Has("y") && !req.URL.Query().Has("z")',
    'len(req.URL.Query()["x"]) == 2',
    'req.URL.String() == "/a%20b?x=1&x=2&y=%20z"',
    'req.RequestURI == "/a%20b?x=1&x=2&y=%20z"',
    'req.Header.Get("user-agent") == "curl/8"',
    'req.Header["User-Agent"][0] == "curl/8"',
    'len(req.Header.Values("X-Two")) == 2',
    'req.UserAgent() == "curl/8"',
    'req.RemoteAddr == "192.0.2.7:4711"',
    'req.Proto == "HTTP/1.1" && req.ProtoAtLeast(1, 1) && !req.ProtoAtLeast(2, 0)',
    'any(req.Cookies(), #.Name == "b" && #.Value == "2")',
    'req.CookiesNamed("a")[0].Value == "1 1"',
    'req.ContentLength == 3',
    'IsInBand && !IsOutBand',
    'len(hook_vars) == 0',
    'IpInRange("192.0.2.7", "192.0.2.0/24")',
  ];
  const hooks = truths.map((filter) => `  - {filter: ${JSON.stringify(filter)}, apply: [SetReturnCode(200)]}\n`);
  for (const [index, one] of hooks.entries()) {
    const truth = truths[index] ?? '';
    const appSec = createWorld({ rules: rule('me/all', '/'), configs: hooked(`pre_eval:\n${one}`) });
    t.same(appSec.faults, [], truth);
    const { answer } = ask(appSec, {
      target: '/a%20b?x=1&x=2&y=%20z',
      headers: ['User-Agent', 'curl/8', 'X-Two', '1', 'x-two', '2', 'Cookie', 'a="1 1"; b=2', 'Content-Length', '3'],
      body: 'abc',
    });
    t.equal(answer.visitorStatus, 200, truth);
  }
  t.equal(truths.length, 21);
});

t.test('pre_eval drops a request, with its reason', async (t) => {
  const appSec = createWorld({
    rules,
    configs: hooked(hook('pre_eval', 'DropRequest("not today")', 'req.Method == "GET"')),
  });
  const { run, answer } = ask(appSec, { target: '/good' });
  t.match(answer, { action: 'ban', allowed: false, verdict: { ruleId: 0 } });
  t.match(run.events[0]?.Appsec.MatchedRules, [{ name: 'native_rule:0', msg: 'not today', disruptive: true }]);
  t.match(run.alerts, [{ scenario: 'native_rule:0' }]);
  t.notOk(isRefused(appSec, { method: 'POST' }));
});

t.test('pre_eval can leave a body alone', async (t) => {
  const body = 'name: me/body\nrules:\n  - {zones: [RAW_BODY], match: {type: contains, value: evil}}\n';
  const filter = 'req.URL.Path startsWith "/upload"';
  const appSec = createWorld({ rules: body, configs: hooked(hook('pre_eval', 'DisableBodyInspection()', filter)) });
  t.ok(isRefused(appSec, { target: '/x', body: 'evil' }));
  t.notOk(isRefused(appSec, { target: '/upload', body: 'evil' }));
});

t.test('on_match lets a request go, and keeps or sends alerts and events', async (t) => {
  const outcome = (apply: string, target = '/one'): readonly unknown[] => {
    const configs = hooked(`on_match:\n  - {filter: IsInBand == true, apply: [${apply}]}\n`);
    const { run, answer } = ask(createWorld({ rules, configs }), { target });
    return [
      answer.action,
      answer.allowed,
      answer.bouncerStatus,
      answer.visitorStatus,
      run.events.length,
      run.alerts.length,
    ];
  };
  t.same(outcome('SetRemediation("allow")'), ['allow', true, 200, 200, 1, 1]);
  t.same(outcome('SetRemediation("captcha"), SetReturnCode(418)'), ['captcha', false, 403, 418, 1, 1]);
  t.same(outcome('CancelAlert()'), ['ban', false, 403, 403, 1, 0]);
  t.same(outcome('CancelEvent()'), ['ban', false, 403, 403, 0, 1]);
  t.same(outcome('CancelAlert(), CancelEvent(), SendAlert(), SendEvent()'), ['ban', false, 403, 403, 1, 1]);
  t.same(outcome('CancelAlert()', '/good'), ['allow', true, 200, 200, 0, 0]);
});

t.test('on_match sees the event', async (t) => {
  const filters = [
    'evt.Appsec.GetName() == "me/one"',
    'any(evt.Appsec.MatchedRules, #.name == "me/one" && #.disruptive)',
    'evt.Appsec.HasInBandMatches == true',
    'evt.Parsed.target_uri == "/one?x"',
    'evt.Meta.source_ip == "192.0.2.7" && req.URL.Path == "/one"',
    '"crowdsec-me/one" in evt.Appsec.GetField("tags")[0]',
    'len(evt.Appsec.GetRuleIDs()) == 1 && "REQUEST_FILENAME" in evt.Appsec.GetMatchedZones()',
  ];
  for (const filter of filters) {
    const appSec = createWorld({ rules, configs: hooked(hook('on_match', 'SetReturnCode(418)', filter)) });
    t.same(appSec.faults, [], filter);
    t.equal(ask(appSec, { target: '/one?x' }).answer.visitorStatus, 418, filter);
    t.equal(
      ask(appSec, { target: '/two' }).answer.visitorStatus === 418,
      filter.includes('HasInBand') || filter.includes('len('),
      filter,
    );
  }
});

t.test('out-of-band matches raise an alert where a hook says so', async (t) => {
  const configs = [`name: c\noutofband_rules: ["*"]\n${hook('on_match', 'SendAlert()', 'IsOutBand == true')}`];
  const { run, answer } = ask(createWorld({ rules, configs }), { target: '/one' });
  t.ok(answer.allowed);
  t.match(run.alerts, [{ message: 'WAF out-of-band match: me/one from 192.0.2.7 (198.51.100.9)' }]);
});

t.test('hooks of a band run there only; on_success: break leaves out those after it', async (t) => {
  const blocks = `outofband_rules: ["*"]
inband:
  on_match: [{apply: [CancelEvent()]}]
outofband:
  on_match: [{apply: [SendAlert()]}]
`;
  const { run } = ask(createWorld({ rules, configs: [allInBand + blocks] }), { target: '/one' });
  t.same(
    run.events.map(({ Appsec }) => Appsec.HasOutBandMatches),
    [true],
  );
  t.equal(run.alerts.length, 2);
  const ordered = (success: string, filter: string): string => {
    const hooks = `on_match:
  - {filter: ${filter}, apply: [SetRemediation("first")], on_success: ${success}}
  - {apply: [SetRemediation("second")]}
`;
    return ask(createWorld({ rules, configs: hooked(hooks) }), { target: '/one' }).answer.action;
  };
  t.equal(ordered('break', 'true'), 'first');
  t.equal(ordered('break', 'false'), 'second');
  t.equal(ordered('continue', 'true'), 'second');
});

t.test('post_eval writes dumps without secrets, matched or not', async (t) => {
  const written: unknown[] = [];
  const dump = (apply: string): Record<string, unknown> => {
    const configs = hooked(hook('post_eval', apply));
    const deps = { writeDump: (json: string) => written.push(JSON.parse(json)) > 0 };
    const appSec = createWorld({ rules, configs, deps });
    t.same(appSec.faults, []);
    ask(appSec, {
      target: '/good?token=s3&page=1',
      headers: ['Cookie', 'a=1', 'Authorization', 'Basic x', 'X-Mail', 'a@example.com', 'Accept', '*/*'],
      body: 'secret',
    });
    return written.pop() as Record<string, unknown>;
  };
  t.same(dump('DumpRequest().ToJSON()'), {
    uuid: 'request-1',
    client_ip: '192.0.2.7',
    host: 'shop.example',
    method: 'POST',
    proto: 'HTTP/1.1',
    uri: '/good?token=s3&page=1',
    headers: { 'X-Mail': ['a@example.com'], Accept: ['*/*'] },
    args: { token: ['s3'], page: ['1'] },
    body: Buffer.from('secret').toString('base64'),
  });
  t.match(dump('DumpRequest().NoFilters().ToJSON()').headers, { Cookie: ['a=1'], Authorization: ['Basic x'] });
  t.notOk(dump('DumpRequest().WithBodyDrop().ToJSON()').body);
  t.same(dump('DumpRequest().WithHeadersDrop().ToJSON()').headers, {});
  t.same(dump('DumpRequest().WithHeadersContentFilter("EXAMPLE").ToJSON()').headers, { Accept: ['*/*'] });
  t.same(dump('DumpRequest().WithHeadersNameFilter("^x-").ToJSON()').headers, { Accept: ['*/*'] });
  t.match(dump('DumpRequest().WithArgsNameFilter("tok").ToJSON()'), { args: { page: ['1'] }, uri: '/good' });
  t.same(dump('DumpRequest().WithArgsDrop().ToJSON()').args, {});
});

const refused: readonly (readonly [stage: string, apply: string, reason: RegExp])[] = [
  ['on_load', 'SetRemediation("x")', /unknown name SetRemediation/],
  ['on_load', 'LoadAPISchema("x.yaml")', /LoadAPISchema cannot be used here: API schemas/],
  ['on_load', 'SetMaxBodySize("x")', /cannot use string as argument/],
  ['on_load', 'SetBodySizeExceededAction("burn")', /action burn is unknown; there are drop, partial, allow/],
  ['on_load', 'SetChallengeDifficulty("hard")', /challenge pages are not there yet/],
  ['pre_eval', 'SetRemedy("x")', /unknown name SetRemedy/],
  ['pre_eval', 'evt.Meta.x == "y"', /unknown name evt/],
  ['pre_eval', 'GrantChallenge()', /challenge pages are not there yet/],
  ['post_eval', 'SendChallenge()', /challenge pages are not there yet/],
  ['post_eval', 'CancelAlert()', /unknown name CancelAlert/],
  ['on_match', 'RemoveInBandRuleByID(1)', /unknown name RemoveInBandRuleByID/],
  ['on_match', 'SetReturnCode()', /not enough arguments/],
];

t.test('a hook with a mistake is a fault with its place, and the others are used', async (t) => {
  for (const [stage, apply, reason] of refused) {
    const good = stage === 'on_match' ? '' : hook('on_match', 'SetReturnCode(418)');
    const appSec = createWorld({ rules, configs: hooked(hook(stage, apply), good) });
    t.match(appSec.faults, [{ message: reason }], apply);
    t.match(appSec.faults[0]?.message, /^config-0\.yaml:\d+:\d+: /);
    if (good !== '') t.equal(ask(appSec, { target: '/one' }).answer.visitorStatus, 418, 'the other hook runs');
  }
  t.equal(refused.length, 12);
});

t.test('what a hook raises is logged, and the request is judged', async (t) => {
  const lines: unknown[] = [];
  const log = { ...createLog('silent'), warn: (fields: unknown) => lines.push(fields) };
  const hooks = `on_match:
  - {apply: [SetReturnCode(7)]}
  - {apply: [SetRemediation("captcha")]}
`;
  const appSec = createWorld({ rules, configs: hooked(hooks), deps: { log: log as never } });
  t.equal(ask(appSec, { target: '/one' }).answer.action, 'captcha');
  t.match(lines, [{ requestId: 'request-1', stage: 'on_match', err: { message: /config-0\.yaml:4/ } }]);
});

t.test('hooks of two instances, and of interleaved requests, do not meet', async (t) => {
  const slow = createWorld({ rules, configs: hooked(hook('pre_eval', 'SetRemediation("slow")')) });
  const plain = createWorld({ rules });
  t.equal(ask(slow, { target: '/one' }).answer.action, 'slow');
  t.equal(ask(plain, { target: '/one' }).answer.action, 'ban');
});
