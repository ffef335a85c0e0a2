import t from 'tap';
import { compileRules } from '../../../../detectors/waf/appsec/compile-rules.ts';
import { type AppSecRuleDocument, readAppSecRules } from '../../../../detectors/waf/appsec/rule-document.ts';
import { ruleGroups } from '../../../../detectors/waf/appsec/rule-groups.ts';

function documentOf(rules: string, description = 'text'): AppSecRuleDocument {
  const yaml = `name: me/rule\ndescription: ${JSON.stringify(description)}\nrules:\n${rules}`;
  const { documents, faults } = readAppSecRules(yaml, 'rule.yaml');
  const [document] = documents;
  if (document === undefined) throw faults[0]?.error ?? new Error('no document');
  return document;
}

const texts = (rules: string, description?: string): readonly string[] =>
  compileRules(documentOf(rules, description)).lines.map(({ text }) => text.replace(/id:\d+/, 'id:N'));

const head = `id:N,phase:2,deny,log,msg:'text|me/rule',tag:'crowdsec-me/rule',tag:'cs-custom-rule',severity:'emergency'`;

t.test('a condition is a rule that denies in phase 2', async (t) => {
  const rules = texts('  - {zones: [URI, ARGS], transform: [lowercase], match: {type: contains, value: x}}\n');
  t.same(rules, [`SecRule "REQUEST_FILENAME|ARGS_GET" "@contains x" "${head},t:lowercase"`]);
});

t.test('all zones, variables and their count', async (t) => {
  const zones =
    'ARGS ARGS_NAMES BODY_ARGS BODY_ARGS_NAMES COOKIES COOKIES_NAMES FILES FILENAMES FILES_NAMES FILES_TOTAL_SIZE ' +
    'HEADERS HEADERS_NAMES METHOD PROTOCOL RAW_BODY URI URI_FULL';
  const [all = ''] = texts(`  - {zones: [${zones.split(' ').join(', ')}], match: {type: eq, value: 1}}\n`);
  t.match(
    all,
    'SecRule "ARGS_GET|ARGS_GET_NAMES|ARGS_POST|ARGS_POST_NAMES|REQUEST_COOKIES|REQUEST_COOKIES_NAMES|FILES|FILES|' +
      'FILES_NAMES|FILES_COMBINED_SIZE|REQUEST_HEADERS|REQUEST_HEADERS_NAMES|REQUEST_METHOD|REQUEST_PROTOCOL|' +
      'RAW_REQUEST_BODY|REQUEST_FILENAME|REQUEST_URI" "@eq 1"',
  );
  const [counted = ''] = texts(
    "  - {zones: [BODY_ARGS], variables: ['user[email][]', '/^x|y$/'], transform: [count], match: {type: gte, value: 2}}\n",
  );
  t.match(counted, 'SecRule "&ARGS_POST:user[email][]|&ARGS_POST:/^x|y$/" "@ge 2"');
  const [plain = ''] = texts('  - {zones: [ARGS], transform: [count], match: {type: gte, value: 2}}\n');
  t.match(plain, 'SecRule "ARGS_GET" "@ge 2"');
});

const matches: readonly (readonly [match: string, operator: string])[] = [
  ['{type: regex, value: "a b"}', '"@rx a b"'],
  ['{type: equals, value: x}', '"@streq x"'],
  ['{type: startsWith, value: x}', '"@beginsWith x"'],
  ['{type: endsWith, value: x}', '"@endsWith x"'],
  ['{type: contains, value: x}', '"@contains x"'],
  ['{type: contains, value: x, not: true}', '"!@contains x"'],
  ['{type: libinjectionSQL}', '"@detectSQLi"'],
  ['{type: libinjectionXSS}', '"@detectXSS"'],
  ['{type: gt, value: 1}', '"@gt 1"'],
  ['{type: lt, value: 1}', '"@lt 1"'],
  ['{type: gte, value: 1}', '"@ge 1"'],
  ['{type: lte, value: 1}', '"@le 1"'],
  ['{type: eq, value: 1}', '"@eq 1"'],
  ['{type: fromFile, value: list.txt}', '"@pmFromFile list.txt"'],
  // A quote ends the text unless it has a backslash; one that has it already keeps it.
  [`{type: contains, value: 'a"b'}`, String.raw`"@contains a\"b"`],
  [`{type: regex, value: 'a\\"b'}`, String.raw`"@rx a\"b"`],
  [`{type: regex, value: 'a\\\\"b'}`, String.raw`"@rx a\\\"b"`],
];

t.test('match types', async (t) => {
  for (const [match, operator] of matches) {
    const [rule = ''] = texts(`  - {zones: [URI], match: ${match}}\n`);
    t.match(rule, `SecRule "REQUEST_FILENAME" ${operator} "id:N`, match);
  }
  t.equal(matches.length, 17);
});

const transforms: Readonly<Record<string, string>> = {
  lowercase: 'lowercase',
  uppercase: 'uppercase',
  length: 'length',
  trim: 'trim',
  trim_left: 'trimLeft',
  trimright: 'trimRight',
  html_entity_decode: 'htmlEntityDecode',
  htmlentitydecode: 'htmlEntityDecode',
  js_decode: 'jsDecode',
  css_decode: 'cssDecode',
  urldecode: 'urlDecode',
  hexdecode: 'hexDecode',
  cmdline: 'cmdLine',
  b64decode: 'base64Decode',
  b64decode_lenient: 'base64DecodeExt',
  b64encode: 'base64Encode',
  normalize_path: 'normalizePath',
  normalizepath: 'normalizePath',
  normalize_path_win: 'normalizePathWin',
  remove_whitespaces: 'removeWhitespace',
  compress_whitespaces: 'compressWhitespace',
  remove_nulls: 'removeNulls',
  replace_nulls: 'replaceNulls',
  remove_comments: 'removeComments',
  replace_comments: 'replaceComments',
};

t.test('transformations, in their order', async (t) => {
  const [rule = ''] = texts(
    `  - {zones: [URI], transform: [${Object.keys(transforms).join(', ')}], match: {type: equals, value: x}}\n`,
  );
  t.ok(
    rule.endsWith(
      `${head},${Object.values(transforms)
        .map((name) => `t:${name}`)
        .join(',')}"`,
    ),
    rule,
  );
});

t.test('conditions that must all hold are a chain, whose rarest goes first', async (t) => {
  const rules = texts(`  - and:
      - {zones: [METHOD], match: {type: equals, value: POST}}
      - {zones: [ARGS], match: {type: regex, value: abc}}
      - {zones: [URI], transform: [lowercase], match: {type: endsWith, value: /setup}}
`);
  t.same(rules, [
    `SecRule "REQUEST_FILENAME" "@endsWith /setup" "${head},t:lowercase,chain"`,
    'SecRule "REQUEST_METHOD" "@streq POST" "chain"',
    'SecRule "ARGS_GET" "@rx abc"',
  ]);
});

t.test('a body type keeps the order, for it changes how the body is read', async (t) => {
  const rules = texts(`  - and:
      - {zones: [METHOD], body_type: json, match: {type: equals, value: POST}}
      - {zones: [URI], match: {type: endsWith, value: /setup}}
`);
  t.same(rules, [
    `SecRule "REQUEST_METHOD" "@streq POST" "${head},ctl:requestBodyProcessor=JSON,chain"`,
    'SecRule "REQUEST_FILENAME" "@endsWith /setup"',
  ]);
});

t.test('alternatives are chains, of which the rest is skipped after a match', async (t) => {
  const rules = texts(`  - and:
      - {zones: [URI], match: {type: equals, value: /one}}
      - or:
          - {zones: [ARGS], match: {type: equals, value: two}}
          - {zones: [BODY_ARGS], severity: notice, match: {type: equals, value: three}}
`);
  t.same(rules, [
    `SecRule "REQUEST_FILENAME" "@streq /one" "${head},skip:1,chain"`,
    'SecRule "ARGS_GET" "@streq two"',
    `SecRule "REQUEST_FILENAME" "@streq /one" "${head.replace('emergency', 'notice')},chain"`,
    'SecRule "ARGS_POST" "@streq three"',
  ]);
});

t.test('and, or and a condition of its own in one node', async (t) => {
  const document = documentOf(`  - zones: [URI]
    match: {type: equals, value: a}
    and:
      - {zones: [URI], match: {type: equals, value: b}}
    or:
      - {zones: [URI], match: {type: equals, value: c}}
      - {zones: [URI], match: {type: equals, value: d}}
`);
  const [rule] = document.rules;
  const groups = rule === undefined ? null : ruleGroups(rule);
  t.same(
    groups?.map((group) => group.map(({ match }) => match?.value).join('')),
    ['abc', 'abd'],
  );
});

t.test('too many alternatives are a fault, and the other rules are used', async (t) => {
  const either =
    'or: [{zones: [URI], match: {type: equals, value: a}}, {zones: [URI], match: {type: equals, value: b}}]';
  const both = `  - and: [${Array.from({ length: 6 }, () => `{${either}}`).join(', ')}]\n`;
  const { lines, faults } = compileRules(documentOf(`${both}  - {zones: [URI], match: {type: equals, value: c}}\n`));
  t.equal(lines.length, 1);
  t.match(faults, [{ line: 4, reason: /more than 50 alternatives/ }]);
});

t.test('the same rule twice is one rule', async (t) => {
  const rule = '  - {zones: [URI], match: {type: equals, value: c}}\n';
  t.equal(texts(rule + rule).length, 1);
});

t.test('numbers differ by everything that tells rules apart, and stay the same otherwise', async (t) => {
  const numbers = [
    '{zones: [URI], match: {type: equals, value: c}}',
    '{zones: [URI], match: {type: equals, value: d}}',
    '{zones: [URI], match: {type: contains, value: c}}',
    '{zones: [ARGS], match: {type: equals, value: c}}',
    '{zones: [URI], transform: [lowercase], match: {type: equals, value: c}}',
  ].flatMap((rule) => compileRules(documentOf(`  - ${rule}\n`)).ids);
  t.equal(new Set(numbers).size, 5);
  const again = compileRules(documentOf('  - {zones: [URI], match: {type: equals, value: c}}\n', 'another text')).ids;
  t.same(again, numbers.slice(0, 1));
});

t.test('descriptions cannot end their quotes', async (t) => {
  const [rule = ''] = texts('  - {zones: [URI], match: {type: equals, value: c}}\n', `it's "a\\" \\'test'\nof \\`);
  t.match(rule, String.raw`msg:'it\'s \"a\" \'test\' of \|me/rule'`);
});

t.test('values become bytes', async (t) => {
  const [rule = ''] = texts('  - {zones: [URI], match: {type: equals, value: "é"}}\n');
  t.match(rule, '@streq \xc3\xa9');
});

t.test('a text behind lowercase or uppercase has that case too, a pattern stays', async (t) => {
  const value = (transforms: string, type: string): string | undefined =>
    texts(`  - {zones: [URI], transform: [${transforms}], match: {type: ${type}, value: aB}}\n`)[0]?.split('"')[3];
  t.equal(value('lowercase, urldecode', 'endsWith'), '@endsWith ab');
  t.equal(value('lowercase, uppercase', 'equals'), '@streq AB');
  t.equal(value('urldecode', 'contains'), '@contains aB');
  t.equal(value('lowercase', 'regex'), '@rx aB');
});
