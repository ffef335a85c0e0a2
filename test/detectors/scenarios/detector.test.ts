import { Writable } from 'node:stream';
import t from 'tap';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import type { Alert } from '../../../detectors/alert.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { createScenarioDetector } from '../../../detectors/scenarios/detector.ts';
import { readScenarioDocuments } from '../../../detectors/scenarios/scenario-document.ts';
import { SwitchableSimulation } from '../../../detectors/scenarios/simulation.ts';
import { noGeo } from '../../support/no-geo.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, detectorOf, scenarioExpressions } from './support.ts';

/** A leaky scenario of GET requests: overflows on the third within ten seconds. */
const gets = `type: leaky
name: our/gets
description: many requests
version: "1.2"
filter: evt.Meta.http_verb == 'GET'
groupby: evt.Meta.source_ip
capacity: 2
leakspeed: 10s
labels: {remediation: true, service: http}
`;

const trigger = `type: trigger
name: our/probe
description: one is enough
filter: evt.Meta.http_path contains '/probe'
groupby: evt.Meta.source_ip
`;

const missing = `type: leaky
name: our/missing
description: many 404
filter: evt.Meta.http_status == '404'
groupby: evt.Meta.source_ip
capacity: 1
leakspeed: 10s
`;

const names = (alerts: readonly Alert[]): string[] => alerts.map(({ scenario }) => scenario);

t.test('a leaky bucket overflows on the event after its capacity, for each client apart', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(gets, clock);
  t.teardown(() => detector.close());
  for (const ip of ['192.0.2.1', '192.0.2.2']) {
    t.strictSame(detector.pourRequest(accessEvent({ ip })), []);
    t.strictSame(detector.pourRequest(accessEvent({ ip })), []);
  }
  t.strictSame(names(detector.pourRequest(accessEvent({ ip: '192.0.2.1' }))), ['our/gets']);
  t.equal(detector.pourRequest(accessEvent({ ip: '192.0.2.1' })).length, 0, 'the bucket died; a new one begins');
  t.match(detector.counters, { events: 6, poured: 6, overflows: 1, discarded: 0, filterErrors: 0, buckets: 2 });
});

t.test('the alert names the source, the events and the scenario', async (t) => {
  const clock = createManualClock(Date.UTC(2026, 0, 1));
  const detector = detectorOf(gets, clock);
  t.teardown(() => detector.close());
  const pour = (target: string): readonly Alert[] =>
    detector.pourRequest(accessEvent({ target, requestId: `id${target}` }));
  pour('/1');
  clock.advance(1_000);
  pour('/2');
  clock.advance(500);
  const [alert, ...others] = pour('/3');
  t.strictSame(others, []);
  t.match(alert, {
    uuid: /^[0-9a-f-]{36}$/,
    kind: 'crowdsec',
    scenario: 'our/gets',
    scenarioHash: /^[0-9a-f]{64}$/,
    scenarioVersion: '1.2',
    message: "Ip 192.0.2.1 performed 'our/gets' (3 events over 1.5s) at 2026-01-01 00:00:01.5 +0000 UTC",
    source: { scope: 'Ip', value: '192.0.2.1', ip: '192.0.2.1', range: '', asNumber: '', country: '' },
    eventsCount: 3,
    startAt: Date.UTC(2026, 0, 1),
    stopAt: Date.UTC(2026, 0, 1) + 1_500,
    capacity: 2,
    leakspeed: '10s',
    simulated: false,
    remediation: true,
    labels: { remediation: true, service: 'http' },
    requestIds: ['id/1', 'id/2', 'id/3'],
  });
  const keys = alert?.events[0]?.meta.map(({ key }) => key) ?? [];
  t.strictSame(keys, keys.toSorted());
  t.notOk(keys.includes('target_fqdn'), 'a field that is empty is left out');
  t.strictSame(
    alert?.events.map(({ meta }) => meta.find(({ key }) => key === 'http_path')?.value),
    ['/1', '/2', '/3'],
  );
});

t.test('simulated scenarios say so, and what is switched counts for the next overflow', async (t) => {
  const simulation = new SwitchableSimulation({ global: false, exceptions: ['our/probe'] });
  const detector = detectorOf(trigger, createManualClock(), { simulation });
  t.teardown(() => detector.close());
  t.equal(detector.scenarios[0]?.simulated, true);
  t.equal(detector.pourRequest(accessEvent({ target: '/probe' }))[0]?.simulated, true);
  simulation.replace({ global: false, exceptions: [] });
  t.equal(detector.scenarios[0]?.simulated, false);
  t.equal(detector.pourRequest(accessEvent({ target: '/probe' }))[0]?.simulated, false);
});

t.test('each event is poured once: with the request, or with the response', async (t) => {
  const detector = detectorOf([gets, trigger, missing].join('---\n'), createManualClock());
  t.teardown(() => detector.close());
  t.strictSame(
    detector.scenarios.map(({ name, phase }) => [name, phase]),
    [
      ['our/gets', 'request'],
      ['our/probe', 'request'],
      ['our/missing', 'response'],
    ],
  );
  const event = accessEvent({ target: '/probe', status: '404' });
  t.strictSame(names(detector.pourRequest(event)), ['our/probe']);
  t.strictSame(names(detector.pourResponse(event)), []);
  t.strictSame(names(detector.pour(event)), ['our/probe', 'our/missing']);
});

t.test('what the response adds later shows in the alert, as does what another filter adds', async (t) => {
  const writer = `type: trigger
name: our/writer
description: notes something
filter: |-
  evt.Meta.http_path contains '/noted' ? (evt.SetMeta('cve', 'CVE-1') && false) : false
`;
  const detector = detectorOf([gets, writer].join('---\n'), createManualClock());
  t.teardown(() => detector.close());
  const first = accessEvent({ target: '/a' });
  detector.pourRequest(first);
  first.Meta.http_status = '503';
  detector.pourRequest(accessEvent());
  const [alert] = detector.pourRequest(accessEvent({ target: '/noted' }));
  const value = (index: number, name: string): string | undefined =>
    alert?.events[index]?.meta.find(({ key }) => key === name)?.value;
  t.equal(value(0, 'http_status'), '503');
  t.equal(value(2, 'cve'), 'CVE-1', 'the writer comes later in the file, and before the alert');
});

t.test('distinct drops what the bucket has seen; it is not counted and does not keep the bucket alive', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(`${gets}distinct: evt.Meta.http_path\n`, clock);
  t.teardown(() => detector.close());
  for (let again = 0; again < 20; again++) t.equal(detector.pourRequest(accessEvent({ target: '/same' })).length, 0);
  t.equal(detector.counters.poured, 1);
  detector.pourRequest(accessEvent({ target: '/b' }));
  t.equal(detector.pourRequest(accessEvent({ target: '/c' })).length, 1);

  detector.pourRequest(accessEvent({ target: '/d' }));
  clock.advance(25_000);
  detector.pourRequest(accessEvent({ target: '/d' }));
  clock.advance(5_001);
  detector.pourRequest(accessEvent({ target: '/d' }));
  t.equal(detector.counters.poured, 5, 'thirty seconds after the counted event the bucket was another');
});

t.test('cancel_on destroys the bucket, but a duplicate never cancels', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(`${gets}distinct: evt.Meta.http_path\ncancel_on: evt.Parsed.file_name == 'ok'\n`, clock);
  t.teardown(() => detector.close());
  const pour = (target: string): number => detector.pourRequest(accessEvent({ target })).length;
  t.strictSame(['/a', '/b', '/ok', '/a', '/b', '/c'].map(pour), [0, 0, 0, 0, 0, 1]);
  t.equal(detector.counters.poured, 5);
});

t.test('a trigger asks neither distinct nor cancel_on', async (t) => {
  const detector = detectorOf(`${trigger}distinct: evt.Meta.http_path\ncancel_on: "true"\n`, createManualClock());
  t.teardown(() => detector.close());
  for (let again = 0; again < 3; again++)
    t.equal(detector.pourRequest(accessEvent({ target: '/probe' }))[0]?.eventsCount, 1);
});

t.test('after an alert the key is silent for the blackhole, which discarded overflows do not extend', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(`${trigger}blackhole: 1m\n`, clock);
  t.teardown(() => detector.close());
  const pour = (ip: string): number => detector.pourRequest(accessEvent({ ip, target: '/probe' })).length;
  t.equal(pour('192.0.2.1'), 1);
  clock.advance(40_000);
  t.equal(pour('192.0.2.1'), 0);
  t.equal(pour('192.0.2.2'), 1, 'another client is another key');
  clock.advance(20_000);
  t.equal(pour('192.0.2.1'), 1);
  t.match(detector.counters, { overflows: 3, discarded: 1 });
});

t.test('in a replay, silence lasts by the dates of the events, however long the replay takes', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(`${trigger}blackhole: 1m\n`, clock);
  t.teardown(() => detector.close());
  const pour = (second: number): number => {
    const replayedAt = new Date(Date.UTC(2021, 0, 1) + second * 1_000).toISOString();
    return detector.pourRequest(accessEvent({ target: '/probe', replayedAt })).length;
  };
  t.equal(pour(0), 1);
  clock.advance(3_600_000);
  t.equal(pour(59), 0);
  t.equal(pour(60), 1);
});

t.test('an idle bucket dies silently, and its memory is given back', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(gets, clock);
  t.teardown(() => detector.close());
  detector.pourRequest(accessEvent());
  detector.pourRequest(accessEvent());
  t.equal(detector.counters.buckets, 1);
  clock.advance(31_000);
  t.equal(detector.counters.buckets, 0);
});

t.test('too many buckets: the one left alone longest is given up, and that is counted', async (t) => {
  const detector = detectorOf(gets, createManualClock(), { maxBuckets: 2 });
  t.teardown(() => detector.close());
  for (const ip of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) detector.pourRequest(accessEvent({ ip }));
  t.match(detector.counters, { buckets: 2, evictedBuckets: 1 });
});

t.test('a filter that raises fails alone, is counted, and is logged once a minute', async (t) => {
  const raising = `type: trigger
name: our/raising
description: raises for every request
filter: int(evt.Meta.http_path) > 3
`;
  const clock = createManualClock();
  const lines: { scenario: string; errors: number }[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as { scenario: string; errors: number });
      done();
    },
  });
  const detector = detectorOf([raising, trigger].join('---\n'), clock, {}, { log: createLog('info', sink) });
  t.teardown(() => detector.close());
  for (let again = 0; again < 5; again++) {
    t.strictSame(names(detector.pourRequest(accessEvent({ target: '/probe' }))), ['our/probe']);
  }
  clock.advance(60_000);
  detector.pourRequest(accessEvent());
  t.equal(detector.counters.filterErrors, 6);
  t.strictSame(
    lines.map(({ scenario, errors }) => [scenario, errors]),
    [
      ['our/raising', 1],
      ['our/raising', 6],
    ],
  );
});

t.test('IPv6 clients share a bucket by prefix, and the alert keeps the address', async (t) => {
  const yaml = gets.replace(
    'groupby: evt.Meta.source_ip',
    "groupby: evt.Meta.source_ip + '/' + evt.Parsed.target_fqdn",
  );
  const ips = ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:3::1', '2001:db8:1:2:ffff::3'];
  const detector = detectorOf(yaml, createManualClock());
  t.teardown(() => detector.close());
  const alerts = ips.flatMap((ip) => detector.pourRequest(accessEvent({ ip })));
  t.strictSame(
    alerts.map(({ source, eventsCount }) => [source.scope, source.value, eventsCount]),
    [['Ip', '2001:db8:1:2:ffff::3', 3]],
    'one alert, in the name of the last address',
  );
  const literal = detectorOf(yaml, createManualClock(), { ipv6Prefix: 128 });
  t.teardown(() => literal.close());
  t.strictSame(
    ips.flatMap((ip) => literal.pourRequest(accessEvent({ ip }))),
    [],
  );
});

t.test('alerts spell an address as its event does', async (t) => {
  const detector = detectorOf(trigger, createManualClock());
  t.teardown(() => detector.close());
  for (const ip of ['2001:0DB8:85a3:0000:0000:8a2e:0370:7334', '::ffff:192.0.2.7', '2001:db8::1', '192.0.2.7']) {
    t.match(detector.pourRequest(accessEvent({ ip, target: '/probe' })), [{ source: { scope: 'Ip', value: ip, ip } }]);
  }
});

t.test('a declared range is taken in its usual spelling, and an unreadable one loses the alert', async (t) => {
  const detector = detectorOf(`${trigger}scope: {type: Range}\n`, createManualClock());
  t.teardown(() => detector.close());
  const pour = (SourceRange: string): readonly Alert[] =>
    detector.pourRequest(accessEvent({ target: '/probe', meta: { SourceRange } }));
  t.match(pour('192.0.2.77/24'), [{ source: { value: '192.0.2.0/24', range: '192.0.2.0/24' } }]);
  t.strictSame(pour('not a range'), []);
});

t.test('one bucket with events of several sources raises an alert for each, the first seen first', async (t) => {
  const yaml = gets
    .replace('groupby: evt.Meta.source_ip', 'groupby: evt.Parsed.target_fqdn')
    .replace('capacity: 2', 'capacity: 3');
  const detector = detectorOf(yaml, createManualClock());
  t.teardown(() => detector.close());
  const alerts = ['192.0.2.9', '192.0.2.1', '192.0.2.9', '192.0.2.5'].flatMap((ip) =>
    detector.pourRequest(accessEvent({ ip })),
  );
  t.strictSame(
    alerts.map(({ source, eventsCount }) => [source.value, eventsCount]),
    [
      ['192.0.2.9', 4],
      ['192.0.2.1', 4],
      ['192.0.2.5', 4],
    ],
  );
});

t.test('without a valid source address the alert of scope Ip is lost', async (t) => {
  const detector = detectorOf(trigger, createManualClock());
  t.teardown(() => detector.close());
  for (const ip of ['', 'unknown', '192.0.2'])
    t.strictSame(detector.pourRequest(accessEvent({ ip, target: '/probe' })), []);
  t.match(detector.counters, { overflows: 0, discarded: 3 });
});

t.test('other scopes: the range of the source, and a value of the scenario', async (t) => {
  const ranged = `${trigger}scope: {type: Range}\n`;
  const custom = `${trigger}scope: {type: Agent, expression: evt.Parsed.http_user_agent}\n`;
  const detector = detectorOf([ranged, custom].join('---\n'), createManualClock());
  t.teardown(() => detector.close());
  const event = accessEvent({ target: '/probe', userAgent: 'curl/8', meta: { SourceRange: '192.0.2.0/24' } });
  t.match(
    detector.pourRequest(event).map(({ source }) => source),
    [
      { scope: 'Range', value: '192.0.2.0/24', ip: '192.0.2.1', range: '192.0.2.0/24' },
      { scope: 'Agent', value: 'curl/8', ip: '' },
    ],
  );
});

t.test('country and network come from the databases, unless the event has its own', async (t) => {
  const geo = {
    ...noGeo,
    country: () => 'FR',
    city: () => ({ country: 'FR', inEuropeanUnion: true, latitude: 48.5, longitude: 2.5 }),
    asn: () => ({ number: 64_500, organisation: 'Example', range: '192.0.2.0/24' }),
  };
  const detector = detectorOf(trigger, createManualClock(), {}, { geo });
  t.teardown(() => detector.close());
  const event = accessEvent({ target: '/probe' });
  const expected = { country: 'FR', asNumber: '64500', asName: 'Example', latitude: 48.5, longitude: 2.5 };
  t.match(detector.pourRequest(event)[0]?.source, expected);
  Object.assign(event.Enriched, { IsoCode: 'BR', ASNNumber: '1', ASNOrg: 'Own', Latitude: '-1.5', Longitude: '3.5' });
  const own = { country: 'BR', asNumber: '1', asName: 'Own', latitude: -1.5, longitude: 3.5 };
  t.match(detector.pourRequest(event)[0]?.source, own);
});

t.test('overflow_filter false discards the overflow; an error keeps it', async (t) => {
  const cases: [string, number][] = [
    ['len(queue.Queue) == 3', 1],
    ['len(queue.Queue) > 3', 0],
    ["any(queue.Queue, {.Meta.http_path == '/b'})", 1],
    ['any(queue.Queue, {int(.Meta.http_path) == 1})', 1],
  ];
  for (const [filter, alerts] of cases) {
    const detector = detectorOf(`${gets}overflow_filter: "${filter}"\n`, createManualClock());
    const poured = ['/a', '/b', '/c'].flatMap((target) => detector.pour(accessEvent({ target })));
    t.equal(poured.length, alerts, filter);
    detector.close();
  }
  t.equal(cases.length, 4);
});

t.test('replayed events are poured at their own time, and an old bucket gives way', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(gets, clock);
  t.teardown(() => detector.close());
  const at = (second: number): string => new Date(Date.UTC(2021, 0, 1) + second * 1_000).toISOString();
  const pour = (seconds: number[]): number =>
    seconds.flatMap((second) => detector.pourRequest(accessEvent({ replayedAt: at(second) }))).length;
  t.equal(pour([0, 10, 20, 30, 40]), 0, 'it leaks as fast');
  t.equal(pour([100, 101, 102]), 1);
  t.equal(pour([200, 201, 240, 241]), 0, 'after its lifetime the bucket was another');
  clock.advance(3_600_000);
  t.equal(pour([242]), 1, 'however long the replay takes');
});

t.test('a replayed event without a date fills no bucket, and still fires a trigger', async (t) => {
  const detector = detectorOf([gets, trigger].join('---\n'), createManualClock(Date.UTC(2026, 0, 1)));
  t.teardown(() => detector.close());
  const event = accessEvent({ target: '/probe', replayedAt: 'yesterday' });
  for (let again = 0; again < 4; again++) {
    const alerts = detector.pour(event);
    t.strictSame(names(alerts), ['our/probe']);
    t.equal(alerts[0]?.stopAt, Date.UTC(2026, 0, 1));
  }
});

t.test('whitelisted and unfinished events are not poured', async (t) => {
  const detector = detectorOf(trigger, createManualClock());
  t.teardown(() => detector.close());
  t.strictSame(detector.pour({ ...accessEvent({ target: '/probe' }), Whitelisted: true }), []);
  t.strictSame(detector.pour({ ...accessEvent({ target: '/probe' }), Process: false }), []);
  t.equal(detector.counters.poured, 0);
});

t.test('a hostile request does not stay in memory at its full length', async (t) => {
  const long = 'x'.repeat(60_000);
  const detector = detectorOf(`${gets}distinct: evt.Meta.http_path\n`, createManualClock(), {
    maxKeptCharacters: 150_000,
  });
  t.teardown(() => detector.close());
  for (let client = 0; client < 50; client++) {
    detector.pour(accessEvent({ ip: `192.0.2.${client}`, target: `/${long}`, userAgent: long, referer: long }));
  }
  t.equal(detector.counters.evictedBuckets, 0, 'what is kept of each fits');
  const again = accessEvent({ ip: '192.0.2.1', target: `/${long}y` });
  detector.pour(again);
  const [alert] = detector.pour(accessEvent({ ip: '192.0.2.1', target: `/${long}z` }));
  t.equal(alert?.eventsCount, 3, 'long values that differ at their end are different');
  const longest = Math.max(...(alert?.events ?? []).flatMap(({ meta }) => meta.map(({ value }) => value.length)));
  t.ok(longest < 1_000, `${longest} characters`);
});

t.test('documents that cannot be compiled are faults at their line; the others are in use', async (t) => {
  const yaml = [
    trigger,
    `${trigger}cancel_on: evt.Nonsense == 1\n`,
    trigger.replace("evt.Meta.http_path contains '/probe'", "evt.Meta.http_path containz '/probe'"),
    'type: conditional\nname: our/condition\ndescription: d\nfilter: "true"\nleakspeed: 1m\ncondition: queue.Queues\n',
    gets,
  ].join('---\n');
  const clock = createManualClock();
  const { documents } = readScenarioDocuments(yaml, 'f.yaml');
  const deps = { clock, random: createSystemRandom(), log: createLog('silent'), files: noDataFiles };
  const detector = createScenarioDetector({ documents }, { ...deps, expressions: scenarioExpressions(clock) });
  t.teardown(() => detector.close());
  t.strictSame(
    detector.scenarios.map(({ name }) => name),
    ['our/probe', 'our/gets'],
  );
  t.strictSame(
    detector.faults.map(({ line }) => line),
    [12, 17, 25],
  );
  t.match(detector.faults[0]?.reason, /^cancel_on: /);
  t.match(detector.faults[2]?.error.message, /^f\.yaml:25:\d+: scenario our\/condition: condition: unknown/);
});

t.test("a source can be forgotten: its buckets and its silences, and nobody else's", async (t) => {
  const detector = detectorOf([gets, `${trigger}blackhole: 1h\n`].join('---\n'), createManualClock());
  t.teardown(() => detector.close());
  const pour = (ip: string): number => detector.pourRequest(accessEvent({ ip, target: '/probe' })).length;
  t.strictSame(['192.0.2.1', '192.0.2.1', '192.0.2.10'].map(pour), [1, 0, 1]);
  detector.forget('192.0.2.1');
  t.equal(detector.counters.buckets, 1);
  t.strictSame(['192.0.2.1', '192.0.2.10'].map(pour), [1, 0], 'only the forgotten one raises an alert again');
});
