/**
 * What was written last, as changes: only this process writes the file, so a follower that keeps up need not have read back what
 * was just handed over. What it lacks stands in the file.
 */
import type { WrittenDecision } from './embedded-messages.ts';
import type { ChangePage } from './follow.ts';
import type { StoreChange } from './store.ts';
import type { LimitedWrite } from './write-limits.ts';

/** Writes that became durable, from a position to another. */
export interface RecentSlice {
  readonly from: number;
  readonly to: number;
  readonly writes: readonly LimitedWrite[];
  /** Epoch milliseconds of the deletions among them. */
  readonly now: number;
  /** Those of its decisions that had been written before. */
  readonly known: readonly WrittenDecision[];
}

/** Decisions that are kept for a follower that is behind: several of the largest transactions. */
const maxKept = 200_000;
/** Changes of one page: the main thread spends about a millisecond on them. */
const pageChanges = 500;

export class RecentChanges {
  #epoch = '';
  #slices: RecentSlice[] = [];
  #kept = 0;
  /** Everything from here on is known. */
  #from = 0;
  #to = 0;

  /** The file that is open now, and where its history stands. */
  begin(epoch: string, head: number): void {
    this.#epoch = epoch;
    this.#restart(head);
  }

  note(slice: RecentSlice): void {
    const { from, to, writes } = slice;
    if (to === from) return;
    // What allowlists do is read from the file: one write may change many entries.
    if (from !== this.#to || decisionsIn(writes) !== to - from) return this.#restart(to);
    this.#slices.push(slice);
    this.#to = to;
    this.#kept += to - from;
    while (this.#kept > maxKept) this.#dropFirst();
  }

  /** The changes after a position; null: ask the file. What came before is let go. */
  after(position: number): ChangePage | null {
    if (position < this.#from || position > this.#to) return null;
    while (this.#slices[0] !== undefined && this.#slices[0].to <= position) this.#dropFirst();
    const changes: StoreChange[] = [];
    let reached = position;
    for (const slice of this.#slices) {
      if (changes.length > 0 && changes.length + slice.to - slice.from > pageChanges) break;
      for (const change of changesOf(slice, reached - slice.from)) changes.push(change);
      reached = slice.to;
    }
    return { epoch: this.#epoch, floor: this.#from, position: reached, changes };
  }

  #restart(position: number): void {
    this.#slices = [];
    this.#kept = 0;
    this.#from = position;
    this.#to = position;
  }

  #dropFirst(): void {
    const first = this.#slices.shift();
    if (first === undefined) return;
    this.#kept -= first.to - first.from;
    this.#from = first.to;
  }
}

function decisionsIn(writes: readonly LimitedWrite[]): number {
  return writes.reduce((sum, write) => ('decision' in write ? sum + 1 : sum), 0);
}

/** As the file would tell them, without the first `skipped`. */
function* changesOf({ from, writes, now, known }: RecentSlice, skipped: number): Generator<StoreChange, void> {
  let row = 0;
  let next = 0;
  for (const write of writes) {
    if (!('decision' in write)) continue;
    const before = known[next]?.row === row ? known[next++] : undefined;
    row++;
    if (row <= skipped) continue;
    const { kind, decision } = write;
    const id = before?.id ?? from + row;
    yield kind === 'decision-added'
      ? { kind, decision, id }
      : { kind, decision, id, deletedAt: before?.deletedAt ?? now };
  }
}
