/** Writing slices into the embedded store's file, within a transaction that the worker opens and commits. */
import type { AlertRefs } from './embedded-alert-refs.ts';
import { createDecisionWriter } from './embedded-decision-writes.ts';
import type { StoreFile } from './embedded-file.ts';
import type { Kinds } from './embedded-kinds.ts';
import type { WrittenDecision, WrittenSlice } from './embedded-messages.ts';
import { packTag, type OtherWrite, type PackedWrites } from './embedded-pack.ts';
import { createRecordWriter } from './embedded-record-writes.ts';

export interface Writer {
  /** Writes one slice after position `head`. All of it is in the file after `flush`. */
  write(pack: PackedWrites, head: number, now: number): Omit<WrittenSlice, 'slice'>;
  /** Before a commit. */
  flush(): void;
  /** An import begins. */
  expectMany(): void;
  /** After `write` threw: the transaction is rolled back. */
  discard(): void;
}

export function createWriter(file: StoreFile, kinds: Kinds, alerts: AlertRefs, hashSeed: number): Writer {
  const decisions = createDecisionWriter(file, alerts, hashSeed);
  const records = createRecordWriter(file);
  return {
    write(pack, head, now) {
      const kindIds = pack.decisions.kinds.map((kind) => kinds.idOf(kind));
      const known: WrittenDecision[] = [];
      let seq = head;
      let decision = 0;
      let other = 0;
      for (const tag of pack.tags) {
        if (tag === packTag.other) seq = records.write(pack.others[other++] as OtherWrite, seq, now);
        else {
          const before = decisions.put(++seq, pack.decisions, decision, kindIds, tag === packTag.deleted ? now : null);
          if (before !== null) known.push({ row: decision, ...before });
          decision++;
        }
      }
      return { from: head, to: seq, known };
    },
    flush: () => decisions.flush(),
    expectMany: () => decisions.expectMany(),
    discard: () => decisions.discard(),
  };
}
