/**
 * Scenarios of one name and one filter, as a few files of the hub hold: upstream tells buckets apart by name, filter and group,
 * so they fill the same ones, each event once for every scenario, and who began a bucket says when it overflows.
 */
import t from 'tap';
import type { Alert } from '../../../detectors/alert.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, detectorOf } from './support.ts';

interface Document {
  readonly name?: string;
  readonly filter?: string;
  readonly capacity: number;
  readonly leakspeed: string;
  readonly distinct?: string;
}

function documents(...all: readonly Document[]): string {
  const text = ({ name, filter, capacity, leakspeed, distinct }: Document): string => `type: leaky
name: ${name ?? 'our/gets'}
description: many requests
filter: ${filter ?? "evt.Meta.http_verb == 'GET'"}
groupby: evt.Meta.source_ip
capacity: ${capacity}
leakspeed: ${leakspeed}
${distinct === undefined ? '' : `distinct: ${distinct}`}`;
  return all.map(text).join('\n---\n');
}

const counts = (alerts: readonly Alert[]): (readonly [capacity: number, events: number])[] =>
  alerts.map(({ capacity, eventsCount: events }) => [capacity, events]);

t.test('two of one name and filter fill one bucket, which goes by who began it', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(documents({ capacity: 2, leakspeed: '10s' }, { capacity: 3, leakspeed: '1m' }), clock);
  t.teardown(() => detector.close());
  const pour = () => counts(detector.pour(accessEvent({ ip: '192.0.2.1' })));
  t.strictSame(pour(), [], 'counted twice in the bucket of the first');
  t.strictSame(
    pour(),
    [[2, 3]],
    'full with the first count of the second event; its other count begins the bucket of the second',
  );
  t.strictSame(pour(), []);
  t.strictSame(pour(), [[3, 4]]);
  t.equal(detector.counters.buckets, 1);
});

t.test('the distinct of who began the bucket decides, and clients are apart', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(
    documents({ capacity: 5, leakspeed: '15m' }, { capacity: 5, leakspeed: '15m', distinct: 'evt.Meta.http_path' }),
    clock,
  );
  t.teardown(() => detector.close());
  const pour = (ip: string, target: string) => counts(detector.pour(accessEvent({ ip, target })));
  for (const target of ['/1', '/2']) {
    t.strictSame(pour('192.0.2.1', target), []);
    t.strictSame(pour('192.0.2.2', target), []);
  }
  t.strictSame(pour('192.0.2.1', '/3'), [[5, 6]]);
  t.strictSame(pour('192.0.2.2', '/3'), [[5, 6]]);
});

t.test('a bucket that died is begun by whoever comes first', async (t) => {
  const clock = createManualClock();
  const detector = detectorOf(documents({ capacity: 2, leakspeed: '10s' }, { capacity: 3, leakspeed: '1m' }), clock);
  t.teardown(() => detector.close());
  const pour = () => counts(detector.pour(accessEvent({ ip: '192.0.2.1' })));
  pour();
  t.strictSame(pour(), [[2, 3]]);
  clock.advance(3_600_000);
  t.strictSame(pour(), []);
  t.strictSame(pour(), [[2, 3]], 'the first began it');
});

t.test('another name or another filter has buckets of its own', async (t) => {
  for (const other of [{ name: 'our/other' }, { filter: "evt.Meta.http_verb  == 'GET'" }]) {
    const clock = createManualClock();
    const detector = detectorOf(
      documents({ capacity: 2, leakspeed: '10s' }, { capacity: 3, leakspeed: '1m', ...other }),
      clock,
    );
    t.teardown(() => detector.close());
    const pour = () => counts(detector.pour(accessEvent({ ip: '192.0.2.1' })));
    pour();
    t.strictSame(pour(), []);
    t.strictSame(pour(), [[2, 3]]);
    t.strictSame(pour(), [[3, 4]]);
  }
});
