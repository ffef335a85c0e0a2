/** Answers that take long, while decisions come and go. */
import fc from 'fast-check';
import t from 'tap';
import type { Decision } from '../../../remediation/decision.ts';
import { decisionOf } from '../support.ts';
import { createLedgerWorld, joined, questionOf, type LedgerWorld, type StreamAnswer } from './support.ts';

const hour = 3_600_000;
const count = 4_000;

function valueOf(id: number): string {
  return `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}`;
}

/** A bouncer as CrowdSec's SDK makes them: what it enforces, by value and type. */
class Bouncer {
  readonly enforced = new Map<string, string>();
  lastPull: number | null = null;

  apply(body: string): void {
    const answer = JSON.parse(body) as StreamAnswer;
    const keys = new Set(answer.new.map(({ value, type }) => `${value} ${type}`));
    for (const { value, type } of answer.deleted) {
      if (keys.has(`${value} ${type}`)) throw new Error(`${value} is in both lists`);
      this.enforced.delete(`${value} ${type}`);
    }
    for (const { value, type, uuid } of answer.new) this.enforced.set(`${value} ${type}`, uuid);
  }
}

interface Chaos {
  readonly held: Map<number, Decision>;
  nextId: number;
  /** Some change that a store could tell. */
  step(draw: number): void;
}

function createChaos({ ledger, clock }: LedgerWorld): Chaos {
  const held = new Map<number, Decision>();
  /** Ids that were held, some of which are. */
  let ids: number[] = [];
  const put = (id: number, decision: Decision): void => {
    if (!held.has(id)) ids.push(id);
    held.set(id, decision);
    ledger.apply({ kind: 'decision-added', decision, id }, clock.now());
  };
  return {
    held,
    nextId: 1,
    step(draw) {
      if (ids.length > 2 * held.size) ids = [...held.keys()];
      const some = ids[(draw >>> 3) % Math.max(ids.length, 1)];
      const decision = some === undefined ? undefined : held.get(some);
      if (draw % 8 < 3 || some === undefined || decision === undefined) {
        const id = this.nextId++;
        return put(id, decisionOf({ value: valueOf(id), until: clock.now() + hour, createdAt: clock.now() }));
      }
      if (draw % 8 < 6) {
        held.delete(some);
        return ledger.apply({ kind: 'decision-deleted', decision, id: some, deletedAt: clock.now() }, clock.now());
      }
      // The value comes to be known under a new number, as when a list is pulled anew.
      if (draw % 8 === 6) {
        held.delete(some);
        ledger.apply({ kind: 'decision-deleted', decision, id: some, deletedAt: clock.now() }, clock.now());
        const id = this.nextId++;
        return put(id, decisionOf({ value: decision.value, until: clock.now() + 2 * hour, createdAt: clock.now() }));
      }
      return put(some, { ...decision, until: decision.until + 1_000 });
    },
  };
}

t.test('a bouncer that follows enforces what is in force, whatever happens during answers', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(2 ** 30), { maxLength: 40, size: 'max' }), { minLength: 8, maxLength: 40, size: 'max' }),
      fc.nat(20),
      (bursts, tick) => {
        const world = createLedgerWorld({ maxEnded: 50_000 });
        const { ledger, clock } = world;
        const chaos = createChaos(world);
        for (let id = 0; id < count; id++) chaos.step(0);
        const bouncer = new Bouncer();
        const pending = [...bursts];
        for (let poll = 0; poll < 5; poll++) {
          const askedAt = clock.now();
          clock.advance(tick % 3);
          const startup = poll === 0;
          const pieces: Uint8Array[] = [];
          for (const piece of ledger.stream(
            questionOf(clock.now(), { startup, lastPull: bouncer.lastPull, askedAt }),
          )) {
            pieces.push(piece);
            for (const draw of pending.shift() ?? []) chaos.step(draw);
            clock.advance(tick % 2);
          }
          bouncer.apply(joined(pieces));
          bouncer.lastPull = askedAt;
          for (const draw of poll < 3 ? (pending.shift() ?? []) : []) chaos.step(draw);
          clock.advance(tick);
        }
        for (let rest = pending.shift(); rest !== undefined; rest = pending.shift())
          for (const draw of rest) chaos.step(draw);
        clock.advance(1);
        bouncer.apply(joined(ledger.stream(questionOf(clock.now(), { lastPull: bouncer.lastPull }))));
        const wanted = Array.from(chaos.held.values(), ({ value, uuid }) => `${value} ban ${uuid}`).toSorted();
        const enforced = Array.from(bouncer.enforced, ([key, uuid]) => `${key} ${uuid}`).toSorted();
        return wanted.join() === enforced.join();
      },
    ),
    { seed: 20_260_103, numRuns: 100 },
  );
});

t.test('an answer comes in pieces of bounded size, and nothing is done before a piece is asked for', async (t) => {
  const { add, ledger, clock } = createLedgerWorld();
  for (let id = 1; id <= 5_000; id++) add(id, { value: valueOf(id) });
  add(5_001, { value: 'x'.repeat(2_000), scope: 'user', scenario: 'y'.repeat(2_000) });
  const sizes = Array.from(ledger.stream(questionOf(clock.now())), (piece) => piece.length);
  t.ok(sizes.length > 10);
  t.ok(Math.max(...sizes) <= 65_536 + 4_600);
  const early = ledger.stream(questionOf(clock.now()));
  add(5_002, { value: valueOf(5_002) });
  t.ok(joined(early).includes(`"${valueOf(5_002)}"`));
});

t.test('an answer that finds nothing for long lets others run', async (t) => {
  const { add, ledger, clock } = createLedgerWorld();
  for (let id = 1; id <= 20_000; id++) add(id, { value: valueOf(id) });
  const stream = [...ledger.stream(questionOf(clock.now(), { filter: { origins: ['nobody'] } }))];
  t.ok(stream.filter((piece) => piece.length === 0).length >= 4);
  const live = [...ledger.live({ origins: ['nobody'] }, clock.now())];
  t.ok(live.filter((piece) => piece.length === 0).length >= 4);
  t.equal(joined(live), 'null');
});

t.test('thousands of changes are found by going through all rows, hundreds are not', async (t) => {
  const { add, remove, ledger, stream, clock } = createLedgerWorld();
  for (let id = 1; id <= 10_000; id++) add(id, { value: valueOf(id) });
  clock.advance(10_000);
  const lastPull = clock.now();
  stream({ lastPull });
  clock.advance(1);
  for (let id = 20_000; id < 20_900; id++) add(id, { value: valueOf(id) });
  const few = JSON.parse(stream({ lastPull })) as StreamAnswer;
  t.equal(few.new.length, 900);
  const gone: [number, Decision][] = [];
  for (let id = 30_000; id < 33_000; id++) gone.push([id, add(id, { value: valueOf(id) })]);
  for (const [id, decision] of gone) remove(id, decision);
  for (let id = 40_000; id < 43_000; id++) add(id, { value: valueOf(id) });
  const many = JSON.parse(stream({ lastPull })) as StreamAnswer;
  t.equal(many.new.length, 3_900);
  t.equal(many.deleted.length, 3_000);
  t.strictSame(
    many.new.map(({ id }) => id),
    many.new.map(({ id }) => id).toSorted((a, b) => a - b),
  );
  t.strictSame(
    [...ledger.active({ value: valueOf(42_000) }, clock.now())].map(({ id }) => id),
    [42_000],
  );
});

t.test('changes that the ring has lost are found all the same', async (t) => {
  const { add, stream, clock } = createLedgerWorld();
  add(1, { value: valueOf(1) });
  clock.advance(60_000);
  const lastPull = clock.now();
  stream({ lastPull });
  clock.advance(1_000);
  for (let id = 2; id <= 140_000; id++) add(id, { value: valueOf(id) });
  const { new: told } = JSON.parse(stream({ lastPull })) as StreamAnswer;
  const ids = new Set(told.map(({ id }) => id));
  t.ok(told.length >= 139_999 && told.length <= 140_000);
  for (let id = 2; id <= 140_000; id++) if (!ids.has(id)) t.fail(`${id} is missing`);
});
