/**
 * Writes in numbers that the publisher's queue could not take at once. What is written is in force at once; the writer then
 * waits for the store, so that only a few thousand writes are ever in the queue that the gateway's own decisions go through.
 * While the store is away it waits as long as that takes: nothing is lost, and what was written already stays in force.
 */
import { setImmediate } from 'node:timers/promises';
import type { Runtime } from '../../../core/runtime.ts';
import type { Publisher } from '../../exchange/publish.ts';
import type { StoreWrite } from '../../store/store.ts';

export interface PacedWrites {
  /** Resolves when there is room for more, which is at once unless much was written lately. Never rejects. */
  write(write: StoreWrite): Promise<void> | undefined;
  /** Hands over what is left. Resolves when the store has all, or when it is away and what is left waits in its queue. */
  flush(): Promise<void>;
}

export interface PacedWritesOptions extends Pick<Runtime, 'clock'> {
  readonly publisher: Pick<Publisher, 'commit' | 'status'>;
  readonly signal: AbortSignal;
}

/** Writes that are put into the index in one go: about a millisecond. */
const slice = 500;
/** Slices under way at once, so that the store is never idle. */
const mostSlices = 4;
/** Writes that may wait in the publisher's queue for a store that is away: a quarter of its room. */
const mostUnsettled = 5_000;
const retryMs = 1_000;

export function createPacedWrites({ publisher, clock, signal }: PacedWritesOptions): PacedWrites {
  let gathered: StoreWrite[] = [];
  const underWay = new Set<Promise<void>>();
  /** Writes of slices whose first attempt failed; they wait in the queue. */
  let unsettled = 0;

  /** True when the queue took the slice, whether or not the store has it now. */
  const commit = async (writes: readonly StoreWrite[]): Promise<boolean> => {
    const { dropped } = publisher.status();
    const stored = publisher.commit(writes);
    // Refusing for want of room is done before `commit` returns.
    const isRefused = publisher.status().dropped > dropped;
    try {
      await stored;
      unsettled = 0;
      return true;
    } catch {
      // The publisher reports it and tries again by itself.
      if (!isRefused) unsettled += writes.length;
      return !isRefused;
    }
  };

  const hold = async (writes: readonly StoreWrite[]): Promise<void> => {
    while (!(await commit(writes)) && !signal.aborted) await clock.sleep(retryMs, signal);
  };

  const send = (): void => {
    const writes = gathered;
    gathered = [];
    const done = hold(writes).finally(() => void underWay.delete(done));
    underWay.add(done);
  };

  const isCrowded = (): boolean => unsettled >= mostUnsettled && !signal.aborted;

  const settle = async (): Promise<void> => {
    while (isCrowded()) {
      await clock.sleep(retryMs, signal);
      await commit([]);
    }
  };

  const room = async (): Promise<void> => {
    await setImmediate();
    while (underWay.size >= mostSlices) await Promise.race(underWay);
    await settle();
  };

  return {
    write(write) {
      gathered.push(write);
      if (gathered.length < slice || signal.aborted) return undefined;
      send();
      return room();
    },
    async flush() {
      if (gathered.length > 0) send();
      await Promise.all(underWay);
      await settle();
    },
  };
}
