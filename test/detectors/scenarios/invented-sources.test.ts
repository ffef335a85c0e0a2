/** An attacker who invents sources: buckets stay within their bounds, and nothing else is lost by it. */
import t from 'tap';
import { createLog } from '../../../core/log.ts';
import { parseIp } from '../../../core/ip.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { accessEvent, detectorOf } from './support.ts';

const yaml = `type: leaky
name: our/gets
description: d
filter: evt.Meta.http_verb == 'GET'
groupby: evt.Meta.source_ip
capacity: 5
leakspeed: 10s
---
type: leaky
name: our/pages
description: d
filter: evt.Meta.http_verb == 'GET'
groupby: evt.Meta.source_ip + '/' + evt.Parsed.target_fqdn
distinct: evt.Meta.http_path
capacity: 5
leakspeed: 10s
blackhole: 1h
---
type: conditional
name: our/looking-back
description: d
filter: evt.Meta.http_verb == 'GET'
groupby: evt.Meta.source_ip
condition: len(queue.Queue) > 100
capacity: -1
leakspeed: 1h
---
type: counter
name: our/counter
description: d
filter: evt.Meta.http_verb == 'GET'
groupby: evt.Meta.source_ip
capacity: -1
duration: 1h
`;

const addressOf = (number: number): string =>
  `${10 + (number >>> 24)}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;

t.test('a million sources in a second leave no more buckets than allowed, and a busy attacker keeps his', async (t) => {
  const clock = createManualClock();
  const maxBuckets = 2_000;
  const detector = detectorOf(yaml, clock, { maxBuckets });
  t.teardown(() => detector.close());
  const event = accessEvent();
  let most = 0;
  let alerts = 0;
  const pour = (ip: string, path: string): void => {
    event.Meta.source_ip = ip;
    event.Meta.http_path = path;
    alerts += detector.pour({
      ...event,
      Meta: Object.assign(Object.create(Object.getPrototypeOf(event.Meta)), event.Meta),
    }).length;
  };
  for (let number = 0; number < 250_000; number++) {
    pour(addressOf(number), '/');
    // Every scenario keeps a bucket of its own, so 250,000 sources are a million buckets.
    if (number % 200 === 0 && number <= 1_000) pour('192.0.2.1', `/${number}`);
    if (number % 100 === 0) most = Math.max(most, detector.counters.buckets);
  }
  t.ok(most <= maxBuckets, `${most} buckets at most`);
  t.ok(detector.counters.evictedBuckets > 990_000, 'the rest was evicted, and counted');
  t.equal(alerts, 2, 'who came every 200 sources overflew both leaky buckets');
});

t.test('what is kept of them has its own bound', async (t) => {
  const maxKeptCharacters = 1_000_000;
  const detector = detectorOf(yaml, createManualClock(), { maxKeptCharacters });
  t.teardown(() => detector.close());
  for (let number = 0; number < 5_000; number++) {
    detector.pour(accessEvent({ ip: addressOf(number), target: `/${'x'.repeat(3_000)}` }));
  }
  t.ok(detector.counters.buckets < maxKeptCharacters / 3_000, `${detector.counters.buckets} buckets`);
  t.ok(detector.counters.evictedBuckets > 10_000);
});

t.test('manual decisions survive a flood of alerts', async (t) => {
  const clock = createManualClock();
  const random = createSystemRandom();
  const index = createDecisionIndex({ clock, random, log: createLog('silent') });
  const until = clock.now() + 86_400_000;
  const ban = (value: string, origin: string): void =>
    index.add({
      uuid: random.uuid(),
      origin,
      scenario: 's',
      scope: 'Ip',
      value,
      type: 'ban',
      until,
      createdAt: clock.now(),
      simulated: false,
      alertUuid: null,
    });
  ban('192.0.2.99', 'cli');
  const probe = `type: trigger\nname: our/probe\ndescription: d\nfilter: evt.Meta.http_verb == 'GET'\ngroupby: evt.Meta.source_ip\nblackhole: 1h\n`;
  const detector = detectorOf(probe, clock);
  t.teardown(() => detector.close());
  for (let number = 0; number < 50_000; number++) {
    for (const { source } of detector.pour(accessEvent({ ip: addressOf(number) }))) ban(source.value, 'crowdsec');
  }
  const decisionOn = (ip: string): string | undefined => {
    const address = parseIp(ip);
    return address === null ? undefined : index.lookup({ address }, clock.now())?.origin;
  };
  t.equal(decisionOn('192.0.2.99'), 'cli');
  t.equal(decisionOn(addressOf(49_999)), 'crowdsec');
  t.equal(index.size.ip, 50_001);
});
