import fc from 'fast-check';
import t, { type Test } from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import type { Decision } from '../../../../remediation/decision.ts';
import { readHeld } from '../../../../remediation/lapi/client/held-decisions.ts';
import { MirrorTable } from '../../../../remediation/lapi/client/mirror-table.ts';
import { createStreamBouncer, type StreamBouncer } from '../../../../remediation/lapi/client/stream-bouncer.ts';
import type { StreamFilters } from '../../../../remediation/lapi/client/stream-filters.ts';
import type { Store } from '../../../../remediation/store/store.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { ip } from '../../support.ts';
import { startFakeLapi, type Fault, type FakeLapi } from './fake-lapi.ts';
import { clientOf, createWorld, comesAbout, mirroredIn } from './support.ts';

const everything: StreamFilters = {
  scopes: ['Ip', 'Range', 'AS', 'Country'],
  origins: [],
  scenariosContaining: [],
  scenariosNotContaining: [],
  types: [],
};
const intervalMs = 10_000;
const newTable = (): MirrorTable => new MirrorTable(100_000, 7);

/** A gateway that follows Local APIs; `poll` lets one of them ask once and waits for the end of that. */
async function follow(
  t: Test,
  clock: ManualClock,
  lapis: Readonly<Record<string, FakeLapi>>,
  over: { filters?: Partial<StreamFilters>; store?: Store; key?: string } = {},
) {
  const world = createWorld(clock, over.store);
  const { runtime, store, publisher } = world;
  const stop = new AbortController();
  const held = readHeld({ ...runtime, store, names: Object.keys(lapis), newTable, signal: stop.signal });
  const bouncers = Object.entries(lapis).map(([name, lapi]) => {
    const credentials = { kind: 'key' as const, key: over.key ?? lapi.key };
    const client = clientOf(lapi.url, clock, { name, credentials });
    t.teardown(() => client.close());
    return createStreamBouncer({
      ...runtime,
      client,
      publisher,
      held: held.then((tables) => tables.get(name)),
      filters: { ...everything, ...over.filters },
      intervalMs,
      newTable,
    });
  });
  const close = async (): Promise<void> => {
    stop.abort();
    await Promise.all(bouncers.map((bouncer) => bouncer.close()));
    await publisher.close();
  };
  t.teardown(close);
  await Promise.all(bouncers.map(({ ready }) => ready));
  const [bouncer] = bouncers;
  if (bouncer === undefined) throw new Error('nobody to follow');
  const bans = (address: string): string | null =>
    world.index.lookup({ address: ip(address) }, clock.now())?.type ?? null;
  return { ...world, bouncer, bouncers, bans, close };
}

/** A store that does some things differently. */
function storeWith(store: Store, over: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(over, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

/** The next poll, whether it works or not. Time goes on while it waits, for what waits for time. */
async function poll(clock: ManualClock, bouncer: StreamBouncer, afterMs = intervalMs * 1.1): Promise<void> {
  const { polls } = bouncer.status();
  clock.advance(afterMs);
  await comesAbout(() => bouncer.status().polls > polls, 'a poll', { clock, stepMs: 1_000 });
}

async function fake(t: Test, clock: ManualClock): Promise<FakeLapi> {
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  return lapi;
}

const streams = (lapi: FakeLapi): string[] =>
  lapi.requests.filter(({ url }) => url.startsWith('/v1/decisions/stream')).map(({ url }) => url);

for (const generation of ['1.4.6', 'newer'] as const) {
  t.test(`a Local API is followed: all at first, then what changes (${generation})`, async (t) => {
    const clock = createManualClock();
    const lapi = await fake(t, clock);
    lapi.generation = generation;
    const first = lapi.add({ value: '192.0.2.1', origin: 'cscli', scenario: "manual 'ban' from 'm1'" });
    lapi.add({ scope: 'Range', value: '198.51.100.0/28', type: 'captcha' });
    lapi.add({ scope: 'Country', value: 'aq' });
    const { bouncer, bans, store } = await follow(t, clock, { main: lapi });

    t.equal(bans('192.0.2.1'), 'ban');
    t.equal(bans('198.51.100.9'), 'captcha', 'ranges too');
    t.equal(bouncer.status().decisions, 3);
    t.ok(bouncer.status().isConnected);
    const kept = await mirroredIn(store, clock);
    const found = kept.find(({ value }) => value === '192.0.2.1');
    t.match(found, { uuid: 'lapi/main/Ip/ban/192.0.2.1', origin: 'cscli', scenario: "manual 'ban' from 'm1'" });
    t.ok(Math.abs((found?.until ?? 0) - first.until) <= 1_000, 'it ends when it ends there');
    t.ok(kept.some(({ scope, value }) => scope === 'Country' && value === 'AQ'));

    lapi.expire(first);
    clock.advance(1);
    lapi.add({ value: '203.0.113.5' });
    await poll(clock, bouncer);
    t.equal(bans('192.0.2.1'), null, 'lifted');
    t.equal(bans('203.0.113.5'), 'ban', 'added');
    t.equal(bans('198.51.100.9'), 'captcha', 'what did not change stays');
    const [startup, delta] = streams(lapi);
    t.match(startup, /startup=true/);
    t.notMatch(delta, /startup/);
    t.match(delta, /scopes=Ip%2CRange%2CAS%2CCountry/);
    t.match(lapi.requests[0]?.headers, { 'user-agent': 'portcullis-bouncer/v0.1.0', 'x-api-key': 'k1' });
  });
}

t.test('a gateway that was restarted writes only what changed, and lifts what is gone', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const gone = lapi.add({ value: '192.0.2.1' });
  lapi.add({ value: '192.0.2.2' });
  const before = await follow(t, clock, { main: lapi });
  const { store } = before;
  await before.close();
  lapi.expire(gone);
  clock.advance(60_000);
  lapi.add({ value: '192.0.2.3' });
  const writes: string[] = [];
  const watched = storeWith(store, {
    apply(all) {
      for (const write of all) if ('decision' in write) writes.push(`${write.kind} ${write.decision.value}`);
      return store.apply(all);
    },
  });
  const after = await follow(t, clock, { main: lapi }, { store: watched });
  await after.publisher.commit([]);
  t.strictSame(writes, ['decision-added 192.0.2.3', 'decision-deleted 192.0.2.1']);
  const values = (await mirroredIn(store, clock)).map(({ value }) => value).sort();
  t.strictSame(values, ['192.0.2.2', '192.0.2.3']);
});

t.test('an answer that breaks off changes nothing, wherever it breaks off', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const kept = lapi.add({ value: '192.0.2.1' });
  const { bouncer, bans } = await follow(t, clock, { main: lapi });
  lapi.expire(kept);
  clock.advance(10);
  lapi.add({ value: '192.0.2.2' });
  for (const share of [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
    lapi.faults.push({ kind: 'cut', share });
    await poll(clock, bouncer, 70_000);
    t.strictSame([bans('192.0.2.1'), bans('192.0.2.2')], ['ban', null], `after a share of ${share}`);
    t.notOk(bouncer.status().isConnected);
  }
  await poll(clock, bouncer, 70_000);
  t.strictSame([bans('192.0.2.1'), bans('192.0.2.2')], [null, 'ban'], 'the whole answer counts');
});

t.test('a change that was told to a connection that broke is not lost', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const lifted = lapi.add({ value: '192.0.2.1' });
  const { bouncer, bans } = await follow(t, clock, { main: lapi });
  clock.advance(20);
  lapi.expire(lifted);
  lapi.add({ value: '192.0.2.2' });
  lapi.faults.push({ kind: 'reset' });
  await poll(clock, bouncer);
  t.equal(bouncer.status().failures, 1);
  await poll(clock, bouncer);
  t.strictSame([bans('192.0.2.1'), bans('192.0.2.2')], [null, 'ban']);
  t.match(streams(lapi).at(-1), /startup=true/, 'because it asked for everything');
});

t.test(
  'while the Local API is away its last known decisions stay in force, and it says how old they are',
  async (t) => {
    const clock = createManualClock();
    const lapi = await fake(t, clock);
    lapi.add({ value: '192.0.2.1', forMs: 3_600_000 });
    lapi.add({ value: '192.0.2.2', forMs: 60_000 });
    const { bouncer, bans, lines } = await follow(t, clock, { main: lapi });
    await lapi.stop();
    for (let count = 0; count < 5; count++) await poll(clock, bouncer, 100_000);
    t.equal(bans('192.0.2.1'), 'ban');
    t.equal(bans('192.0.2.2'), null, 'one that has ended by itself has ended');
    t.equal(bans('192.0.2.3'), null, 'and nobody else is banned');
    const { ageMs, isConnected, failures, lastFailure } = bouncer.status();
    t.ok((ageMs ?? 0) >= 500_000);
    t.equal(isConnected, false);
    t.equal(failures, 5);
    t.match(lastFailure, {
      code: 'LAPI_UNREACHABLE',
      message: /main .*nothing listens there/,
      remedy: /Check that it runs/,
    });
    const warnings = lines.filter(
      ({ msg }) => msg === 'the Local API cannot be followed; its last known decisions are enforced',
    );
    t.equal(warnings.length, 1, 'which is not repeated with every poll');
  },
);

t.test('a wrong key is named with what to do, and not shown', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({});
  const { bouncer, bans, lines } = await follow(t, clock, { main: lapi }, { key: 'very-secret' });
  t.equal(bans('192.0.2.1'), null);
  t.match(bouncer.status().lastFailure, {
    code: 'LAPI_REFUSED',
    message: /answered 403: access forbidden/,
    remedy: /cscli bouncers add/,
  });
  t.notMatch(JSON.stringify([lines, bouncer.status()]), /very-secret/);
});

t.test('errors of the server leave the place in the stream, a long gap does not', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { bouncer, bans } = await follow(t, clock, { main: lapi });
  clock.advance(20);
  lapi.add({ value: '192.0.2.9' });
  lapi.faults.push({ kind: 'status', status: 500, message: 'new decisions since …: unable to query' });
  await poll(clock, bouncer);
  t.equal(bouncer.status().failures, 1);
  await poll(clock, bouncer, 1_500);
  t.notMatch(streams(lapi).at(-1), /startup/);
  t.equal(bans('192.0.2.9'), 'ban');
  await poll(clock, bouncer, 100_000);
  t.match(streams(lapi).at(-1), /startup=true/);
});

t.test('a server whose database fails in the middle of a complete document lifts nothing', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const only = lapi.add({ value: '192.0.2.1' });
  const { bouncer, bans } = await follow(t, clock, { main: lapi });
  lapi.faults.push({ kind: 'truncated' });
  await poll(clock, bouncer, 100_000);
  t.equal(bans('192.0.2.1'), 'ban', 'it asked again');
  t.equal(streams(lapi).length, 3);
  // Nothing is left there, not even a row that could be told as deleted.
  only.until = 0;
  lapi.faults.push({ kind: 'truncated' }, { kind: 'truncated' });
  await poll(clock, bouncer, 100_000);
  t.equal(bans('192.0.2.1'), null, 'the same answer twice is believed');
});

t.test('several Local APIs: each keeps its own entries, and the severest wins', async (t) => {
  const clock = createManualClock();
  const [one, two] = [await fake(t, clock), await fake(t, clock)];
  one.add({ value: '192.0.2.1', type: 'captcha', scenario: 'one' });
  const ban = two.add({ value: '192.0.2.1', type: 'ban', scenario: 'two' });
  const { bouncers, bans } = await follow(t, clock, { one, two });
  t.equal(bans('192.0.2.1'), 'ban');
  two.expire(ban);
  const polls = bouncers.map((bouncer) => bouncer.status().polls);
  clock.advance(intervalMs * 1.1);
  await comesAbout(() => bouncers.every((bouncer, at) => bouncer.status().polls > (polls[at] ?? 0)), 'both polls');
  t.equal(bans('192.0.2.1'), 'captcha', "one's stays when two's is lifted");
});

t.test('filters go with the question and hold against servers that do not know them', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({ value: '192.0.2.1', origin: 'CAPI', scenario: 'crowdsecurity/SSH-bf' });
  lapi.add({ value: '192.0.2.2', origin: 'cscli', scenario: 'crowdsecurity/ssh-bf' });
  lapi.add({ value: '192.0.2.3', origin: 'CAPI', scenario: 'crowdsecurity/http-probing' });
  lapi.add({ value: '192.0.2.4', origin: 'CAPI', scenario: 'crowdsecurity/ssh-slow-bf' });
  lapi.add({ value: '192.0.2.5', origin: 'CAPI', scenario: 'crowdsecurity/ssh-bf', type: 'captcha' });
  lapi.add({ value: '192.0.2.0/28', scope: 'Range', origin: 'CAPI', scenario: 'crowdsecurity/ssh-bf' });
  const { bouncer, bans } = await follow(
    t,
    clock,
    { main: lapi },
    {
      filters: {
        scopes: ['ip'],
        origins: ['CAPI'],
        scenariosContaining: ['ssh'],
        scenariosNotContaining: ['slow'],
        types: ['Ban'],
      },
    },
  );
  t.equal(bouncer.status().decisions, 1);
  t.equal(bans('192.0.2.1'), 'ban');
  const url = new URL(streams(lapi)[0] ?? '', 'http://x');
  t.strictSame(Object.fromEntries(url.searchParams), {
    startup: 'true',
    scopes: 'Ip',
    origins: 'CAPI',
    scenarios_containing: 'ssh',
    scenarios_not_containing: 'slow',
  });
});

t.test('of several decisions about the same the longest is held, and what cannot be read is counted', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const until = clock.now() + 7_200_000;
  lapi.add({ value: '192.0.2.1', origin: 'a', until });
  lapi.add({ value: '192.0.2.1', origin: 'b', until });
  lapi.add({ value: 'no address' });
  lapi.add({ value: '::FFFF:192.0.2.9' });
  const { bouncer, bans, store } = await follow(t, clock, { main: lapi });
  t.equal(bouncer.status().decisions, 2);
  t.equal(bans('192.0.2.9'), 'ban', 'a mapped address is the address');
  t.equal(bouncer.status().unreadable, 1);
  t.equal(bans('192.0.2.1'), 'ban');
  clock.advance(5_000);
  lapi.add({ value: '192.0.2.1', origin: 'c', until: until + 3_600_000 });
  await poll(clock, bouncer);
  const [longest] = (await mirroredIn(store, clock)).filter(({ value }) => value === '192.0.2.1');
  t.equal(longest?.origin, 'c');
  t.ok((longest?.until ?? 0) > until + 3_000_000);
});

t.test('a store that is away delays nothing but its own copy', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({ value: '192.0.2.1' });
  const { store } = createWorld(clock);
  let isAway = true;
  const flaky = storeWith(store, {
    apply: (writes) => (isAway ? Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'away')) : store.apply(writes)),
    // Never gives its snapshot, as a Redis that is away.
    async *changes(cursor, signal) {
      if (!isAway) yield* store.changes(cursor, signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  });
  const following = follow(t, clock, { main: lapi }, { store: flaky });
  await comesAbout(() => lapi.requests.length > 0, 'the first poll', { clock, stepMs: 1_000 });
  const { bans, bouncer, publisher } = await following;
  t.equal(bans('192.0.2.1'), 'ban', 'in force without the store');
  t.same(await mirroredIn(store, clock), []);
  isAway = false;
  await poll(clock, bouncer);
  // The publisher's own pause after a failure.
  await comesAbout(() => publisher.status().queued === 0, 'the store has it', { clock, stepMs: 1_000 });
  t.equal((await mirroredIn(store, clock)).length, 1, 'and stored when it is back');
});

const keyOf = ({ scope, type, value }: Pick<Decision, 'scope' | 'type' | 'value'>): string =>
  `${scope} ${type} ${value}`;

t.test(
  'whatever a server does and whatever fails, a poll for everything ends with exactly its decisions',
  async (t) => {
    const values = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '198.51.100.0/24', '203.0.113.0/28'];
    const fault: fc.Arbitrary<Fault> = fc.oneof(
      fc.constantFrom<Fault>({ kind: 'reset' }, { kind: 'truncated' }),
      fc.integer({ min: 0, max: 99 }).map((percent): Fault => ({ kind: 'cut', share: percent / 100 })),
      fc.constantFrom(403, 500, 503).map((status): Fault => ({ kind: 'status', status, message: 'no' })),
    );
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        value: fc.constantFrom(...values),
        type: fc.constantFrom('ban', 'captcha'),
        origin: fc.constantFrom('CAPI', 'cscli'),
        forMs: fc.integer({ min: 10_000, max: 7_200_000 }),
      }),
      fc.record({ kind: fc.constant('expire' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant('poll' as const), afterMs: fc.constantFrom(11_000, 90_000) }),
      fc.record({ kind: fc.constant('fault' as const), fault }),
      fc.record({ kind: fc.constant('restart' as const), forgets: fc.boolean() }),
      fc.record({
        kind: fc.constant('generation' as const),
        generation: fc.constantFrom('1.4.6' as const, 'newer' as const),
      }),
    );
    let startups = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const clock = createManualClock();
        const lapi = await startFakeLapi(clock);
        const { bouncer, store, bans, close } = await follow(t, clock, { main: lapi });
        for (const each of steps) {
          clock.advance(7);
          switch (each.kind) {
            case 'add':
              lapi.add({ ...each, scope: each.value.includes('/') ? 'Range' : 'Ip' });
              break;
            case 'expire': {
              const active = [...lapi.truth().values()];
              const chosen = active[each.pick % Math.max(1, active.length)];
              if (chosen !== undefined) lapi.expire(chosen);
              break;
            }
            case 'poll':
              await poll(clock, bouncer, each.afterMs);
              break;
            case 'fault':
              lapi.faults.push(each.fault);
              break;
            case 'restart':
              lapi.restart(each.forgets);
              break;
            case 'generation':
              lapi.generation = each.generation;
              break;
          }
        }
        // Faults that are left are for nobody: from here on the server is well.
        lapi.faults.length = 0;
        await poll(clock, bouncer, 200_000);
        if (/startup=true/.test(streams(lapi).at(-1) ?? '')) startups++;
        const truth = lapi.truth();
        const kept = await mirroredIn(store, clock);
        const inForce = kept.filter(({ until }) => until > clock.now() + 2_500);
        const expected = [...truth.values()].filter(({ until }) => until > clock.now() + 2_500);
        const isEqual =
          inForce.every((decision) => {
            const there = truth.get(keyOf(decision));
            return there !== undefined && Math.abs(there.until - decision.until) <= 5_000;
          }) && expected.every((there) => inForce.some((decision) => keyOf(decision) === keyOf(there)));
        const isEnforced = expected.every(({ value }) => bans(value.split('/')[0] ?? '') !== null);
        await close();
        await lapi.close();
        return isEqual && isEnforced;
      }),
      { seed: 54, numRuns: 120 },
    );
    t.ok(startups >= 100, `${startups} ended with such a poll`);
  },
);
