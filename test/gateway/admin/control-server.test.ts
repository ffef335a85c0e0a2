import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ControlClient, createControlClient } from '../../../cli/control-client.ts';
import { parseIp } from '../../../core/ip.ts';
import { createControlServer } from '../../../gateway/admin/control-server.ts';
import type {
  AlertList,
  AlertModel,
  DecisionAdded,
  DecisionList,
  DecisionsDeleted,
  DoctorModel,
  ExplainModel,
  RefusalModel,
  SelftestModel,
  SelftestProgress,
  StatusModel,
  WhyAddress,
  WhyRequest,
} from '../../../gateway/admin/models.ts';
import type { AllowlistChangeModel } from '../../../gateway/admin/operator-models.ts';
import { alert, createWorld, decision, refusal, type World, type WorldOptions } from './world.ts';

interface Opened extends World {
  readonly client: ControlClient;
}

async function open(t: Test, options: WorldOptions = {}): Promise<Opened> {
  const world = await createWorld(t, options);
  const server = createControlServer({ socketPath: world.socketPath }, world.deps);
  await server.listen();
  t.teardown(() => server.close());
  return { ...world, client: createControlClient(world.socketPath) };
}

const visitor = parseIp('203.0.113.9');
if (visitor === null) throw new Error('203.0.113.9 is an address');

t.test('the socket', async (t) => {
  await t.test('only the owner can open it, and it is gone after close', async (t) => {
    const world = await createWorld(t);
    const server = createControlServer({ socketPath: world.socketPath }, world.deps);
    await server.listen();
    t.equal(statSync(world.socketPath).mode & 0o777, 0o600);
    await server.close();
    t.notOk(existsSync(world.socketPath));
    await server.close();
  });

  await t.test('close before listen is safe', async (t) => {
    const world = await createWorld(t);
    await createControlServer({ socketPath: world.socketPath }, world.deps).close();
  });

  await t.test('a living gateway keeps its socket', async (t) => {
    const world = await open(t);
    const second = createControlServer({ socketPath: world.socketPath }, world.deps);
    t.teardown(() => second.close());
    await t.rejects(second.listen(), { code: 'ADDRESS_IN_USE' });
    t.equal((await world.client.ask<StatusModel>('GET', '/v1/status')).version, '1.2.3');
  });

  await t.test('the socket of a killed process is taken over', async (t) => {
    const world = await createWorld(t);
    const script = `require('node:net').createServer().listen(${JSON.stringify(world.socketPath)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    t.ok(existsSync(world.socketPath), 'a killed process leaves its socket');
    const server = createControlServer({ socketPath: world.socketPath }, world.deps);
    t.teardown(() => server.close());
    await server.listen();
    t.equal((await createControlClient(world.socketPath).ask<StatusModel>('GET', '/v1/status')).version, '1.2.3');
  });

  await t.test('a file that is no socket is not removed', async (t) => {
    const world = await createWorld(t);
    writeFileSync(world.socketPath, 'precious');
    const server = createControlServer({ socketPath: world.socketPath }, world.deps);
    t.teardown(() => server.close());
    await t.rejects(server.listen(), { code: 'LISTEN_FAILED', message: /no socket/ });
    t.ok(existsSync(world.socketPath));
  });

  await t.test('a path that the system cannot hold says so', async (t) => {
    const world = await createWorld(t);
    const socketPath = join(world.folder, 'x'.repeat(108), 'admin.sock');
    const server = createControlServer({ socketPath }, world.deps);
    t.teardown(() => server.close());
    await t.rejects(server.listen(), { code: 'LISTEN_FAILED', message: /the system allows 107/ });
  });

  await t.test('a folder that is not there says so', async (t) => {
    const world = await createWorld(t);
    const socketPath = join(world.folder, 'missing', 'admin.sock');
    const server = createControlServer({ socketPath }, world.deps);
    t.teardown(() => server.close());
    await t.rejects(server.listen(), { code: 'LISTEN_FAILED', remedy: /folder/ });
  });

  await t.test('a listener that is busy but not a gateway counts as living', async (t) => {
    const world = await createWorld(t);
    const other = createServer((socket) => socket.end());
    other.listen(world.socketPath);
    await once(other, 'listening');
    t.teardown(() => other.close());
    const server = createControlServer({ socketPath: world.socketPath }, world.deps);
    t.teardown(() => server.close());
    await t.rejects(server.listen(), { code: 'ADDRESS_IN_USE' });
  });

  await t.test('bytes that are no HTTP do not disturb it', async (t) => {
    const { client, socketPath } = await open(t);
    const socket = connect(socketPath);
    socket.end('\u0000\u0001 nonsense\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    t.equal((await client.ask<StatusModel>('GET', '/v1/status')).version, '1.2.3');
  });
});

t.test('no gateway', async (t) => {
  const world = await createWorld(t);
  await t.rejects(createControlClient(world.socketPath).ask('GET', '/v1/status'), {
    code: 'GATEWAY_ABSENT',
    remedy: /npm start/,
  });
});

t.test('decisions', async (t) => {
  await t.test('an added one is enforced at once, listed, and lifted by its address', async (t) => {
    const { client, deps } = await open(t);
    const body = { scope: 'ip', value: '203.0.113.9', duration: '4h', type: 'ban', reason: 'test' };
    const added = await client.ask<DecisionAdded>('POST', '/v1/decisions', { body });
    t.equal(deps.index.lookup({ address: visitor }, deps.clock.now())?.scenario, 'test');
    t.match(added.decision, {
      scope: 'Ip',
      value: '203.0.113.9',
      type: 'ban',
      origin: 'cscli',
      duration: '4h0m0s',
      active: true,
    });
    const listed = await client.ask<DecisionList>('GET', '/v1/decisions');
    t.strictSame(
      listed.decisions.map(({ id }) => id),
      [added.decision.id],
    );
    const deleted = await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', { query: { ip: '203.0.113.9' } });
    t.equal(deleted.deleted, 1);
    t.equal(deps.index.lookup({ address: visitor }, deps.clock.now()), null);
    t.strictSame((await client.ask<DecisionList>('GET', '/v1/decisions')).decisions, []);
    const history = await client.ask<DecisionList>('GET', '/v1/decisions', { query: { all: 'true' } });
    t.match(history.decisions, [{ id: added.decision.id, active: false, deleted_at: String }]);
  });

  await t.test('lifting an address takes the ranges around it, a value only itself', async (t) => {
    const { client, publisher } = await open(t);
    const range = decision({ scope: 'Range', value: '203.0.113.0/24' });
    const exact = decision();
    const other = decision({ value: '203.0.113.10' });
    const six = decision({ scope: 'Range', value: '2001:db8::/64' });
    publisher.write([range, exact, other, six].map((decision) => ({ kind: 'decision-added', decision })));
    const covering = await client.ask<DecisionList>('GET', '/v1/decisions', { query: { ip: '203.0.113.9' } });
    t.same(new Set(covering.decisions.map(({ uuid }) => uuid)), new Set([range.uuid, exact.uuid]));
    const byValue = await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', { query: { value: '203.0.113.10' } });
    t.strictSame(
      byValue.decisions.map(({ uuid }) => uuid),
      [other.uuid],
    );
    const bySix = await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', { query: { ip: '2001:db8::7' } });
    t.strictSame(
      bySix.decisions.map(({ uuid }) => uuid),
      [six.uuid],
    );
    t.equal(
      (await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', { query: { ip: '203.0.113.9' } })).deleted,
      2,
    );
  });

  await t.test('any spelling of an address finds it', async (t) => {
    const { client, publisher } = await open(t);
    publisher.write([{ kind: 'decision-added', decision: decision() }]);
    for (const query of [
      { ip: '::ffff:203.0.113.9' },
      { value: '::ffff:203.0.113.9' },
      { scope: 'IP', value: '203.0.113.9' },
    ]) {
      t.equal(
        (await client.ask<DecisionList>('GET', '/v1/decisions', { query })).decisions.length,
        1,
        JSON.stringify(query),
      );
    }
  });

  await t.test('one is found by the beginning of its id, unless several begin so', async (t) => {
    const { client, publisher } = await open(t);
    const first = decision({ uuid: 'aaaaaaaa-1111-4111-8111-111111111111' });
    const second = decision({ uuid: 'aaaaaaaa-2222-4111-8111-111111111111', value: '203.0.113.10' });
    publisher.write([first, second].map((decision) => ({ kind: 'decision-added', decision })));
    const remove = (id: string): Promise<DecisionsDeleted> => client.ask('DELETE', '/v1/decisions', { query: { id } });
    await t.rejects(remove('aaaaaaaa'), { code: 'USAGE', message: /2 decisions/ });
    await t.rejects(remove('bbbbbbbb'), { code: 'NOT_FOUND' });
    t.equal((await remove('aaaaaaaa-1')).deleted, 1);
  });

  await t.test('lists go on where the last page ended', async (t) => {
    const { client, publisher } = await open(t);
    const made = Array.from({ length: 7 }, (_, index) => decision({ value: `198.51.100.${index}` }));
    publisher.write(made.map((decision) => ({ kind: 'decision-added', decision })));
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const query: Record<string, string> = { limit: '3', ...(after === null ? {} : { after }) };
      const page: DecisionList = await client.ask<DecisionList>('GET', '/v1/decisions', { query });
      seen.push(...page.decisions.map(({ uuid }) => uuid));
      after = page.next;
    } while (after !== null);
    t.strictSame(seen.toSorted(), made.map(({ uuid }) => uuid).toSorted());
  });

  await t.test('what others brought is left out by the store, however much of it came last', async (t) => {
    const { client, publisher, store, deps } = await open(t);
    const ours = [decision({ value: '198.51.100.1' }), decision({ scope: 'Range', value: '198.51.0.0/16' })];
    const others = Array.from({ length: 6_000 }, (_, index) =>
      decision({ value: `10.0.${index >> 8}.${index & 255}`, origin: index % 2 === 0 ? 'lists' : 'CAPI' }),
    );
    const around = decision({ scope: 'Range', value: '198.0.0.0/8', origin: 'lists' });
    publisher.write([...ours, ...others, around].map((one) => ({ kind: 'decision-added', decision: one })));
    await deps.publisher.settle();
    const asked = t.capture(store, 'decisions', store.decisions.bind(store));
    const page = (query: Record<string, string>): Promise<DecisionList> =>
      client.ask<DecisionList>('GET', '/v1/decisions', { query: { own: 'true', ...query } });
    const values = async (query: Record<string, string>): Promise<string[]> =>
      (await page(query)).decisions.map(({ value }) => value);
    t.same(await values({ limit: '100' }), ['198.51.0.0/16', '198.51.100.1']);
    t.equal(asked().length, 1, 'one question, not a page of rows after the other');
    t.same((await values({ ip: '198.51.100.1' })).toSorted(), ['198.51.0.0/16', '198.51.100.1']);
    const first = await page({ limit: '1' });
    t.same(await values({ limit: '1', after: first.next ?? '' }), ['198.51.100.1']);
  });

  await t.test('everything is lifted only when that is said', async (t) => {
    const { client, publisher, deps } = await open(t);
    const made = Array.from({ length: 2_345 }, (_, index) => decision({ value: `10.${index >> 8}.${index & 255}.7` }));
    publisher.write(made.map((decision) => ({ kind: 'decision-added', decision })));
    await t.rejects(client.ask('DELETE', '/v1/decisions'), { code: 'USAGE', remedy: /--all/ });
    await t.rejects(client.ask('DELETE', '/v1/decisions', { query: { all: 'false' } }), { code: 'USAGE' });
    const deleted = await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', { query: { all: 'true' } });
    t.equal(deleted.deleted, 2_345);
    t.equal(deleted.decisions.length, 100);
    t.equal(deps.index.size.total, 0);
  });

  await t.test('what cannot be meant is refused with the reason', async (t) => {
    const { client } = await open(t);
    const good = { scope: 'Ip', value: '203.0.113.9', duration: '4h', type: 'ban' };
    const cases: [object, string, RegExp][] = [
      [{ ...good, value: '203.0.113.0/24' }, 'DECISION_INVALID', /not an IP address/],
      [{ ...good, value: '203.0.113.09' }, 'DECISION_INVALID', /not an IP address/],
      [{ ...good, scope: 'range', value: '203.0.113.0/33' }, 'DECISION_INVALID', /not a range/],
      [{ ...good, scope: 'country', value: 'Switzerland' }, 'DECISION_INVALID', /not a country/],
      [{ ...good, scope: 'AS', value: 'ASxyz' }, 'DECISION_INVALID', /not an AS number/],
      [{ ...good, duration: '4' }, 'USAGE', /duration: "4" is not a duration/],
      [{ ...good, duration: '-4h' }, 'USAGE', /not longer than nothing/],
      [{ ...good, duration: '0' }, 'USAGE', /not longer than nothing/],
      [{ ...good, duration: '99999999h' }, 'USAGE', /too long/],
      [{ ...good, type: 'a b' }, 'USAGE', /type/],
      [{ ...good, reason: 'a\u001bb' }, 'USAGE', /control characters/],
      [{ ...good, colour: 'red' }, 'USAGE', /colour/],
      [{}, 'USAGE', /scope.*value.*duration/],
    ];
    for (const [body, code, message] of cases) {
      await t.rejects(client.ask('POST', '/v1/decisions', { body }), { code, message }, JSON.stringify(body));
    }
    t.equal(cases.length, 13);
    await t.rejects(client.ask('GET', '/v1/decisions', { query: { ip: '203.0.113.0/24' } }), {
      code: 'USAGE',
      message: /use --range/,
    });
    await t.rejects(client.ask('GET', '/v1/decisions', { query: { ip: '192.0.2.1', range: '192.0.2.0/24' } }), {
      code: 'USAGE',
    });
    await t.rejects(client.ask('GET', '/v1/decisions', { query: { limit: '0' } }), { code: 'USAGE' });
  });

  await t.test('an unknown type and a protected address are taken with a warning', async (t) => {
    const { client } = await open(t);
    const body = { scope: 'Ip', value: '10.0.0.1', duration: '1h', type: 'tarpit' };
    const { warnings } = await client.ask<DecisionAdded>('POST', '/v1/decisions', { body });
    t.equal(warnings.length, 2);
    t.match(warnings.join('\n'), /enforced as a ban[^]*trusted proxy/);
  });

  await t.test('what the allowlist covers is refused, or stored on demand with a warning', async (t) => {
    const { client, deps } = await open(t);
    await client.ask('POST', '/v1/allowlists', { body: { name: 'office' } });
    await client.ask('POST', '/v1/allowlists/office/items', { body: { values: ['203.0.113.0/28'] } });
    const body = { scope: 'Ip', value: '203.0.113.9', duration: '1h', type: 'ban' };
    await t.rejects(client.ask('POST', '/v1/decisions', { body }), {
      code: 'GATEWAY_REFUSED',
      remedy: /allowlists remove office 203.0.113.0\/28/,
    });
    const { warnings } = await client.ask<DecisionAdded>('POST', '/v1/decisions', {
      body: { ...body, bypassAllowlist: true },
    });
    t.match(warnings, [/stay allowed/]);
    t.equal(deps.index.lookup({ address: visitor }, deps.clock.now()), null);
  });

  await t.test('scopes other than addresses are kept in one spelling', async (t) => {
    const { client } = await open(t);
    for (const [scope, value] of [
      ['country', 'ch'],
      ['as', 'AS64496'],
      ['session', 'abc'],
    ]) {
      await client.ask('POST', '/v1/decisions', { body: { scope, value, duration: '1h', type: 'captcha' } });
    }
    const { decisions } = await client.ask<DecisionList>('GET', '/v1/decisions');
    t.strictSame(decisions.map(({ scope, value }) => `${scope}:${value}`).toSorted(), [
      'AS:64496',
      'Country:CH',
      'session:abc',
    ]);
    t.equal(
      (await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', { query: { scope: 'country', value: 'ch' } }))
        .deleted,
      1,
    );
  });
});

t.test('allowlists', async (t) => {
  const { client, deps, publisher } = await open(t);
  const change = (list: string, how: string, body: object): Promise<AllowlistChangeModel> =>
    client.ask('POST', `/v1/allowlists/${list}/${how}`, { body });
  await t.rejects(change('office', 'items', { values: ['203.0.113.9'] }), {
    code: 'NOT_FOUND',
    remedy: /allowlists create office/,
  });
  await client.ask('POST', '/v1/allowlists', { body: { name: 'office', description: 'our people' } });
  await t.rejects(client.ask('POST', '/v1/allowlists', { body: { name: 'office' } }), { code: 'GATEWAY_REFUSED' });
  await t.rejects(client.ask('POST', '/v1/allowlists', { body: { name: 'portcullis-settings' } }), {
    code: 'GATEWAY_REFUSED',
  });
  const covering = decision({ scope: 'Range', value: '203.0.113.0/24' });
  const inside = decision({ value: '198.51.100.7' });
  const other = decision({ value: '192.0.2.1' });
  const mirrored = decision({ uuid: 'lapi/a/1' });
  publisher.write([covering, inside, other, mirrored].map((one) => ({ kind: 'decision-added', decision: one })));
  const values = ['203.0.113.9/32', '198.51.100.0/24', '203.0.113.9', 'Office.Example.org.'];
  t.same(await change('office', 'items', { values, comment: 'monitoring', expiration: '1h' }), {
    changed: ['203.0.113.9', '198.51.100.0/24', 'office.example.org'],
    unchanged: [],
    lifted: 2,
  });
  t.ok(deps.index.isAllowed(visitor));
  const left = (await client.ask<DecisionList>('GET', '/v1/decisions')).decisions.map(({ uuid }) => uuid);
  t.same(new Set(left), new Set([other.uuid, mirrored.uuid]), 'what others decided is theirs to lift');
  t.match(await client.ask('GET', '/v1/allowlists'), {
    allowlists: [
      {
        name: 'office',
        description: 'our people',
        size: 3,
        items: [{ value: '203.0.113.9', description: 'monitoring', expiration: String }, {}, {}],
      },
    ],
  });
  t.same(await client.ask('GET', '/v1/allowlists-check', { query: { value: '198.51.100.9' } }), {
    value: '198.51.100.9',
    allowlisted: true,
    reason: '198.51.100.0/24 from office (monitoring)',
  });
  t.match(await client.ask('GET', '/v1/allowlists-check', { query: { value: '192.0.2.1' } }), { allowlisted: false });
  t.same(await change('office', 'items', { values: ['203.0.113.9'] }), {
    changed: [],
    unchanged: ['203.0.113.9'],
    lifted: 0,
  });
  t.same(await change('office', 'remove', { values: ['203.0.113.9/32', '203.0.113.10'] }), {
    changed: ['203.0.113.9'],
    unchanged: ['203.0.113.10'],
    lifted: 0,
  });
  t.notOk(deps.index.isAllowed(visitor));
  await t.rejects(change('office', 'items', { values: ['office'] }), { code: 'USAGE', message: /host name/ });
  await client.ask('DELETE', '/v1/allowlists/office');
  t.same(await client.ask('GET', '/v1/allowlists'), { allowlists: [] });
  await t.rejects(client.ask('DELETE', '/v1/allowlists/office'), { code: 'NOT_FOUND' });
  await t.rejects(client.ask('DELETE', '/v1/allowlists/portcullis-settings'), { code: 'GATEWAY_REFUSED' });
});

t.test('alerts come with their decisions and events', async (t) => {
  const { client, publisher } = await open(t);
  const raised = alert();
  const made = decision({ alertUuid: raised.uuid });
  publisher.publish({ alert: raised, decisions: [made], matched: [] });
  const { alerts } = await client.ask<AlertList>('GET', '/v1/alerts', { query: { ip: '203.0.113.9', since: '1h' } });
  t.match(alerts, [
    {
      id: Number,
      uuid: raised.uuid,
      source: { cn: 'CH', as_number: '64496', as_name: 'Example Net' },
      events_count: 5,
      decisions: [{ uuid: made.uuid, type: 'ban', alert_id: alerts[0]?.id, events_count: 5, country: 'CH' }],
    },
  ]);
  for (const id of [raised.uuid.slice(0, 8), raised.uuid, String(alerts[0]?.id)]) {
    const whole = await client.ask<AlertModel>('GET', `/v1/alerts/${id}`);
    t.equal(whole.uuid, raised.uuid, id);
    t.ok(whole.events[0]?.meta.some(({ key, value }) => key === 'http_verb' && value === 'GET'));
  }
  await t.rejects(client.ask('GET', '/v1/alerts/ffffffff'), { code: 'NOT_FOUND' });
  await t.rejects(client.ask('GET', '/v1/alerts/999'), { code: 'NOT_FOUND' });
  const none = await client.ask<AlertList>('GET', '/v1/alerts', { query: { scenario: 'test/other' } });
  t.strictSame(none, { alerts: [], next: null });
});

t.test('why', async (t) => {
  await t.test('a refused request leads to its decision, its alert and the events', async (t) => {
    const { client, publisher, deps } = await open(t);
    const now = deps.clock.now();
    const raised = alert();
    const earlier = decision({ createdAt: now - 7_200_000, until: now - 3_600_000 });
    const made = decision({ alertUuid: raised.uuid, createdAt: now - 1_000 });
    publisher.publish({ alert: raised, decisions: [earlier, made], matched: [] });
    publisher.write([{ kind: 'refusal', event: refusal({ at: now }) }]);
    await deps.publisher.settle();
    const answer = await client.ask<WhyRequest>('GET', '/v1/why/00000000000000bb');
    t.match(answer, {
      kind: 'request',
      refusal: { client_ip: '203.0.113.9', client_from: 'x-forwarded-for', peer_ip: '10.0.0.1', status: 403 },
      mode: 'block',
      decision: { uuid: made.uuid },
      alert: { uuid: raised.uuid, events_count: 5 },
      now: { outcome: 'refused' },
    });
  });

  await t.test('a request that was passed is known by the alert that names it', async (t) => {
    const { client, publisher, deps } = await open(t);
    const raised = alert();
    publisher.publish({ alert: raised, decisions: [], matched: [] });
    await deps.publisher.settle();
    t.match(await client.ask<WhyRequest>('GET', '/v1/why/00000000000000AA'), {
      refusal: null,
      decision: null,
      alert: { uuid: raised.uuid },
    });
  });

  await t.test('an address tells what would become of it', async (t) => {
    const { client, publisher, deps } = await open(t);
    const ask = (): Promise<WhyAddress> => client.ask('GET', '/v1/why/203.0.113.9');
    t.match(await ask(), { now: { outcome: 'passed' }, decisions: [], protected_by: null, allowlist: null });
    publisher.write([
      { kind: 'decision-added', decision: decision({ type: 'throttle' }) },
      { kind: 'refusal', event: refusal() },
    ]);
    await deps.publisher.settle();
    t.match(await ask(), {
      now: { outcome: 'throttled' },
      decisions: [{ type: 'throttle' }],
      refusals: [{ request_id: '00000000000000bb' }],
    });
    publisher.write([{ kind: 'decision-added', decision: decision({ scope: 'Range', value: '203.0.113.0/24' }) }]);
    t.match(await ask(), { now: { outcome: 'refused', because: /Range 203\.0\.113\.0\/24/ } });
    await client.ask('POST', '/v1/allowlists', { body: { name: 'office' } });
    await client.ask('POST', '/v1/allowlists/office/items', { body: { values: ['203.0.113.9'], comment: 'office' } });
    t.match(await ask(), { now: { outcome: 'allowed', because: /office/ }, allowlist: { value: '203.0.113.9' } });
    t.match(await client.ask<WhyAddress>('GET', '/v1/why/10.0.0.1'), { protected_by: /trusted proxy/ });
  });

  await t.test('observe mode refuses nobody', async (t) => {
    const { client, publisher } = await open(t, { mode: 'observe' });
    publisher.write([{ kind: 'decision-added', decision: decision() }]);
    t.match(await client.ask<WhyAddress>('GET', '/v1/why/203.0.113.9'), {
      now: { outcome: 'passed', because: /observe/ },
    });
  });

  await t.test('what is neither is a mistake, and what is not known is not found', async (t) => {
    const { client } = await open(t);
    await t.rejects(client.ask('GET', '/v1/why/hello'), { code: 'USAGE' });
    await t.rejects(client.ask('GET', '/v1/why/0123456789abcdef'), { code: 'NOT_FOUND' });
  });
});

t.test('refusals are listed newest first', async (t) => {
  const { client, publisher, deps } = await open(t);
  const now = deps.clock.now();
  publisher.write([
    { kind: 'refusal', event: refusal({ at: now - 1_000, requestId: '0000000000000001' }) },
    { kind: 'refusal', event: refusal({ at: now, requestId: '0000000000000002' }) },
    { kind: 'refusal', event: refusal({ at: now, requestId: '0000000000000003', clientIp: '203.0.113.10' }) },
  ]);
  await deps.publisher.settle();
  const { refusals } = await client.ask<{ refusals: RefusalModel[] }>('GET', '/v1/refusals', {
    query: { ip: '203.0.113.9' },
  });
  t.strictSame(
    refusals.map(({ request_id }) => request_id),
    ['0000000000000002', '0000000000000001'],
  );
});

t.test('explain', async (t) => {
  const { client, deps } = await open(t);
  const ask = (body: object): Promise<ExplainModel> => client.ask('POST', '/v1/explain', { body });
  await t.test('shows which clause decided, and pours nothing', async (t) => {
    const { scenarios } = await ask({ subject: '/.env' });
    t.match(scenarios, [
      {
        name: 'test/sensitive-files',
        matched: true,
        phase: 'request',
        distinct: '/.env',
        filter: { joined: 'and', outcome: 'true' },
      },
      {
        name: 'test/probing',
        matched: false,
        phase: 'response',
        filter: {
          outcome: 'false',
          parts: [{ outcome: 'true' }, { outcome: 'false', text: "evt.Meta.http_status in ['404', '403']" }],
        },
      },
    ]);
    t.equal(scenarios.length, 2, 'a document that does not compile is left out');
    t.equal(deps.detector.counters.poured, 0);
    t.equal(deps.detector.counters.buckets, 0);
  });

  await t.test('reads access log lines with their status and client', async (t) => {
    const subject = '203.0.113.9 - - [20/Nov/2026:23:31:34 +0000] "GET /missing HTTP/1.1" 404 153 "-" "curl/8.5"';
    const answer = await ask({ subject });
    t.match(answer.request, {
      method: 'GET',
      target: '/missing',
      client_ip: '203.0.113.9',
      status: 404,
      user_agent: 'curl/8.5',
    });
    t.strictSame(
      answer.scenarios.filter(({ matched }) => matched).map(({ name }) => name),
      ['test/probing'],
    );
    t.match(answer.client, { outcome: 'passed' });
  });

  await t.test('what is given outweighs what was read', async (t) => {
    const answer = await ask({
      subject: 'https://Shop.example:443/login?x=1',
      method: 'post',
      status: '403',
      ip: '198.51.100.1',
      userAgent: 'nikto',
    });
    t.match(answer.request, {
      method: 'POST',
      target: '/login?x=1',
      host: 'shop.example',
      status: 403,
      client_ip: '198.51.100.1',
      user_agent: 'nikto',
    });
  });

  await t.test('nonsense is refused', async (t) => {
    for (const subject of ['', 'hello', 'two words', '{"a":1}', '{'])
      await t.rejects(ask({ subject }), { code: 'USAGE' }, subject);
    await t.rejects(ask({ subject: '/', status: '99' }), { code: 'USAGE' });
    await t.rejects(ask({ subject: '/', method: 'G T' }), { code: 'USAGE' });
  });
});

t.test('doctor', async (t) => {
  await t.test('names what is wrong with a remedy', async (t) => {
    const { client, pulse } = await open(t);
    pulse.untrustedForwarders = [
      { peer: '172.16.0.9', requests: 50 },
      { peer: '198.51.100.9', requests: 5_000 },
    ];
    const { checks } = await client.ask<DoctorModel>('GET', '/v1/doctor');
    const problem = (name: string): unknown => checks.find((check) => check.status !== 'ok' && check.name === name);
    t.match(problem('fault'), { message: /nonsense\(/, status: 'fail' });
    t.match(problem('shop.example'), { status: 'fail', message: /127\.0\.0\.1:9/ });
    t.match(problem('172.16.0.9'), { status: 'warn', remedy: /trustedProxies/ });
    t.equal(problem('198.51.100.9'), undefined, 'a public address is somebody else');
    for (const { status, remedy } of checks) if (status !== 'ok') t.ok(remedy, 'every problem has a remedy');
  });

  await t.test('shows how an address would be derived', async (t) => {
    const { client } = await open(t);
    const derive = async (peer: string, ...header: string[]): Promise<unknown> => {
      const { checks } = await client.ask<DoctorModel>('GET', '/v1/doctor', { query: { peer, header } });
      return checks.find(({ group, name }) => group === 'client address' && name === 'client');
    };
    t.match(await derive('10.0.0.1', 'X-Forwarded-For: 203.0.113.9, 10.0.0.2'), {
      status: 'ok',
      message: /^203\.0\.113\.9, from the header x-forwarded-for/,
    });
    t.match(await derive('198.51.100.7', 'X-Forwarded-For: 203.0.113.9'), {
      status: 'warn',
      message: /^198\.51\.100\.7.*ignored/,
    });
    t.match(await derive('198.51.100.7'), { status: 'ok', message: /from the connection/ });
    await t.rejects(derive('198.51.100.7', 'no header'), { code: 'USAGE' });
  });
});

t.test('status tells what is not well', async (t) => {
  const { client, pulse } = await open(t, { faults: [] });
  t.match(await client.ask<StatusModel>('GET', '/v1/status'), {
    state: 'ok',
    notes: [],
    mode: 'block',
    scenarios: { loaded: 2, faults: 0 },
  });
  pulse.decisionsReady = false;
  t.match(await client.ask<StatusModel>('GET', '/v1/status'), { state: 'degraded', notes: [/still being read/] });
  pulse.draining = true;
  t.match(await client.ask<StatusModel>('GET', '/v1/status'), { state: 'draining' });
});

t.test('self-tests', async (t) => {
  await t.test('the plan is made of the loaded scenarios', async (t) => {
    const { client } = await open(t);
    const run = await client.ask<SelftestModel>('POST', '/v1/selftests');
    t.match(run, {
      address: '192.0.2.1',
      host: 'shop.example',
      mode: 'block',
      plan: { scenario: 'test/sensitive-files', phase: 'request', needed: 5 },
    });
    t.ok(run.plan.probes.length >= run.plan.needed);
    t.match(run.plan.others, ['test/probing']);
  });

  await t.test('what it made is lifted with its end, and a token works once', async (t) => {
    const { client, publisher, deps } = await open(t);
    const run = await client.ask<SelftestModel>('POST', '/v1/selftests');
    const raised = alert({ source: { ...alert().source, value: '192.0.2.1', ip: '192.0.2.1' } });
    publisher.publish({
      alert: raised,
      decisions: [decision({ value: '192.0.2.1', alertUuid: raised.uuid })],
      matched: [],
    });
    await deps.publisher.settle();
    t.match(await client.ask<SelftestProgress>('GET', `/v1/selftests/${run.token}`), {
      alert: { uuid: raised.uuid },
      decision: { value: '192.0.2.1' },
      verdict: { outcome: 'refused' },
    });
    t.same(await client.ask('DELETE', `/v1/selftests/${run.token}`), { lifted: 1 });
    t.equal(deps.index.size.total, 0);
    t.equal(deps.selftests.claim(run.token), null);
    await t.rejects(client.ask('GET', `/v1/selftests/${run.token}`), { code: 'NOT_FOUND' });
    t.same(await client.ask('DELETE', `/v1/selftests/${run.token}`), { lifted: 0 }, 'twice is safe');
  });

  await t.test("an operator's own decision about the address is left alone, and says so", async (t) => {
    const { client, publisher } = await open(t);
    publisher.write([
      { kind: 'decision-added', decision: decision({ scope: 'Range', value: '192.0.2.0/24', origin: 'cscli' }) },
    ]);
    await t.rejects(client.ask('POST', '/v1/selftests'), { code: 'GATEWAY_REFUSED', message: /192\.0\.2\.0\/24/ });
    await client.ask('DELETE', '/v1/decisions', { query: { all: 'true' } });
    await client.ask('POST', '/v1/allowlists', { body: { name: 'office' } });
    await client.ask('POST', '/v1/allowlists/office/items', { body: { values: ['192.0.2.0/24'] } });
    await t.rejects(client.ask('POST', '/v1/selftests'), { code: 'GATEWAY_REFUSED', message: /allowlist/ });
  });
});

t.test('a route that does not exist names the version', async (t) => {
  const { client } = await open(t);
  await t.rejects(client.ask('GET', '/v1/nothing'), { code: 'NOT_FOUND', remedy: /1\.2\.3/ });
});
