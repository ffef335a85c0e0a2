import t from 'tap';
import { type AssertionKind, checkAssertions, readAssertions } from '../../../detectors/hubtest/assertions.ts';
import { assertionEnvironment } from '../../../detectors/expr/environment.ts';
import { compilerFor, fields, makeEvent } from '../expr/support.ts';

const compilers = {
  parser: compilerFor(assertionEnvironment.parser),
  scenario: compilerFor(assertionEnvironment.scenario),
};

const event = makeEvent({
  Meta: fields({ datasource_path: '/runtime/logs/access.log', service: 'ssh', odd: 'a == b' }),
});

const alert = { Scenario: 'crowdsecurity/ssh-bf', EventsCount: 6, Remediation: true, Events: [] };

const results = {
  parser: { 's01-parse': { 'crowdsecurity/sshd-logs': [{ Evt: event, Success: true, Idx: 0 }] }, success: { '': [] } },
  scenario: [
    makeEvent({
      Type: 1,
      Overflow: { Mapkey: '', BucketId: '', Whitelisted: false, Reprocess: false, Sources: {}, Alert: alert },
    }),
  ],
};

const node = 'results["s01-parse"]["crowdsecurity/sshd-logs"]';

function check(kind: AssertionKind, text: string): ReturnType<typeof checkAssertions> {
  const file = `${kind}.assert`;
  return checkAssertions(kind, { file, assertions: readAssertions(text) }, results[kind], compilers[kind]);
}

t.test('lines that hold are counted, empty ones are not', async (t) => {
  const text = `len(results) == 2\r\n\n${node}[0].Success == true\n${node}[0].Evt.Meta["service"] == "ssh"\n\n`;
  t.strictSame(check('parser', text), { count: 3, failures: [] });
});

t.test('a failure has its place and what the left side gave', async (t) => {
  const { count, failures } = check('parser', `\n${node}[0].Evt.Meta["service"] == "http"\nlen(results) == 3`);
  t.equal(count, 2);
  t.strictSame(failures, [
    {
      file: 'parser.assert',
      line: 2,
      assertion: `${node}[0].Evt.Meta["service"] == "http"`,
      found: 'ssh',
      reason: 'is false',
    },
    { file: 'parser.assert', line: 3, assertion: 'len(results) == 3', found: 2n, reason: 'is false' },
  ]);
  const quoted = check('parser', `${node}[0].Evt.Meta["a == b"] == "x"`).failures;
  t.match(quoted, [{ found: '' }], 'an equals sign within quotes is none');
});

t.test('a line that raises or cannot be compiled fails, and the others are still looked at', async (t) => {
  const { count, failures } = check('parser', `${node}[1].Success == true\nresults[ ==\n1\n${node}[0].Success == true`);
  t.equal(count, 4);
  t.strictSame(
    failures.map(({ line }) => line),
    [1, 2, 3],
  );
  t.match(failures[0], { found: null, reason: /^index out of range: 1 \(array length is 1\)/ });
});

t.test('paths are compared by their last part unless the assertion does so itself', async (t) => {
  for (const [text, holds] of [
    [`${node}[0].Evt.Meta["datasource_path"] == "access.log"`, true],
    [`basename(${node}[0].Evt.Meta["datasource_path"]) == "access.log"`, true],
    [`${node}[0].Evt.Meta["datasource_path"] == "/runtime/logs/access.log"`, false],
  ] as const) {
    t.equal(check('parser', text).failures.length === 0, holds, text);
  }
});

t.test('among scenario assertions, only false comparisons count', async (t) => {
  const source = '"192.0.2.1" in results[0].Overflow.GetSources()';
  t.strictSame(check('scenario', source).failures, [], 'a false line without == is passed over');
  t.match(check('scenario', 'results[0].Overflow.Alert.GetEventsCount() == 7').failures, [{ found: 6n }]);
  t.match(check('scenario', '"192.0.2.1" in results[4].Overflow.GetSources()').failures, [{ reason: /out of range/ }]);
  t.match(check('parser', '"x" in results').failures, [{ found: false, reason: 'is false' }], 'not so among parsers');
});
