import t, { type Test } from 'tap';
import { createUsageReporter, type UsageReporterOptions } from '../../../../remediation/lapi/client/usage-metrics.ts';
import type { UsageItem } from '../../../../remediation/lapi/client/usage-models.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { collectedLog } from '../../support.ts';
import { startFakeLapi, type FakeLapi } from './fake-lapi.ts';
import { clientOf, comesAbout, evenRandom } from './support.ts';

const identity = {
  version: '0.1.0',
  startedAt: Date.UTC(2026, 0, 1),
  os: { name: 'debian', version: '12' },
  type: 'portcullis',
  name: 'gateway-1',
};

async function reporting(t: Test, clock: ManualClock, over: Partial<UsageReporterOptions> = {}) {
  const lapi: FakeLapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  const items: UsageItem[] = [];
  const credentials =
    over.side === 'machine'
      ? { kind: 'machine' as const, machineId: 'm1', password: 'secret-of-m1' }
      : { kind: 'key' as const, key: 'k1' };
  const client = clientOf(lapi.url, clock, { credentials });
  t.teardown(() => client.close());
  const reporter = createUsageReporter({
    clock,
    log: collectedLog().log,
    random: evenRandom(),
    client,
    side: 'bouncer',
    identity,
    source: { items: () => items },
    periodMs: 900_000,
    ...over,
  });
  t.teardown(() => reporter.close(0));
  return { lapi, items, reporter };
}

t.test('a bouncer tells what came since the last report that was taken', async (t) => {
  const clock = createManualClock();
  const { lapi, items, reporter } = await reporting(t, clock);
  const dropped: UsageItem = {
    name: 'dropped',
    unit: 'request',
    value: 5,
    origin: 'CAPI',
    ipType: 'ipv4',
    remediation: 'ban',
  };
  const processed: UsageItem = { name: 'processed', unit: 'request', value: 100, ipType: 'ipv4' };
  const active: UsageItem = { name: 'active_decisions', unit: 'ip', value: 7, origin: 'CAPI', ipType: 'ipv6' };
  items.push(dropped, processed, active);
  clock.advance(900_000);
  await comesAbout(() => reporter.status().sent === 1, 'the first report');
  t.strictSame(lapi.metrics[0], {
    log_processors: null,
    remediation_components: [
      {
        version: '0.1.0',
        type: 'portcullis',
        name: 'gateway-1',
        os: { name: 'debian', version: '12', family: 'linux' },
        feature_flags: [],
        utc_startup_timestamp: identity.startedAt / 1_000,
        metrics: [
          {
            meta: { window_size_seconds: 900, utc_now_timestamp: identity.startedAt / 1_000 + 900 },
            items: [
              {
                name: 'dropped',
                value: 5,
                unit: 'request',
                labels: { origin: 'CAPI', ip_type: 'ipv4', remediation: 'ban' },
              },
              { name: 'processed', value: 100, unit: 'request', labels: { ip_type: 'ipv4' } },
              { name: 'active_decisions', value: 7, unit: 'ip', labels: { origin: 'CAPI', ip_type: 'ipv6' } },
            ],
          },
        ],
      },
    ],
  });

  // One that is not taken is made up for by the next.
  lapi.faults.push({ kind: 'status', status: 500, message: 'no' });
  items.splice(0, 3, { ...dropped, value: 8 }, { ...processed, value: 150 }, active);
  clock.advance(900_000);
  await comesAbout(() => reporter.status().lastFailure === '500 no', 'the failure');
  items.splice(0, 1, { ...dropped, value: 9 });
  clock.advance(900_000);
  await comesAbout(() => reporter.status().sent === 2, 'the next report');
  t.match(lapi.metrics[1], {
    remediation_components: [
      {
        metrics: [
          {
            meta: { window_size_seconds: 1_800 },
            items: [{ value: 4 }, { value: 50 }, { name: 'active_decisions', value: 7 }],
          },
        ],
      },
    ],
  });

  items.splice(0, 2, { ...dropped, value: 10 }, { ...processed, value: 150 });
  await reporter.close();
  t.equal(reporter.status().sent, 3, 'and a last one at the end');
  t.match(lapi.metrics[2], {
    remediation_components: [{ metrics: [{ items: [{ name: 'dropped', value: 1 }, { value: 7 }] }] }],
  });
});

t.test('a machine reports at once, with its items and sources', async (t) => {
  const clock = createManualClock();
  const { lapi, reporter } = await reporting(t, clock, {
    side: 'machine',
    periodMs: 1_800_000,
    source: {
      items: () => [{ name: 'read', unit: 'line', value: 3, source: 'file' }],
      datasources: () => ({ file: 2 }),
      hubItems: () => ({ parsers: [{ name: 'a/b', status: 'official', version: '0.1' }] }),
    },
  });
  await comesAbout(() => reporter.status().sent === 1, 'the first report');
  t.match(lapi.metrics[0], {
    remediation_components: null,
    log_processors: [
      {
        datasources: { file: 2 },
        hub_items: { parsers: [{ name: 'a/b', status: 'official', version: '0.1' }] },
        metrics: [{ items: [{ name: 'read', value: 3, unit: 'line', labels: { datasource_type: 'file' } }] }],
      },
    ],
  });
});

t.test('a Local API that is too old for this is no failure', async (t) => {
  const clock = createManualClock();
  const { lapi, reporter } = await reporting(t, clock);
  lapi.generation = '1.4.6';
  clock.advance(900_000);
  await comesAbout(() => !reporter.status().isSupported, 'the answer');
  t.match(reporter.status(), { sent: 0, lastFailure: null });
  const asked = lapi.requests.length;
  await reporter.close();
  t.equal(lapi.requests.length, asked, 'and it is not bothered at the end');
});

t.test('one that is away is a failure without consequences', async (t) => {
  const clock = createManualClock();
  const { lapi, reporter } = await reporting(t, clock);
  await lapi.stop();
  clock.advance(900_000);
  await comesAbout(() => reporter.status().lastFailure !== null, 'the failure');
  t.match(reporter.status().lastFailure, /nothing listens there/);
  await reporter.close();
});
