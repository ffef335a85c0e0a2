/** Our bouncer and our agent with the Local API of the real CrowdSec 1.4.6. */
import t from 'tap';
import { systemClock } from '../../../../core/clock.ts';
import { createSystemRandom } from '../../../../core/random.ts';
import { createDecisionHistory } from '../../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../../remediation/index/decision-index.ts';
import { registerMachine } from '../../../../remediation/lapi/client/agent.ts';
import { followLapis } from '../../../../remediation/lapi/client/follow-lapis.ts';
import { createLapiClient } from '../../../../remediation/lapi/client/lapi-client.ts';
import { agentOptions, bouncerOptions } from '../../../../remediation/lapi/client/options.ts';
import { reportToLapis } from '../../../../remediation/lapi/client/report-to-lapis.ts';
import { createPublisher } from '../../../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../../../remediation/store/memory.ts';
import { storeOptions } from '../../../../remediation/store/options.ts';
import { eventually } from '../../../support/eventually.ts';
import { startCrowdsecLapi } from '../../../support/servers/crowdsec-lapi.ts';
import { haveRealPrograms } from '../../../support/servers/real-programs.ts';
import { alertOf, collectedLog, ip } from '../../support.ts';
import { noTls } from './support.ts';

const identity = {
  version: '0.1.0',
  startedAt: 0,
  os: { name: 'debian', version: '12' },
  type: 'portcullis',
  name: 'gw',
};

t.test(
  'bans of a real Local API reach us in stream and live mode, our alerts reach it, and a restart loses nothing',
  async (t) => {
    if (!haveRealPrograms(t, ['crowdsec'])) return;
    const lapi = await startCrowdsecLapi(t);
    const clock = systemClock;
    const { log } = collectedLog();
    const runtime = { clock, random: createSystemRandom(), log };
    const store = createMemoryStore(storeOptions.parse({ type: 'memory' }), runtime);
    const index = createDecisionIndex(runtime);
    const history = createDecisionHistory({ clock });
    const publisher = createPublisher({ ...runtime, index, history, store });
    const add = (...what: string[]): Promise<unknown> => lapi.cscli('decisions', 'add', ...what);
    await add('--ip', '192.0.2.1', '--reason', 'test/first');
    await add('--range', '198.51.100.0/28', '--type', 'captcha');

    const bouncer = bouncerOptions.parse({
      lapis: [
        { name: 'stream', url: lapi.url, key: await lapi.addBouncer('one'), interval: '1s' },
        { name: 'live', url: lapi.url, key: await lapi.addBouncer('two'), mode: 'live', cleanFor: '0s', hitFor: '0s' },
      ],
      live: { wait: '5s' },
    });
    const followed = await followLapis(bouncer, { ...runtime, store, publisher, identity, usage: () => [] });
    t.teardown(() => followed.close());
    await followed.ready;
    const type = (address: string): string | null => index.lookup({ address: ip(address) }, clock.now())?.type ?? null;
    t.strictSame([type('192.0.2.1'), type('198.51.100.9'), type('192.0.2.2')], ['ban', 'captcha', null]);
    t.match(await followed.live?.ask(ip('192.0.2.1')), { type: 'ban', scenario: 'test/first', origin: 'cscli' });
    t.equal(await followed.live?.ask(ip('192.0.2.2')), null);

    await lapi.cscli('decisions', 'delete', '--ip', '192.0.2.1');
    await eventually(
      () => type('192.0.2.1'),
      (found) => found === null,
      'the deletion to arrive',
    );
    t.equal(await followed.live?.ask(ip('192.0.2.1')), null);

    const { machineId, password } = await lapi.addMachine('gateway');
    const agent = agentOptions.parse({ lapis: [{ url: lapi.url, machineId, password }] });
    const usage = { items: () => [] };
    const reporting = await reportToLapis(agent, { ...runtime, publisher, identity, usage, scenarios: () => ['a/b'] });
    t.teardown(() => reporting.close());
    // More than 5 KiB, which this version does not take compressed.
    const now = clock.now();
    const raised = alertOf({ ip: '203.0.113.77', startAt: now, stopAt: now, createdAt: now });
    const alert = { ...raised, events: Array.from({ length: 100 }, () => raised.events).flat() };
    publisher.publish({ alert, decisions: [], matched: [] });
    await eventually(
      () => type('203.0.113.77'),
      (found) => found === 'ban',
      'its profiles to ban whom we reported',
    );
    t.match(reporting.status(), [{ sent: 1, dropped: 0, state: 'connected' }]);

    await lapi.stop();
    await eventually(
      () => followed.status()[0]?.isConnected,
      (isConnected) => isConnected === false,
      'the outage to be seen',
    );
    t.equal(type('198.51.100.9'), 'captcha', 'the last known decisions stay');
    await lapi.start();
    await add('--ip', '192.0.2.3');
    await eventually(
      () => type('192.0.2.3'),
      (found) => found === 'ban',
      'decisions after the restart',
    );
    t.equal(type('198.51.100.9'), 'captcha');

    const target = {
      name: 'main',
      address: { kind: 'http' as const, url: `${lapi.url}/` },
      credentials: { kind: 'none' as const },
      tls: noTls,
    };
    const client = createLapiClient({ target, clock, userAgent: 'portcullis/v0.1.0', timeoutMs: 10_000 });
    t.teardown(() => client.close());
    t.equal(await registerMachine(client, { machineId: 'asking', password: 'p'.repeat(16), token: null }), 'pending');
  },
);
