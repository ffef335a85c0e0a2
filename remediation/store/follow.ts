/**
 * The change stream, once for every store: a snapshot in pages or a resume from a cursor, then live pages, each fetched
 * only when the consumer asks for the next. A store brings a `ChangeSource`; outages, abort and a lost place are handled
 * here.
 */
import type { Clock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import type { ChangeBatch, StoreChange } from './store.ts';

/** Where a history stands. */
export interface Head {
  readonly epoch: string;
  /** Position of the last write. */
  readonly head: number;
  /** The oldest position from which nothing was forgotten. */
  readonly floor: number;
}

/** Changes after one position, up to and including `position`. */
export interface ChangePage {
  readonly epoch: string;
  readonly floor: number;
  readonly position: number;
  readonly changes: readonly StoreChange[];
}

export interface ChangeSource {
  head(): Promise<Head>;
  /** What is live and was written after `after`, up to `end`, in order of writing. `position` is `end` on the last page. */
  snapshot(after: number, end: number): Promise<ChangePage>;
  /** The changes after `after`, perhaps none. */
  since(after: number): Promise<ChangePage>;
  /** Resolves when there may be something after `after`, or when the store closes. */
  changed(after: number, signal: AbortSignal): Promise<void>;
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;

/** The marker that the iteration is over: aborted, or the store was closed. */
const over = Symbol('over');

/** One iteration of `Store.changes`. */
export async function* follow(
  source: ChangeSource,
  clock: Clock,
  cursor: string | null,
  signal: AbortSignal,
): AsyncGenerator<ChangeBatch, void, undefined> {
  const head = await persist(() => source.head(), clock, signal);
  if (head === over) return;
  const { epoch } = head;
  const resumed = resumePosition(cursor, head);
  let position = resumed ?? 0;
  for (let done = resumed !== null; !done; ) {
    const page = await persist(() => source.snapshot(position, head.head), clock, signal);
    if (page === over) return;
    if (page.epoch !== epoch) throw lostPlace();
    position = page.position;
    done = position >= head.head;
    if (done || page.changes.length > 0) {
      yield { cursor: formatCursor(epoch, position), changes: page.changes, snapshotEnd: done };
    }
  }
  while (!signal.aborted) {
    const page = await persist(() => source.since(position), clock, signal);
    if (page === over) return;
    if (page.epoch !== epoch || page.floor > position) throw lostPlace();
    const moved = page.position > position;
    position = page.position;
    if (page.changes.length > 0)
      yield { cursor: formatCursor(epoch, position), changes: page.changes, snapshotEnd: false };
    else if (!moved) await persist(() => source.changed(position, signal), clock, signal);
  }
}

function resumePosition(cursor: string | null, head: Head): number | null {
  const place = parseCursor(cursor);
  if (!place || place.epoch !== head.epoch) return null;
  return place.position >= head.floor && place.position <= head.head ? place.position : null;
}

/** Asks until it is answered: an outage of the store pauses the stream, it does not end it. */
async function persist<T>(ask: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T | typeof over> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await orAborted(ask(), signal);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (error.code === 'STORE_CLOSED') return over;
      await clock.sleep(pauseMs, signal);
    }
  }
  return over;
}

/** The answer, or `over` as soon as the signal aborts. */
async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | typeof over> {
  if (signal.aborted) {
    // The answer is no longer wanted, neither is its failure.
    answer.catch(() => undefined);
    return over;
  }
  const { promise: aborted, resolve } = Promise.withResolvers<typeof over>();
  const abort = (): void => resolve(over);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function lostPlace(): GatewayError {
  return new GatewayError('STORE_UNAVAILABLE', 'the change stream lost its place in the history of the store', {
    remedy: 'Nothing to do: the stream starts again with a fresh snapshot.',
  });
}
