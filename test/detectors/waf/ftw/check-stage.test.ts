import t from 'tap';
import { checkStage, type StageOutcome } from '../../../../detectors/waf/ftw/check-stage.ts';
import type { FtwOutput } from '../../../../detectors/waf/ftw/ftw-test.ts';
import { idsOf, logLine } from '../../../../detectors/waf/ftw/log-line.ts';

const any: FtwOutput = {
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
const seen: StageOutcome = {
  error: null,
  status: 200,
  body: 'abc\xc3\xbc',
  lines: ['[id "1"] [msg "one"]', '[id "2"] [msg "two"]'],
};
const failed: StageOutcome = { ...seen, error: 'connection reset' };

t.test('what is expected is compared with what was seen', async (t) => {
  const cases: readonly (readonly [Partial<FtwOutput>, StageOutcome, expected: string | null])[] = [
    [{}, seen, null],
    [{}, failed, 'a response'],
    [{ expectError: true }, failed, null],
    [{ expectError: true }, seen, 'no readable response'],
    [{ expectError: false }, seen, null],
    // An error that was expected ends the test: there may be no log.
    [{ expectError: true, expectIds: [9] }, failed, null],
    [{ status: [200] }, seen, null],
    [{ status: [400, 403] }, seen, 'status 400 or 403'],
    [{ responseContains: 'bcü' }, seen, null],
    [{ responseContains: 'x' }, seen, 'response with "x"'],
    [{ expectIds: [2, 1] }, seen, null],
    [{ expectIds: [1, 3, 4] }, seen, 'rule 3, 4'],
    [{ noExpectIds: [3] }, seen, null],
    [{ noExpectIds: [3, 1] }, seen, 'not rule 1'],
    [{ matchRegex: 'id "1".*one' }, seen, null],
    // Lines are matched one by one.
    [{ matchRegex: 'one[^x]*two' }, seen, 'log line like one[^x]*two'],
    [{ noMatchRegex: 'three' }, seen, null],
    [{ noMatchRegex: 'id "\\d"' }, seen, 'no log line like id "\\d"'],
    [{ matchRegex: '(' }, seen, 'a regular expression'],
    [{ isolated: true, expectIds: [1] }, seen, 'only rule 1'],
    [{ isolated: true, expectIds: [1] }, { ...seen, lines: ['[id "1"]', '[id "1"]'] }, null],
    [{ isolated: true }, seen, 'one id in a test that is isolated'],
    // The order of the checks decides what is told.
    [{ status: [403], expectIds: [3], responseContains: 'x' }, seen, 'status 403'],
  ];
  for (const [output, outcome, expected] of cases) {
    t.equal(checkStage({ ...any, ...output }, outcome)?.expected ?? null, expected, JSON.stringify(output));
  }
  t.equal(cases.length, 23);
  t.equal(checkStage({ ...any, expectIds: [3] }, seen)?.found, 'rules 1, 2');
  t.equal(checkStage({ ...any, expectIds: [3] }, { ...seen, lines: [] })?.found, 'no rule');
});

t.test('a match is one line of the log, whatever it holds', async (t) => {
  const match = {
    ruleId: 942100,
    place: { file: 'REQUEST-942.conf', line: 12 },
    phase: 2,
    msg: 'SQL "injection"',
    logdata: 'found within ARGS:x: a\r\n\\ü'.replace('ü', '\xc3\xbc'),
    severity: 2,
    tags: ['attack-sqli', 'PL1'],
    ver: '',
    values: [{ variable: 'ARGS:x', value: 'a\0b' }],
    disruptive: false,
    score: 5,
  } as const;
  const request = {
    id: 'abc',
    clientAddress: '127.0.0.1',
    clientPort: 1,
    serverAddress: '127.0.0.2',
    serverPort: 80,
    method: 'GET',
    target: '/?x=1',
    protocol: 'HTTP/1.1',
    headers: [],
    startedAt: 0,
  };
  const line = logLine(match, request, false);
  t.equal(
    line,
    '[client 127.0.0.1] ModSecurity: Warning. Matched "a\\x00b" at ARGS:x. [file "REQUEST-942.conf"] [line "12"] ' +
      '[id "942100"] [msg "SQL \\"injection\\""] [data "found within ARGS:x: a\\r\\n\\\\\\xc3\\xbc"] [severity "CRITICAL"] ' +
      '[tag "attack-sqli"] [tag "PL1"] [hostname "127.0.0.2"] [uri "/?x=1"] [unique_id "abc"]',
  );
  t.strictSame(idsOf([line, 'no id', '[id "7"]']), [942100, 7]);
  t.match(logLine({ ...match, values: [] }, request, true), /Access denied \(phase 2\)\. Unconditional match\./);
  const forged = logLine({ ...match, logdata: 'x"] [id "1"] [' }, request, false);
  t.strictSame(idsOf([forged]), [942100], 'a value cannot pretend to be a field');
});
