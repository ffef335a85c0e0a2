import t from 'tap';
import type { Event } from '../../../detectors/event.ts';
import type { Overflow } from '../../../detectors/scenarios/overflow.ts';
import { overflowEvent, runtimeAlert, settledAlerts } from '../../../detectors/scenarios/overflow-event.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, detectorOf, overflowDetectorOf, scenarioExpressions } from './support.ts';

const start = Date.UTC(2026, 0, 1, 10);
const clock = createManualClock(start);
const { event: compiler } = scenarioExpressions(clock);

const probe = `type: trigger
name: our/probe
description: d
filter: evt.Meta.http_path contains '/probe'
groupby: evt.Meta.source_ip
labels: {remediation: true}
reprocess: true
`;

function overflowOf(yaml = probe, ip = '192.0.2.1', meta: Record<string, string> = {}): Overflow {
  const detector = overflowDetectorOf(yaml, clock, { ipv6Prefix: 128 });
  const [overflow] = detector.pour(accessEvent({ ip, target: '/probe', meta }));
  detector.close();
  if (overflow === undefined) throw new Error('nothing overflew');
  return overflow;
}

const evaluate = (source: string, evt: Event): unknown => compiler.compile(source, 'any').evaluate({ evt });

t.test('an overflow is an event that expressions can read', async (t) => {
  const event = overflowEvent(overflowOf());
  t.match(event, { Type: 1, ExpectMode: 0, Stage: '', Time: start, MarshaledTime: '2026-01-01T10:00:00Z', Meta: {} });
  const cases: [string, unknown][] = [
    ['evt.GetType()', 'overflow'],
    ['evt.Meta.http_path', ''],
    ['evt.GetMeta("http_path")', '/probe'],
    ['evt.Overflow.Alert.Remediation', true],
    ['evt.Overflow.Alert.GetScope()', 'Ip'],
    ['evt.Overflow.Alert.GetScenario()', 'our/probe'],
    ['evt.Overflow.Alert.Source.IP', '192.0.2.1'],
    ['evt.Overflow.Alert.GetEventsCount()', 1n],
    ['evt.Overflow.Alert.Events[0].GetMeta("http_verb")', 'GET'],
    ['len(evt.Overflow.APIAlerts)', 1n],
    ['evt.Overflow.Mapkey', '192.0.2.1'],
    ['evt.Overflow.Reprocess', true],
    ['evt.Overflow.GetSources()', ['192.0.2.1']],
    ['evt.Overflow.Sources["192.0.2.1"].GetValue()', '192.0.2.1'],
    ['evt.ParseIPSources()', ['192.0.2.1']],
  ];
  for (const [source, expected] of cases) t.strictSame(evaluate(source, event), expected, source);
  t.equal(cases.length, 15);
});

t.test(
  'the source of the alert shares scope and value with the sources of the overflow, and nothing else',
  async (t) => {
    const ip = '2001:0db8:85a3:0000:0000:8a2e:0370:7334';
    const event = overflowEvent(overflowOf(probe, ip));
    const view = event.Overflow?.Alert as { Source: Record<string, string> };
    view.Source.Value = '2001:db8:85a3::/64';
    view.Source.Scope = 'Range';
    view.Source.IP = 'changed';
    view.Source.Range = 'changed';
    t.match(event.Overflow?.Sources[ip], { Value: '2001:db8:85a3::/64', Scope: 'Range', IP: ip, Range: '' });
  },
);

t.test('what postoverflows changed in an alert is carried back, the rest stays as it is', async (t) => {
  const overflow = overflowOf();
  const event = overflowEvent(overflow);
  t.equal(settledAlerts(event, overflow)[0], overflow.alerts[0], 'nothing was changed');
  const view = event.Overflow?.Alert as { Source: Record<string, string>; Message: string };
  Object.assign(view.Source, { Value: '192.0.2.0/24', Scope: 'Range', Range: '192.0.2.0/24', AsName: 'Example' });
  const [alert] = settledAlerts(event, overflow);
  t.strictSame(alert, {
    ...overflow.alerts[0],
    source: {
      ...overflow.alerts[0]?.source,
      scope: 'Range',
      value: '192.0.2.0/24',
      range: '192.0.2.0/24',
      asName: 'Example',
    },
  });
  t.equal(overflow.alerts[0]?.source.value, '192.0.2.1');
  t.strictSame(settledAlerts(accessEvent(), overflow), overflow.alerts, 'an event that is no overflow changes nothing');
});

t.test('a value of a custom scope may have any name', async (t) => {
  const yaml = `${probe}scope: {type: Agent, expression: evt.Parsed.http_user_agent}\n`;
  const detector = overflowDetectorOf(yaml, clock);
  t.teardown(() => detector.close());
  const [overflow] = detector.pour(accessEvent({ target: '/probe', userAgent: '__proto__' }));
  if (overflow === undefined) throw new Error('nothing overflew');
  t.strictSame(Object.keys(runtimeAlert(overflow).Sources), ['__proto__']);
});

const ranges = `type: leaky
name: our/ranges
description: d
filter: "evt.GetType() == 'overflow' && evt.Overflow.Alert.Remediation == true"
groupby: evt.Overflow.Alert.Source.Range
distinct: evt.Overflow.Alert.Source.IP
capacity: 2
leakspeed: 1m
scope: {type: Range}
labels: {remediation: true}
`;

t.test('overflows can be poured again: an Ip serves as its range', async (t) => {
  const detector = detectorOf([probe, ranges].join('---\n'), clock);
  t.teardown(() => detector.close());
  const pour = (ip: string, range: string): readonly string[] => {
    const event = overflowEvent(overflowOf(probe, ip, range === '' ? {} : { SourceRange: range }));
    return detector.pour(event).map(({ scenario, source }) => `${scenario} ${source.scope} ${source.value}`);
  };
  const network = '198.51.100.0/24';
  t.strictSame(pour('198.51.100.1', network), []);
  t.strictSame(pour('198.51.100.1', network), [], 'the same address again is not counted');
  t.strictSame(pour('198.51.100.2', network), []);
  t.strictSame(pour('198.51.100.3', network), ['our/ranges Range 198.51.100.0/24']);
  for (const last of [1, 2, 3]) t.strictSame(pour(`203.0.113.${last}`, ''), [], 'without a range nobody can be named');
  t.match(detector.counters, { overflows: 1, discarded: 1 });
});

t.test('scopes that do not fit are left out, equal ones are taken as they are', async (t) => {
  const again = `type: trigger\nname: our/again\ndescription: d\nfilter: evt.GetType() == 'overflow'\n`;
  const agents = `${probe}scope: {type: Agent, expression: evt.Parsed.http_user_agent}\n`;
  const detector = detectorOf([again, `${again}scope: {type: Agent, expression: "'none'"}\n`].join('---\n'), clock);
  t.teardown(() => detector.close());
  const values = (yaml: string): readonly string[] =>
    detector.pour(overflowEvent(overflowOf(yaml))).map(({ source }) => `${source.scope} ${source.value}`);
  t.strictSame(values(probe), ['Ip 192.0.2.1']);
  t.strictSame(values(agents), ['Agent Mozilla/5.0']);
});
