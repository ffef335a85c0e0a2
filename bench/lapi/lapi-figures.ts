/** What `bench lapi` measures of one peer. */
import type { LapiLoadResult } from './load.ts';

export interface LapiFigures {
  readonly name: string;
  readonly about: string;
  readonly decisions: number;
  readonly importSeconds: number;
  readonly importCpuSeconds: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** After a pause, when what the import left behind has been collected. */
  readonly bytesSettled: number;
  /** Of the disk, in milliseconds: a page written and synchronised. */
  readonly diskSync: readonly number[];
  readonly live: LapiLoadResult[];
  readonly start: LapiLoadResult[];
  /** Of 1,000 new decisions. */
  readonly delta: LapiLoadResult[];
  readonly alerts: LapiLoadResult[];
  /** Null: it is no gateway. */
  readonly visitors: { readonly alone: LapiLoadResult[]; readonly streaming: LapiLoadResult[] } | null;
}
