/** Counter, conditional and bayesian scenarios, and what their conditions see. */
import t from 'tap';
import type { Overflow } from '../../../detectors/scenarios/overflow.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, detectorOf, overflowDetectorOf } from './support.ts';

const start = Date.UTC(2026, 0, 1);

const head = "description: d\nfilter: evt.Meta.service == 'http'\ngroupby: evt.Meta.source_ip\n";
const counter = `type: counter\nname: our/counter\n${head}capacity: -1\nduration: 1m\n`;
const conditional = (condition: string): string =>
  `type: conditional\nname: our/conditional\n${head}capacity: -1\nleakspeed: 1h\ncondition: |\n  ${condition}\n`;
const bayesian = `type: bayesian
name: our/bayesian
${head}capacity: -1
leakspeed: 1h
bayesian_prior: 0.5
bayesian_threshold: 0.8
bayesian_conditions:
- {condition: evt.Meta.http_status == '401', prob_given_evil: 0.8, prob_given_benign: 0.2}
- {condition: evt.Meta.http_path == '/admin', prob_given_evil: 0.6, prob_given_benign: 0.2, guillotine: true}
`;

const replayedAt = (second: number): string => new Date(start + second * 1_000).toISOString();

t.test('a live counter overflows once, when its duration has passed since the first event', async (t) => {
  const clock = createManualClock(start);
  const detector = overflowDetectorOf(counter, clock);
  t.teardown(() => detector.close());
  const told: Overflow[] = [];
  detector.listen((overflows) => told.push(...overflows));
  detector.pour(accessEvent({ ip: '192.0.2.1' }));
  clock.advance(30_000);
  for (let again = 0; again < 2_000; again++) detector.pour(accessEvent({ ip: '192.0.2.1' }));
  detector.pour(accessEvent({ ip: '192.0.2.2' }));
  clock.advance(29_999);
  t.equal(told.length, 0);
  clock.advance(1);
  t.match(
    told.map(({ key, at, alerts }) => [key, at, alerts[0]?.eventsCount, alerts[0]?.startAt, alerts[0]?.capacity]),
    [['192.0.2.1', start + 60_000, 2_001, start, -1]],
  );
  t.equal(told[0]?.alerts[0]?.events.length, 1_024, 'what it keeps has an end');
  clock.advance(30_000);
  t.strictSame(
    told.map(({ key }) => key),
    ['192.0.2.1', '192.0.2.2'],
    'each waits for its own end',
  );
  clock.advance(600_000);
  t.equal(told.length, 2);
  t.equal(detector.counters.buckets, 0);
});

t.test('a pour that comes before the timer ends the counter itself', async (t) => {
  let now = start;
  const detector = overflowDetectorOf(counter, { ...createManualClock(start), now: () => now });
  t.teardown(() => detector.close());
  detector.pour(accessEvent());
  now += 60_000;
  const [overflow, ...others] = detector.pour(accessEvent());
  t.match([overflow?.at, overflow?.alerts[0]?.eventsCount, others.length], [start + 60_000, 1, 0]);
  t.equal(detector.counters.buckets, 1, 'the event began another');
});

t.test('a replayed counter ends with the time of the replay, or with the replay', async (t) => {
  const clock = createManualClock();
  const detector = overflowDetectorOf(counter, clock);
  t.teardown(() => detector.close());
  const pour = (ip: string, second: number): readonly Overflow[] =>
    detector.pour(accessEvent({ ip, replayedAt: replayedAt(second) }));
  t.strictSame([pour('192.0.2.1', 0), pour('192.0.2.1', 59), pour('192.0.2.2', 59)].flat(), []);
  clock.advance(3_600_000);
  t.match(
    pour('192.0.2.3', 60).map(({ key, at, alerts }) => [key, at, alerts[0]?.eventsCount]),
    [['192.0.2.1', start + 60_000, 2]],
    'however long the replay takes',
  );
  t.match(
    detector.endReplay().map(({ key, at, alerts }) => [key, at, alerts[0]?.eventsCount]),
    [
      ['192.0.2.2', start + 119_000, 1],
      ['192.0.2.3', start + 120_000, 1],
    ],
  );
  t.equal(detector.counters.buckets, 0);
  t.strictSame(detector.endReplay(), []);
});

t.test('a condition is asked with the event in the queue, and its overflow is stamped with the event', async (t) => {
  const cases: [string, number | null][] = [
    ['len(queue.Queue) >= 3', 3],
    ["any(queue.Queue, {.Meta.http_path == '/2'})", 2],
    ["len(queue.Queue) >= 2 and queue.Queue[-1].Meta.http_path == '/4' and queue.Queue[-2].Parsed.request == '/3'", 4],
    ['len(queue.Queue) >= 4 && MedianInterval(map(queue.Queue[-4:], {#.Time})) >= duration("20m")', 4],
    ['leaky.Total_count == 2 && leaky.Capacity == -1 && leaky.Leakspeed == duration("1h")', 2],
    ["leaky.Name == 'our/conditional' && leaky.Mapkey == evt.Meta.source_ip && len(leaky.Queue.Queue) == 3", 3],
    ['(leaky.Last_ts - leaky.First_ts) >= duration("40m")', 3],
    ['int(evt.Meta.http_path) == 1', null],
    ['false', null],
  ];
  for (const [condition, overflowsAt] of cases) {
    const clock = createManualClock(start);
    const detector = overflowDetectorOf(conditional(condition), clock);
    let found: number | null = null;
    for (let count = 1; count <= 4 && found === null; count++) {
      const event = accessEvent({ target: `/${count}` });
      event.Time = clock.now();
      const [overflow] = detector.pour(event);
      if (overflow !== undefined) {
        found = count;
        t.match(overflow, { at: clock.now(), alerts: [{ eventsCount: count, startAt: start, stopAt: clock.now() }] });
      }
      clock.advance(20 * 60_000);
    }
    t.equal(found, overflowsAt, condition);
    detector.close();
  }
  t.equal(cases.length, 9);
});

t.test('a condition that raises keeps the bucket, and is counted', async (t) => {
  const detector = detectorOf(conditional('int(evt.Meta.http_path) == 1'), createManualClock());
  t.teardown(() => detector.close());
  detector.pour(accessEvent());
  detector.pour(accessEvent());
  t.match(detector.counters, { filterErrors: 2, buckets: 1, poured: 2 });
});

t.test('a conditional bucket dies when it is left alone for its leakspeed', async (t) => {
  const clock = createManualClock(start);
  const detector = detectorOf(conditional('len(queue.Queue) == 2'), clock);
  t.teardown(() => detector.close());
  detector.pour(accessEvent());
  clock.advance(3_600_001);
  t.strictSame(detector.pour(accessEvent()), []);
  clock.advance(3_600_000);
  t.equal(detector.pour(accessEvent()).length, 1);
});

t.test('what a condition looks back at is bounded in number and in text', async (t) => {
  const detector = detectorOf(conditional('len(queue.Queue) > 1024'), createManualClock());
  t.teardown(() => detector.close());
  for (let count = 0; count < 1_100; count++) t.equal(detector.pour(accessEvent()).length, 0);
  t.equal(detector.counters.buckets, 1);

  const long = 'x'.repeat(1_000_000);
  const heavy = detectorOf(conditional('len(queue.Queue) > 4'), createManualClock());
  t.teardown(() => heavy.close());
  for (let count = 0; count < 20; count++) t.equal(heavy.pour(accessEvent({ target: `/${long}${count}` })).length, 0);
  t.equal(heavy.counters.evictedBuckets, 0, 'the oldest events of the one bucket went');
});

t.test('cancel_on and distinct come before the condition', async (t) => {
  const yaml = `${conditional('len(queue.Queue) >= 2')}distinct: evt.Meta.http_path\ncancel_on: evt.Meta.http_path == '/ok'\n`;
  const detector = detectorOf(yaml, createManualClock());
  t.teardown(() => detector.close());
  const pour = (target: string): number => detector.pour(accessEvent({ target })).length;
  t.strictSame(['/a', '/a', '/ok', '/a', '/b'].map(pour), [0, 0, 0, 0, 1]);
});

t.test('a bayesian bucket starts from its prior with every event, and a guillotine stays down', async (t) => {
  const detector = detectorOf(bayesian, createManualClock());
  t.teardown(() => detector.close());
  const pour = (ip: string, target: string, status: string): number =>
    detector.pour(accessEvent({ ip, target, status })).length;
  t.strictSame(
    [pour('192.0.2.1', '/', '401'), pour('192.0.2.1', '/', '401'), pour('192.0.2.1', '/', '401')],
    [0, 0, 0],
    'the same sign again and again adds nothing: 0.8 · 0.4 against 0.2 · 0.8 is two thirds',
  );
  t.strictSame(
    [pour('192.0.2.2', '/admin', '200'), pour('192.0.2.2', '/', '401')],
    [0, 1],
    'the second condition was true before',
  );
  t.equal(pour('192.0.2.3', '/admin', '401'), 1);
  t.strictSame([pour('192.0.2.2', '/', '401')], [0], 'the new bucket knows nothing of the old one');
});

t.test('a bayesian scenario needs a leakspeed, which is how long its buckets live', async (t) => {
  t.throws(() => detectorOf(bayesian.replace('leakspeed: 1h\n', ''), createManualClock()), /needs a leakspeed/);
  const clock = createManualClock();
  const detector = detectorOf(bayesian, clock);
  t.teardown(() => detector.close());
  detector.pour(accessEvent({ target: '/admin' }));
  clock.advance(3_600_001);
  t.strictSame(detector.pour(accessEvent({ status: '401' })), []);
});

t.test('a condition on a leaky scenario overflows it early', async (t) => {
  const yaml = `type: leaky\nname: our/leaky\n${head}capacity: 3\nleakspeed: 1m\ncondition: evt.Meta.http_path == '/now'\n`;
  const detector = detectorOf(yaml, createManualClock());
  t.teardown(() => detector.close());
  t.equal(detector.pour(accessEvent({ target: '/now' })).length, 1);
  for (let count = 0; count < 3; count++) t.equal(detector.pour(accessEvent()).length, 0);
  t.equal(detector.pour(accessEvent()).length, 1);
});
