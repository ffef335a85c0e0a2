/** What the gateway counts, as plain numbers: the request path adds to them, the metrics page reads them. */
import type { Outcome } from './exchange.ts';

export interface Counters {
  readonly byOutcome: Record<Exclude<Outcome, 'pending'>, number>;
  /** By the hundreds of the status: index 2 is 2xx. */
  readonly byStatusClass: number[];
  /** Requests that the scenarios have seen; allowlisted and refused ones are not among them. */
  poured: number;
  /** Requests that observe mode let through although a decision covers their client. */
  observed: number;
  bytesReceived: number;
  bytesSent: number;
  /** Sum of request durations, milliseconds. */
  durationMs: number;
  /** Cumulative counts for the bounds of `durationBounds`, plus one for the rest. */
  readonly durationBuckets: number[];
  connections: number;
  /** Connections cut because their client read or sent too slowly. */
  slowClients: number;
  /** Connections refused because the limit was reached. */
  droppedConnections: number;
  /** Requests that were not passed because of a decision. */
  readonly dropped: DroppedCounts;
  /** Requests by the version of their client's address. */
  readonly byVersion: Record<4 | 6, number>;
  /** Bytes that were no HTTP request. */
  malformed: number;
  upgrades: number;
  /** Refusal records that were dropped because the store could not keep up. */
  droppedRefusals: number;
  /** Access log lines dropped because the disk or pipe could not keep up. */
  droppedLogLines: number;
}

export interface DroppedCount {
  /** Of the decision. */
  readonly origin: string;
  readonly type: string;
  readonly version: 4 | 6;
  count: number;
}

/** Origins come from outside: beyond this many kinds, all count as one origin. */
const mostDroppedKinds = 500;

/** By origin and type of the decision, and version of the address. */
export class DroppedCounts {
  readonly #counts = new Map<string, DroppedCount>();
  readonly #rest: Record<4 | 6, number> = { 4: 0, 6: 0 };

  add(origin: string, type: string, version: 4 | 6): void {
    const key = `${version} ${type} ${origin}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count++;
    else if (this.#counts.size < mostDroppedKinds) this.#counts.set(key, { origin, type, version, count: 1 });
    else this.#rest[version]++;
  }

  all(): readonly DroppedCount[] {
    const rest = ([4, 6] as const).flatMap((version) => {
      const count = this.#rest[version];
      return count === 0 ? [] : [{ origin: 'other', type: 'other', version, count }];
    });
    return [...this.#counts.values(), ...rest];
  }
}

/** Upper bounds of the duration histogram, milliseconds. */
export const durationBounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

export function createCounters(): Counters {
  return {
    byOutcome: { passed: 0, refused: 0, throttled: 0, rejected: 0, failed: 0, aborted: 0 },
    byStatusClass: [0, 0, 0, 0, 0, 0],
    poured: 0,
    observed: 0,
    bytesReceived: 0,
    bytesSent: 0,
    durationMs: 0,
    durationBuckets: durationBounds.map(() => 0).concat(0),
    connections: 0,
    slowClients: 0,
    droppedConnections: 0,
    dropped: new DroppedCounts(),
    byVersion: { 4: 0, 6: 0 },
    malformed: 0,
    upgrades: 0,
    droppedRefusals: 0,
    droppedLogLines: 0,
  };
}
