import t, { type Test } from 'tap';
import { createLapiAgent, registerMachine, type LapiAgentOptions } from '../../../../remediation/lapi/client/agent.ts';
import type { Publication } from '../../../../remediation/exchange/publish.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { alertOf, collectedLog, decisionOf, startMs } from '../../support.ts';
import { startFakeLapi, type FakeLapi } from './fake-lapi.ts';
import { clientOf, comesAbout, evenRandom } from './support.ts';

async function fake(t: Test, clock: ManualClock): Promise<FakeLapi> {
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  return lapi;
}

function reporting(
  t: Test,
  clock: ManualClock,
  lapi: FakeLapi,
  over: Partial<LapiAgentOptions> = {},
  machineId = 'm1',
) {
  const { log, lines } = collectedLog();
  const credentials = { kind: 'machine' as const, machineId, password: 'secret-of-m1' };
  const client = clientOf(lapi.url, clock, { credentials });
  const listeners = new Set<(publication: Publication) => void>();
  const publisher = {
    listen(listener: (publication: Publication) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const agent = createLapiAgent({
    clock,
    log,
    random: evenRandom(),
    client,
    publisher,
    decide: 'there',
    mostQueued: 100,
    ...over,
  });
  t.teardown(async () => {
    await agent.close(0);
    await client.close();
  });
  const publish = (publication: Partial<Publication>): void => {
    for (const listener of listeners) listener({ alert: alertOf(), decisions: [], matched: [], ...publication });
  };
  return { agent, publish, lines };
}

const posts = (lapi: FakeLapi): number => lapi.requests.filter(({ url }) => url === '/v1/alerts').length;

t.test('alerts go out in one batch each second, in the form of an agent', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { agent, publish } = reporting(t, clock, lapi);
  const alert = alertOf({
    ip: '198.51.100.120',
    scenario: 'crowdsecurity/http-probing',
    source: { country: 'DE', asNumber: '64500', latitude: 1.5 },
    meta: [{ key: 'k'.repeat(300), value: 'v'.repeat(5_000) }],
    capacity: 10,
    leakspeed: '10s',
  });
  publish({ alert, decisions: [decisionOf()] });
  publish({ alert: alertOf({ scenario: 'second', remediation: false }) });
  clock.advance(1_000);
  await comesAbout(() => agent.status().sent === 2 && agent.status().lastHeartbeatAt !== null, 'both alerts');
  t.equal(posts(lapi), 1);
  t.strictSame(lapi.alerts[0], {
    uuid: alert.uuid,
    kind: 'crowdsec',
    scenario: 'crowdsecurity/http-probing',
    scenario_hash: '',
    scenario_version: '',
    message: '',
    events_count: 1,
    events: [{ timestamp: '2026-01-01T00:00:00Z', meta: [{ key: 'http_user_agent', value: 'curl/8' }] }],
    start_at: '2026-01-01T00:00:00.000Z',
    stop_at: '2026-01-01T00:00:00.000Z',
    created_at: '2026-01-01T00:00:00.000Z',
    capacity: 10,
    leakspeed: '10s',
    simulated: false,
    remediation: true,
    labels: null,
    meta: [{ key: 'k'.repeat(255), value: 'v'.repeat(4_095) }],
    source: {
      scope: 'Ip',
      value: '198.51.100.120',
      ip: '198.51.100.120',
      as_number: '64500',
      cn: 'DE',
      latitude: 1.5,
      longitude: 0,
    },
    decisions: null,
  });
  t.match(lapi.alerts[1], { scenario: 'second', remediation: false, decisions: null });
  t.match(agent.status(), { sent: 2, queued: 0, dropped: 0, state: 'connected' });
});

t.test('our decisions go along when we decide, with durations from the end of the alert', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { publish } = reporting(t, clock, lapi, { decide: 'here' });
  publish({ decisions: [decisionOf({ until: startMs + 4 * 3_600_000 + 400, uuid: 'd1' })] });
  publish({ alert: alertOf({ kind: 'cscli', scenario: 'by hand' }), decisions: [decisionOf()] });
  publish({});
  clock.advance(1_000);
  await comesAbout(() => lapi.alerts.length === 3, 'the alerts');
  t.match(lapi.alerts[0], {
    remediation: true,
    decisions: [{ uuid: 'd1', origin: 'crowdsec', scope: 'Ip', type: 'ban', value: '192.0.2.1', duration: '4h0m0s' }],
  });
  t.match(lapi.alerts[1], { kind: 'cscli' });
  t.match(lapi.alerts[2], { remediation: false, decisions: [] }, 'where we decided on nothing, they are not to either');
});

t.test(
  'alerts that a machine brought are not sent on, nor what people decided when the other side decides',
  async (t) => {
    const clock = createManualClock();
    const lapi = await fake(t, clock);
    const { publish, agent } = reporting(t, clock, lapi);
    publish({ alert: alertOf({ machineId: 'agent-7' }) });
    publish({ alert: alertOf({ kind: 'cscli' }) });
    publish({ alert: alertOf({ scenario: 'own' }) });
    clock.advance(1_000);
    await comesAbout(() => agent.status().sent > 0, 'the last one');
    t.match(lapi.alerts, [{ scenario: 'own' }]);
    t.equal(lapi.alerts.length, 1);
  },
);

t.test('a heartbeat each minute, with a new login after a restart there', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { agent } = reporting(t, clock, lapi);
  const beats = (): number => lapi.requests.filter(({ url }) => url === '/v1/heartbeat').length;
  await comesAbout(() => agent.status().lastHeartbeatAt !== null, 'the first');
  t.equal(beats(), 1);
  lapi.restart();
  clock.advance(60_000);
  await comesAbout(() => agent.status().lastHeartbeatAt === clock.now(), 'the second');
  t.match(agent.status(), { state: 'connected', heartbeatFailure: null });
});

t.test('while the other side is away alerts wait, the newest of them, and go out when it is back', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { agent, publish } = reporting(t, clock, lapi, { mostQueued: 100 });
  for (let count = 0; count < 4; count++) lapi.faults.push({ kind: 'status', status: 503, path: '/v1/alerts' });
  for (let count = 0; count < 105; count++) publish({ alert: alertOf({ scenario: `s${count}` }) });
  await comesAbout(() => agent.status().failures === 1, 'a failure', { clock, stepMs: 100 });
  t.match(agent.status(), { state: 'failing', dropped: 10, queued: 95, lastFailure: { code: 'LAPI_REFUSED' } });
  await comesAbout(() => agent.status().sent === 95, 'all that waited', { clock, stepMs: 1_000 });
  const scenarios = lapi.alerts.map((alert) => (alert as { scenario: string }).scenario);
  t.strictSame(
    scenarios,
    Array.from({ length: 95 }, (_, at) => `s${at + 10}`),
    'in order, each once',
  );
});

t.test('one alert that is refused for what it is holds up no other', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { agent, publish, lines } = reporting(t, clock, lapi);
  for (let count = 0; count < 20; count++)
    publish({ alert: alertOf({ scenario: count === 7 ? 'poison' : `s${count}` }) });
  await comesAbout(() => agent.status().queued === 0, 'the queue is empty', { clock, stepMs: 500 });
  t.match(agent.status(), { sent: 19, dropped: 1 });
  t.equal(new Set(lapi.alerts.map((alert) => (alert as { scenario: string }).scenario)).size, 19);
  t.equal(lapi.alerts.length, 19, 'none twice');
  t.ok(lines.some(({ msg }) => msg === 'alerts do not reach the Local API'));
});

t.test('an error that nobody explains is waited for, and at last counted against the alert', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { agent, publish } = reporting(t, clock, lapi);
  for (let count = 0; count < 5; count++)
    lapi.faults.push({ kind: 'status', status: 500, message: 'x', path: '/v1/alerts' });
  publish({});
  await comesAbout(() => agent.status().dropped === 1, 'it is given up', { clock, stepMs: 5_000 });
  publish({});
  await comesAbout(() => agent.status().sent === 1, 'the next is taken', { clock, stepMs: 1_000 });
});

t.test('what is left is sent at the end', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { agent, publish } = reporting(t, clock, lapi);
  publish({});
  await agent.close();
  t.equal(lapi.alerts.length, 1, 'without waiting for the second to pass');
  publish({});
  t.equal(agent.status().queued, 0, 'and nothing more is taken');
});

t.test('a machine whose operator has not agreed yet says so', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.machines.set('m2', { password: 'secret-of-m1', validated: false });
  const { agent, lines } = reporting(t, clock, lapi, {}, 'm2');
  await comesAbout(() => agent.status().heartbeatFailure !== null, 'the login fails');
  t.equal(agent.status().state, 'pending');
  t.notMatch(JSON.stringify(lines), /secret-of-m1/);
  lapi.machines.set('m2', { password: 'secret-of-m1', validated: true });
  clock.advance(60_000);
  await comesAbout(() => agent.status().state === 'connected', 'it is let in');
});

t.test(
  'a machine registers itself: let in with a token, pending without, refused when the name is taken',
  async (t) => {
    const clock = createManualClock();
    const lapi = await fake(t, clock);
    const client = clientOf(lapi.url, clock, { credentials: { kind: 'none' } });
    t.teardown(() => client.close());
    const machine = { machineId: 'new', password: 'p', token: null };
    t.equal(await registerMachine(client, machine), 'pending');
    t.strictSame(lapi.requests[0]?.body, { machine_id: 'new', password: 'p' });
    t.equal(await registerMachine(client, { ...machine, machineId: 'other', token: 't'.repeat(32) }), 'validated');
    await t.rejects(registerMachine(client, machine), { code: 'LAPI_REFUSED', message: /knows a machine new already/ });
    lapi.faults.push({ kind: 'status', status: 401, message: 'invalid token for auto registration' });
    await t.rejects(registerMachine(client, { ...machine, machineId: 'x', token: 't' }), {
      message: /registration token/,
    });
  },
);
