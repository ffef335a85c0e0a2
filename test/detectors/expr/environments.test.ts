/** What expressions see of events, overflows, alerts, requests and results; which paths they read and write. */
import t from 'tap';
import type { Alert } from '../../../detectors/alert.ts';
import type { AppsecView } from '../../../detectors/expr/environment/appsec-type.ts';
import { alertView, sourceView } from '../../../detectors/expr/environment/alert-view.ts';
import { assertionEnvironment, overflowEnvironment, profileEnvironment } from '../../../detectors/expr/environment.ts';
import { compilerFor, complaint, evaluate, evening, fields, makeEvent } from './support.ts';

const alert: Alert = {
  uuid: 'u-1',
  kind: 'crowdsec',
  scenario: 'crowdsecurity/http-probing',
  scenarioHash: 'h',
  scenarioVersion: '0.1',
  message: 'm',
  source: {
    scope: 'Ip',
    value: '192.0.2.7',
    ip: '192.0.2.7',
    range: '192.0.2.0/24',
    asNumber: '64500',
    asName: 'Example',
    country: 'FR',
    latitude: 1.5,
    longitude: 2.5,
  },
  eventsCount: 41,
  events: [
    { timestamp: '2024-03-02T19:04:05Z', meta: [{ key: 'exe', value: '/bin/sh' }] },
    {
      timestamp: '2024-03-02T19:04:06Z',
      meta: [
        { key: 'exe', value: '/bin/ls' },
        { key: 'uid', value: '0' },
      ],
    },
  ],
  startAt: evening,
  stopAt: evening + 500,
  createdAt: evening,
  capacity: 40,
  leakspeed: '10s',
  simulated: false,
  remediation: true,
  labels: { remediation: true },
  meta: [{ key: 'target_uri', value: '["/"]' }],
  requestIds: [],
};

function overflowEvent(): ReturnType<typeof makeEvent> {
  const source = sourceView(alert);
  return makeEvent({
    Type: 1,
    Meta: fields({}),
    Overflow: {
      Mapkey: 'k',
      BucketId: 'b',
      Whitelisted: false,
      Reprocess: true,
      Sources: { '192.0.2.7': source },
      Alert: alertView(alert, source),
    },
  });
}

t.test('alerts in profiles', async (t) => {
  const compiler = compilerFor(profileEnvironment);
  const cases: readonly (readonly [source: string, value: unknown])[] = [
    ["Alert.Remediation == true && Alert.GetScope() == 'Ip'", true],
    ['Alert.GetValue()', '192.0.2.7'],
    ['Alert.GetScenario() startsWith "crowdsecurity/"', true],
    ['Alert.GetEventsCount()', 41n],
    ['Alert.EventsCount > 40', true],
    ['Alert.Capacity + 1', 41n],
    ['Alert.Source.Cn in ["FR"]', true],
    ['Alert.Source.AsNumber', '64500'],
    ['Alert.Source.Latitude', 1.5],
    ['Alert.Events[1].GetMeta("uid")', '0'],
    ['Alert.Events[-1].GetMeta("missing")', ''],
    ['any(Alert.Events, {.GetMeta("exe") == "/bin/sh"})', true],
    ['Alert.GetMeta("uid")', '0'],
    ['Alert.Source.String()', 'Ip 192.0.2.7 (FR/64500)'],
    ['Alert.StopAt', '2024-03-02T19:04:05.500Z'],
    ['Sprintf("%dh", (GetDecisionsCount(Alert.GetValue()) + 1) * 4)', '4h'],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, { Alert: alertView(alert) }, compiler), value, source);
  t.equal(cases.length, 16);
  t.match(complaint('evt.Meta.x', {}, compiler), /^unknown name evt \(1:1\)/);
});

t.test('overflow events', async (t) => {
  const evt = overflowEvent();
  const cases: readonly (readonly [source: string, value: unknown])[] = [
    ["evt.GetType() == 'overflow' && evt.Overflow.Alert.Remediation == true", true],
    ['evt.Overflow.GetSources()', ['192.0.2.7']],
    ['"192.0.2.7" in evt.Overflow.GetSources()', true],
    ['evt.Overflow.Sources["192.0.2.7"].GetScope()', 'Ip'],
    ['evt.Overflow.Sources["other"].IP', ''],
    ['evt.Overflow.Alert.Source.IP in ["192.0.2.7"]', true],
    ['evt.GetMeta("uid")', '0'],
    ['evt.ParseIPSources()', ['192.0.2.7']],
    ['IpToRange(evt.Overflow.Alert.Source.IP, "/16")', '192.0.0.0/16'],
    ['all(evt.Overflow.Alert.Events, {.GetMeta("exe") startsWith "/bin/"})', true],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, { evt }), value, source);
  t.equal(cases.length, 10);
});

t.test('a shared source changes with the alert', async (t) => {
  const evt = overflowEvent();
  const view = evt.Overflow?.Alert as ReturnType<typeof alertView>;
  view.Source.Value = '192.0.2.0/24';
  t.equal(evaluate('evt.Overflow.Sources["192.0.2.7"].GetValue()', { evt }), '192.0.2.0/24');
});

t.test('methods of events write where they say', async (t) => {
  const evt = makeEvent();
  t.equal(evaluate('evt.SetMeta("cve", "CVE-1") && evt.SetParsed("x", "y")', { evt }), true);
  t.equal(evt.Meta.cve, 'CVE-1');
  t.equal(evt.Parsed.x, 'y');
  t.equal(evaluate('evt.GetType()', { evt }), 'log');
  t.equal(evaluate('evt.SetMeta("__proto__", "x")', { evt }), true);
  t.equal(evaluate('evt.Meta["__proto__"]', { evt }), 'x');
});

t.test('queues of buckets', async (t) => {
  const at = (ms: number, exe: string): ReturnType<typeof makeEvent> =>
    makeEvent({ Time: evening + ms, Meta: fields({ exe }), Enriched: fields({ Latitude: '1.0', Longitude: '2.0' }) });
  const queue = { Queue: [at(0, '/usr/bin/wget'), at(60_000, '/bin/sh'), at(180_000, '/x')] };
  const cases: readonly (readonly [source: string, value: unknown])[] = [
    ['len(queue.Queue) >= 3 && MedianInterval(map(queue.Queue[-3:], {#.Time})) >= duration("90s")', true],
    ['any(queue.Queue, {.Meta.exe in ["/bin/sh"]}) and any(queue.Queue, {!(.Meta.exe startsWith "/")}) == false', true],
    ['let shells = filter(queue.Queue, {#.Meta.exe endsWith "sh"}); len(shells)', 1n],
    ['count(queue.Queue, #.Meta.exe in ["/x"] or #.Meta.exe startsWith "/usr") > 1', true],
    ['queue.Queue[0].Meta.missing', ''],
    ['queue.Queue[-1].Enriched.Latitude', '1.0'],
    ['leaky.Total_count > 2', true],
    ['leaky.Leakspeed == duration("10s")', true],
    ['signal.Whitelisted', false],
    ['signal.Alert == nil', true],
  ];
  const scope = { queue, leaky: { Total_count: 3, Leakspeed: 10_000 }, signal: {} };
  for (const [source, value] of cases) t.same(evaluate(source, scope), value, source);
  t.equal(cases.length, 10);
  t.equal(evaluate('len(queue.Queue) > 2', scope, compilerFor(overflowEnvironment)), true);
});

t.test('contexts see empty matches and requests', async (t) => {
  const cases: readonly (readonly [source: string, value: unknown])[] = [
    ["(match.uri != nil && match.internal != true) ? match.uri : ''", ''],
    ["req.Method != '' ? req.UserAgent() : ''", ''],
    ["req != nil ? req.Host : ''", ''],
    ['req.URL.Path', ''],
    ['req.Header.Get("x")', ''],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, { match: {}, req: {} }), value, source);
  t.equal(evaluate("req != nil ? req.Host : 'none'", {}), 'none');
  const req = { Method: 'GET', Host: 'h', Header: { 'User-Agent': ['curl'], 'X-Forwarded-For': ['a', 'b'] } };
  t.equal(evaluate('req.UserAgent()', { req }), 'curl');
  t.same(evaluate('req.Header.Values("x-forwarded-for")', { req }), ['a', 'b']);
  t.equal(evaluate('req.Header["User-Agent"][0]', { req }), 'curl');
  t.equal(evaluate("match.id == 5 ? 'five' : ''", { match: { id: 5 } }), 'five');
});

t.test('findings of the firewall', async (t) => {
  const Appsec: AppsecView = {
    HasInBandMatches: true,
    HasOutBandMatches: false,
    MatchedRules: [
      { id: 1n, name: 'one', kind: 'native', tags: ['attack-sqli', 'x'], severity: 'low', uri: '/a', disruptive: true },
      { id: 2n, name: 'two', kind: 'vpatch', tags: ['attack-xss'], severity: 'critical', matched_zones: ['ARGS'] },
    ],
    Vars: { score: '5' },
    HookVars: {},
  };
  const evt = { ...makeEvent(), Appsec };
  const cases: readonly (readonly [source: string, value: unknown])[] = [
    ['evt.Appsec.HasInBandMatches ? "appsec-block" : "appsec-info"', 'appsec-block'],
    ['evt.Appsec.GetName()', 'one'],
    ['Sprintf("%+v", evt.Appsec.GetRuleIDs())', '[1 2]'],
    ['evt.Appsec.GetNames()', ['one', 'two']],
    ['evt.Appsec.GetVar("score")', '5'],
    ['evt.Appsec.GetHighestSeverity()', 'critical'],
    ['evt.Appsec.ByTag("attack-xss").GetName()', 'two'],
    ['evt.Appsec.ByTagRx("^attack-").GetRuleIDs()', [1n, 2n]],
    ['evt.Appsec.ByID(2).Kinds()', ['vpatch']],
    ['evt.Appsec.ByDisruptiveness(true).GetURI()', '/a'],
    ['evt.Appsec.GetMatchedZones()', ['ARGS']],
    ['len(evt.Appsec.MatchedRules)', 2n],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, { evt }), value, source);
  t.equal(cases.length, 12);
  t.equal(evaluate('evt.Appsec.GetName() + evt.Appsec.GetVar("x")'), '', 'an event without findings has empty ones');
});

t.test('assertions of tests', async (t) => {
  const parser = compilerFor(assertionEnvironment.parser);
  const results = {
    's01-parse': { 'crowdsecurity/nginx-logs': [{ Success: true, Evt: makeEvent(), Idx: 0 }] },
    success: { '': [] },
  };
  const cases: readonly (readonly [source: string, value: unknown])[] = [
    ['len(results) == 2', true],
    ['len(results["s01-parse"]["crowdsecurity/nginx-logs"]) == 1', true],
    ['len(results["s00-raw"]["absent"]) == 0', true],
    ['results["s01-parse"]["crowdsecurity/nginx-logs"][0].Success == true', true],
    ['results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Parsed["verb"] == "GET"', true],
    ['results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Meta["absent"] == ""', true],
    ['results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Unmarshaled["number"] == 12', true],
    ['basename(results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Line.Src) == "x"', true],
    ['FloatApproxEqual(results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Unmarshaled["number"], 12.0)', true],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, { results }, parser), value, source);
  t.equal(cases.length, 9);
  const outside = 'results["s01-parse"]["crowdsecurity/nginx-logs"][1].Success == true';
  t.match(complaint(outside, { results }, parser), /^index out of range: 1 \(array length is 1\)/);
  const scenario = compilerFor(assertionEnvironment.scenario);
  const overflows = { results: [overflowEvent()] };
  t.equal(evaluate('"192.0.2.7" in results[0].Overflow.GetSources()', overflows, scenario), true);
  t.equal(evaluate('results[0].Overflow.Sources["192.0.2.7"].Range == "192.0.2.0/24"', overflows, scenario), true);
  t.equal(evaluate('results[0].Overflow.Alert.Events[0].GetMeta("exe")[1:] == "bin/sh"', overflows, scenario), true);
  t.equal(evaluate('results[0].Overflow.Alert.GetEventsCount() == 41', overflows, scenario), true);
});

t.test('what is read and written is known', async (t) => {
  const compiler = compilerFor();
  const cases: readonly (readonly [source: string, reads: readonly string[], writes: readonly string[]])[] = [
    ['evt.Meta.http_status in ["404"]', ['evt.Meta.http_status'], []],
    ['evt.Meta["http_status"] == "404"', ['evt.Meta.http_status'], []],
    ['evt.Parsed[evt.Meta.key] == ""', ['evt.Meta.key', 'evt.Parsed.*'], []],
    ['evt.GetMeta("http_status") == ""', ['evt.Meta.http_status'], []],
    ['evt.GetMeta(evt.Parsed.x) == ""', ['evt.Meta.*', 'evt.Parsed.x'], []],
    ['"source_ip" in evt.Meta', ['evt.Meta.source_ip'], []],
    ['evt.Parsed.x in evt.Meta', ['evt.Meta.*', 'evt.Parsed.x'], []],
    ['get(evt.Meta, "x") == ""', ['evt.Meta.x'], []],
    ['len(evt.Meta) > 0', ['evt.Meta.*'], []],
    ['evt.SetMeta("cve", evt.Parsed.x)', ['evt.Parsed.x'], ['evt.Meta.cve']],
    ['UnmarshalJSON(evt.Line.Raw, evt.Unmarshaled, "doc") == nil', ['evt.Line.Raw'], ['evt.Unmarshaled.doc']],
    ['evt.Unmarshaled.doc.a?.b[0].c == 1', ['evt.Unmarshaled.doc.a.b.*'], []],
    ['any(queue.Queue, {.Meta.http_status == "404"})', ['evt.Meta.http_status', 'queue'], []],
    ['let e = queue.Queue[0]; e.Parsed.x == ""', ['evt.*', 'evt.Parsed.x', 'queue'], []],
    ['evt.Time.Hour() > 3', ['evt.Time'], []],
    ['evt.Overflow.Alert.GetScope() == "Ip"', ['evt.Overflow.Alert.Source.Scope'], []],
    ['evt != nil', ['evt.*'], []],
  ];
  for (const [source, reads, writes] of cases) {
    const expression = compiler.compile(source, 'any');
    t.same([...expression.reads].toSorted(), reads, source);
    t.same([...expression.writes], writes, source);
  }
  t.equal(cases.length, 17);
  const { files } = compiler.compile('any(File("a.txt"), {# == ""}) or LookupFile("x", "b.json") == ""', 'bool');
  t.same([...files], ['a.txt', 'b.json']);
});
