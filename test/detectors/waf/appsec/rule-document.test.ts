import t from 'tap';
import { readAppSecRules } from '../../../../detectors/waf/appsec/rule-document.ts';

const whole = `name: me/rule
description: "what it does"
version: "1.2"
rules:
  - and:
      - zones: [URI, ARGS]
        variables: [a, /b.*/]
        transform: [lowercase, url_decode]
        match: {type: contains, value: 010}
        severity: Critical
      - zones: [RAW_BODY]
        body_type: json
        match: {type: libinjectionSQL, not: true}
seclang_rules:
  - SecAction "id:1,phase:1,pass"
  - |
    SecRule ARGS "@rx x" \\
      "id:2,phase:2"
seclang_files_rules: [a/*.conf]
data:
  - {source_url: "https://example.com/a.conf", dest_file: a.conf, type: modsec}
labels: {type: exploit, classification: [cve.X]}
`;

t.test('a document with everything in it', async (t) => {
  const { documents, faults } = readAppSecRules(whole, 'rule.yaml');
  t.same(faults, []);
  const [document] = documents;
  t.match(document, {
    name: 'me/rule',
    description: 'what it does',
    version: '1.2',
    file: 'rule.yaml',
    labels: { type: 'exploit', classification: ['cve.X'] },
    secLangFiles: ['a/*.conf'],
    secLang: [
      { text: 'SecAction "id:1,phase:1,pass"', line: 15 },
      { text: 'SecRule ARGS "@rx x" \\\n  "id:2,phase:2"\n', line: 17 },
    ],
  });
  t.match(document?.hash, /^[0-9a-f]{64}$/);
  t.match(document?.rules[0]?.and, [
    {
      zones: ['URI', 'ARGS'],
      variables: ['a', '/b.*/'],
      transforms: ['lowercase', 'url_decode'],
      match: { type: 'contains', value: '010', not: false },
      severity: 'critical',
      line: 6,
    },
    { match: { type: 'libinjectionSQL', value: '', not: true }, bodyType: 'JSON', line: 11 },
  ]);
});

const leaf = (inner: string): string => `name: me/rule\nrules:\n  - ${inner}\n`;

const mistakes: readonly (readonly [yaml: string, reason: RegExp])[] = [
  ['rules: []\n', /needs a name/],
  ['name: x\nrulez: []\n', /unknown key rulez/],
  [leaf('{zones: [URL], match: {type: contains, value: x}}'), /zone URL is unknown. Did you mean URI\?/],
  [leaf('{zones: [URI], match: {type: contain, value: x}}'), /match type contain is unknown. Did you mean contains\?/],
  [leaf('{zones: [URI], match: {type: contains}}'), /match contains needs a value/],
  [leaf('{zones: [URI], match: {value: x}}'), /a rule needs a match type/],
  [leaf('{zones: [URI]}'), /zones needs a match/],
  [leaf('{match: {type: equals, value: x}}'), /a match needs zones/],
  [leaf('{transform: [lowercase]}'), /needs zones with a match/],
  [leaf('{zones: [URI], transform: [lowercas], match: {type: equals, value: x}}'), /Did you mean lowercase\?/],
  [leaf('{zones: [URI], match: {type: equals, value: "a\\nb"}}'), /more than one line/],
  [leaf("{zones: [URI], match: {type: contains, value: 'a\\'}}"), /single backslash/],
  [leaf('{zones: [URI], body_type: yaml, match: {type: equals, value: x}}'), /body_type yaml is unknown/],
  [leaf('{zones: [URI], severity: bad, match: {type: equals, value: x}}'), /severity bad is unknown/],
  [leaf(`{zones: [ARGS], variables: ["a'b"], match: {type: equals, value: x}}`), /a quote or line end/],
  [leaf('{zones: [ARGS], variables: ["a|b"], match: {type: equals, value: x}}'), /a bar in it/],
  [leaf('{zones: URI, match: {type: equals, value: x}}'), /zones is a list/],
  [leaf('text'), /each entry of rules is a map/],
  [`name: x\nrules:\n  - ${'{and: [ '.repeat(20)}{}${' ]}'.repeat(20)}\n`, /nest more than 16 levels/],
];

t.test('mistakes have a place and a reason, and the document is not used', async (t) => {
  for (const [yaml, reason] of mistakes) {
    const { documents, faults } = readAppSecRules(yaml, 'rule.yaml');
    t.same(documents, [], yaml);
    t.match(faults[0]?.error.message, reason);
    t.match(faults[0], { file: 'rule.yaml', error: { code: 'RULES_INVALID' } });
  }
  t.equal(mistakes.length, 19);
});

t.test('a bar may stand in a pattern, a backslash may end a pair', async (t) => {
  const yaml = leaf(`{zones: [ARGS], variables: ["/a|b/"], match: {type: contains, value: 'a\\\\'}}`);
  t.equal(readAppSecRules(yaml, 'x').documents.length, 1);
});

t.test('the other documents of a file are used', async (t) => {
  const good = leaf('{zones: [URI], match: {type: equals, value: x}}');
  const { documents, faults } = readAppSecRules(`${good}---\nname: 5\nbad: 1\n---\n${good}`, 'x.yaml');
  t.equal(documents.length, 2);
  t.equal(faults[0]?.line, 6);
});
