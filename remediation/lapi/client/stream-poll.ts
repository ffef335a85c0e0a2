/** One answer of the decision stream, read to its end into tables: nothing of it counts before. */
import { setImmediate } from 'node:timers/promises';
import { createDecisionStreamReader, type StreamList } from './decision-stream-reader.ts';
import { answerInvalid } from './lapi-errors.ts';
import type { LapiClient } from './lapi-client.ts';
import { readMirrored, readMirroredKey, type MirroredDecision } from './mirrored-decision.ts';
import type { MirrorTable } from './mirror-table.ts';

export interface Poll {
  /** When the answer began, in epoch milliseconds: what durations count from. */
  readonly receivedAt: number;
  /** How far off that may be from when the server computed them, in milliseconds. */
  readonly toleranceMs: number;
  /** Of several decisions about the same, the longest; none that has ended. */
  readonly added: MirrorTable;
  /** What ended, by key alone. Empty of a whole list, which needs no deletions. */
  readonly deleted: MirrorTable;
  /** Elements of both lists as they came. */
  readonly announced: number;
  readonly deletions: number;
  readonly unreadable: number;
  readonly leftOut: number;
}

export interface PollOptions {
  readonly client: Pick<LapiClient, 'name' | 'address' | 'stream'>;
  readonly path: string;
  readonly isStartup: boolean;
  readonly passes: (decision: MirroredDecision) => boolean;
  readonly newTable: () => MirrorTable;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Durations come in whole seconds, and both clocks read a moment earlier or later. */
const roundingMs = 2_000;
/** Bytes that are read before others get their turn: about a millisecond. */
const sliceBytes = 65_536;
/** Sizes are those of a blocklist with all it can have, times ten. */
const mostBytes = 16 * 1024 ** 3;

/** Throws LAPI_UNREACHABLE, LAPI_REFUSED or LAPI_ANSWER_INVALID; then nothing came of it. */
export async function readPoll(options: PollOptions): Promise<Poll> {
  const { client, isStartup, passes, newTable, now, signal } = options;
  const askedAt = now();
  const added = newTable();
  const deleted = newTable();
  const counts = { new: 0, deleted: 0, unreadable: 0, leftOut: 0 };
  let receivedAt: number | null = null;

  const take = (element: unknown): void => {
    const decision = readMirrored(element, receivedAt ?? askedAt);
    if (decision === null) counts.unreadable++;
    else if (decision.until > (receivedAt ?? askedAt) && passes(decision)) {
      if (!added.putLongest(decision, receivedAt ?? askedAt)) counts.leftOut++;
    }
  };
  const drop = (element: unknown): void => {
    const key = readMirroredKey(element);
    if (key === null) counts.unreadable++;
    else if (!deleted.put({ ...key, origin: '', scenario: '', until: 0 }, 0)) counts.leftOut++;
  };
  const reader = createDecisionStreamReader({
    onElements(list: StreamList, elements) {
      counts[list] += elements.length;
      if (list === 'new') for (const element of elements) take(element);
      else if (!isStartup) for (const element of elements) drop(element);
    },
  });

  let bytes = 0;
  await client.stream({ method: 'GET', path: options.path, signal }, async (chunk) => {
    receivedAt ??= now();
    bytes += chunk.length;
    if (bytes > mostBytes) throw answerInvalid(client, 'it does not end');
    for (let from = 0; from < chunk.length; from += sliceBytes) {
      reader.push(chunk.subarray(from, from + sliceBytes));
      await setImmediate();
    }
  });
  reader.end();
  const at = receivedAt ?? now();
  const { unreadable, leftOut } = counts;
  return {
    receivedAt: at,
    toleranceMs: roundingMs + Math.max(0, at - askedAt),
    added,
    deleted,
    announced: counts.new,
    deletions: counts.deleted,
    unreadable,
    leftOut,
  };
}
