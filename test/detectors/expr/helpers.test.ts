/** CrowdSec's helpers, family by family: what they give, and what they refuse. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import type { HelperDependencies } from '../../../detectors/expr/dependencies.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import { compilerFor, complaint, evaluate, evening, makeEvent } from './support.ts';

type Case = readonly [source: string, value: unknown];

t.test('strings', async (t) => {
  const cases: readonly Case[] = [
    ['Upper("straße")', 'STRAßE'],
    ['Lower("ÀΣİ")', 'àσi'],
    ['Trim("xxaxx", "x")', 'a'],
    ['TrimLeft("xyax", "xy")', 'ax'],
    ['TrimRight("ax🦆", "🦆x")', 'a'],
    ['TrimSpace("\\u0085 a\\u00a0")', 'a'],
    ['TrimSpace("\\uFEFFa")', '\ufeffa'],
    ['TrimPrefix("/a", "/")', 'a'],
    ['TrimSuffix("a]", "]")', 'a'],
    ['Fields(" a\\t b\\nc ")', ['a', 'b', 'c']],
    ['Index("ünder", "n")', 2n],
    ['IndexAny("golang", "nl")', 2n],
    ['IndexAny("abc", "xyz")', -1n],
    ['Join(["a", "b"], ", ")', 'a, b'],
    ['Split("a,b", ",")', ['a', 'b']],
    ['Split("ab", "")', ['a', 'b']],
    ['Split("", ",")', ['']],
    ['SplitN("a,b,c", ",", 2)', ['a', 'b,c']],
    ['SplitN("a,b", ",", 0)', []],
    ['SplitAfter("a,b", ",")', ['a,', 'b']],
    ['SplitAfterN("a,b,c", ",", 2)', ['a,', 'b,c']],
    ['Replace("aaa", "a", "b", 2)', 'bba'],
    ['Replace("ab", "", "-", -1)', '-a-b-'],
    ['ReplaceAll("a.b.c", ".", "")', 'abc'],
    ['Match("*.php", "/x/y.php")', true],
    ['Match("a?c", "a🦆c")', true],
    ['Match("a?c", "ac")', false],
    ['Match("A*", "abc")', false],
    ['Match("*a*b*", "xxaxxbxx")', true],
    ['Match("joinsplit", "a joinsplit")', false],
    ['ToString("a")', 'a'],
    ['ToString(evt.Unmarshaled.number)', ''],
    ['B64Decode("aGk=")', 'hi'],
    ['Atof("2.5")', 2.5],
    ['Atof("x")', 0],
    ['LogInfo("%s", "x")', true],
    ['Get(["a"], 0)', 'a'],
    ['Get(["a"], 3)', ''],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 38);
});

t.test('Sprintf writes as Go does', async (t) => {
  const cases: readonly Case[] = [
    ['Sprintf("%d|%5d|%-5d|%05d|%+d", 1, 2, 3, 4, 5)', '1|    2|3    |00004|+5'],
    ['Sprintf("%x %X %#x %o %b %c %U", 255, 255, 255, 8, 5, 65, 65)', 'ff FF 0xff 10 101 A U+0041'],
    ['Sprintf("%f %.2f %8.3f|%-8.1f|", 1.5, 2.345, 3.0, 4.0)', '1.500000 2.35    3.000|4.0     |'],
    ['Sprintf("%e %g %g %g", 123456.789, 1e21, 0.0001, 100000.0)', '1.234568e+05 1e+21 0.0001 100000'],
    ['Sprintf("%v %v %v", 1646861401.5, 1e6, 0.00001)', '1.6468614015e+09 1e+06 1e-05'],
    ['Sprintf("%s|%5s|%-5s|%.2s|%q", "a", "b", "c", "long", "q\\"\\n")', 'a|    b|c    |lo|"q\\"\\n"'],
    ['Sprintf("%t %v", true, nil)', 'true <nil>'],
    ['Sprintf("%v %+v", [1, "a"], {b: 2, a: 1})', '[1 a] map[a:1 b:2]'],
    ['Sprintf("%T %T %T %T", 1, 1.5, "x", nil)', 'int float64 string <nil>'],
    ['Sprintf("%d", "hi")', '%!d(string=hi)'],
    ['Sprintf("%d", 1.5)', '%!d(float64=1.5)'],
    ['Sprintf("%d")', '%!d(MISSING)'],
    ['Sprintf("x", 1)', 'x%!(EXTRA int=1)'],
    ['Sprintf("100%%")', '100%'],
    ['Sprintf("50%")', '50%!(NOVERB)'],
    ['Sprintf("%[2]d %[1]d", 1, 2)', '2 1'],
    ['Sprintf("%*d", 5, 42)', '   42'],
    ['Sprintf("%x", "hi")', '6869'],
    ['Sprintf("%v", duration("90s"))', '1m30s'],
    ['Sprintf("%s", evt.Time.Weekday())', 'Saturday'],
    ['Sprintf("%s", nil)', '%!s(<nil>)'],
    ['Sprintf("%z", 1)', '%!z(int=1)'],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 22);
});

const json = `'{"a": {"b": [1, {"c": "x\\\\"y"}], "n": null, "t": true, "f": 1.50, "o": {"k": 1}}, "s": "caf\\\\u00e9"}'`;

t.test('JSON', async (t) => {
  const cases: readonly Case[] = [
    [`JsonExtract(${json}, "a.b[1].c")`, 'x\\"y'],
    [`JsonExtract(${json}, "a.b[0]")`, '1'],
    [`JsonExtract(${json}, "a.b")`, '[1, {"c": "x\\"y"}]'],
    [`JsonExtract(${json}, "a.f")`, '1.50'],
    [`JsonExtract(${json}, "a.n")`, 'null'],
    [`JsonExtract(${json}, "a.x")`, ''],
    [`JsonExtract(${json}, "a.b[9]")`, ''],
    [`JsonExtract(${json}, "s")`, 'caf\\u00e9'],
    ['JsonExtract("not json", "a")', ''],
    ['JsonExtract("{\\"a\\": ", "a")', ''],
    ['JsonExtract("[[1, 2], [3]]", "[0].[1]")', '2'],
    [`JsonExtractUnescape(${json}, "s")`, 'café'],
    [`JsonExtractUnescape(${json}, "a", "b", "[1]", "c")`, 'x"y'],
    [`JsonExtractUnescape(${json}, "a", "f")`, ''],
    [`JsonExtractLib(${json}, "a", "t")`, 'true'],
    [`JsonExtractSlice(${json}, "a.b")`, [1, { c: 'x"y' }]],
    [`JsonExtractSlice(${json}, "a.o")`, null],
    [`JsonExtractObject(${json}, "a.o")`, { k: 1 }],
    [`JsonExtractObject(${json}, "a.b")`, null],
    ['ToJsonString({b: "<&>", a: [1, 2.5, nil]})', '{"a":[1,2.5,null],"b":"\\u003c\\u0026\\u003e"}'],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 20);
});

t.test('UnmarshalJSON stores and gives nil', async (t) => {
  const evt = makeEvent();
  t.equal(evaluate(`UnmarshalJSON('{"k": [1]}', evt.Unmarshaled, "doc") in ["", nil]`, { evt }), true);
  t.same(evt.Unmarshaled.doc, { k: [1] });
  evaluate(`UnmarshalJSON('{"__proto__": {"polluted": true}}', evt.Unmarshaled, "__proto__")`, { evt });
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
  t.equal(Object.getPrototypeOf(evt.Unmarshaled), Object.prototype);
  t.equal(evaluate('evt.Unmarshaled.doc.k[0] == 1', { evt }), true);
  t.match(complaint(`UnmarshalJSON("{", evt.Unmarshaled, "x")`), /^invalid JSON \(1:1\)/);
  t.match(complaint(`UnmarshalJSON("", evt.Unmarshaled, "x")`), /^unexpected end of JSON input/);
  const deep = JSON.stringify('['.repeat(5_000) + ']'.repeat(5_000));
  t.match(complaint(`UnmarshalJSON(${deep}, evt.Unmarshaled, "x")`), /nested more than 200 levels/);
});

t.test('key=value texts', async (t) => {
  const parse = (helper: string, text: string): unknown => {
    const evt = makeEvent();
    const source = `${helper}(evt.Line.Raw, evt.Unmarshaled, "kv") == nil`;
    t.equal(evaluate(source, { evt: { ...evt, Line: { ...evt.Line, Raw: text } } }), true);
    return { ...(evt.Unmarshaled.kv as object) };
  };
  t.same(parse('ParseKV', 'a=1 b="two words" c= d="q\\"x" e=f=g'), {
    a: '1',
    b: 'two words',
    c: '',
    d: 'q\\"x',
    e: 'f',
  });
  t.same(parse('ParseKV', 'time="2024" level=info msg="User \\"x\\" in"'), {
    time: '2024',
    level: 'info',
    msg: 'User \\"x\\" in',
  });
  t.same(parse('ParseKV', 'open="never closed'), { open: '"never' });
  t.same(parse('ParseKVLax', 'CEF:0|U|x|7|host=Dream Machine src=10.0.0.1 msg=All is well. IP: 10.0.0.1'), {
    host: 'Dream Machine',
    src: '10.0.0.1',
    msg: 'All is well. IP: 10.0.0.1',
  });
  t.same(parse('ParseKVLax', 'a="x b=1" c=2'), { a: 'x b=1', c: '2' });
  t.match(complaint('ParseKV("nothing here", evt.Unmarshaled, "kv")'), /^ParseKV found no key=value pair \(1:1\)/);
  t.match(complaint('ParseKV("a=1", evt.Unmarshaled, "text")'), /holds something else already/);
  const evt = makeEvent();
  evaluate('ParseKV("a=1", evt.Unmarshaled, "kv")', { evt });
  evaluate('ParseKV("b=2", evt.Unmarshaled, "kv")', { evt });
  t.same({ ...(evt.Unmarshaled.kv as object) }, { a: '1', b: '2' }, 'a second call merges');
  t.equal(evaluate('evt.Unmarshaled.kv.missing', { evt }), '', 'a key that is not there reads as an empty text');
});

const xml = `<?xml version="1.0"?><!-- c --><Event xmlns="urn:x"><System><Provider Name="P&amp;Q"/><EventID>1</EventID></System>
<EventData><Data Name="Image">C:\\\\a&lt;b.exe</Data><Data Name="User"><![CDATA[<x>]]></Data><Data>third<sub/>tail</Data></EventData></Event>`;

t.test('XML', async (t) => {
  const evt = makeEvent();
  const scope = { evt: { ...evt, Line: { ...evt.Line, Raw: xml } } };
  const cases: readonly Case[] = [
    ['XMLGetNodeValue(evt.Line.Raw, "/Event/System[1]/EventID")', '1'],
    [`XMLGetNodeValue(evt.Line.Raw, "/Event/EventData[1]/Data[@Name='Image']")`, 'C:\\\\a<b.exe'],
    [`XMLGetNodeValue(evt.Line.Raw, "/Event/EventData[1]/Data[@Name='User']")`, '<x>'],
    ['XMLGetNodeValue(evt.Line.Raw, "/Event/EventData[1]/Data[3]")', 'third'],
    ['XMLGetNodeValue(evt.Line.Raw, "//EventID")', '1'],
    ['XMLGetNodeValue(evt.Line.Raw, "/Event/*/EventID")', '1'],
    ['XMLGetNodeValue(evt.Line.Raw, "/Event/System[2]/EventID")', ''],
    ['XMLGetNodeValue(evt.Line.Raw, "/Event/[")', ''],
    ['XMLGetNodeValue("<a><b></a>", "/a")', ''],
    ['XMLGetNodeValue("<a>&undefined;</a>", "/a")', ''],
    ['XMLGetNodeValue("plain", "/a")', ''],
    ['XMLGetAttributeValue(evt.Line.Raw, "/Event/System[1]/Provider", "Name")', 'P&Q'],
    ['XMLGetAttributeValue(evt.Line.Raw, "/Event/System[1]/Provider", "Guid")', ''],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, scope), value, source);
  t.equal(cases.length, 13);
  const deep = { evt: { ...evt, Line: { ...evt.Line, Raw: '<a>'.repeat(100) + '</a>'.repeat(100) } } };
  t.equal(evaluate('XMLGetNodeValue(evt.Line.Raw, "/a")', deep), '', 'too deep a document is no document');
});

t.test('data files', async (t) => {
  const cases: readonly Case[] = [
    ['File("words.txt")[0]', 'admin'],
    ['File("unknown.txt")', []],
    ['any(File("words.txt"), {evt.Meta.http_path contains #})', true],
    ['any(File("words.txt"), {Upper(evt.Meta.http_path) contains Upper(#)})', true],
    ['any(File("suffixes.txt"), {evt.Parsed.request endsWith #})', true],
    ['any(File("words.txt"), {evt.Parsed.file_name == #})', false],
    ['any(File("patterns.txt"), {evt.Meta.http_path matches #})', true],
    ['any(File("patterns.txt"), {Lower(evt.Meta.http_path) matches #})', false],
    ['any(File("networks.txt"), {len(#) > 0 && IpInRange(evt.Meta.source_ip, #)})', true],
    [
      'any(File("json.txt"), {"/x/two" contains JsonExtract(#, "uri") ? evt.SetMeta("cve", JsonExtract(#, "cve")) : false})',
      true,
    ],
    ['any(File("empty.txt"), {evt.Meta.http_path contains #})', false],
    ['RegexpInFile("/abcz", "patterns.txt")', true],
    ['RegexpInFile("none", "patterns.txt")', false],
    ['FileMap("rows.json")[0].tag', 'contains-b'],
    ['LookupFile("/a/b", "rows.json")', 'equals'],
    ['LookupFile("/a/b/x", "rows.json")', 'contains-a'],
    ['LookupFile("/x/b/a", "rows.json")', 'contains-b'],
    ['LookupFile("/c12", "rows.json")', 'regex'],
    ['LookupFile("/none", "rows.json")', ''],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 19);
});

t.test('of the rows that a text contains, LookupFile takes the leftmost, then the first in the file', async (t) => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }),
      (words, text) => {
        const rows = words.map((pattern, index) => ({ type: 'contains', pattern, tag: `row ${index}` }));
        const files = { loaded: () => true, lines: () => [], patterns: () => [], rows: () => rows };
        const expression = compilerFor(eventEnvironment, { files }).compile('LookupFile(evt.Line.Raw, "f")', 'string');
        const evt = makeEvent();
        const places = rows
          .map(({ pattern, tag }) => ({ tag, at: text.indexOf(pattern) }))
          .filter(({ at }) => at !== -1)
          .toSorted((one, other) => one.at - other.at);
        return expression.evaluate({ evt: { ...evt, Line: { ...evt.Line, Raw: text } } }) === (places[0]?.tag ?? '');
      },
    ),
    { seed: 7, numRuns: 500 },
  );
  t.pass();
});

t.test('a file that is loaded anew is looked at anew', async (t) => {
  let lines = ['one'];
  const compiler = compilerFor(eventEnvironment, {
    files: { loaded: () => true, lines: () => lines, patterns: () => [], rows: () => [] },
  });
  const contains = compiler.compile('any(File("f"), {evt.Line.Raw contains #})', 'bool');
  const member = compiler.compile('evt.Line.Raw in File("f")', 'bool');
  const column = compiler.compile('any(File("f"), {evt.Line.Raw contains Upper(#) or #index == 9})', 'bool');
  const evt = makeEvent();
  const scope = (Raw: string): { evt: typeof evt } => ({ evt: { ...evt, Line: { ...evt.Line, Raw } } });
  t.same(
    [contains, member, column].map((one) => one.evaluate(scope('two'))),
    [false, false, false],
  );
  lines = ['two'];
  t.same(
    [contains, member].map((one) => one.evaluate(scope('two'))),
    [true, true],
  );
  t.equal(column.evaluate(scope('TWO')), true);
});

t.test('addresses and places', async (t) => {
  const cases: readonly Case[] = [
    ['IpInRange("192.0.2.9", "192.0.2.0/24")', true],
    ['IpInRange("::ffff:192.0.2.9", "192.0.2.0/24")', true],
    ['IpInRange("2001:db8::1", "2001:db8::/32")', true],
    ['IpInRange("192.0.2.9", "nonsense")', false],
    ['IpInRange("nonsense", "192.0.2.0/24")', false],
    ['IpInRange("192.0.2.9", "192.0.2.9")', false],
    ['IpToRange("192.0.2.9", "/24")', '192.0.2.0/24'],
    ['IpToRange("2001:db8::1:2", "64")', '2001:db8::/64'],
    ['IpToRange("192.0.2.9", "/33")', ''],
    ['IpToRange("x", "/24")', ''],
    ['IsIPV4("192.0.2.1") and not IsIPV4("::1")', true],
    ['IsIPV6("::1") and not IsIPV6("1.2.3.4")', true],
    ['IsIP("1.2.3") or IsIP("")', false],
    ['Distance("0.0", "0.0", "10", "10")', 0],
    ['Distance("48.85", "2.35", "40.71", "-74.00") > 5800', true],
    ['Distance("48.85", "2.35", "40.71", "-74.00") < 5900', true],
    ['Distance("10", "10", "10", "10")', 0],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 17);
  t.match(complaint('Distance("x", "1", "1", "1")'), /^Distance wants numbers, got "x" \(1:1\)/);
});

t.test('URLs', async (t) => {
  const cases: readonly Case[] = [
    ['ParseUri("/a?x=1&x=2&y=%2F+z#f")', { x: ['1', '2'], y: ['/ z'] }],
    ['ParseUri("/a")', {}],
    ['ParseQuery("a=%zz&b&=c")', { a: ['%zz'], b: [''], '': ['c'] }],
    ['ParseQuery("a=1").a[0]', '1'],
    ['ExtractQueryParam("/p?id=7&id=8", "id")', ['7', '8']],
    ['ExtractQueryParam("/p?id=7", "x")', []],
    ['PathEscape("a/b c;é")', 'a%2Fb%20c%3B%C3%A9'],
    ['PathUnescape("a%2Fb+c")', 'a/b+c'],
    ['PathUnescape("a%2")', 'a%2'],
    ['QueryEscape("a b&c=d/é🦆")', 'a+b%26c%3Dd%2F%C3%A9%F0%9F%A6%86'],
    ['QueryUnescape("a+b%26")', 'a b&'],
    ['QueryUnescape("a+%zz")', 'a+%zz'],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 12);
});

t.test('times, collections and the rest', async (t) => {
  const cases: readonly Case[] = [
    ['ParseUnix("1709406245.9")', '2024-03-02T19:04:05Z'],
    ['ParseUnix("x")', ''],
    ['TimeNow() == evt.Time', true],
    ['MedianInterval([date("2024-01-03"), date("2024-01-01"), date("2024-01-02")]).Hours()', 24],
    ['AverageInterval([date("2024-01-01"), date("2024-01-02"), date("2024-01-04")]).Hours()', 36],
    ['Flatten([1, [2]], [[3]])', [1n, 2n, 3n]],
    ['Distinct([1, 2, 1])', [1n, 2n]],
    ['FlattenDistinct([1, 2], [2, [3]])', [1n, 2n, 3n]],
    ['KeyExists("http_path", evt.Meta)', true],
    ['KeyExists("x", evt.Meta)', false],
    ['FloatApproxEqual(1.0, 1.0000001)', true],
    ['FloatApproxEqual(1.0, 1.001)', false],
    ['Hostname()', 'edge-1'],
    ['basename("/var/log/x.log")', 'x.log'],
    ['basename("/")', '/'],
    ['GetDecisionsCount("192.0.2.1")', 0n],
    ['GetActiveDecisionsTimeLeft("192.0.2.1").Seconds()', 0],
  ];
  for (const [source, value] of cases) t.same(evaluate(source), value, source);
  t.equal(cases.length, 17);
  t.match(complaint('MedianInterval([evt.Time])'), /^MedianInterval needs at least two times \(1:1\)/);
  t.match(complaint('GetDecisionsSinceCount("1.2.3.4", "x")'), /^time: invalid duration "x"/);
});

t.test('helpers whose dependency is absent are refused when the expression is compiled', async (t) => {
  const refused = [
    'GetFromStash("c", "k")',
    'SetInStash("c", "k", "v", nil)',
    'GeoIPEnrich("1.2.3.4")',
    'GeoIPASNEnrich("1.2.3.4")',
    'GeoIPRangeEnrich("1.2.3.4")',
    'IPToCountry("1.2.3.4")',
    'LookupHost("x")',
    'MatchKnownBot("1.2.3.4", "ua", "/", "bots")',
    'HTTPGet("http://x")',
    'HTTPHead("http://x")',
    'HTTPPost("http://x", "text/plain", "")',
    'HTTPRequest("GET", "http://x", {}, "")',
    'CrowdsecCTI("1.2.3.4")',
    'LibInjectionIsSQLI("x")',
    'LibInjectionIsXSS("x")',
    'SendAlert()',
  ];
  for (const source of refused) t.match(complaint(source), /^\w+ cannot be used here: it .+ \(1:1\)\n/, source);
  t.equal(refused.length, 16);
});

t.test('the same helpers work where their dependency is given', async (t) => {
  const stashed = new Map<string, string>();
  const given: Partial<HelperDependencies> = {
    stash: {
      get: (cache, key) => stashed.get(`${cache}/${key}`) ?? null,
      set: (cache, key, value, ttlMs) => void stashed.set(`${cache}/${key}`, `${value} for ${ttlMs}`),
    },
    geo: {
      city: () => ({ Country: { IsoCode: 'FR' } }),
      asn: () => null,
      range: () => '192.0.2.0/24',
      country: () => 'FR',
    },
    resolver: {
      addresses: (name) => ({ kind: 'known', value: name === 'crawl-1.bot.example' ? ['192.0.2.7'] : [] }),
      names: (ip) => ({
        kind: 'known',
        value: ip === '192.0.2.7' ? ['crawl-1.bot.example.'] : ip === '192.0.2.8' ? ['fake.bot.example.'] : [],
      }),
    },
    files: {
      loaded: () => true,
      lines: () => [],
      patterns: () => [],
      rows: () => [],
      bots: () => [
        { name: 'bot', userAgents: [/bot/], paths: [], networks: ['198.51.100.0/24'], reverseNames: ['bot.example'] },
      ],
    },
    decisionCounts: {
      total: () => 3,
      since: (_, sinceMs) => (sinceMs === evening - 3_600_000 ? 2 : 0),
      active: () => 1,
      activeTimeLeftMs: () => 60_000,
    },
    injection: { isSqli: (text) => text.includes("'"), isXss: () => false },
    http: {
      ask: ({ method, url }) => ({
        kind: 'known',
        value: { StatusCode: 200n, Body: `${method} ${url}`, Headers: {} },
      }),
    },
    cti: (ip) => ({ Ip: ip }),
    sendAlert: () => true,
  };
  const compiler = compilerFor(eventEnvironment, given);
  const cases: readonly Case[] = [
    ['SetInStash("c", "k", "v", duration("1m"))', null],
    ['GetFromStash("c", "k")', 'v for 60000'],
    ['GetFromStash("c", "other")', ''],
    ['GeoIPEnrich("1.2.3.4")?.Country.IsoCode', 'FR'],
    ['GeoIPASNEnrich("1.2.3.4")', null],
    ['IPToCountry("1.2.3.4")', 'FR'],
    ['MatchKnownBot("192.0.2.7", "a bot", "/", "bots")', true],
    ['MatchKnownBot("192.0.2.8", "a bot", "/", "bots")', false],
    ['MatchKnownBot("198.51.100.3", "a bot", "/", "bots")', true],
    ['MatchKnownBot("192.0.2.7", "a browser", "/", "bots")', false],
    ['GetDecisionsCount("x") + GetActiveDecisionsCount("x")', 4n],
    ['GetDecisionsSinceCount("x", "1h")', 2n],
    ['GetActiveDecisionsTimeLeft("x").Minutes()', 1],
    ['LibInjectionIsSQLI("\'")', true],
    ['HTTPGet("http://x").Body', 'GET http://x'],
    ['CrowdsecCTI("1.2.3.4").Ip', '1.2.3.4'],
    ['SendAlert()', true],
  ];
  for (const [source, value] of cases) t.same(evaluate(source, { evt: makeEvent() }, compiler), value, source);
  t.equal(cases.length, 17);
});

t.test('JA4H names a client by method, version, headers, language and cookies', async (t) => {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
  const none = '000000000000';
  const cases: readonly (readonly [request: object, fingerprint: string])[] = [
    [{ Method: 'GET', ProtoMajor: 1n, ProtoMinor: 1n, Header: {} }, `ge11nn000000_${hash('')}_${none}_${none}`],
    [
      {
        Method: 'POST',
        ProtoMajor: 2n,
        ProtoMinor: 0n,
        Header: {
          'User-Agent': ['x'],
          Accept: ['*/*'],
          'Accept-Language': ['en-US,en;q=0.5'],
          Referer: ['https://example.com/'],
          Cookie: ['b=2; a=1', 'c'],
        },
      },
      `po20cr03enus_${hash('Accept,Accept-Language,User-Agent')}_${hash('a,b,c')}_${hash('a=1,b=2,c=')}`,
    ],
    [
      { Method: 'HEAD', ProtoMajor: 1n, ProtoMinor: 0n, Header: { 'Accept-Language': ['fr'], Cookie: ['=x; '] } },
      `he10nn01fr00_${hash('Accept-Language')}_${none}_${none}`,
    ],
  ];
  const expression = compilerFor(eventEnvironment).compile('JA4H(req)', 'string');
  t.equal(expression.evaluate({ evt: makeEvent() }), '');
  for (const [req, fingerprint] of cases) t.equal(expression.evaluate({ evt: makeEvent(), req }), fingerprint);
  t.equal(hash(''), 'e3b0c44298fc');
});
