/** What an expression is evaluated over. */
import type { Event } from '../event.ts';

/** A name that the environment declares but the scope lacks is nil. Structures have Go's member names. */
export interface Scope {
  readonly evt?: Event;
  /** The events of a bucket, oldest first. */
  readonly queue?: { readonly Queue: readonly Event[] };
  readonly leaky?: object;
  readonly signal?: object;
  /** An `AlertView`. */
  readonly Alert?: object;
  readonly req?: object;
  readonly match?: object;
  readonly results?: unknown;
}
