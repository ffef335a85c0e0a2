/** Decisions that the index folded into others, when those are lifted: index, publisher, follower and store together. */
import * as fc from 'fast-check';
import t from 'tap';
import { parseRange, rangeContains } from '../../../core/ip.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createDecisionIndex, type IndexedDecision } from '../../../remediation/index/decision-index.ts';
import { severityOf, type Decision } from '../../../remediation/decision.ts';
import { followStore } from '../../../remediation/exchange/follow.ts';
import { createDecisionLedger } from '../../../remediation/ledger/decision-ledger.ts';
import { createPublisher } from '../../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../../remediation/store/memory.ts';
import { storeOptions } from '../../../remediation/store/options.ts';
import type { Store } from '../../../remediation/store/store.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { collectedLog, decisionOf, ip, settle, startMs } from '../support.ts';

const address = '192.0.2.1';

interface Wiring {
  readonly withLedger: boolean;
  readonly maxRecalled?: number;
}

async function startGateway(store: Store, clock: ManualClock, { withLedger, maxRecalled = 10_000 }: Wiring) {
  const { log, lines } = collectedLog();
  const runtime = { clock, random: createSystemRandom(), log };
  const index = createDecisionIndex(runtime);
  const history = createDecisionHistory({ clock });
  const publisher = createPublisher({ ...runtime, index, history, store });
  const pending = () => publisher.pendingDecisions();
  const ledger = withLedger ? createDecisionLedger(runtime) : undefined;
  const follower = followStore({
    ...runtime,
    store,
    index,
    history,
    pending,
    maxRecalled,
    ...(ledger && { ledger }),
  });
  await follower.ready;
  const untilOf = (text = address) => index.lookup({ address: ip(text) }, clock.now())?.until ?? null;
  const close = async () => {
    await publisher.close(0);
    await follower.close();
  };
  return { index, publisher, follower, untilOf, lines, close };
}

interface Delayed extends Store {
  /** Turns of the event loop that the next call of `apply` or `decisions` takes, before and after it is done. */
  turns: () => number;
  /** How often `decisions` was called. */
  lookUps: number;
  /** Set: `decisions` rejects. */
  failure: Error | null;
  /** Set: `decisions` waits for it. */
  answered: Promise<void> | null;
  /** Set: `apply` waits for it. */
  held: Promise<void> | null;
}

function delayedStore(clock: ManualClock): Delayed {
  const runtime = { clock, random: createSystemRandom(), log: collectedLog().log };
  const store = createMemoryStore(storeOptions.parse({ type: 'memory' }), runtime);
  const wrapped: Partial<Delayed> = {
    turns: () => 0,
    lookUps: 0,
    failure: null,
    held: null,
    answered: null,
    async apply(writes) {
      await this.held;
      await settle(this.turns?.());
      await store.apply(writes);
      await settle(this.turns?.());
    },
    async decisions(query) {
      this.lookUps = (this.lookUps ?? 0) + 1;
      if (this.failure) throw this.failure;
      await this.answered;
      await settle(this.turns?.());
      const found = await store.decisions(query);
      await settle(this.turns?.());
      return found;
    },
  };
  return new Proxy(store, {
    get(target, name) {
      if (name in wrapped) return Reflect.get(wrapped, name) as unknown;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
    set: (_, name, value) => Reflect.set(wrapped, name, value),
  }) as Delayed;
}

const at = (seconds: number): number => startMs + seconds * 1_000;
const bansFor = (seconds: readonly number[]): Decision[] => seconds.map((each) => decisionOf({ until: at(each) }));

for (const withLedger of [true, false]) {
  const how = withLedger ? 'with a ledger' : 'from the store';

  t.test(`lifting the longest of equal decisions leaves the next longest in force, ${how}`, async (t) => {
    const clock = createManualClock();
    const store = delayedStore(clock);
    const here = await startGateway(store, clock, { withLedger });
    const there = await startGateway(store, clock, { withLedger });
    const [short, long, middle] = bansFor([100, 300, 200]) as [Decision, Decision, Decision];
    await here.publisher.add([short, long, middle]);
    await settle();
    t.same([here.untilOf(), there.untilOf()], [long.until, long.until]);
    t.equal(here.index.size.total, 1, 'one entry for all three');
    const removed = here.publisher.remove([long]);
    if (withLedger) t.equal(here.untilOf(), middle.until, 'without a gap where it was lifted');
    await removed;
    await settle(40);
    t.same([here.untilOf(), there.untilOf()], [middle.until, middle.until]);
    await there.publisher.remove([middle]);
    await settle(40);
    t.same([here.untilOf(), there.untilOf()], [short.until, short.until]);
    await here.publisher.remove([short]);
    await settle(40);
    t.same([here.untilOf(), there.untilOf()], [null, null]);
    await Promise.all([here.close(), there.close()]);
  });

  t.test(`the same of ranges, IPv6, countries and custom scopes, ${how}`, async (t) => {
    const clock = createManualClock();
    const here = await startGateway(delayedStore(clock), clock, { withLedger });
    const kinds = [
      { scope: 'Range', value: '198.51.100.0/24' },
      { scope: 'Ip', value: '2001:db8::1' },
      { scope: 'Country', value: 'FR' },
      { scope: 'AS', value: '64500' },
      { scope: 'Username', value: 'eve' },
    ];
    const pairs = kinds.map((kind) => [100, 200].map((seconds) => decisionOf({ ...kind, until: at(seconds) })));
    await here.publisher.add(pairs.flat());
    await here.publisher.remove(pairs.flatMap(([, longer]) => (longer ? [longer] : [])));
    await settle(40);
    t.equal(here.index.size.total, 5);
    const subjects = [
      { address: ip('198.51.100.9') },
      { address: ip('2001:db8::1') },
      { address: ip(address), country: () => 'FR' },
      { address: ip(address), asn: () => '64500' },
      { address: ip(address), custom: () => 'eve' },
    ];
    for (const subject of subjects) t.equal(here.index.lookup(subject, clock.now())?.until, at(100));
    await here.close();
  });

  t.test(
    `a decision rewritten to end earlier, to another kind or to a simulation uncovers others, ${how}`,
    async (t) => {
      const clock = createManualClock();
      const here = await startGateway(delayedStore(clock), clock, { withLedger });
      const [short, long] = bansFor([100, 300]) as [Decision, Decision];
      await here.publisher.add([short, long]);
      await here.publisher.add([{ ...long, until: at(50) }]);
      await settle(40);
      t.equal(here.untilOf(), short.until);
      await here.publisher.add([long]);
      await here.publisher.add([{ ...long, type: 'captcha' }]);
      await settle(40);
      t.equal(here.untilOf(), short.until);
      await here.publisher.add([{ ...long, simulated: true }]);
      await here.publisher.remove([short]);
      await settle(40);
      t.equal(here.untilOf(), null, 'a simulation enforces nothing, nor what it was before');
      t.equal(here.index.size.total, 0);
      await here.close();
    },
  );

  t.test(`what is lifted here stays lifted while the store has not heard of it, ${how}`, async (t) => {
    const clock = createManualClock();
    const store = delayedStore(clock);
    const here = await startGateway(store, clock, { withLedger });
    const bans = bansFor([100, 200, 300]);
    await here.publisher.add(bans);
    await settle();
    const gate = Promise.withResolvers<void>();
    store.held = gate.promise;
    const removed = here.publisher.remove(bans);
    await settle(40);
    t.equal(here.untilOf(), null);
    const again = decisionOf({ until: at(400) });
    const added = here.publisher.add([again, decisionOf({ until: at(350) })]);
    here.index.remove(again);
    await settle(40);
    t.equal(here.untilOf(), at(350), 'what waits for the store is restored too');
    store.held = null;
    gate.resolve();
    await Promise.all([removed, added]);
    await here.close();
  });
}

t.test('a store that does not answer is asked again', async (t) => {
  const clock = createManualClock();
  const store = delayedStore(clock);
  const here = await startGateway(store, clock, { withLedger: false });
  const [short, long] = bansFor([100, 300]) as [Decision, Decision];
  await here.publisher.add([short, long]);
  store.failure = new Error('busy');
  await here.publisher.remove([long]);
  await settle(40);
  t.equal(here.untilOf(), null);
  t.ok(here.lines.some(({ level }) => level === 40));
  store.failure = null;
  clock.advance(1_000);
  await settle(40);
  t.equal(here.untilOf(), short.until);
  await here.close();
});

t.test('a follower closes while the store never answers a look-up', async (t) => {
  const clock = createManualClock();
  const store = delayedStore(clock);
  const here = await startGateway(store, clock, { withLedger: false });
  const [short, long] = bansFor([100, 300]) as [Decision, Decision];
  await here.publisher.add([short, long]);
  await settle();
  const answer = Promise.withResolvers<void>();
  store.answered = answer.promise;
  await here.publisher.remove([long]);
  await settle(40);
  t.equal(store.lookUps, 1);
  await here.close();
  answer.resolve();
  await settle(40);
  t.equal(here.untilOf(), null, 'what comes too late is not used');
});

t.test('more lifted values than are looked up one by one: everything is read again', async (t) => {
  const clock = createManualClock();
  const store = delayedStore(clock);
  const here = await startGateway(store, clock, { withLedger: false, maxRecalled: 20 });
  const pairs = Array.from({ length: 100 }, (_, n) =>
    [100, 200].map((seconds) => decisionOf({ value: `10.0.0.${n}`, until: at(seconds) })),
  );
  await here.publisher.add(pairs.flat());
  await settle();
  await here.publisher.remove(pairs.flatMap(([, longer]) => (longer ? [longer] : [])));
  await settle(40);
  clock.advance(3_000);
  await settle(2_000);
  t.same([...new Set(pairs.map((_, n) => here.untilOf(`10.0.0.${n}`)))], [at(100)]);
  t.match(here.follower.status(), { live: true, interruptions: 0 });
  t.ok(store.lookUps <= 40, `${store.lookUps} look-ups`);
  await here.close();
});

t.test('more decisions about one value than the index holds: each that is lifted makes room for another', async (t) => {
  const clock = createManualClock();
  const here = await startGateway(delayedStore(clock), clock, { withLedger: false });
  for (const target of [{ value: address }, { scope: 'Username', value: 'eve' }]) {
    const all = Array.from({ length: 40 }, (_, n) =>
      decisionOf({ ...target, scenario: `s${n}`, until: at(100 + n), type: n < 5 ? 'captcha' : 'ban' }),
    );
    await here.publisher.add(all);
    await settle();
    t.equal(here.index.size.total, 32);
    for (const lifted of all.slice(5)) await here.publisher.remove([lifted]);
    await settle(60);
    const found = here.index.lookup({ address: ip(address), custom: () => 'eve' }, clock.now());
    t.match(found, { type: 'captcha', until: at(104) });
    await here.publisher.remove(all.slice(0, 5));
    await settle(40);
    t.equal(here.index.size.total, 0);
  }
  await here.close();
});

const targets = [
  { scope: 'Ip', value: address },
  { scope: 'Ip', value: '2001:db8::1' },
  { scope: 'Range', value: '192.0.2.0/24' },
  { scope: 'Range', value: '192.0.2.1/32' },
  { scope: 'Country', value: 'FR' },
] as const;

/** Few uuids, each about one value for good, so that most commands rewrite, lift or repeat. */
const uuids = Array.from({ length: 20 }, (_, n) => `${n % 3 === 0 ? 'lapi/other/' : ''}${n}`);
const write = fc
  .record({
    gateway: fc.nat(1),
    uuid: fc.nat(uuids.length - 1),
    seconds: fc.integer({ min: -2, max: 30 }),
    scenario: fc.constantFrom('a', 'a', 'a', 'b'),
    type: fc.constantFrom('ban', 'ban', 'ban', 'captcha'),
    simulated: fc.constantFrom(false, false, false, false, true),
  })
  .map((over) => ({ kind: 'add' as const, ...over }));
const command = fc.oneof(
  { weight: 8, arbitrary: write },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove' as const), gateway: fc.nat(1), uuid: fc.nat(19) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turns' as const), turns: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sweep' as const }) },
);

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

function severestOf(decisions: readonly Decision[], now: number): { type: string; until: number } | null {
  let best: { type: string; until: number } | null = null;
  const score = ({ type, until }: { type: string; until: number }, prefix: number): number =>
    severityOf(type) * 1e6 + prefix * 1e3 + (until - startMs) / 1_000;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const { scope, value, type, until, simulated } of decisions) {
    if (simulated || until <= now) continue;
    const prefix = scope === 'Country' ? -1 : (parseRange(value)?.prefix ?? 0);
    if (score({ type, until }, prefix) <= bestScore) continue;
    bestScore = score({ type, until }, prefix);
    best = { type, until };
  }
  return best;
}

function covering(decisions: readonly Decision[], text: string, country: string): Decision[] {
  return decisions.filter(({ scope, value }) => {
    if (scope === 'Country') return value === country;
    const range = parseRange(value);
    return range !== null && rangeContains(range, ip(text));
  });
}

function shown(found: IndexedDecision | null): { type: string; until: number } | null {
  return found && { type: found.type, until: found.until };
}

t.test(
  'whatever two gateways add, rewrite, lift and let expire: once it is quiet, the severest is found',
  async (t) => {
    let hits = 0;
    let lookUps = 0;
    const run = async (commands: readonly Command[], delays: readonly number[]): Promise<void> => {
      const clock = createManualClock();
      const store = delayedStore(clock);
      const gateways = await Promise.all([
        startGateway(store, clock, { withLedger: true }),
        startGateway(store, clock, { withLedger: false }),
      ]);
      let call = 0;
      store.turns = () => delays[call++ % delays.length] ?? 0;
      const made = new Map<string, Decision>();
      for (const each of commands) {
        if (each.kind === 'turns') await settle(each.turns);
        else if (each.kind === 'wait') clock.advance(each.seconds * 1_000);
        else if (each.kind === 'sweep') for (const { index } of gateways) index.sweep(clock.now(), 1_000_000);
        else {
          const publisher = gateways[each.gateway]?.publisher;
          const uuid = uuids[each.uuid] ?? '';
          if (each.kind === 'add') {
            const { scenario, type, simulated, seconds } = each;
            const target = targets[each.uuid % targets.length];
            const decision = decisionOf({
              ...target,
              uuid,
              scenario,
              type,
              simulated,
              until: clock.now() + seconds * 1_000,
            });
            made.set(uuid, decision);
            publisher?.write([{ kind: 'decision-added', decision }]);
          } else {
            const decision = made.get(uuid);
            if (decision !== undefined) publisher?.write([{ kind: 'decision-deleted', decision }]);
          }
        }
      }
      for (let round = 0; round < 200 && gateways.some((each) => each.publisher.status().queued > 0); round++)
        await settle(5);
      store.turns = () => 0;
      await settle(120);
      lookUps += store.lookUps;
      const live = (await store.decisions({ limit: 1_000 })).map(({ decision }) => decision);
      for (const { index } of gateways) {
        for (const later of [0, 3, 8, 15]) {
          const now = clock.now() + later * 1_000;
          for (const [text, country] of [
            [address, 'DE'],
            ['2001:db8::1', 'DE'],
            ['192.0.2.77', 'FR'],
            ['203.0.113.1', 'FR'],
          ] as const) {
            const expected = severestOf(covering(live, text, country), now);
            if (expected !== null) hits++;
            const found = shown(index.lookup({ address: ip(text), country: () => country }, now));
            if (JSON.stringify(found) !== JSON.stringify(expected)) {
              throw new Error(`${text} of ${country} in ${later} s: ${JSON.stringify({ found, expected, live })}`);
            }
          }
        }
      }
      await Promise.all(gateways.map((each) => each.close()));
      await store.close();
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 5, maxLength: 60, size: 'max' }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 9 }),
        run,
      ),
      { seed: 20_261_121, numRuns: 250 },
    );
    t.ok(hits > 2_000, `${hits} of the lookups were hits`);
    t.ok(lookUps > 300, `${lookUps} look-ups`);
  },
);
