/**
 * The operator's way to the publisher: the same queue as everybody's, so that writes keep their order, but with an end to
 * wait for. A change is enforced from the moment it is written; whether the store has it is told, not demanded.
 */
import type { Clock } from '../../core/clock.ts';
import type { Publisher } from '../../remediation/publish.ts';
import type { StoreWrite } from '../../remediation/store/store.ts';

export interface AdminPublisher {
  /** Local index first, then the store. Resolves with whether the store has it; false means that it is tried again. */
  write(writes: readonly StoreWrite[]): Promise<boolean>;
  /** Waits until the store has what was written so far, so that a search finds it. False when the store is away. */
  settle(): Promise<boolean>;
}

const patienceMs = 1_000;
const pollMs = 5;
/** Well below what the queue holds, so that lifting everything crowds nobody out. */
const slice = 1_000;

export function createAdminPublisher(publisher: Pick<Publisher, 'write' | 'status'>, clock: Clock): AdminPublisher {
  async function settle(): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
      if (publisher.status().queued === 0) return publisher.status().failures === 0;
      await clock.sleep(pollMs);
    }
    // Under load the queue is seldom empty; what counts is that the store takes what it is given.
    return publisher.status().failures === 0;
  }
  return {
    async write(writes) {
      let stored = true;
      for (let index = 0; index < writes.length; index += slice) {
        publisher.write(writes.slice(index, index + slice));
        stored = await settle();
      }
      return stored;
    },
    settle,
  };
}
