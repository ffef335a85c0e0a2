import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import type { Bouncer } from '../../../remediation/bouncer.ts';
import { type BouncerQuestion, createBouncerKeys, splitAgent } from '../../../remediation/callers/bouncer-keys.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { bouncerOf } from './callers.ts';
import { collectedLog, settle } from '../support.ts';

const key = 'key of nginx';

function setup() {
  const clock = createManualClock();
  const bouncers = new Map<string, Bouncer>();
  const applied: StoreWrite[] = [];
  let reads = 0;
  let away = false;
  const unavailable = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'away'));
  const store = {
    bouncers: (): Promise<readonly Bouncer[]> => {
      reads++;
      return away ? unavailable() : Promise.resolve([...bouncers.values()]);
    },
    apply: (writes: readonly StoreWrite[]): Promise<void> => {
      if (away) return unavailable();
      for (const write of writes) {
        applied.push(write);
        if (write.kind === 'bouncer-added') bouncers.set(write.bouncer.name, write.bouncer);
        if (write.kind === 'bouncer-deleted') bouncers.delete(write.name);
        const seen = write.kind === 'bouncer-seen' ? bouncers.get(write.name) : undefined;
        if (seen !== undefined && write.kind === 'bouncer-seen') bouncers.set(write.name, { ...seen, ...write.seen });
      }
      return Promise.resolve();
    },
  };
  const { log, lines } = collectedLog();
  return {
    clock,
    keys: createBouncerKeys({ store, clock, log }),
    bouncers,
    applied,
    lines,
    add: (name: string, over: Partial<Bouncer> = {}) => bouncers.set(name, bouncerOf(name, `key of ${name}`, over)),
    clear: () => bouncers.clear(),
    setAway: (is: boolean) => (away = is),
    reads: () => reads,
    /** What waits for the store is written. */
    write: async () => {
      clock.advance(1_000);
      await settle();
    },
  };
}

function asks(clientIp: string, over: Partial<BouncerQuestion> = {}): BouncerQuestion {
  return { credential: { key }, clientIp, userAgent: 'nginx-bouncer/1.0', isProbe: false, ...over };
}

t.test('a key is its bouncer’s, any other is nobody’s', async (t) => {
  const { keys, add } = setup();
  add('nginx');
  add('cloud');
  t.equal((await keys.find('key of cloud'))?.name, 'cloud');
  t.equal(await keys.find('key of nobody'), null);
  t.equal(await keys.find(''), null);
  t.equal(await keys.find('x'.repeat(5_000)), null);
});

t.test('the list is read once a minute, and once a second for keys that nobody has', async (t) => {
  const { keys, add, clear, clock, reads } = setup();
  add('nginx');
  for (let round = 0; round < 50; round++) await keys.find('key of nginx');
  t.equal(reads(), 1);
  for (let round = 0; round < 50; round++) await keys.find('guess');
  t.equal(reads(), 1, 'within the second of the first');
  clock.advance(1_000);
  await Promise.all(Array.from({ length: 50 }, () => keys.find('guess')));
  t.equal(reads(), 2);
  add('cloud');
  t.equal(await keys.find('key of cloud'), null);
  clock.advance(1_000);
  t.equal((await keys.find('key of cloud'))?.name, 'cloud', 'a new key is known a second later, whoever wrote it');
  clear();
  t.equal((await keys.find('key of cloud'))?.name, 'cloud', 'a deletion elsewhere takes a minute');
  clock.advance(60_000);
  t.equal(await keys.find('key of cloud'), null);
});

t.test('a change that this process made counts at once', async (t) => {
  const { keys, add, clear } = setup();
  add('nginx');
  t.ok(await keys.find('key of nginx'));
  clear();
  keys.changed();
  t.equal(await keys.find('key of nginx'), null);
});

t.test('while the store is away known keys are good and unknown ones are not', async (t) => {
  const { keys, add, setAway, clock } = setup();
  add('nginx');
  t.ok(await keys.find('key of nginx'));
  setAway(true);
  clock.advance(600_000);
  t.ok(await keys.find('key of nginx'));
  t.equal(await keys.find('key of cloud'), null);
});

t.test('a change during a read is not missed', async (t) => {
  const answers: ((bouncers: readonly Bouncer[]) => void)[] = [];
  const keys = createBouncerKeys({
    store: { bouncers: () => new Promise((resolve) => answers.push(resolve)), apply: () => Promise.resolve() },
    clock: createManualClock(),
    log: collectedLog().log,
  });
  const asked = keys.find('k');
  keys.changed();
  answers.shift()?.([bouncerOf('nginx', 'k')]);
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  answers.shift()?.([]);
  t.equal(await asked, null, 'it was revoked while the list was read');
});

t.test('whoever may not ask has an unknown key refused without a read', async (t) => {
  const { keys, add, clock, reads } = setup();
  t.equal(await keys.find('key of nginx'), null);
  add('nginx');
  clock.advance(1_000);
  t.equal(await keys.find('key of nginx', () => false), null);
  t.equal(reads(), 1);
  t.equal((await keys.find('key of nginx', () => true))?.name, 'nginx');
  t.equal((await keys.find('key of nginx', () => false))?.name, 'nginx', 'known ones are not asked about');
});

t.test('a key that is known waits for nothing, until the list is old or has changed', async (t) => {
  const { keys, add, clock, clear } = setup();
  add('nginx', { ip: '192.0.2.1' });
  const asked = () => keys.identify(asks('192.0.2.1'));
  t.equal((await asked())?.name, 'nginx');
  const known = asked();
  t.notOk(known instanceof Promise);
  t.match(known, { name: 'nginx' });
  t.ok(keys.identify(asks('192.0.2.1', { credential: { key: 'guess' } })) instanceof Promise);
  clock.advance(60_000);
  t.ok(asked() instanceof Promise, 'after a minute');
  t.equal((await asked())?.name, 'nginx');
  clear();
  keys.changed();
  const later = asked();
  t.ok(later instanceof Promise, 'at once when the list has changed');
  t.equal(await later, null);
});

t.test('the first address that uses a key is the bouncer’s own', async (t) => {
  const { keys, add, bouncers, write } = setup();
  add('nginx');
  const first = await keys.identify(asks('192.0.2.1'));
  t.match(first, { name: 'nginx', ip: '192.0.2.1', type: 'nginx-bouncer', version: '1.0', autoCreated: false });
  await write();
  t.match(bouncers.get('nginx'), { ip: '192.0.2.1', type: 'nginx-bouncer', version: '1.0' });
  t.equal((await keys.identify(asks('192.0.2.1', { userAgent: 'x' })))?.version, 'N/A');
});

t.test('each further address is a bouncer of its own, named after the oldest', async (t) => {
  const { keys, add, bouncers, write } = setup();
  add('nginx@edge', { keyHash: bouncerOf('nginx', key).keyHash, ip: '192.0.2.1' });
  const second = await keys.identify(asks('192.0.2.2'));
  t.match(second, { name: 'nginx@edge@192.0.2.2', autoCreated: true, ip: '192.0.2.2', lastPull: null });
  const third = await keys.identify(asks('2001:db8::1'));
  t.equal(third?.name, 'nginx@edge@2001:db8::1', 'not after the second');
  t.equal((await keys.identify(asks('192.0.2.2')))?.name, second?.name);
  await write();
  t.strictSame([...bouncers.keys()], ['nginx@edge', 'nginx@edge@192.0.2.2', 'nginx@edge@2001:db8::1']);
  keys.changed();
  t.equal((await keys.identify(asks('192.0.2.2')))?.name, second?.name, 'the store has it');
  t.equal((await keys.find(key))?.name, 'nginx@edge', 'for the AppSec endpoint it is one');
  bouncers.delete('nginx@edge');
  keys.changed();
  t.equal(
    (await keys.identify(asks('192.0.2.9')))?.name,
    'nginx@edge@192.0.2.9',
    'the added address is no part of the name',
  );
});

t.test('each row has its own place in the stream', async (t) => {
  const { keys, add, bouncers, clock, write } = setup();
  add('nginx', { ip: '192.0.2.1' });
  await keys.identify(asks('192.0.2.1'));
  await keys.identify(asks('192.0.2.2'));
  t.equal(keys.lastPull('nginx'), null);
  const at = clock.now();
  keys.pulled('nginx', at);
  t.equal(keys.lastPull('nginx'), at);
  t.equal(keys.lastPull('nginx@192.0.2.2'), null);
  keys.pulled('nginx', at - 500);
  t.equal(keys.lastPull('nginx'), at, 'a slow answer does not put it back');
  await write();
  t.equal(bouncers.get('nginx')?.lastPull, at);
  keys.changed();
  await keys.identify(asks('192.0.2.1'));
  t.equal(keys.lastPull('nginx'), at);
  keys.pulled('nobody', at);
  t.equal(keys.lastPull('nobody'), null);
});

t.test('a bouncer that polls is written once a second, not more', async (t) => {
  const { keys, add, applied, clock } = setup();
  add('nginx');
  await keys.identify(asks('192.0.2.1'));
  for (let poll = 0; poll < 1_000; poll++) {
    keys.pulled('nginx', clock.now());
    clock.advance(10);
    await settle(1);
  }
  await settle();
  t.ok(applied.length <= 10, `${applied.length} writes in ten seconds`);
  t.ok(applied.length >= 9);
});

t.test('while the store is away only the latest waits, and goes out when it is back', async (t) => {
  const { keys, add, applied, bouncers, setAway, clock } = setup();
  add('nginx');
  await keys.identify(asks('192.0.2.1'));
  setAway(true);
  for (let second = 0; second < 600; second++) {
    keys.pulled('nginx', clock.now());
    clock.advance(1_000);
    await settle(1);
  }
  const fresh = await keys.identify(asks('192.0.2.2'));
  t.equal(fresh?.name, 'nginx@192.0.2.2', 'a good key is good');
  clock.advance(61_000);
  t.equal((await keys.identify(asks('192.0.2.2')))?.name, fresh?.name);
  setAway(false);
  clock.advance(31_000);
  await settle();
  t.same(applied.map(({ kind }) => kind).toSorted(), ['bouncer-added', 'bouncer-seen']);
  t.equal(bouncers.get('nginx')?.lastPull, keys.lastPull('nginx'));
});

t.test('a bouncer that was made anew under the same name starts anew', async (t) => {
  const { keys, add, clock, write } = setup();
  add('nginx');
  await keys.identify(asks('192.0.2.1'));
  keys.pulled('nginx', clock.now());
  keys.forget('nginx');
  add('nginx', { createdAt: clock.now() });
  await keys.identify(asks('192.0.2.1'));
  t.equal(keys.lastPull('nginx'), null);
  await write();
  t.equal(keys.lastPull('nginx'), null);
});

t.test('a probe leaves no trace', async (t) => {
  const { keys, add, applied, bouncers, write } = setup();
  add('nginx');
  const probe = asks('192.0.2.7', { isProbe: true, userAgent: 'appsec/1' });
  t.equal((await keys.identify(probe))?.name, 'nginx');
  add('nginx', { ip: '192.0.2.1' });
  keys.changed();
  t.equal((await keys.identify(probe))?.name, 'nginx', 'by its key alone');
  await write();
  t.strictSame(applied, []);
  t.strictSame([...bouncers.keys()], ['nginx']);
});

t.test('rows that made themselves are bounded; the idlest makes room and starts anew', async (t) => {
  const { keys, add, bouncers, clock, write } = setup();
  add('nginx', { ip: '192.0.2.1' });
  for (let host = 0; host < 300; host++) {
    const row = await keys.identify(asks(`10.0.${host >> 8}.${host & 255}`));
    keys.pulled(row?.name ?? '', clock.now());
    clock.advance(1);
  }
  await write();
  t.equal(bouncers.size, 257, 'the operator’s own, and 256');
  t.notOk(bouncers.has('nginx@10.0.0.0'));
  t.ok(bouncers.has('nginx@10.0.1.43'));
  const back = await keys.identify(asks('10.0.0.0'));
  t.match(back, { name: 'nginx@10.0.0.0', lastPull: null }, 'so it is sent everything');
});

t.test('a certificate is a bouncer for each address, and never takes over a name that has a key', async (t) => {
  const { keys, add, bouncers, applied, write } = setup();
  const certificate = { credential: { commonName: 'haproxy' } } as const;
  const first = await keys.identify(asks('192.0.2.1', certificate));
  t.match(first, { name: 'haproxy@192.0.2.1', authType: 'tls', keyHash: '', autoCreated: true });
  t.equal((await keys.identify(asks('192.0.2.1', certificate)))?.name, 'haproxy@192.0.2.1');
  await write();
  t.equal(applied.length, 1);
  add('haproxy@192.0.2.9');
  keys.changed();
  t.equal(await keys.identify(asks('192.0.2.9', certificate)), null);
  t.equal(await keys.identify(asks('192.0.2.1', { credential: { commonName: 'a b\n' } })), null);
  t.match(await keys.identify(asks('192.0.2.50', { ...certificate, isProbe: true })), { authType: 'tls' });
  await write();
  t.notOk(bouncers.has('haproxy@192.0.2.50'));
  t.equal(await keys.find(''), null, 'no key is not the key of those without');
});

t.test('somebody else’s name stays somebody else’s', async (t) => {
  const { keys, add, bouncers } = setup();
  add('nginx', { ip: '192.0.2.1' });
  add('nginx@192.0.2.2');
  t.equal(await keys.identify(asks('192.0.2.2')), null);
  t.equal(bouncers.get('nginx@192.0.2.2')?.keyHash, bouncerOf('x', 'key of nginx@192.0.2.2').keyHash);
});

t.test('what is known is written at the end', async (t) => {
  const { keys, add, bouncers, clock } = setup();
  add('nginx');
  await keys.identify(asks('192.0.2.1'));
  keys.pulled('nginx', clock.now());
  await keys.close();
  t.match(bouncers.get('nginx'), { lastPull: clock.now(), ip: '192.0.2.1' });
});

t.test('a User-Agent of exactly two parts is a type and a version', async (t) => {
  const table: readonly (readonly [string, string, string])[] = [
    ['crowdsec-firewall-bouncer/v0.0.25', 'crowdsec-firewall-bouncer', 'v0.0.25'],
    ['a/b/c', 'a/b/c', 'N/A'],
    ['x/', 'x', ''],
    ['/x', '', 'x'],
    ['curl', 'curl', 'N/A'],
    ['', '', 'N/A'],
  ];
  for (const [agent, type, version] of table) t.strictSame(splitAgent(agent), { type, version }, agent);
  t.equal(table.length, 6);
});
