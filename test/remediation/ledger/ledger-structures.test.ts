/** The parts of the ledger at sizes where their blocks, chunks and buckets fill, split and empty. */
import fc from 'fast-check';
import t from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createKeyedHash } from '../../../core/keyed-hash.ts';
import { ExpiryHeap } from '../../../remediation/ledger/expiry-heap.ts';
import { IdOrder, IdWalk } from '../../../remediation/ledger/id-order.ts';
import { LedgerRows, noRow } from '../../../remediation/ledger/ledger-rows.ts';
import { isFrom, TimedRing } from '../../../remediation/ledger/timed-ring.ts';
import { ValueTable } from '../../../remediation/ledger/value-table.ts';

const seed = 20_260_102;

/** Repeatable numbers below `limit`. */
function numbers(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

t.test('a row keeps ids and times of 48 bits and everything beside them', async (t) => {
  fc.assert(
    fc.property(
      fc.record({
        id: fc.nat(2 ** 31 - 1).chain((low) => fc.nat(65_535).map((high) => high * 2 ** 32 + low * 2)),
        until: fc.maxSafeNat().map((time) => time % 2 ** 48),
        kind: fc.nat(2 ** 24 - 1),
        flags: fc.nat(127),
        created: fc.nat(2 ** 32 - 1),
        words: fc.array(fc.integer(), { minLength: 4, maxLength: 4 }),
      }),
      ({ id, until, kind, flags, created, words }) => {
        const rows = new LedgerRows();
        rows.take();
        const row = rows.take();
        rows.setUntil(row, until);
        rows.setId(row, id);
        rows.setKind(row, kind);
        rows.raise(row, flags);
        rows.setUuid(row, words);
        rows.setCreated(row, created * 1_000);
        rows.setUntil(row, until);
        const kept = [rows.id(row), rows.until(row), rows.kind(row), rows.flags(row), rows.created(row)];
        const wanted = [id, until, kind, flags | 128, created * 1_000];
        kept.push(...words.map((_, part) => rows.uuid(row, part)));
        return kept.join() === [...wanted, ...words].join();
      },
    ),
    { seed, numRuns: 500 },
  );
  t.equal(new LedgerRows().used, 0);
});

t.test('times beyond what a row can keep are brought to its bounds', async (t) => {
  const rows = new LedgerRows();
  const row = rows.take();
  t.equal(rows.setUntil(row, 8.64e15), 2 ** 48 - 1);
  t.equal(rows.until(row), 2 ** 48 - 1);
  t.equal(rows.setUntil(row, -5), 0);
  t.equal(rows.setUntil(row, 1_234.9), 1_234);
  rows.setCreated(row, -1);
  t.equal(rows.created(row), 0);
});

t.test('a row given back is used again, empty', async (t) => {
  const rows = new LedgerRows();
  const [one, two] = [rows.take(), rows.take()];
  rows.setId(one, 7);
  rows.setPlace(one, 9);
  rows.give(one);
  t.equal(rows.used, 1);
  t.equal(rows.take(), one);
  t.same([rows.id(one), rows.place(one), rows.flags(one)], [0, 0, 128]);
  t.equal(rows.end, 2);
  t.not(one, two);
});

t.test('rows stay in the order of their ids while thousands come and go in any order', async (t) => {
  const random = numbers(1);
  const rows = new LedgerRows();
  const order = new IdOrder(rows);
  const held = new Map<number, number>();
  const put = (id: number): void => {
    const row = rows.take();
    rows.setId(row, id);
    order.add(row);
    held.set(id, row);
  };
  const check = (): void => {
    const wanted = [...held.keys()].toSorted((a, b) => a - b);
    const walk = new IdWalk(order, rows);
    const found = wanted.map(() => rows.id(walk.next()));
    t.strictSame(found, wanted);
    t.equal(walk.next(), noRow);
    for (const id of [-1, 0, 17, 4_000, 90_000]) {
      const above = new IdWalk(order, rows, id).next();
      t.equal(
        above === noRow ? undefined : rows.id(above),
        wanted.find((each) => each > id),
        `above ${id}`,
      );
      t.equal(order.find(id), held.get(id) ?? noRow);
    }
  };
  for (let id = 1; id <= 3_000; id++) put(id);
  check();
  for (let turn = 0; turn < 12_000; turn++) {
    const id = random(9_000);
    const row = held.get(id);
    if (row === undefined) put(id);
    else {
      order.remove(row);
      rows.give(row);
      held.delete(id);
    }
    if (turn % 3_000 === 0) check();
  }
  check();
  for (const [id, row] of held) {
    if (random(10) === 0) continue;
    order.remove(row);
    rows.give(row);
    held.delete(id);
  }
  check();
  t.ok(order.memoryBytes() < 12 * held.size * 4 + 8_192, 'blocks that have become small are joined');
  for (const [id, row] of held) {
    order.remove(row);
    held.delete(id);
  }
  check();
  t.equal(order.memoryBytes(), 0);
});

t.test('of several rows with one id the last is found, and a walk meets all', async (t) => {
  const rows = new LedgerRows();
  const order = new IdOrder(rows);
  const put = (id: number): number => {
    const row = rows.take();
    rows.setId(row, id);
    order.add(row);
    return row;
  };
  const first = put(5);
  for (let id = 6; id < 1_500; id++) put(id);
  const second = put(5);
  t.equal(order.find(5), second);
  const walk = new IdWalk(order, rows, 4);
  t.equal(walk.next(), first);
  put(3);
  t.equal(walk.next(), second, 'after a change it goes on behind the row that it met last');
  order.remove(first);
  t.equal(rows.id(walk.next()), 6);
  const gone = new IdWalk(order, rows, 6);
  const last = gone.next();
  order.remove(last);
  t.equal(rows.id(gone.next()), 8, 'also when that row has gone');
});

t.test('the heap gives the row that ends first, through every change', async (t) => {
  const random = numbers(2);
  const rows = new LedgerRows();
  const heap = new ExpiryHeap(rows);
  const held = new Set<number>();
  const soonest = (): number => Math.min(...Array.from(held, (row) => rows.until(row)));
  for (let turn = 0; turn < 20_000; turn++) {
    const action = random(5);
    if (action < 2 || held.size === 0) {
      const row = rows.take();
      rows.setUntil(row, random(1_000));
      heap.push(row);
      held.add(row);
    } else if (action === 2) {
      const row = [...held][random(Math.min(held.size, 50))] as number;
      rows.setUntil(row, random(1_000));
      heap.moved(row);
    } else {
      const row = action === 3 ? heap.first : ([...held][random(Math.min(held.size, 50))] as number);
      heap.remove(row);
      held.delete(row);
      rows.give(row);
    }
    if (turn % 250 === 0 && held.size > 0 && rows.until(heap.first) !== soonest()) t.fail(`turn ${turn}`);
  }
  t.equal(heap.size, held.size);
  const ends: number[] = [];
  while (heap.first !== noRow) {
    ends.push(rows.until(heap.first));
    heap.remove(heap.first);
  }
  t.strictSame(
    ends,
    ends.toSorted((a, b) => a - b),
  );
});

t.test('every row is found by its value however many there are, and none that has gone', async (t) => {
  const rows = new LedgerRows();
  const hash = createKeyedHash(createSystemRandom());
  const table = new ValueTable(rows, (row) => hash.word(rows.value(row)));
  const finds = (value: number): number[] => {
    const found: number[] = [];
    for (let row = table.first(hash.word(value)); row !== noRow; row = rows.next(row)) {
      if (rows.value(row) === value) found.push(row);
    }
    return found.toSorted((a, b) => a - b);
  };
  const held = new Map<number, number[]>();
  for (let made = 0; made < 40_000; made++) {
    const row = rows.take();
    const value = made % 37_000;
    rows.setValue(row, value);
    table.add(row, hash.word(value));
    held.set(value, [...(held.get(value) ?? []), row]);
  }
  for (const [value, those] of held) {
    if (value % 3 !== 0) continue;
    for (const row of those) table.remove(row, hash.word(value));
    held.set(value, []);
  }
  let wrong = 0;
  for (const [value, those] of held) if (finds(value).join() !== those.join()) wrong++;
  t.equal(wrong, 0);
});

t.test('a ring tells what came after a time, exactly as long as it holds it', async (t) => {
  const ring = new TimedRing(8);
  for (const time of [10, 10, 20, 30, 25, 40]) ring.push(ring.next, time);
  t.equal(ring.after(9), 0);
  t.equal(ring.after(10), 2);
  t.equal(ring.after(25), 3, 'a time that would fall is raised');
  t.equal(ring.after(30), 5);
  t.equal(ring.after(40), 6);
  for (let more = 0; more < 5_000; more++) ring.push(ring.next, 1_000 + more);
  t.equal(ring.oldest, ring.next - 8);
  t.equal(ring.rowAt(ring.oldest), ring.oldest);
  const exact = ring.after(1_000 + 4_995);
  t.equal(exact, ring.next - 4);
  for (const time of [5, 1_500, 3_000, 5_000]) {
    const real = time < 1_000 ? 0 : 6 + (time - 1_000) + 1;
    const told = ring.after(time);
    t.ok(told <= real && real - told <= 1_024 * 2, `${time}: ${told} is not after ${real}`);
  }
});

t.test('numbers are compared around the end of 32 bits', async (t) => {
  t.ok(isFrom((2 ** 32 + 5) | 0, 2 ** 32 - 5));
  t.notOk(isFrom((2 ** 32 - 6) | 0, 2 ** 32 + 5));
  t.ok(isFrom(7, 7));
});
