import t from 'tap';
import { createDslFunctions } from '../../../../detectors/waf/appsec-tests/dsl-functions.ts';
import { type PayloadSet, payloadSets } from '../../../../detectors/waf/appsec-tests/payload-sets.ts';
import {
  type JudgedAnswer,
  runTemplate,
  type TemplateResult,
} from '../../../../detectors/waf/appsec-tests/run-template.ts';
import { errorPage, origins } from '../../../../detectors/waf/appsec-tests/static-origin.ts';
import { readTemplate } from '../../../../detectors/waf/appsec-tests/template-document.ts';
import type { TemplateRequest } from '../../../../detectors/waf/appsec-tests/template-request.ts';
import { targetNames } from '../../../../detectors/waf/appsec-tests/template-scope.ts';
import { systemClock } from '../../../../core/clock.ts';
import { createSystemRandom } from '../../../../core/random.ts';

const random = createSystemRandom();
const functions = createDslFunctions({ clock: systemClock, random });

/** Refuses what holds `bad`; the rest gets the answers of the static site. */
function answer({ method, target, body }: TemplateRequest): JudgedAnswer {
  if (!`${target}${body}`.includes('bad')) return { ...origins[0](method, target), reason: '' };
  return { status: 403, headers: ['Content-Type', 'text/html', 'X-Token', 'abc123'], body: errorPage(403), reason: '' };
}

function run(http: string, more = ''): TemplateResult {
  const yaml = `id: x\n${more}http:\n  - ${http.trimEnd().replaceAll('\n', '\n    ')}\n`;
  const readPayloads = (file: string): string | null => (file === 'list.txt' ? 'good\nbad\n' : null);
  return runTemplate(readTemplate(yaml), { functions, names: targetNames(random), answer, readPayloads });
}

const two = 'path: ["{{BaseURL}}/bad", "{{BaseURL}}/good"]\n';

const matchers: readonly (readonly [matchers: string, matched: boolean])[] = [
  ['matchers: [{type: status, status: [403]}]', true],
  ['matchers: [{type: status, status: [401, 404]}]', true],
  ['matchers: [{type: status, status: [500]}]', false],
  ['matchers: [{type: status, status: [500], negative: true}]', true],
  ['matchers: [{type: dsl, dsl: ["status_code_1 == 403", "status_code_2 == 404"], condition: and}]', true],
  ['matchers: [{type: dsl, dsl: ["status_code_1 == 403", "status_code_2 == 403"], condition: and}]', false],
  ['matchers: [{type: dsl, dsl: ["status_code_1 == 403", "status_code_2 == 403"], condition: or}]', true],
  ['matchers: [{type: dsl, dsl: ["status_code_3 == 403"]}]', false],
  ['matchers: [{type: dsl, dsl: ["status_code == 404 && contains(body, \'Not Found\')"]}]', true],
  ['matchers: [{type: dsl, dsl: ["status_code =="]}]', false],
  ['matchers: [{type: word, words: ["403 Forbidden"]}]', true],
  ['matchers: [{type: word, words: ["403 Forbidden", "404 Not Found"], condition: and}]', false],
  ['matchers: [{type: word, words: ["404 not found"]}]', false],
  ['matchers: [{type: word, words: ["404 not found"], case-insensitive: true}]', true],
  ['matchers: [{type: word, part: header, words: ["X-Token: abc"]}]', true],
  ['matchers: [{type: word, part: X-Token, words: ["abc123"]}]', true],
  ['matchers: [{type: word, part: body_1, words: ["403"]}]', true],
  ['matchers: [{type: word, part: interactsh_protocol, words: [http]}]', false],
  ['matchers: [{type: word, part: request, words: ["GET /bad HTTP/1.1"]}]', true],
  ['matchers: [{type: regex, regex: ["40[34] (?:Forb|x)"]}]', true],
  ['matchers: [{type: regex, regex: ["(?i)FORBIDDEN$"]}]', false],
  ['matchers: [{type: binary, binary: ["343033"]}]', true],
  ['matchers: [{type: size, size: [1]}]', false],
  ['matchers-condition: and\nmatchers: [{type: status, status: [403]}, {type: word, words: [Forbidden]}]', true],
  ['matchers-condition: and\nmatchers: [{type: status, status: [403]}, {type: word, words: [Found]}]', false],
  ['matchers: [{type: status, status: [500]}, {type: word, words: [Found]}]', true],
  ['matchers: [{type: status, status: [403], internal: true}]', false],
];

t.test('matchers', async (t) => {
  for (const [text, matched] of matchers) t.equal(run(two + text).matched, matched, text);
  t.equal(matchers.length, 27);
  t.notOk(run(two).matched, 'no matchers, no finding');
});

t.test('any block that matches is a finding', async (t) => {
  const text = `id: x
http:
  - path: ["{{BaseURL}}/bad"]
    matchers: [{type: status, status: [500]}]
  - path: ["{{BaseURL}}/bad"]
    matchers: [{type: status, status: [403]}]
`;
  const deps = { functions, names: targetNames(random), answer, readPayloads: () => null };
  t.match(runTemplate(readTemplate(text), deps), { matched: true, blocks: [{ matched: false }, { matched: true }] });
});

t.test('the older name of http, constants and variables', async (t) => {
  const yaml = `id: x
constants: {c: ba}
variables: {a: "{{c}}d", b: "{{to_upper(a)}}"}
requests:
  - raw: ["GET /{{to_lower(b)}} HTTP/1.1\\nHost: x\\n"]
    matchers: [{type: status, status: [403]}]
`;
  const deps = { functions, names: targetNames(random), answer, readPayloads: () => null };
  t.match(runTemplate(readTemplate(yaml), deps), {
    matched: true,
    blocks: [{ exchanges: [{ request: { target: '/bad' } }] }],
  });
});

const payloads = [
  ['a', ['1', '2']],
  ['b', ['x', 'y', 'z']],
] as const;
const shown = (sets: readonly PayloadSet[]): readonly string[] =>
  sets.map((set) => [...set].map(([name, value]) => name + value).join(''));

t.test('payloads go together by the mode of attack', async (t) => {
  t.same(shown(payloadSets(payloads, 'batteringram')), ['a1', 'a2', 'bx', 'by', 'bz']);
  t.same(shown(payloadSets(payloads, 'pitchfork')), ['a1bx', 'a2by']);
  t.same(shown(payloadSets(payloads, 'clusterbomb')), ['a1bx', 'a1by', 'a1bz', 'a2bx', 'a2by', 'a2bz']);
  t.same(shown(payloadSets([], 'pitchfork')), ['']);
  const many = Array.from({ length: 100 }, (_, index) => String(index));
  t.equal(
    payloadSets(
      [
        ['a', many],
        ['b', many],
      ],
      'clusterbomb',
    ).length,
    2_000,
  );
});

t.test('requests of all payloads are numbered on', async (t) => {
  const block = 'path: ["{{BaseURL}}/{{p}}", "{{BaseURL}}/2{{p}}"]\n';
  const matcher = 'matchers: [{type: dsl, dsl: ["status_code_1 == 404 && status_code_4 == 403"]}]';
  const result = run(`${block}payloads: {p: [good, bad]}\n${matcher}`);
  t.ok(result.matched);
  t.same(
    result.blocks[0]?.exchanges.map(({ request }) => request.target),
    ['/good', '/2good', '/bad', '/2bad'],
  );
});

t.test('payloads from a file, or from lines', async (t) => {
  const block = 'path: ["{{BaseURL}}/{{p}}"]\nmatchers: [{type: status, status: [403]}]\n';
  t.ok(run(`${block}payloads: {p: list.txt}`).matched);
  t.ok(run(`${block}payloads: {p: "good\\nbad\\n"}`).matched);
  t.throws(() => run(`${block}payloads: {p: other.txt}`), /the file of payloads other\.txt is not there/);
});

t.test('what a response holds can be used later', async (t) => {
  const block = `path: ["{{BaseURL}}/bad", "{{BaseURL}}/{{kv}}/{{rx}}/{{dsl}}"]
extractors:
  - {type: kval, name: kv, kval: [x_token]}
  - {type: regex, name: rx, regex: ["<h1>(\\\\d+) (For\\\\w+)"], group: 2}
  - {type: dsl, name: dsl, dsl: ["status_code + 1"]}
  - {type: json, name: kv, json: [".a"]}
`;
  const [first] = run(block).blocks;
  t.equal(first?.exchanges[1]?.request.target, '/abc123/Forbidden/404');
});

t.test('the site behind the rules answers as nginx does', async (t) => {
  const [site] = origins;
  const statuses = [
    'GET /',
    'HEAD /index.html?x',
    'POST /',
    'GET /x',
    'POST /x/',
    'PUT /x',
    'GET /../x',
    'GET //./a/..',
    'GET x',
    'GET /%00',
  ];
  t.same(
    statuses.map((line) => site(line.split(' ')[0] ?? '', line.split(' ')[1] ?? '').status),
    [200, 200, 405, 404, 404, 405, 400, 200, 400, 400],
  );
  t.equal(site('HEAD', '/').body, '');
  t.notOk(origins.some((origin) => origin('GET', '/').status === 403));
});

const refused: readonly (readonly [yaml: string, reason: RegExp])[] = [
  ['- x', /no map of keys/],
  ['id: [', /is no YAML/],
  ['id: x', /has no http requests/],
  ['id: x\nflow: http(1)\nhttp: [{path: [x]}]', /has flow, which this runner does not understand/],
  ['id: x\nhttp: [{path: [x], race: true}]', /http\[0\] has race/],
  ['id: x\nhttp: [{method: GET}]', /neither path nor raw/],
  ['id: x\nhttp: [x]', /http\[0\] is no map/],
  ['id: x\nhttp: [{path: [x], attack: ram}]', /attack "ram" is not understood; there are batteringram/],
  ['id: x\nhttp: [{path: [x], matchers: [{type: xpath}]}]', /matcher type "xpath" is not understood/],
  ['id: x\nhttp: [{path: [x], matchers: [x]}]', /a matcher is no map/],
];

t.test('templates that mean something else are refused by name', async (t) => {
  for (const [yaml, reason] of refused) t.throws(() => readTemplate(yaml), reason, yaml);
  t.doesNotThrow(() => readTemplate('id: x\nhttp: [{path: [x], race: false, digest: 4a0a}]\n# digest: 4a0a:1'));
  t.equal(refused.length, 10);
});
