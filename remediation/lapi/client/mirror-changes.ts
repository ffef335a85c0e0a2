/**
 * What an answer of the decision stream changes here: the difference between the copy that is in force and what the Local API
 * says, as writes. Both ways work in slices, since the copy of a community blocklist has a million rows.
 */
import { setImmediate } from 'node:timers/promises';
import { decisionOf } from './mirrored-decision.ts';
import type { MirrorTable } from './mirror-table.ts';
import type { PacedWrites } from './paced-writes.ts';
import type { Poll } from './stream-poll.ts';

export interface MirrorChange {
  /** Name of the Local API. */
  readonly lapi: string;
  readonly poll: Poll;
  /** What is in force. */
  readonly mirror: MirrorTable;
  readonly writes: PacedWrites;
  readonly signal: AbortSignal;
}

/** Rows that are compared before others get their turn. */
const slice = 2_000;

/**
 * The poll has told of every decision: what is new or different is added, what it no longer names is lifted. The poll's table
 * then is the copy; rows that did not change keep their times, so that rounded durations do not make them drift.
 */
export async function applyWhole({ lapi, poll, mirror, writes, signal }: MirrorChange): Promise<void> {
  const { added, receivedAt, toleranceMs } = poll;
  for (let row = 0; row < added.rowLimit && !signal.aborted; row++) {
    if (row % slice === slice - 1) await setImmediate();
    const decision = added.read(row);
    const held = mirror.find(decision);
    if (held !== -1 && mirror.isSame(held, decision) && isSameTime(mirror.untilOf(held), decision.until, toleranceMs)) {
      added.setTimes(row, mirror.untilOf(held), mirror.createdAtOf(held));
      continue;
    }
    const room = writes.write({ kind: 'decision-added', decision: decisionOf(lapi, decision, receivedAt) });
    if (room !== undefined) await room;
  }
  for (let row = 0; row < mirror.rowLimit && !signal.aborted; row++) {
    if (row % slice === slice - 1) await setImmediate();
    if (!mirror.isUsed(row) || mirror.untilOf(row) <= receivedAt) continue;
    const held = mirror.read(row);
    if (added.find(held) !== -1) continue;
    const room = writes.write({ kind: 'decision-deleted', decision: decisionOf(lapi, held, held.createdAt) });
    if (room !== undefined) await room;
  }
}

/**
 * The poll has told of what changed. Deletions come first: a decision that is in both lists was made anew. Of what is held and
 * what is announced the longer stays, as every bouncer has it. Returns how many there was no room for.
 */
export async function applyChanges({ lapi, poll, mirror, writes, signal }: MirrorChange): Promise<number> {
  const { added, deleted, receivedAt, toleranceMs } = poll;
  let leftOut = 0;
  for (let row = 0; row < deleted.rowLimit && !signal.aborted; row++) {
    if (row % slice === slice - 1) await setImmediate();
    const key = deleted.read(row);
    const held = mirror.find(key);
    if (held === -1 || added.find(key) !== -1) continue;
    const decision = mirror.read(held);
    mirror.remove(held);
    if (decision.until <= receivedAt) continue;
    const room = writes.write({ kind: 'decision-deleted', decision: decisionOf(lapi, decision, decision.createdAt) });
    if (room !== undefined) await room;
  }
  for (let row = 0; row < added.rowLimit && !signal.aborted; row++) {
    if (row % slice === slice - 1) await setImmediate();
    const decision = added.read(row);
    const held = mirror.find(decision);
    if (held !== -1) {
      const until = mirror.untilOf(held);
      const isSame = isSameTime(until, decision.until, toleranceMs);
      const isAnew = deleted.find(decision) !== -1;
      if (isSame && (!isAnew || mirror.isSame(held, decision))) continue;
      if (!isAnew && until > decision.until) continue;
    }
    if (!mirror.put(decision, receivedAt)) {
      leftOut++;
      continue;
    }
    const room = writes.write({ kind: 'decision-added', decision: decisionOf(lapi, decision, receivedAt) });
    if (room !== undefined) await room;
  }
  return leftOut;
}

function isSameTime(a: number, b: number, toleranceMs: number): boolean {
  return Math.abs(a - b) <= toleranceMs;
}
