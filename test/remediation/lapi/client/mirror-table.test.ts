import fc from 'fast-check';
import t from 'tap';
import type { MirroredDecision } from '../../../../remediation/lapi/client/mirrored-decision.ts';
import { MirrorTable } from '../../../../remediation/lapi/client/mirror-table.ts';

function decision(over: Partial<MirroredDecision> = {}): MirroredDecision {
  return { scope: 'Ip', type: 'ban', value: '192.0.2.1', origin: 'CAPI', scenario: 'a', until: 1_000, ...over };
}

function rowsOf(table: MirrorTable): unknown[] {
  const rows: unknown[] = [];
  for (let row = 0; row < table.rowLimit; row++) if (table.isUsed(row)) rows.push(table.read(row));
  return rows;
}

const byKey = (a: unknown, b: unknown): number => JSON.stringify(a).localeCompare(JSON.stringify(b));

t.test('one decision for each scope, type and value', async (t) => {
  const table = new MirrorTable(100, 1);
  t.ok(table.put(decision(), 5));
  t.ok(table.put(decision({ type: 'captcha' }), 6));
  t.ok(table.put(decision({ origin: 'lists', scenario: 'b', until: 2_000 }), 7), 'replaces the first');
  t.equal(table.size, 2);
  const row = table.find(decision());
  t.strictSame(table.read(row), { ...decision({ origin: 'lists', scenario: 'b', until: 2_000 }), createdAt: 7 });
  t.ok(table.isSame(row, { origin: 'lists', scenario: 'b' }));
  t.notOk(table.isSame(row, { origin: 'lists', scenario: 'a' }));
  t.equal(table.find(decision({ scope: 'Range' })), -1);
  table.remove(row);
  t.equal(table.find(decision()), -1);
  t.equal(table.size, 1);
});

t.test('counts of origins tell addresses from ranges of other things', async (t) => {
  const table = new MirrorTable(100, 1);
  for (const value of ['192.0.2.1', '2001:db8::1', '::1', '10.0.0.0/8', '2001:db8::/32'])
    table.put(decision({ value }), 0);
  table.put(decision({ scope: 'Country', value: 'AQ', origin: 'cscli' }), 0);
  t.strictSame(table.countsByOrigin(), [
    { origin: 'CAPI', ipv4: 2, ipv6: 3, other: 0 },
    { origin: 'cscli', ipv4: 0, ipv6: 0, other: 1 },
  ]);
  table.remove(table.find(decision({ value: '::1' })));
  t.strictSame(table.countsByOrigin()[0], { origin: 'CAPI', ipv4: 2, ipv6: 2, other: 0 });
});

t.test('a full table takes no new decision, but changes those that it has', async (t) => {
  const table = new MirrorTable(2, 1);
  t.ok(table.put(decision({ value: 'a' }), 0));
  t.ok(table.put(decision({ value: 'b' }), 0));
  t.notOk(table.put(decision({ value: 'c' }), 0));
  t.ok(table.put(decision({ value: 'b', until: 9 }), 0));
  t.equal(table.size, 2);
  table.remove(table.find(decision({ value: 'a' })));
  t.ok(table.put(decision({ value: 'c' }), 0));
});

t.test('sweeping takes out what has ended, a few rows at a time', async (t) => {
  const table = new MirrorTable(1_000, 1);
  for (let index = 0; index < 100; index++) table.put(decision({ value: `v${index}`, until: index }), 0);
  t.equal(table.sweep(49, 30), 30);
  t.equal(table.sweep(49, 30), 20);
  t.equal(table.sweep(49, 200), 0);
  t.equal(table.size, 50);
  t.equal(new MirrorTable(1, 1).sweep(0, 10), 0, 'an empty one has nothing');
});

t.test('a hundred thousand take at most a hundred bytes each, and room is used again', async (t) => {
  const table = new MirrorTable(200_000, 77);
  const fill = (): void => {
    for (let index = 0; index < 100_000; index++) {
      table.put(decision({ value: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` }), 0);
    }
  };
  fill();
  t.equal(table.size, 100_000);
  const bytes = table.memoryBytes();
  t.ok(bytes < 100 * 100_000, `${bytes} bytes`);
  for (let row = 0; row < table.rowLimit; row++) table.remove(row);
  t.equal(table.size, 0);
  fill();
  t.equal(table.memoryBytes(), bytes);
});

t.test('whatever is put in and taken out, it holds what a map would hold', async () => {
  const word = fc.constantFrom('', 'a', 'b', 'ü', '€', 'x'.repeat(40), '192.0.2.1', '\ud83d\ude00');
  const value = fc.oneof(word, fc.string({ maxLength: 30 }), fc.ipV4(), fc.ipV6()).map((text) => text.toWellFormed());
  const any: fc.Arbitrary<MirroredDecision> = fc.record({
    scope: fc.constantFrom('Ip', 'Range', 'custom'),
    type: fc.constantFrom('ban', 'captcha'),
    value,
    origin: fc.constantFrom('CAPI', 'cscli', 'lists'),
    scenario: fc.constantFrom('s', 't', 'u'),
    until: fc.nat({ max: 50 }),
  });
  const step = fc.oneof(
    { weight: 6, arbitrary: any.map((put) => ({ kind: 'put' as const, put })) },
    { weight: 3, arbitrary: fc.nat().map((pick) => ({ kind: 'remove' as const, pick })) },
    { weight: 1, arbitrary: fc.nat({ max: 50 }).map((now) => ({ kind: 'sweep' as const, now })) },
  );
  const keyOf = ({ scope, type, value }: MirroredDecision): string => JSON.stringify([scope, type, value]);
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 120 }), (seed, steps) => {
      const table = new MirrorTable(10_000, seed);
      const model = new Map<string, MirroredDecision & { createdAt: number }>();
      for (const each of steps) {
        switch (each.kind) {
          case 'put':
            if (!table.put(each.put, 3)) return false;
            model.set(keyOf(each.put), { ...each.put, createdAt: 3 });
            break;
          case 'remove': {
            const chosen = [...model.values()][each.pick % Math.max(1, model.size)];
            if (chosen === undefined) break;
            table.remove(table.find(chosen));
            model.delete(keyOf(chosen));
            break;
          }
          case 'sweep':
            table.sweep(each.now, 100_000);
            for (const [key, { until }] of model) if (until <= each.now) model.delete(key);
            break;
        }
        if (table.size !== model.size) return false;
      }
      for (const each of model.values()) if (table.find(each) === -1) return false;
      return JSON.stringify(rowsOf(table).sort(byKey)) === JSON.stringify([...model.values()].sort(byKey));
    }),
    { seed: 53, numRuns: 500 },
  );
});
