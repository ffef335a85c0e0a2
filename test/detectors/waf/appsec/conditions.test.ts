import t, { type Test } from 'tap';
import { type Asked, createWorld, isRefused } from './world.ts';

/** One condition with a request that meets it and one that does not. */
type Case = readonly [condition: string, meets: Asked, fails: Asked];

const form = ['Content-Type', 'application/x-www-form-urlencoded'];
const json = ['Content-Type', 'application/json'];
const boundary = ['Content-Type', 'multipart/form-data; boundary=b'];
const upload = (field: string, name: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n\r\nabc\r\n--b--\r\n`;
const equals = (value: string): string => `match: {type: equals, value: "${value}"}`;

const zones: readonly Case[] = [
  [`zones: [ARGS], ${equals('x y')}`, { target: '/?a=x+y' }, { headers: form, body: 'a=x+y' }],
  [`zones: [ARGS], variables: [a], ${equals('x')}`, { target: '/?b=1&A=x' }, { target: '/?b=x' }],
  [`zones: [ARGS], variables: ['/^a\\d/'], ${equals('x')}`, { target: '/?a1=x' }, { target: '/?ab=x' }],
  [`zones: [ARGS_NAMES], ${equals('a')}`, { target: '/?a=1' }, { target: '/?b=a' }],
  [`zones: [BODY_ARGS], ${equals('x')}`, { headers: form, body: 'a=x' }, { target: '/?a=x' }],
  [
    `zones: [BODY_ARGS], variables: [json.a.b], ${equals('x')}`,
    { headers: json, body: '{"a":{"b":"x"}}' },
    { headers: json, body: '{"a":"x"}' },
  ],
  [`zones: [BODY_ARGS_NAMES], ${equals('a[]')}`, { headers: form, body: 'a%5b%5d=1' }, { target: '/?a[]=1' }],
  [
    `zones: [COOKIES], variables: [s], ${equals('x')}`,
    { headers: ['Cookie', 'r=1; s=x'] },
    { headers: ['Cookie', 'r=x'] },
  ],
  [`zones: [COOKIES_NAMES], ${equals('s')}`, { headers: ['Cookie', 's=1'] }, { headers: ['Cookie', 'r=s'] }],
  [`zones: [HEADERS], variables: [x-one], ${equals('x')}`, { headers: ['X-One', 'x'] }, { headers: ['X-Two', 'x'] }],
  [`zones: [HEADERS_NAMES], ${equals('X-One')}`, { headers: ['X-One', ''] }, { headers: ['X-Two', 'X-One'] }],
  [`zones: [METHOD], ${equals('PUT')}`, { method: 'PUT' }, { method: 'GET' }],
  [`zones: [PROTOCOL], ${equals('HTTP/1.0')}`, { protocol: 'HTTP/1.0' }, {}],
  [`zones: [URI], ${equals('/a b')}`, { target: '/a%20b?c' }, { target: '/a%2520b' }],
  [`zones: [URI_FULL], ${equals('/a%20b?c=%41')}`, { target: '/a%20b?c=%41' }, { target: '/a b?c=A' }],
  [`zones: [RAW_BODY], ${equals('{x')}`, { headers: json, body: '{x' }, { headers: json, body: '{y' }],
  [`zones: [RAW_BODY], ${equals('a=%41')}`, { headers: form, body: 'a=%41' }, { headers: form, body: 'a=A' }],
  [
    `zones: [FILES], ${equals('x.php')}`,
    { headers: boundary, body: upload('f', 'x.php') },
    { headers: boundary, body: upload('x.php', 'f') },
  ],
  [
    `zones: [FILENAMES], ${equals('x.php')}`,
    { headers: boundary, body: upload('f', 'x.php') },
    { headers: boundary, body: upload('f', 'x.txt') },
  ],
  [
    `zones: [FILES_NAMES], ${equals('f')}`,
    { headers: boundary, body: upload('f', 'x') },
    { headers: boundary, body: upload('x', 'f') },
  ],
  [
    `zones: [FILES_TOTAL_SIZE], match: {type: eq, value: 3}`,
    { headers: boundary, body: upload('f', 'x') },
    { body: 'abc' },
  ],
];

const uri = (match: string, more = ''): string => `zones: [ARGS], variables: [q]${more}, match: {${match}}`;
const q = (value: string): Asked => ({ target: `/?q=${encodeURIComponent(value)}` });

const matches: readonly Case[] = [
  [uri(`type: regex, value: '^a.+c$'`), q('abbc'), q('abb')],
  [uri(`type: regex, value: '^a.c$'`), q('a\nc'), q('ac')],
  [uri('type: equals, value: abc'), q('abc'), q('abcd')],
  [uri('type: equals, value: abc, not: true'), q('abcd'), q('abc')],
  [uri('type: equals, value: abc, not: true'), q(''), {}],
  [uri('type: startsWith, value: ab'), q('abc'), q('cab')],
  [uri('type: endsWith, value: bc'), q('abc'), q('bca')],
  [uri('type: contains, value: b'), q('abc'), q('ac')],
  [uri(`type: contains, value: 'a"b'`), q('xa"bx'), q('ab')],
  [uri('type: contains, value: "é"'), q('café'), q('cafe')],
  [uri('type: contains, value: "\\0"'), { target: '/?q=a%00b' }, q('ab')],
  [uri('type: libinjectionSQL'), q("1' OR '1'='1"), q('an ordinary sentence')],
  [uri('type: libinjectionXSS'), q('<script>alert(1)</script>'), q('1 < 2')],
  [uri('type: gt, value: 5'), q('6'), q('5')],
  [uri('type: lt, value: 5'), q('4'), q('5')],
  [uri('type: gte, value: 5'), q('5'), q('4')],
  [uri('type: lte, value: 5'), q('5'), q('6')],
  [uri('type: eq, value: 5'), q('5'), q('6')],
];

const with_ = (name: string, value: string): string =>
  uri(`type: equals, value: ${JSON.stringify(value)}`, `, transform: [${name}]`);

const transforms: readonly Case[] = [
  [with_('lowercase', 'abc'), q('aBC'), q('aBCd')],
  [with_('uppercase', 'ABC'), q('aBC'), q('abcd')],
  [with_('length', '3'), q('xyz'), q('3')],
  [with_('trim', 'a'), q('  a '), q('b')],
  [uri(`type: regex, value: '^a $'`, ', transform: [trim_left]'), q('  a '), q('a')],
  [uri(`type: regex, value: '^  a$'`, ', transform: [trim_right]'), q('  a '), q('a')],
  [with_('urldecode', 'a b'), q('a%20b'), q('a%2520b')],
  [with_('b64decode', 'abc'), q('YWJj'), q('abc')],
  [with_('b64decode_lenient', 'abc'), q('YW.Jj'), q('abc')],
  [with_('b64encode', 'YWJj'), q('abc'), q('YWJj')],
  [with_('hexdecode', 'abc'), q('616263'), q('616264')],
  [with_('html_entity_decode', '<a'), q('&lt;a'), q('lt;a')],
  [with_('js_decode', 'a<'), q('a\\x3c'), q('a')],
  [with_('css_decode', 'ab'), q('a\\62'), q('a')],
  [with_('cmdline', 'cat/etc'), q('c^at "/etc'), q('at /etc')],
  [with_('normalize_path', '/b'), q('/a/../b'), q('/a/b')],
  [with_('normalize_path_win', '/b'), q('\\a\\..\\b'), q('/a/b')],
  [with_('remove_whitespaces', 'ab'), q(' a b '), q('a-b')],
  [with_('compress_whitespaces', 'a b'), q('a  \t b'), q('ab')],
  [with_('remove_nulls', 'ab'), { target: '/?q=a%00b' }, q('a b')],
  [with_('replace_nulls', 'a b'), { target: '/?q=a%00b' }, q('ab')],
  [with_('remove_comments', 'ab'), q('a/* x */b'), q('a b')],
  [with_('replace_comments', 'a b'), q('a/* x */b'), q('ab')],
  [uri('type: equals, value: b', ', transform: [b64decode, lowercase, trim]'), q('IEIg'), q('b')],
  [
    `zones: [ARGS], variables: [q], transform: [count], match: {type: gte, value: 2}`,
    { target: '/?q=1&Q=2' },
    { target: '/?q=1' },
  ],
  [
    `zones: [HEADERS], variables: [x], transform: [count], match: {type: equals, value: "0"}`,
    {},
    { headers: ['X', ''] },
  ],
];

/** What the hub's `base-config` does for JSON. */
const jsonBodies = `seclang_rules:
  - SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" "id:100,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
`;

function check(t: Test, cases: readonly Case[], count: number): void {
  for (const [condition, meets, fails] of cases) {
    const appSec = createWorld({ rules: `name: me/rule\n${jsonBodies}rules:\n  - {${condition}}\n` });
    t.same([appSec.faults, appSec.ruleFaults], [[], []], condition);
    t.ok(isRefused(appSec, meets), `refused: ${condition}`);
    t.notOk(isRefused(appSec, fails), `passed: ${condition}`);
  }
  t.equal(cases.length, count);
}

t.test('each zone looks where its name says', async (t) => check(t, zones, 21));
t.test('each match type', async (t) => check(t, matches, 18));
t.test('each transformation, and counts', async (t) => check(t, transforms, 26));

t.test('a body type in a rule comes too late for its own request, as upstream has it', async (t) => {
  const rules = `name: me/rule\nrules:\n  - {zones: [BODY_ARGS], variables: [json.a], body_type: json, ${equals('x')}}\n`;
  const appSec = createWorld({ rules });
  t.same(
    appSec.ruleFaults.filter(({ level }) => level === 'error'),
    [],
  );
  t.notOk(isRefused(appSec, { body: '{"a":"x"}', headers: ['Content-Type', 'text/plain'] }));
});

t.test('chains hold when all their conditions do, alternatives when one does', async (t) => {
  const rules = `name: me/rule
rules:
  - and:
      - {zones: [METHOD], ${equals('POST')}}
      - {zones: [URI], match: {type: endsWith, value: /setup}}
      - or:
          - {zones: [BODY_ARGS], variables: [a], ${equals('1')}}
          - {zones: [BODY_ARGS], variables: [b], ${equals('2')}}
  - {zones: [URI], ${equals('/other')}}
`;
  const appSec = createWorld({ rules });
  const post = (body: string, target = '/setup'): Asked => ({ target, headers: form, body });
  t.ok(isRefused(appSec, post('a=1')));
  t.ok(isRefused(appSec, post('b=2')));
  t.ok(isRefused(appSec, { target: '/other' }));
  t.notOk(isRefused(appSec, post('a=2')));
  t.notOk(isRefused(appSec, post('a=1', '/other/setup?x')) && isRefused(appSec, post('a=1', '/elsewhere')));
  t.notOk(isRefused(appSec, { method: 'GET', target: '/setup', headers: form, body: 'a=1' }));
});

t.test('lists from data files', async (t) => {
  const folder = t.testdir({ 'names.txt': '# comment\nEvil\nbad one\n' });
  const rules = `name: me/rule\nrules:\n  - {zones: [HEADERS], variables: [user-agent], match: {type: fromFile, value: names.txt}}\n`;
  const appSec = createWorld({ rules, dataFolders: [t.testdirName, folder] });
  t.same(appSec.faults, []);
  t.ok(isRefused(appSec, { headers: ['User-Agent', 'an evil agent'] }));
  t.notOk(isRefused(appSec, { headers: ['User-Agent', 'bad two'] }));
});
