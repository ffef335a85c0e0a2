/** What waits for the store, in order. Imports are counted apart, so that they do not displace what happens meanwhile. */
import type { Decision } from '../decision.ts';
import type { StoreWrite } from '../store/store.ts';

export interface WriteBacklog {
  push(writes: readonly StoreWrite[], isImport: boolean): void;
  /** The first writes, as many as there are up to `count`. */
  first(count: number): StoreWrite[];
  /** How many of the first may be written again when only some of them were kept, `most` at most. */
  repeatable(most: number): number;
  /** Takes the first `count` out, which must be there. */
  take(count: number): StoreWrite[];
  decisions(): Decision[];
  /** When the first of the decisions that are new and of no import was made, epoch milliseconds; null when there is none. */
  oldestDecisionAt(): number | null;
  readonly size: number;
  /** Of these, those of imports. */
  readonly imported: number;
  readonly refusals: number;
}

interface Chunk {
  readonly writes: readonly StoreWrite[];
  readonly isImport: boolean;
}

export function createWriteBacklog(): WriteBacklog {
  let chunks: Chunk[] = [];
  /** Writes of the first chunk that were taken. */
  let taken = 0;
  let size = 0;
  let imported = 0;
  let refusals = 0;

  function* waiting(): Generator<StoreWrite, void, undefined> {
    for (const [index, { writes }] of chunks.entries()) yield* index === 0 ? writes.slice(taken) : writes;
  }
  const first = (count: number): StoreWrite[] => {
    const found: StoreWrite[] = [];
    for (const [index, { writes }] of chunks.entries()) {
      const start = index === 0 ? taken : 0;
      // One by one: a chunk may be longer than a call takes arguments.
      for (const write of writes.slice(start, start + count - found.length)) found.push(write);
      if (found.length === count) break;
    }
    return found;
  };

  return {
    push(writes, isImport) {
      if (writes.length === 0) return;
      chunks.push({ writes, isImport });
      size += writes.length;
      if (isImport) imported += writes.length;
      refusals += countRefusals(writes);
    },
    first,
    repeatable(most) {
      let count = 0;
      for (const write of waiting()) {
        if (count === most || !isRepeatable(write)) break;
        count++;
      }
      return count;
    },
    take(count) {
      const out = first(count);
      let left = taken + count;
      let whole = 0;
      for (const { writes, isImport } of chunks) {
        const gone = Math.min(left, writes.length) - (whole === 0 ? taken : 0);
        if (isImport) imported -= gone;
        if (left < writes.length) break;
        left -= writes.length;
        whole++;
      }
      chunks = chunks.slice(whole);
      taken = left;
      size -= count;
      refusals -= countRefusals(out);
      return out;
    },
    oldestDecisionAt() {
      for (const [index, { writes, isImport }] of chunks.entries()) {
        if (isImport) continue;
        const added = writes.find((write, at) => (index > 0 || at >= taken) && write.kind === 'decision-added');
        if (added?.kind === 'decision-added') return added.decision.createdAt;
      }
      return null;
    },
    decisions: () => [...waiting()].flatMap((write) => (write.kind === 'decision-added' ? [write.decision] : [])),
    get size() {
      return size;
    },
    get imported() {
      return imported;
    },
    get refusals() {
      return refusals;
    },
  };
}

function countRefusals(writes: readonly StoreWrite[]): number {
  return writes.reduce((sum, { kind }) => (kind === 'refusal' ? sum + 1 : sum), 0);
}

/** Whether writing it twice leaves the same as writing it once. */
function isRepeatable({ kind }: StoreWrite): boolean {
  return kind !== 'refusal' && kind !== 'usage-reported';
}
