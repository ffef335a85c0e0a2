/**
 * The operator's way to the publisher: the same queue as everybody's, so that writes keep their order, but with an end to
 * wait for. A change is enforced from the moment it is written; whether the store has it is told, not demanded.
 */
import type { Clock } from '../../core/clock.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Decision } from '../../remediation/decision.ts';
import type { Publisher } from '../../remediation/exchange/publish.ts';
import type { StoreWrite } from '../../remediation/store/store.ts';

export interface AdminPublisher {
  /** Local index first, then the store. Resolves with whether the store has it; false means that it is tried again. */
  write(writes: readonly StoreWrite[]): Promise<boolean>;
  /** An alert that a person made, and its decisions: as `write`, and profiles say whom to notify. */
  announce(alert: Alert, decisions: readonly Decision[]): Promise<boolean>;
  /**
   * As `write` for very many: resolves when the store has them.
   * @throws GatewayError of the store; the writes are in force, and tried again while there is room for them.
   */
  commit(writes: readonly StoreWrite[]): Promise<void>;
  /** Waits until the store has what was written so far, so that a search finds it. False when the store is away. */
  settle(): Promise<boolean>;
  /** Writes that the store has refused and that are tried again; 0 while it takes them. */
  refused(): number;
}

const patienceMs = 1_000;
const pollMs = 5;
/** Many writes may take as many times longer. */
const writesPerPatience = 1_000;

/** `accept` publishes an alert that brings its own decisions; without it nobody is notified of them. */
export function createAdminPublisher(
  publisher: Pick<Publisher, 'status' | 'publish' | 'commit'>,
  clock: Clock,
  accept: (alert: Alert, decisions: readonly Decision[]) => void = (alert, decisions) =>
    publisher.publish({ alert, decisions, matched: [] }),
): AdminPublisher {
  async function settle(): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
      if (publisher.status().queued === 0) return publisher.status().failures === 0;
      await clock.sleep(pollMs);
    }
    // Under load the queue is seldom empty; what counts is that the store takes what it is given.
    return publisher.status().failures === 0;
  }
  return {
    write(writes) {
      const stored = publisher.commit(writes).then(
        () => true,
        () => false,
      );
      // A store that says nothing must not keep the operator waiting: what is written is in force.
      const waited = clock.sleep(patienceMs * Math.max(1, writes.length / writesPerPatience)).then(() => false);
      return Promise.race([stored, waited]);
    },
    announce(alert, decisions) {
      accept(alert, decisions);
      return settle();
    },
    commit: (writes) => publisher.commit(writes),
    settle,
    refused() {
      const { failures, queued } = publisher.status();
      return failures > 0 ? queued : 0;
    },
  };
}
