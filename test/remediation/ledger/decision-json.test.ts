/** Long answers to the byte, whatever stands at the border of two pieces, and with pieces that are written over. */
import t from 'tap';
import { formatDuration } from '../../../core/duration.ts';
import { jsonText } from '../../../core/json-text.ts';
import type { Decision } from '../../../remediation/decision.ts';
import { createLedgerWorld, joined, questionOf, type LedgerWorld } from './support.ts';

const hour = 3_600_000;
const pieceBytes = 65_536;

/** The body by the plain rule. */
function spelled(held: ReadonlyMap<number, Decision>, now: number, withUuid: boolean): string {
  const elements = Array.from(held, ([id, { until, origin, scenario, scope, type, uuid, value }]) => {
    const duration = formatDuration(Math.round((until - now) / 1_000) * 1_000);
    return jsonText({ duration, id, origin, scenario, scope, type, ...(withUuid && { uuid }), value });
  });
  return withUuid ? `{"new": [${elements.join(',')}], "deleted": []}` : `[${elements.join(',')}]`;
}

/** As decisions come from many sources: other durations, kinds, spellings and forms of uuids from row to row. */
function addVaried({ add, clock }: LedgerWorld, count: number, salt = 0): Map<number, Decision> {
  const held = new Map<number, Decision>();
  for (let index = 0; index < count; index++) {
    const id = index % 5 === 0 ? index * 1_000_003 + salt : index * 1_000_003 + salt + 10 ** (index % 5);
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const over: Partial<Decision>[] = [
      { value: address },
      { value: address, until: clock.now() + hour + index * 777 },
      { value: address, uuid: `lists-${address}`, origin: 'lists' },
      { value: `2001:db8::${index.toString(16)}`, scenario: `test/probe-${index % 7}` },
      { value: `пользователь "${index}" <&>`, scope: 'имя', scenario: 'é\n' },
      { value: address, uuid: `uuid of ${index}, \u2028 ünlike others` },
      { value: `длинный ${index} ${'ж'.repeat(index % 90)}`, scope: 'user', uuid: `x-${index}` },
    ];
    held.set(id, add(id, over[(index + (index >> 4)) % over.length]));
  }
  return new Map([...held].toSorted(([a], [b]) => a - b));
}

interface Read {
  readonly body: string;
  /** Sizes of the pieces, and how many buffers they were in. */
  readonly sizes: readonly number[];
  readonly buffers: number;
}

/** Reads each piece and, where `gives` says so by its number, gives it back. */
function read(pieces: Iterator<Uint8Array, void>, gives: (piece: number) => boolean): Read {
  const copies: Uint8Array[] = [];
  const buffers = new Set<ArrayBufferLike>();
  const kept: { readonly piece: Uint8Array; readonly copy: Uint8Array }[] = [];
  for (let next = pieces.next(); next.done !== true; ) {
    const piece = next.value;
    const copy = Uint8Array.from(piece);
    if (piece.length > 0) {
      copies.push(copy);
      buffers.add(piece.buffer);
    }
    const isGiven = gives(copies.length);
    if (!isGiven) kept.push({ piece, copy });
    next = pieces.next(isGiven ? piece : undefined);
  }
  for (const { piece, copy } of kept) {
    if (Buffer.compare(piece, copy) !== 0) throw new Error('a piece that was kept has been written over');
  }
  return { body: joined(copies), sizes: copies.map(({ length }) => length), buffers: buffers.size };
}

t.test('pieces that are given back are written over, the others never', async (t) => {
  const world = createLedgerWorld();
  const { ledger, clock } = world;
  const held = addVaried(world, 4_000);
  const wanted = spelled(held, clock.now(), true);
  const ask = (): Iterator<Uint8Array, void> => ledger.stream(questionOf(clock.now()));
  const all = read(ask(), () => true);
  t.equal(all.body, wanted);
  t.equal(all.buffers, 1);
  t.ok(all.sizes.length > 8, `${all.sizes.length} pieces`);
  const none = read(ask(), () => false);
  t.equal(none.body, wanted);
  t.equal(none.buffers, none.sizes.length);
  const some = read(ask(), (piece) => piece % 3 === 0);
  t.equal(some.body, wanted);
  t.ok(some.buffers > 1 && some.buffers < some.sizes.length);
  const live = read(ledger.live({}, clock.now()), (piece) => piece % 2 === 0);
  t.equal(live.body, spelled(held, clock.now(), false));
});

t.test('a value longer than a piece, in the middle of pieces that are given back', async (t) => {
  const world = createLedgerWorld();
  const { ledger, clock, add } = world;
  const held = addVaried(world, 1_000);
  const long = { scope: 'user', value: 'ж'.repeat(pieceBytes), uuid: `long ${'ж'.repeat(pieceBytes)}` };
  held.set(2_000_000_000, add(2_000_000_000, long));
  held.set(2_000_000_001, add(2_000_000_001));
  const { body, buffers } = read(ledger.stream(questionOf(clock.now())), () => true);
  t.equal(body, spelled(held, clock.now(), true));
  t.equal(buffers, 2);
});

t.test('whatever byte of a decision a piece ends near', async (t) => {
  const borders = new Set<number>();
  const shifts = 210;
  for (let shift = 0; shift < shifts; shift++) {
    const world = createLedgerWorld();
    const { ledger, clock, add } = world;
    const first = add(0, { scope: 'user', value: 'x'.repeat(shift) });
    const held = new Map([[0, first], ...addVaried(world, 400, 1)]);
    const { body, sizes } = read(ledger.stream(questionOf(clock.now())), () => true);
    if (body !== spelled(held, clock.now(), true)) t.fail(`with ${shift} bytes more in front`);
    borders.add(sizes[0] ?? 0);
  }
  t.ok(borders.size > 50, `${borders.size} lengths of the first piece`);
  t.ok(Math.max(...borders) <= pieceBytes);
});
