/** What the parts of the contract of `Store` have in common, and what tests of one store borrow from it. */
import type { Test } from 'tap';
import { GatewayError, type ErrorCode } from '../../../core/errors.ts';
import type { Decision } from '../../../remediation/decision.ts';
import type { ChangeBatch, Store, StoreChange, StoreWrite } from '../../../remediation/store/store.ts';
import type { TestRuntime } from '../store-runtime.ts';
import { hour, sampleDecision } from '../store-samples.ts';

export interface StoreFixture {
  readonly store: Store;
  readonly runtime: TestRuntime;
  /** Opens what the store left behind once more, after it was closed; null where nothing outlives the process. */
  readonly reopen: (() => Promise<Store>) | null;
}

/** Retention that tests can reach: 10 rows, or one day. */
export const contractRetention = {
  alerts: { maxAge: 24 * hour, maxRows: 10 },
  refusals: { maxAge: 24 * hour, maxRows: 10 },
  decisions: { maxAge: 24 * hour, maxRows: 10 },
  usage: { maxAge: 24 * hour, maxRows: 10 },
};

export type Open = (t: Test) => Promise<StoreFixture>;

/** Registers the whole suite. `open` makes an empty store of `contractRetention` and frees it when its test ends. */

export type DecisionWrite = Extract<StoreWrite, { readonly decision: Decision }>;

export function added(decision: Decision): DecisionWrite {
  return { kind: 'decision-added', decision };
}

export function deleted(decision: Decision): DecisionWrite {
  return { kind: 'decision-deleted', decision };
}

/** A change as the write that it tells of: without its id and its time. */
export function asWrite(change: StoreChange): StoreWrite {
  return 'decision' in change ? { kind: change.kind, decision: change.decision } : change;
}

export interface Follower {
  readonly cursor: string;
  /** Batches that ended a snapshot. */
  readonly snapshotEnds: number;
  /** The changes up to the end of the snapshot, as writes. */
  untilSnapshotEnd(): Promise<StoreWrite[]>;
  /** At least `count` changes as writes, fewer only when the stream ends. */
  next(count: number): Promise<StoreWrite[]>;
  /** As `next`, with ids and times. */
  nextChanges(count: number): Promise<StoreChange[]>;
  stop(): Promise<void>;
}

/** Reads a stream step by step; stopped at the end of the test at the latest. */
export function followerOf(t: Test, store: Store, from: string | null): Follower {
  const abort = new AbortController();
  const iterator = store.changes(from, abort.signal)[Symbol.asyncIterator]();
  t.teardown(() => abort.abort());
  let cursor = from ?? '';
  let snapshotEnds = 0;
  const read = async (enough: (changes: StoreChange[], batch: ChangeBatch) => boolean): Promise<StoreChange[]> => {
    const changes: StoreChange[] = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      cursor = next.value.cursor;
      if (next.value.snapshotEnd) snapshotEnds += 1;
      changes.push(...next.value.changes);
      if (enough(changes, next.value)) break;
    }
    return changes;
  };
  return {
    get cursor() {
      return cursor;
    },
    get snapshotEnds() {
      return snapshotEnds;
    },
    untilSnapshotEnd: async () => (await read((_changes, batch) => batch.snapshotEnd)).map(asWrite),
    next: async (count) => (await read((changes) => changes.length >= count)).map(asWrite),
    nextChanges: (count) => read((changes) => changes.length >= count),
    async stop() {
      abort.abort();
    },
  };
}

/** The live decisions as a follower sees them. */
export async function snapshot(store: Store, cursor: string | null = null): Promise<Map<string, Decision>> {
  const state = new Map<string, Decision>();
  const abort = new AbortController();
  for await (const batch of store.changes(cursor, abort.signal)) {
    for (const change of batch.changes) play(state, change);
    if (batch.snapshotEnd) break;
  }
  return state;
}

export async function rejectsWith(t: Test, promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await promise;
    t.fail(`expected ${code}`);
  } catch (error) {
    t.type(error, GatewayError);
    t.equal((error as GatewayError).code, code);
  }
}

export function play(state: Map<string, Decision>, change: StoreWrite): void {
  if (change.kind === 'decision-added') state.set(change.decision.uuid, change.decision);
  if (change.kind === 'decision-deleted') state.delete(change.decision.uuid);
}

export function sameState(a: Map<string, Decision>, b: Map<string, Decision>): boolean {
  return (
    a.size === b.size && [...a].every(([uuid, decision]) => JSON.stringify(b.get(uuid)) === JSON.stringify(decision))
  );
}

export async function collect(stream: AsyncIterable<ChangeBatch>): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = [];
  for await (const batch of stream) batches.push(batch);
  return batches;
}

export function uuids(rows: readonly { readonly decision: Decision }[]): string[] {
  return rows.map(({ decision }) => decision.uuid);
}

export function uuidOf(change: StoreWrite): string {
  return 'decision' in change ? change.decision.uuid : '';
}

/** The uuids of the sample decisions from one index to another. */
export function range(from: number, to: number): string[] {
  const step = from > to ? -1 : 1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => sampleDecision(from + index * step).uuid);
}

export function manyWrites(count: number, changes: Partial<Decision>): StoreWrite[] {
  return Array.from({ length: count }, (_, index) => added(sampleDecision(10_000 + index, changes)));
}

export function cycle(): object {
  const ring: { self?: object } = {};
  ring.self = ring;
  return ring;
}
