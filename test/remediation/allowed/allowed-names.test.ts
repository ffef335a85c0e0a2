/** Names on allowlists, against a DNS that the test speaks for. */
import fc from 'fast-check';
import t from 'tap';
import type { DatedAddress } from '../../../core/dated-addresses.ts';
import { parseIp } from '../../../core/ip.ts';
import { createLog } from '../../../core/log.ts';
import { createAllowedNames, isHostName } from '../../../remediation/allowed/allowed-names.ts';
import { type AllowlistItem, createAllowlist } from '../../../remediation/allowed/allowlists.ts';

type Answer = readonly DatedAddress[] | Error;

function open(maxNames = 10) {
  const zone = new Map<string, Answer>();
  const asked: string[] = [];
  const lines: string[] = [];
  const allowlist = createAllowlist();
  const names = createAllowedNames({
    allowlist,
    log: createLog('info', { write: (line) => void lines.push(line) }),
    maxNames,
    resolve(name) {
      asked.push(name);
      const answer = zone.get(name) ?? [];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  let now = 1_000_000;
  return {
    zone,
    asked,
    lines,
    allowlist,
    names,
    /** Lets time pass, and what is asked be answered. */
    pass: async (ms: number): Promise<void> => {
      now += ms;
      names.tend(now);
      await new Promise(setImmediate);
    },
    covers: (address: string) => {
      const ip = parseIp(address);
      return ip !== null && allowlist.covers(ip, now);
    },
    now: () => now,
  };
}

const item = (value: string, more: Partial<AllowlistItem> = {}): AllowlistItem => ({
  list: 'office',
  value,
  comment: 'ours',
  until: null,
  ...more,
});
const address = (text: string, ttlSeconds = 60): DatedAddress => ({ address: text, ttlSeconds });

t.test('what is a name', (t) => {
  for (const name of ['office.example.com', 'a.io', 'x-1.example.', '_vpn.example.org', 'xn--bcher-kva.example']) {
    t.ok(isHostName(name), name);
  }
  for (const other of [
    'localhost',
    '192.0.2.1',
    '1.2.3',
    '2001:db8::1',
    '192.0.2.0/24',
    '-a.example',
    'a..b',
    '',
    'a b.c',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}io`,
  ]) {
    t.notOk(isHostName(other), other);
  }
  t.end();
});

t.test('addresses follow the name, by their time to live', async (t) => {
  const { names, zone, pass, covers, asked } = open();
  zone.set('office.example.com', [address('192.0.2.1', 120), address('2001:db8::1', 300)]);
  t.ok(names.watch(item('office.example.com')));
  t.notOk(covers('192.0.2.1'), 'nothing is known yet');
  await pass(0);
  t.ok(covers('192.0.2.1') && covers('2001:db8::1'));
  zone.set('office.example.com', [address('192.0.2.2', 1)]);
  await pass(119_000);
  t.equal(asked.length, 1, 'the shortest life counts, and not before it ends');
  await pass(1_000);
  t.ok(covers('192.0.2.2'));
  t.notOk(covers('192.0.2.1') || covers('2001:db8::1'));
  await pass(29_000);
  t.equal(asked.length, 2, 'no owner has us ask more often than every 30 s');
  await pass(1_000);
  t.equal(asked.length, 3);
});

t.test('an outage changes nothing, an absence is believed the third time', async (t) => {
  const { names, zone, pass, covers, lines, asked } = open();
  zone.set('office.example.com', [address('192.0.2.1', 30)]);
  names.watch(item('office.example.com'));
  await pass(0);
  zone.set('office.example.com', new Error('no answer'));
  for (let round = 0; round < 20; round++) await pass(30_000);
  t.ok(covers('192.0.2.1'));
  t.equal(lines.filter((line) => line.includes('last known')).length, 1, 'one line for an outage');
  t.ok(asked.length < 10, 'asked less and less often');
  zone.set('office.example.com', []);
  await pass(3_600_000);
  await pass(30_000);
  t.ok(covers('192.0.2.1'), 'twice may be a mistake');
  await pass(30_000);
  t.notOk(covers('192.0.2.1'));
  zone.set('office.example.com', [address('192.0.2.9')]);
  await pass(30_000);
  t.ok(covers('192.0.2.9'), 'it comes back');
});

t.test('entries end, are forgotten, and share addresses with others', async (t) => {
  const { names, zone, pass, covers, allowlist, now } = open(3);
  zone.set('a.example.com', [address('192.0.2.1', 9_999)]);
  zone.set('b.example.com', [address('192.0.2.1', 9_999)]);
  names.watch(item('a.example.com', { until: now() + 60_000 }));
  names.watch(item('b.example.com'));
  allowlist.add(item('192.0.2.1', { list: 'office' }));
  await pass(0);
  await pass(60_000);
  t.equal(names.size, 1, 'the one that ended is gone');
  t.ok(covers('192.0.2.1'));
  t.ok(names.forget('office', 'B.example.com'));
  t.notOk(names.forget('office', 'b.example.com'));
  t.ok(covers('192.0.2.1'), 'it stands on the list itself');
  allowlist.remove('office', '192.0.2.1');
  t.notOk(covers('192.0.2.1'));
  names.watch(item('a.example.com', { list: 'x' }));
  names.watch(item('b.example.com', { list: 'x' }));
  names.watch(item('c.example.com'));
  t.notOk(names.watch(item('d.example.com')), 'there is room for three');
  await pass(0);
  names.forgetList('x');
  t.equal(names.size, 1);
  t.notOk(covers('192.0.2.1'));
});

t.test('an answer that comes too late is not held', async (t) => {
  const allowlist = createAllowlist();
  const answer = Promise.withResolvers<readonly DatedAddress[]>();
  const names = createAllowedNames({ allowlist, log: createLog('silent'), resolve: () => answer.promise });
  names.watch(item('office.example.com'));
  names.tend(0);
  names.forget('office', 'office.example.com');
  answer.resolve([address('192.0.2.1')]);
  await new Promise(setImmediate);
  t.equal(allowlist.size, 0);
});

t.test('a new snapshot keeps what it names and drops the rest', async (t) => {
  const { names, zone, pass, covers, allowlist } = open();
  zone.set('a.example.com', [address('192.0.2.1', 9_999)]);
  zone.set('b.example.com', [address('192.0.2.2', 9_999)]);
  names.watch(item('a.example.com'));
  names.watch(item('b.example.com'));
  await pass(0);
  names.markStale();
  allowlist.markStale();
  names.watch(item('a.example.com'));
  names.dropStale();
  allowlist.dropStale();
  t.ok(covers('192.0.2.1'));
  t.notOk(covers('192.0.2.2'));
});

t.test('entries of the settings stay, whatever a snapshot names', async (t) => {
  const { names, zone, pass, covers, allowlist } = open();
  zone.set('a.example.com', [address('192.0.2.1', 9_999)]);
  names.watchAlways(item('a.example.com'));
  await pass(0);
  names.markStale();
  allowlist.markStale();
  names.dropStale();
  allowlist.dropStale();
  names.forgetList('office');
  t.notOk(names.forget('office', 'a.example.com'));
  t.ok(covers('192.0.2.1'));
});

t.test('whatever happens, what is allowed is what the watched names last stood for', async (t) => {
  const name = fc.constantFrom('a.example.com', 'b.example.com', 'c.example.com');
  const addresses = fc.subarray(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('watch' as const), name }),
    fc.record({ kind: fc.constant('forget' as const), name }),
    fc.record({ kind: fc.constant('zone' as const), name, addresses }),
    fc.record({ kind: fc.constant('down' as const), name }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 7_200_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { names, zone, pass, covers } = open();
      const watchedNow = new Set<string>();
      for (const each of steps) {
        if (each.kind === 'watch') {
          watchedNow.add(each.name);
          names.watch(item(each.name));
        } else if (each.kind === 'forget') {
          watchedNow.delete(each.name);
          names.forget('office', each.name);
        } else if (each.kind === 'zone')
          zone.set(
            each.name,
            each.addresses.map((text) => address(text)),
          );
        else if (each.kind === 'down') zone.set(each.name, new Error('down'));
        else await pass(each.ms);
      }
      // In the end the DNS answers, with addresses, for long enough.
      for (const one of watchedNow) zone.set(one, [address('192.0.2.1', 9_999)]);
      for (let round = 0; round < 3; round++) await pass(3_600_000);
      t.equal(covers('192.0.2.1'), watchedNow.size > 0);
      t.notOk(covers('192.0.2.2') || covers('2001:db8::1'));
    }),
    { seed: 7, numRuns: 200 },
  );
});
