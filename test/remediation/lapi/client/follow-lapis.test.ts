import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { followLapis } from '../../../../remediation/lapi/client/follow-lapis.ts';
import { agentOptions, bouncerOptions } from '../../../../remediation/lapi/client/options.ts';
import { reportToLapis } from '../../../../remediation/lapi/client/report-to-lapis.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { alertOf, ip } from '../../support.ts';
import { startFakeLapi } from './fake-lapi.ts';
import { createWorld, comesAbout } from './support.ts';

const identity = {
  version: '0.1.0',
  startedAt: 0,
  os: { name: 'debian', version: '12' },
  type: 'portcullis',
  name: 'gw',
};

t.test('settings become streams, live questions and usage metrics, with keys from files', async (t) => {
  const clock = createManualClock();
  const folder = mkdtempSync(join(tmpdir(), 'lapis-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [one, two] = [await startFakeLapi(clock), await startFakeLapi(clock)];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, 'k1\n');
  one.add({ value: '192.0.2.1', origin: 'CAPI' });
  one.add({ value: '2001:db8::1', origin: 'CAPI' });
  two.add({ value: '192.0.2.2', type: 'captcha' });
  const { runtime, store, publisher, index } = createWorld(clock);
  const options = bouncerOptions.parse({
    lapis: [
      { name: 'one', url: one.url, keyFile },
      { name: 'two', url: two.url, key: 'k1', mode: 'live' },
    ],
  });
  const asked: string[] = [];
  const usage = (lapi: string) => {
    asked.push(lapi);
    return [
      { name: 'dropped', unit: 'request', value: 3, origin: 'CAPI', ipType: 'ipv4', remediation: 'ban' },
    ] as const;
  };
  const followed = await followLapis(options, { ...runtime, store, publisher, identity, usage });
  await followed.ready;
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now())?.type, 'ban');
  t.match(await followed.live?.ask(ip('192.0.2.2')), { type: 'captcha' });
  t.match(followed.status(), [
    { name: 'one', mode: 'stream', isConnected: true, decisions: 2 },
    { name: 'two', mode: 'live', isConnected: true, remembered: 1 },
  ]);
  await followed.close();
  await followed.close();
  t.same(asked.toSorted(), ['one', 'two'], 'the last report is sent at the end');
  t.match(one.metrics, [
    {
      remediation_components: [
        {
          metrics: [
            {
              items: [
                { name: 'active_decisions', value: 1, labels: { origin: 'CAPI', ip_type: 'ipv4' } },
                { name: 'active_decisions', value: 1, labels: { origin: 'CAPI', ip_type: 'ipv6' } },
                { name: 'dropped', value: 3 },
              ],
            },
          ],
        },
      ],
    },
  ]);
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now())?.type, 'ban', 'what is mirrored stays in force');
});

t.test('a file of the settings that is not there is a mistake at start', async (t) => {
  const { runtime, store, publisher } = createWorld(createManualClock());
  const deps = { ...runtime, store, publisher, identity, usage: () => [] };
  const lapi = { name: 'one', url: 'http://127.0.0.1:1' };
  for (const over of [{ keyFile: '/nonexistent/key' }, { key: 'k', tls: { caFile: '/nonexistent/ca' } }]) {
    const options = bouncerOptions.parse({ lapis: [{ ...lapi, ...over }] });
    await t.rejects(followLapis(options, deps), {
      code: 'SETTINGS_UNREADABLE',
      message: /^\/nonexistent\/\w+ cannot be read/,
    });
  }
});

t.test('settings become agents', async (t) => {
  const clock = createManualClock();
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  const { runtime, publisher } = createWorld(clock);
  const options = agentOptions.parse({ lapis: [{ url: lapi.url, machineId: 'm1', password: 'secret-of-m1' }] });
  const usage = { items: () => [] };
  const reporting = await reportToLapis(options, { ...runtime, publisher, identity, usage, scenarios: () => ['a/b'] });
  publisher.publish({ alert: alertOf({ scenario: 'own' }), decisions: [], matched: [] });
  await comesAbout(() => lapi.metrics.length === 1, 'the first report');
  await reporting.close();
  t.match(lapi.alerts, [{ scenario: 'own' }]);
  t.match(reporting.status(), [{ name: 'main', sent: 1, queued: 0 }]);
  t.match(lapi.requests.find(({ url }) => url === '/v1/watchers/login')?.body, { scenarios: ['a/b'] });
});
