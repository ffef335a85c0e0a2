import t from 'tap';
import { readFtwFile } from '../../../../detectors/waf/ftw/read-ftw-file.ts';

const blankOutput = {
  status: [],
  expectError: null,
  responseContains: '',
  expectIds: [],
  noExpectIds: [],
  matchRegex: '',
  noMatchRegex: '',
  isolated: false,
  retryOnce: false,
};

t.test('a test as the Core Rule Set writes them', async (t) => {
  const file = `---
meta:
  author: somebody
rule_id: 942100
tests:
  - test_id: 7
    desc: a description
    stages:
      - input:
          dest_addr: 127.0.0.1
          port: 8080
          headers:
            Zeta: "1"
            Alpha: 0010
            Empty:
          method: POST
          uri: /post
          version: ""
          data: "a=\\u00fc"
          autocomplete_headers: false
        output:
          status: 403
          response_contains: blocked
          retry_once: true
          isolated: true
          log:
            expect_ids: [942100]
            no_expect_ids: [1, 2]
            match_regex: 'a\\d'
            no_match_regex: b
`;
  const { tests, faults } = readFtwFile(file, '942100.yaml');
  t.strictSame(faults, []);
  t.strictSame(tests, [
    {
      id: '942100-7',
      ruleId: 942100,
      number: 7,
      description: 'a description',
      place: { file: '942100.yaml', line: 6 },
      stages: [
        {
          input: {
            destination: '127.0.0.1',
            port: 8080,
            method: 'POST',
            uri: '/post',
            version: '',
            headers: [
              ['Zeta', '1'],
              ['Alpha', '0010'],
              ['Empty', ''],
            ],
            data: 'a=ü',
            encodedRequest: null,
            autocompleteHeaders: false,
          },
          output: {
            status: [403],
            expectError: null,
            responseContains: 'blocked',
            expectIds: [942100],
            noExpectIds: [1, 2],
            matchRegex: 'a\\d',
            noMatchRegex: 'b',
            isolated: true,
            retryOnce: true,
          },
        },
      ],
    },
  ]);
});

t.test('what is left out has the defaults of go-ftw', async (t) => {
  const { tests, faults } = readFtwFile('rule_id: 1\ntests: [{test_id: 1, stages: [{input: {}, output: {}}]}]', 'f');
  t.strictSame(faults, []);
  const input = {
    destination: 'localhost',
    port: 80,
    method: 'GET',
    uri: '/',
    version: 'HTTP/1.1',
    headers: [],
    data: null,
    encodedRequest: null,
    autocompleteHeaders: true,
  };
  t.strictSame(tests[0]?.stages, [{ input, output: blankOutput }]);
});

t.test('version 1, ordered headers and raw requests are understood', async (t) => {
  const file = `
meta: {enabled: true}
tests:
  - test_title: 920100-4
    rule_id: 920100
    stages:
      - stage:
          input:
            stop_magic: true
            ordered_headers: [{name: A, value: 1}, {name: A, value: 2}]
            raw_request: "GET / HTTP/1.1\\r\\n\\r\\n"
          output: {status: [200, 404], log_contains: 'id "920100"', no_log_contains: x, expect_error: false}
`;
  const { tests, faults } = readFtwFile(file, 'f');
  t.strictSame(faults, []);
  const [test] = tests;
  t.strictSame([test?.id, test?.ruleId, test?.number], ['920100-4', 920100, 1]);
  const stage = test?.stages[0];
  t.strictSame(stage?.input.headers, [
    ['A', '1'],
    ['A', '2'],
  ]);
  t.equal(stage?.input.autocompleteHeaders, false);
  t.equal(Buffer.from(stage?.input.encodedRequest ?? '', 'base64').toString(), 'GET / HTTP/1.1\r\n\r\n');
  t.strictSame(stage?.output, {
    ...blankOutput,
    status: [200, 404],
    matchRegex: 'id "920100"',
    noMatchRegex: 'x',
    expectError: false,
  });
});

t.test('mistakes have their places, unknown keys are warnings, and the rest is read', async (t) => {
  const file = `rule_id: 1
tests:
  - test_id: one
    colour: red
    stages:
      - input: {port: many, save_cookie: true}
        output: {log: {expect_ids: [1, x]}}
  - nothing
  - {test_id: 3}
`;
  const { tests, faults } = readFtwFile(file, 'f.yaml');
  t.strictSame(
    faults.map(({ level, text }) => `${level} ${text}`),
    [
      'error f.yaml:3:14: test_id is a number',
      'error f.yaml:6:23: port is a number',
      'error f.yaml:7:40: expect_ids is a whole number or a list of them',
      'error f.yaml:8:5: each entry of tests is a map',
      'error f.yaml:9:5: a test has at least one stage',
      'warning f.yaml:4: "colour" in a test has no effect',
      'warning f.yaml:6: "save_cookie" in input has no effect',
    ],
  );
  t.equal(tests.length, 2);
  t.strictSame(tests[0]?.stages[0]?.output.expectIds, [1]);
});

t.test('a file that is no YAML is one error; an empty one has no tests', async (t) => {
  const damaged = readFtwFile('tests: [', 'f');
  t.strictSame(damaged.tests, []);
  t.equal(damaged.faults[0]?.level, 'error');
  t.strictSame(readFtwFile('# nothing to test\n---\n', 'f'), { path: 'f', tests: [], faults: [] });
});
