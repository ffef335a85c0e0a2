import * as fc from 'fast-check';
import t from 'tap';
import { addressBits, formatRange, parseIp, parseRange, rangeContains, type IpAddress } from '../../../core/ip.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { settingsAllowlist, type AllowlistItem } from '../../../remediation/allowed/allowlists.ts';
import {
  createDecisionIndex,
  startSweeper,
  type DecisionIndex,
  type IndexedDecision,
} from '../../../remediation/index/decision-index.ts';
import { severityOf, uuidTag, type Decision } from '../../../remediation/decision.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { collectedLog, decisionOf, ip } from '../support.ts';

function setUp(allowlist: readonly AllowlistItem[] = []): {
  index: DecisionIndex;
  clock: ManualClock;
  lines: object[];
} {
  const clock = createManualClock();
  const { log, lines } = collectedLog();
  return { index: createDecisionIndex({ clock, random: createSystemRandom(), log, allowlist }), clock, lines };
}

t.test('an address is covered by its decision until it expires, and by none before it is added', async (t) => {
  const { index, clock } = setUp();
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now()), null);
  const decision = decisionOf({ value: '192.0.2.1', until: clock.now() + 4_000, scenario: 'x/y', origin: 'cscli' });
  index.add(decision);
  t.same(index.lookup({ address: ip('192.0.2.1') }, clock.now() + 3_999), {
    type: 'ban',
    origin: 'cscli',
    scenario: 'x/y',
    scope: 'Ip',
    value: '192.0.2.1',
    until: decision.until,
    uuidTag: uuidTag(decision.uuid),
  });
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now() + 4_000), null);
  t.equal(index.lookup({ address: ip('192.0.2.2') }, clock.now()), null);
});

t.test('both spellings of an address are one', async (t) => {
  const { index, clock } = setUp();
  index.add(decisionOf({ value: '::ffff:192.0.2.9' }));
  index.add(decisionOf({ value: '2001:DB8:0:0::1' }));
  t.ok(index.lookup({ address: ip('192.0.2.9') }, clock.now()));
  t.ok(index.lookup({ address: ip('2001:db8::1') }, clock.now()));
});

t.test('the severest covering decision wins, of equals the longest prefix', async (t) => {
  const { index, clock } = setUp();
  const valueAt = (): string | undefined => {
    const found = index.lookup({ address: ip('10.1.2.3') }, clock.now());
    return found ? `${found.type} ${found.value}` : undefined;
  };
  index.add(decisionOf({ scope: 'Range', value: '10.0.0.0/8', type: 'whatever' }));
  t.equal(valueAt(), 'whatever 10.0.0.0/8');
  index.add(decisionOf({ scope: 'Ip', value: '10.1.2.3', type: 'throttle' }));
  t.equal(valueAt(), 'throttle 10.1.2.3');
  index.add(decisionOf({ scope: 'Range', value: '10.1.0.0/16', type: 'captcha' }));
  t.equal(valueAt(), 'captcha 10.1.0.0/16');
  index.add(decisionOf({ scope: 'Range', value: '10.1.2.0/24', type: 'captcha' }));
  t.equal(valueAt(), 'captcha 10.1.2.0/24');
  index.add(decisionOf({ scope: 'Range', value: '0.0.0.0/0', type: 'ban' }));
  t.equal(valueAt(), 'ban 0.0.0.0/0');
  index.add(decisionOf({ scope: 'Ip', value: '10.1.2.3', type: 'ban' }));
  t.equal(valueAt(), 'ban 10.1.2.3');
});

t.test('an Ip decision may hold a range and a Range decision a bare address', async (t) => {
  const { index, clock } = setUp();
  index.add(decisionOf({ scope: 'Ip', value: '198.51.100.70/26' }));
  index.add(decisionOf({ scope: 'Range', value: '203.0.113.5' }));
  t.match(index.lookup({ address: ip('198.51.100.65') }, clock.now()), { scope: 'Ip', value: '198.51.100.64/26' });
  t.match(index.lookup({ address: ip('203.0.113.5') }, clock.now()), { scope: 'Range', value: '203.0.113.5/32' });
});

t.test('several decisions on one value coexist: without the severest the next shows', async (t) => {
  const { index, clock } = setUp();
  const ban = decisionOf({ value: '192.0.2.1', type: 'ban', until: clock.now() + 10_000 });
  const captcha = decisionOf({ value: '192.0.2.1', type: 'captcha', until: clock.now() + 20_000 });
  const throttle = decisionOf({ value: '192.0.2.1', type: 'throttle', until: clock.now() + 30_000 });
  for (const decision of [throttle, ban, captcha]) index.add(decision);
  const typeAt = (ms: number): string | undefined => index.lookup({ address: ip('192.0.2.1') }, clock.now() + ms)?.type;
  t.same([typeAt(0), typeAt(10_000), typeAt(20_000), typeAt(30_000)], ['ban', 'captcha', 'throttle', undefined]);
  index.remove(ban);
  t.equal(typeAt(0), 'captcha');
  index.remove(captcha);
  index.remove(captcha);
  t.equal(typeAt(0), 'throttle');
  t.equal(index.size.ip, 1);
});

t.test('a decision added twice is one, and a longer one of the same kind replaces a shorter', async (t) => {
  const { index, clock } = setUp();
  const short = decisionOf({ value: '192.0.2.1', until: clock.now() + 10_000 });
  const long = decisionOf({ value: '192.0.2.1', until: clock.now() + 20_000 });
  index.add(short);
  index.add(short);
  t.equal(index.size.ip, 1);
  index.add(long);
  index.add(short);
  t.equal(index.size.ip, 1);
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now())?.until, long.until);
  index.remove(short);
  t.ok(
    index.lookup({ address: ip('192.0.2.1') }, clock.now()),
    'the shorter had given way: deleting it changes nothing',
  );
  index.remove(long);
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now()), null);
  t.equal(index.size.total, 0);
});

t.test('simulated, expired and unreadable decisions are not kept', async (t) => {
  const { index, clock, lines } = setUp();
  index.add(decisionOf({ value: '192.0.2.1', simulated: true }));
  index.add(decisionOf({ value: '192.0.2.1', until: clock.now() }));
  for (const value of ['192.0.2.256', '', '192.0.2.0/33', 'nobody']) index.add(decisionOf({ value }));
  t.equal(index.size.total, 0);
  t.match(lines, [{ code: 'DECISION_INVALID', value: '192.0.2.256' }], 'one warning, not four');
});

t.test('an unknown type is warned of once and ranks last', async (t) => {
  const { index, clock, lines } = setUp();
  index.add(decisionOf({ value: '192.0.2.1', type: 'tarpit' }));
  index.add(decisionOf({ value: '192.0.2.2', type: 'tarpit' }));
  t.match(lines, [{ type: 'tarpit' }]);
  t.equal(lines.length, 1);
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now())?.type, 'tarpit');
});

t.test('countries, autonomous systems and custom scopes are asked for lazily', async (t) => {
  const { index, clock } = setUp();
  let asked = 0;
  const subject = {
    address: ip('192.0.2.1'),
    country: () => (asked++, 'DE'),
    asn: () => (asked++, '64500'),
    custom: (scope: string) => (asked++, scope === 'Username' ? 'eve' : ''),
  };
  t.equal(index.lookup(subject, clock.now()), null);
  t.equal(asked, 0);
  const country = decisionOf({ scope: 'country', value: 'de', type: 'captcha' });
  index.add(country);
  t.match(index.lookup(subject, clock.now()), { scope: 'Country', value: 'DE' });
  t.equal(asked, 1);
  const system = decisionOf({ scope: 'AS', value: 'AS64500', type: 'captcha' });
  index.add(system);
  t.match(index.lookup(subject, clock.now()), { scope: 'AS', value: '64500' });
  const custom = decisionOf({ scope: 'Username', value: 'eve', type: 'captcha' });
  index.add(custom);
  t.match(index.lookup(subject, clock.now()), { scope: 'Username', value: 'eve' });
  t.same(index.size, { ip: 0, range: 0, country: 1, as: 1, custom: 1, total: 3, allowlist: 0 });
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now()), null, 'nothing known of the subject');
  for (const decision of [country, system, custom]) index.remove(decision);
  t.equal(index.size.total, 0);
});

t.test('a scope named like a member of every object is a scope like others', async (t) => {
  const { index, clock } = setUp();
  index.add(decisionOf({ scope: 'constructor', value: 'x' }));
  const subject = { address: ip('192.0.2.1'), custom: () => 'x' };
  t.equal(index.lookup(subject, clock.now())?.scope, 'constructor');
});

t.test('a network on two lists is allowed until both let go of it', async (t) => {
  const { index, clock } = setUp();
  const allowed = (): boolean => index.isAllowed(ip('192.0.2.1'), clock.now());
  const entry = { value: '192.0.2.0/24', comment: '', until: null };
  for (const list of ['office', 'partners', 'office']) index.allow({ ...entry, list });
  t.equal(index.size.allowlist, 2);
  index.disallow('office', '192.0.2.0/24');
  index.disallow('nobody', '192.0.2.0/24');
  t.ok(allowed());
  index.disallowList('partners');
  t.notOk(allowed());
  index.allow({ ...entry, list: 'office', until: clock.now() + 1_000 });
  index.allow({ ...entry, list: 'partners' });
  t.ok(index.isAllowed(ip('192.0.2.1'), clock.now() + 1_000), 'the one that lasts longer counts');
  t.equal(index.size.allowlist, 2);
});

t.test('the allowlist wins over every decision; its entries expire and go; those of the settings stay', async (t) => {
  const { index, clock } = setUp([
    { list: settingsAllowlist, value: '198.51.100.0/24', comment: 'office', until: null },
  ]);
  index.add(decisionOf({ scope: 'Range', value: '0.0.0.0/0' }));
  index.add(decisionOf({ scope: 'Country', value: 'DE' }));
  const allowed = (text: string, at = clock.now()): boolean =>
    index.isAllowed(ip(text), at) && index.lookup({ address: ip(text), country: () => 'DE' }, at) === null;
  t.ok(allowed('198.51.100.1'));
  for (const list of ['default', settingsAllowlist]) index.disallow(list, '198.51.100.0/24');
  index.disallowList(settingsAllowlist);
  t.ok(allowed('198.51.100.1'));
  index.allow({ list: 'default', value: '192.0.2.1', comment: '', until: clock.now() + 1_000 });
  t.ok(allowed('192.0.2.1'));
  t.notOk(allowed('192.0.2.1', clock.now() + 1_000));
  t.ok(index.lookup({ address: ip('192.0.2.1') }, clock.now() + 1_000));
  index.disallow('default', '192.0.2.1/32');
  t.notOk(allowed('192.0.2.1'));
  index.allow({ list: 'default', value: '2001:db8::/33', comment: '', until: null });
  t.ok(allowed('2001:db8:7fff::1'));
  t.notOk(allowed('2001:db8:8000::1'));
  t.match(index.allowedRange(rangeFrom('198.51.0.0/16')), { comment: 'office' }, 'a range that holds an entry counts');
  t.equal(index.allowedRange(rangeFrom('203.0.113.0/24')), null);
});

t.test('expired entries are swept a little at a time until none is left', async (t) => {
  const { index, clock } = setUp();
  for (let n = 0; n < 5_000; n++) {
    const until = clock.now() + (n % 2 === 0 ? 1_000 : 1_000_000);
    index.add(decisionOf({ value: `10.0.${n >> 8}.${n & 255}`, until }));
    if (n < 100) index.add(decisionOf({ scope: 'Range', value: `2001:db8:${n}::/48`, until }));
  }
  index.add(decisionOf({ scope: 'Country', value: 'FR', until: clock.now() + 1_000 }));
  clock.advance(1_000);
  const first = index.sweep(clock.now(), 1_000);
  t.ok(first > 0 && first < 2_551, 'one call does not do it all');
  for (let round = 0; round < 1_000 && index.size.total > 2_550; round++) index.sweep(clock.now(), 1_000);
  t.same(index.size, { ip: 2_500, range: 50, country: 0, as: 0, custom: 0, total: 2_550, allowlist: 0 });
  t.ok(index.lookup({ address: ip('10.0.0.1') }, clock.now()));
  t.ok(index.lookup({ address: ip('2001:db8:1::1') }, clock.now()));
});

t.test('the sweeper goes through everything by itself until it is cancelled', async (t) => {
  const { index, clock } = setUp();
  const fill = (): void => {
    for (let n = 0; n < 3_000; n++) index.add(decisionOf({ value: v4(n), until: clock.now() + 1_000 }));
    index.add(decisionOf({ scope: 'Country', value: 'FR', until: clock.now() + 1_000 }));
  };
  fill();
  const sweeper = startSweeper(index, clock);
  clock.advance(120_000);
  t.equal(index.size.total, 0);
  sweeper.cancel();
  fill();
  clock.advance(120_000);
  t.equal(index.size.total, 3_001);
});

t.test('memory is used again after entries have gone', async (t) => {
  const { index, clock } = setUp();
  const fill = (): void => {
    for (let n = 0; n < 30_000; n++)
      index.add(decisionOf({ value: `10.1.${n >> 8}.${n & 255}`, until: clock.now() + 1_000 }));
  };
  fill();
  const bytes = index.memoryBytes();
  for (let round = 0; round < 3; round++) {
    clock.advance(1_000);
    while (index.size.total > 0) index.sweep(clock.now(), 100_000);
    fill();
  }
  t.ok(index.memoryBytes() <= bytes * 1.1, `${index.memoryBytes()} bytes after, ${bytes} before`);
});

t.test('more than 32 kinds of decision on one value: the weakest give way', async (t) => {
  const { index, clock } = setUp();
  index.add(decisionOf({ value: '192.0.2.1', type: 'ban', scenario: 'first' }));
  for (let n = 0; n < 100; n++) {
    const until = clock.now() + 1_000_000 + n * 1_000;
    index.add(decisionOf({ value: '192.0.2.1', type: 'captcha', scenario: `s${n}`, until }));
    index.add(decisionOf({ scope: 'Range', value: '2001:db8::/64', type: 'captcha', scenario: `s${n}`, until }));
  }
  t.same([index.size.ip, index.size.range], [32, 32]);
  t.equal(index.lookup({ address: ip('192.0.2.1') }, clock.now())?.scenario, 'first');
  t.equal(index.lookup({ address: ip('2001:db8::1') }, clock.now())?.scenario, 's99');
});

t.test('more kinds of decision than there are numbers: all are enforced, the last without their name', async (t) => {
  const { index, clock, lines } = setUp();
  for (let n = 0; n < 3_000; n++) index.add(decisionOf({ value: `10.0.${n >> 8}.${n & 255}`, scenario: `list ${n}` }));
  t.equal(index.lookup({ address: ip('10.0.0.7') }, clock.now())?.scenario, 'list 7');
  t.match(index.lookup({ address: ip('10.0.11.183') }, clock.now()), { type: 'ban', scenario: '(several)' });
  t.equal(lines.length, 1);
});

t.test('what a new snapshot no longer holds is dropped, what it holds stays', async (t) => {
  const { index, clock } = setUp();
  const kept = [decisionOf({ value: '192.0.2.1' }), decisionOf({ scope: 'Range', value: '2001:db8::/32' })];
  const gone = [
    decisionOf({ value: '192.0.2.2' }),
    decisionOf({ scope: 'Range', value: '2001:db9::/32' }),
    decisionOf({ scope: 'Country', value: 'FR' }),
  ];
  for (const decision of [...kept, ...gone]) index.add(decision);
  index.allow({ list: 'default', value: '203.0.113.1', comment: '', until: null });
  for (const _ of index.markStale());
  for (const decision of kept) index.add(decision);
  t.equal(index.size.total, 5);
  for (const _ of index.dropStale());
  t.same([index.size.total, index.size.allowlist], [2, 0]);
  t.ok(index.lookup({ address: ip('192.0.2.1') }, clock.now()));
  t.ok(index.lookup({ address: ip('2001:db8::1') }, clock.now()));
});

t.test('of two equal decisions a new snapshot may hold the shorter alone, or both in any order', async (t) => {
  for (const target of [{ value: '192.0.2.1' }, { scope: 'Country', value: 'FR' }]) {
    const { index, clock } = setUp();
    const [short, long] = [10_000, 20_000].map((ms) => decisionOf({ ...target, until: clock.now() + ms }));
    if (short === undefined || long === undefined) throw new Error('two were made');
    const found = (): number | undefined =>
      index.lookup({ address: ip('192.0.2.1'), country: () => 'FR' }, clock.now())?.until;
    for (const snapshot of [[long, short], [short, long], [long, short], [short]]) {
      for (const _ of index.markStale());
      for (const decision of snapshot) index.add(decision);
      t.equal(found(), long.until);
      for (const _ of index.dropStale());
      t.equal(found(), snapshot.includes(long) ? long.until : short.until);
      t.equal(index.size.total, 1);
    }
  }
});

interface Model {
  decisions: Decision[];
  allowed: Map<string, AllowlistItem>;
}

const addresses = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.1.1',
  '10.128.0.1',
  '192.0.2.1',
  '2001:db8::1',
  '2001:db8::2',
  '2001:db8:1::1',
  'fe80::1',
];
const networks = [
  ...addresses,
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/16',
  '10.0.0.0/24',
  '10.0.0.0/31',
  '10.128.0.0/9',
  '10.0.0.1/32',
  '::/0',
  '2001:db8::/32',
  '2001:db8::/48',
  '2001:db8::/64',
  '2001:db8::/127',
  '2001:db8::1/128',
  'fe80::/10',
];
const origin = Date.UTC(2026, 0, 1);

const decisionArbitrary = fc
  .record({
    target: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...networks).map((value) => ['Range', value] as const) },
      { weight: 4, arbitrary: fc.constantFrom(...addresses).map((value) => ['Ip', value] as const) },
      { weight: 1, arbitrary: fc.constantFrom('DE', 'FR').map((value) => ['Country', value] as const) },
      { weight: 1, arbitrary: fc.constantFrom('64500', '64501').map((value) => ['AS', value] as const) },
      { weight: 1, arbitrary: fc.constant(['Username', 'eve'] as const) },
    ),
    type: fc.constantFrom('ban', 'captcha', 'throttle', 'tarpit'),
    scenario: fc.constantFrom('a', 'b', 'c'),
    seconds: fc.integer({ min: -5, max: 60 }),
    simulated: fc.constantFrom(false, false, false, true),
  })
  .map(({ target: [scope, value], seconds, ...rest }) =>
    decisionOf({ scope, value, until: origin + seconds * 1_000, ...rest }),
  );

const entryOf = { list: fc.constantFrom('a', 'b'), value: fc.constantFrom(...networks) };
const commandArbitrary = fc.oneof(
  { weight: 10, arbitrary: decisionArbitrary.map((decision) => ({ kind: 'add' as const, decision })) },
  { weight: 4, arbitrary: fc.nat(1_000).map((pick) => ({ kind: 'remove' as const, pick })) },
  { weight: 2, arbitrary: fc.nat(1_000).map((pick) => ({ kind: 'again' as const, pick })) },
  { weight: 2, arbitrary: fc.nat(8).map((seconds) => ({ kind: 'wait' as const, seconds })) },
  { weight: 1, arbitrary: fc.nat(30_000).map((budget) => ({ kind: 'sweep' as const, budget })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ ...entryOf, seconds: fc.option(fc.nat(30)) })
      .map((item) => ({ kind: 'allow' as const, ...item })),
  },
  { weight: 2, arbitrary: fc.record(entryOf).map((item) => ({ kind: 'disallow' as const, ...item })) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b').map((list) => ({ kind: 'disallow list' as const, list })) },
);

t.test('agrees with a plain list of decisions that is searched from end to end', async (t) => {
  let hits = 0;
  fc.assert(
    fc.property(fc.array(commandArbitrary, { minLength: 1, maxLength: 60, size: 'max' }), (commands) => {
      const clock = createManualClock(origin);
      const index = createDecisionIndex({ clock, random: createSystemRandom(), log: createLog('silent') });
      const model: Model = { decisions: [], allowed: new Map() };
      const everAdded: Decision[] = [];
      for (const command of commands) {
        switch (command.kind) {
          case 'add':
            everAdded.push(command.decision);
            index.add(command.decision);
            addToModel(model, command.decision, clock.now());
            break;
          case 'again':
          case 'remove': {
            const decision = everAdded[command.pick % Math.max(1, everAdded.length)];
            if (decision === undefined) break;
            if (command.kind === 'again') {
              index.add(decision);
              addToModel(model, decision, clock.now());
            } else {
              index.remove(decision);
              model.decisions = model.decisions.filter(({ uuid }) => uuid !== decision.uuid);
            }
            break;
          }
          case 'wait':
            clock.advance(command.seconds * 1_000);
            break;
          case 'sweep':
            index.sweep(clock.now(), command.budget);
            break;
          case 'allow': {
            const until = command.seconds === null ? null : clock.now() + command.seconds * 1_000;
            const item = { list: command.list, value: command.value, comment: '', until };
            index.allow(item);
            model.allowed.set(`${command.list} ${networkOf(command.value)}`, item);
            break;
          }
          case 'disallow':
            index.disallow(command.list, command.value);
            model.allowed.delete(`${command.list} ${networkOf(command.value)}`);
            break;
          case 'disallow list':
            index.disallowList(command.list);
            for (const [key, { list }] of model.allowed) if (list === command.list) model.allowed.delete(key);
            break;
        }
      }
      for (const text of addresses) {
        const subject = { address: ip(text), country: () => 'DE', asn: () => '64500', custom: () => 'eve' };
        const found = index.lookup(subject, clock.now());
        const expected = lookUpInModel(model, subject.address, clock.now());
        if (expected !== null) hits++;
        t.same(summary(found), expected, `${text} after ${JSON.stringify(commands)}`, { diagnostic: false });
        if (!t.passing()) throw new Error(`disagreement about ${text}`);
      }
    }),
    { seed: 20_260_101, numRuns: 400 },
  );
  t.ok(hits > 500, `${hits} of the lookups were hits`);
});

t.test('holds a hundred thousand addresses and ranges without losing or inventing one', async (t) => {
  const { index, clock } = setUp();
  const inside = (n: number): Decision[] => [
    decisionOf({ value: v4(n * 2), type: n % 3 === 0 ? 'captcha' : 'ban' }),
    ...(n % 4 === 0 ? [decisionOf({ value: `2001:db8:${(n * 2 + 1).toString(16)}::1` })] : []),
  ];
  const kept: Decision[] = [];
  for (let n = 0; n < 32_000; n++) {
    for (const decision of inside(n)) {
      index.add(decision);
      if (n % 5 === 0) kept.push(decision);
      else if (n % 5 === 1) index.remove(decision);
      else if (n % 5 === 2) index.add(decision);
    }
  }
  let wrong = 0;
  for (let n = 0; n < 32_000; n++) {
    if ((index.lookup({ address: ip(v4(n * 2)) }, clock.now()) === null) !== (n % 5 === 1)) wrong++;
    if (index.lookup({ address: ip(v4(n * 2 + 1)) }, clock.now()) !== null) wrong++;
  }
  for (const decision of kept) {
    const found = index.lookup({ address: ip(decision.value) }, clock.now());
    if (found?.type !== decision.type || found.value !== decision.value) wrong++;
  }
  t.equal(wrong, 0);
  t.equal(index.size.total, 25_600 + 6_400);
});

function v4(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

function rangeFrom(text: string) {
  const range = parseRange(text);
  if (range === null) throw new Error(text);
  return range;
}

function networkOf(value: string): string {
  return formatRange(rangeFrom(value));
}

function isSameKind(left: Decision, right: Decision): boolean {
  return (
    left.scope === right.scope &&
    comparable(left) === comparable(right) &&
    left.type === right.type &&
    left.scenario === right.scenario
  );
}

function comparable(decision: Decision): string {
  return decision.scope === 'Ip' || decision.scope === 'Range' ? networkOf(decision.value) : decision.value;
}

function addToModel(model: Model, decision: Decision, now: number): void {
  if (decision.simulated || decision.until <= now) return;
  const rivals = model.decisions.filter((other) => isSameKind(other, decision));
  if (rivals.some((other) => other.uuid !== decision.uuid && other.until >= decision.until)) return;
  model.decisions = [...model.decisions.filter((other) => !rivals.includes(other)), decision];
}

interface Summary {
  type: string;
  specificity: number;
  until: number;
}

function specificity(scope: string, value: string): number {
  if (scope === 'Country') return -3;
  if (scope === 'AS') return -2;
  if (scope === 'Username') return -1;
  return rangeFrom(value).prefix;
}

function summary(found: IndexedDecision | null): Summary | null {
  return found && { type: found.type, specificity: specificity(found.scope, found.value), until: found.until };
}

function lookUpInModel(model: Model, address: IpAddress, now: number): Summary | null {
  for (const item of model.allowed.values()) {
    if ((item.until === null || item.until > now) && rangeContains(rangeFrom(item.value), address)) return null;
  }
  let best: Summary | null = null;
  for (const { scope, value, type, until } of model.decisions) {
    const covers =
      scope === 'Ip' || scope === 'Range'
        ? rangeContains(rangeFrom(value), address)
        : ['DE', '64500', 'eve'].includes(value);
    if (!covers || until <= now) continue;
    const candidate = { type, specificity: specificity(scope, value), until };
    if (best === null || weight(candidate) > weight(best)) best = candidate;
  }
  return best;
}

/** One number in the order of severity, specificity and duration. */
function weight({ type, specificity, until }: Summary): number {
  return severityOf(type) * 1e6 + specificity * 1e3 + (until - origin) / 1_000;
}

t.test('the texts of the model are addresses', async (t) => {
  t.equal(addresses.filter((text) => parseIp(text) !== null && addressBits(ip(text)) > 0).length, 9);
});
