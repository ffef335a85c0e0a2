import * as fc from 'fast-check';
import t from 'tap';
import { entriesPerKey, PackedTable, tagMask, type PackedKey } from '../../../remediation/index/packed-table.ts';

interface Entry {
  readonly key: number;
  readonly classId: number;
  readonly until: number;
  readonly tag: number;
  stale: boolean;
  folded: boolean;
}

const ranks = Uint8Array.from({ length: 64 }, (_, classId) => classId % 4);

/** A few hashes for many keys, next to each other and at both ends of a shard: every kind of crowding. */
const hashes = [0, 1, 2, 1 << 12, 0x7fffffff, -1, -2, 0x12345678, 0x12345679 | 0];

function keyOf(key: number): PackedKey {
  return { hash: hashes[key % hashes.length] ?? 0, k0: key | 0, k1: 0, k2: -key | 0, k3: 0, k4: 7 };
}

const command = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      key: fc.oneof({ weight: 1, arbitrary: fc.nat(3) }, { weight: 3, arbitrary: fc.nat(60) }),
      classId: fc.oneof(fc.nat(3), fc.nat(63)),
      until: fc.integer({ min: 1, max: 40 }),
      tag: fc.integer({ min: tagMask - 11, max: tagMask }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat(10_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const), now: fc.nat(40), stale: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mark' as const) }) },
);

interface Added {
  model: Entry[];
  released: number[];
  leftOthers: boolean;
}

/** What the table promises, in its plainest form. */
function addToModel(all: Entry[], given: Omit<Entry, 'stale' | 'folded'>): Added {
  const same = all.filter(({ key }) => key === given.key);
  const twin = same.find(({ tag }) => tag === given.tag);
  const covers = twin !== undefined && twin.classId === given.classId && twin.until <= given.until;
  const leftOthers = twin !== undefined && twin.folded && !covers;
  const shorter = same.filter(
    (other) => other !== twin && other.classId === given.classId && other.until < given.until,
  );
  const gone = [...(twin ? [twin] : []), ...shorter];
  const model = all.filter((other) => !gone.includes(other));
  const released = gone.map(({ classId }) => classId);
  const longer = same.find(
    (other) => other !== twin && !other.stale && other.classId === given.classId && other.until >= given.until,
  );
  if (longer !== undefined) longer.folded = true;
  else model.push({ ...given, stale: false, folded: shorter.length > 0 || (covers && twin.folded) });
  return { model, released, leftOthers };
}

t.test('agrees with a plain list however its keys crowd, and reports every entry that leaves', async (t) => {
  let entriesSeen = 0;
  let uncovered = 0;
  fc.assert(
    fc.property(fc.array(command, { maxLength: 600, size: 'max' }), (commands) => {
      const released: number[] = [];
      const expectedReleased: number[] = [];
      const table = new PackedTable(5, 2, (classId) => released.push(classId));
      let model: Entry[] = [];
      for (const each of commands) {
        switch (each.kind) {
          case 'add': {
            const { key, classId, until, tag } = each;
            if (model.filter((other) => other.key === key).length >= entriesPerKey - 1) break;
            if (model.filter((other) => remainderOf(other.key) === remainderOf(key)).length >= 40) break;
            table.add(keyOf(key), classId, until, tag, ranks);
            const after = addToModel(model, { key, classId, until, tag });
            model = after.model;
            expectedReleased.push(...after.released);
            if (table.leftOthers !== after.leftOthers) return false;
            if (after.leftOthers) uncovered++;
            break;
          }
          case 'remove': {
            const entry = model[each.pick % Math.max(1, model.length)];
            if (entry === undefined) break;
            if (!table.remove(keyOf(entry.key), entry.tag) || table.foundClass !== entry.classId) return false;
            if (table.leftOthers !== entry.folded) return false;
            if (table.has(keyOf(entry.key), entry.tag) || table.remove(keyOf(entry.key), 5_000)) return false;
            model = model.filter((other) => other !== entry);
            break;
          }
          case 'sweep': {
            const leaves = (entry: Entry): boolean => entry.until <= each.now || (each.stale && entry.stale);
            for (let shard = 0; shard < table.shards; shard++) table.sweepShard(shard, each.now, each.stale);
            expectedReleased.push(...model.filter(leaves).map(({ classId }) => classId));
            model = model.filter((entry) => !leaves(entry));
            break;
          }
          case 'mark':
            for (let shard = 0; shard < table.shards; shard++) table.markStale(shard);
            for (const entry of model) entry.stale = true;
            break;
        }
        if (table.size !== model.length) return false;
        entriesSeen = Math.max(entriesSeen, model.length);
      }
      if (sorted(released) !== sorted(expectedReleased)) return false;
      for (let key = 0; key <= 60; key++) {
        for (const now of [0, 20]) if (!agrees(table, model, key, now)) return false;
      }
      return true;
    }),
    { seed: 11, numRuns: 200 },
  );
  t.ok(entriesSeen > 80, `${entriesSeen} entries at most: enough to fill several pages`);
  t.ok(uncovered > 50, `${uncovered} entries that others relied on were written anew`);
});

function remainderOf(key: number): number {
  return keyOf(key).hash >>> 10;
}

function sorted(classIds: readonly number[]): string {
  return classIds.toSorted((left, right) => left - right).join();
}

function agrees(table: PackedTable, model: readonly Entry[], key: number, now: number): boolean {
  const live = model.filter((entry) => entry.key === key && entry.until > now);
  const found = table.severest(keyOf(key), now, ranks);
  if (live.length === 0) return !found;
  const rank = Math.max(...live.map(({ classId }) => ranks[classId] ?? 0));
  const until = Math.max(...live.filter(({ classId }) => ranks[classId] === rank).map(({ until }) => until));
  return (
    found &&
    table.foundUntil === until &&
    live.some(
      ({ classId, tag }) =>
        classId === table.foundClass && tag === (table.foundTag & tagMask) && ranks[classId] === rank,
    )
  );
}

t.test('two thousand keys of one hash are slow, and still right', async (t) => {
  const table = new PackedTable(5, 2, () => undefined);
  const crowded = (key: number): PackedKey => ({ ...keyOf(key), hash: 77 });
  for (let key = 0; key < 2_000; key++) table.add(crowded(key), key % 64, 100, key, ranks);
  let wrong = 0;
  for (let key = 0; key < 2_000; key++) {
    if (!table.severest(crowded(key), 0, ranks) || table.foundTag !== key) wrong++;
  }
  t.equal(wrong, 0);
  for (let key = 0; key < 2_000; key++) if (!table.remove(crowded(key), key)) wrong++;
  t.same([wrong, table.size], [0, 0]);
});

t.test(
  'more keys of the very last hash than have room are refused, without end neither of time nor memory',
  async (t) => {
    const table = new PackedTable(5, 2, () => undefined);
    let taken = 0;
    for (let key = 0; key < 100; key++) if (table.add({ ...keyOf(key), hash: -1 }, 1, 100, key, ranks)) taken++;
    t.ok(taken >= 40 && taken < 64, `${taken} taken`);
    t.equal(table.size, taken);
    t.ok(table.memoryBytes() < 2_000_000);
  },
);

t.test('times after 2038 are kept', async (t) => {
  const table = new PackedTable(0, 12, () => undefined);
  table.add(keyOf(1), 3, 0xffffffff, 1, ranks);
  t.ok(table.severest(keyOf(1), 0xfffffffe, ranks));
  t.equal(table.foundUntil, 0xffffffff);
  t.notOk(table.severest(keyOf(1), 0xffffffff, ranks));
});
