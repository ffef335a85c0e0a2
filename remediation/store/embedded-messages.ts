/** Every message between the main thread and the worker of the embedded store. */
import type { ErrorCode } from '../../core/errors.ts';
import type { Bouncer } from '../bouncer.ts';
import type { Machine } from '../machine.ts';
import type { Head } from './follow.ts';
import type { PackedChanges, PackedWrites, StoredColumns } from './embedded-pack.ts';
import type { Retention } from './options.ts';
import type {
  AlertQuery,
  AllowlistEntry,
  AllowlistRecord,
  DecisionQuery,
  RefusalEvent,
  RefusalQuery,
  UsageQuery,
  UsageReport,
} from './store.ts';

/** Slices of writes that are on their way or being written: what bounds the worker's memory. */
export const sentAhead = 128;

/** What the worker is started with. */
export interface WorkerSettings {
  readonly file: string;
  readonly maxBytes: number;
  readonly retention: Retention;
  /** Names a file that is set aside at the start. */
  readonly now: number;
}

/** A failure as it travels: errors lose their class when they are cloned. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string | null;
  /** The private cause as text. */
  readonly cause: string;
}

export interface PackedPage {
  readonly epoch: string;
  readonly floor: number;
  readonly position: number;
  readonly pack: PackedChanges;
}

export interface PackedDecisions {
  readonly epoch: string;
  readonly columns: StoredColumns;
  readonly seqs: number[];
}

/** Its body is JSON. */
export interface AlertRow {
  readonly id: number;
  readonly body: string;
}

/** Questions and their answers, by name. Alerts answer as JSON text, parsed on arrival. */
export interface Reads {
  head: { ask: object; answer: Head };
  snapshot: { ask: { readonly after: number; readonly end: number }; answer: PackedPage };
  since: { ask: { readonly after: number }; answer: PackedPage };
  decisions: { ask: DecisionQuery; answer: PackedDecisions };
  decisionByUuid: { ask: { readonly uuid: string }; answer: PackedDecisions };
  decisionById: { ask: { readonly id: number }; answer: PackedDecisions };
  allowlists: { ask: object; answer: readonly AllowlistRecord[] };
  allowlist: { ask: object; answer: readonly AllowlistEntry[] };
  alerts: { ask: AlertQuery; answer: readonly AlertRow[] };
  alertByUuid: { ask: { readonly uuid: string }; answer: AlertRow | null };
  alertById: { ask: { readonly id: number }; answer: AlertRow | null };
  refusals: { ask: RefusalQuery; answer: readonly RefusalEvent[] };
  bouncers: { ask: object; answer: readonly Bouncer[] };
  machines: { ask: object; answer: readonly Machine[] };
  usageReports: { ask: UsageQuery; answer: readonly UsageReport[] };
  decisionCounts: {
    ask: { readonly since: number; readonly limit: number };
    answer: readonly { readonly value: string; readonly count: number }[];
  };
  /** Removes what retention no longer asks for; answers how many rows went. */
  maintain: { ask: object; answer: number };
}

export type ReadName = keyof Reads;

/** `now` is epoch milliseconds of the main thread's clock: the worker has none. */
export type ReadRequest = {
  [Name in ReadName]: {
    readonly kind: 'read';
    readonly id: number;
    readonly now: number;
    readonly name: Name;
    readonly ask: Reads[Name]['ask'];
  };
}[ReadName];

export interface WriteRequest {
  readonly kind: 'write';
  /** Of this slice. */
  readonly slice: number;
  /** Slices of one `apply` share it. */
  readonly id: number;
  /** The slice that completes the `apply`. */
  readonly last: boolean;
  readonly now: number;
  readonly pack: PackedWrites;
}

/** A decision of a slice, its `row` counted from 0, that had been written before. */
export interface WrittenDecision {
  readonly row: number;
  readonly id: number;
  /** Null unless it had been deleted. */
  readonly deletedAt: number | null;
}

/** A slice that is durable, and the positions between which it lies. */
export interface WrittenSlice {
  readonly slice: number;
  readonly from: number;
  readonly to: number;
  readonly known: readonly WrittenDecision[];
}

export type ToWorker = ReadRequest | WriteRequest | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly head: Head; readonly setAside: string | null }
  /** The file cannot be opened; the worker ends. */
  | { readonly kind: 'failed'; readonly fault: Fault }
  | { readonly kind: 'written'; readonly slices: readonly WrittenSlice[]; readonly head: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Reads[ReadName]['answer'] }
  /** Slices of writes, or one read, that failed. */
  | {
      readonly kind: 'refused';
      readonly slices: readonly number[];
      readonly read: number | null;
      readonly fault: Fault;
    }
  /** The file was found damaged while running; a new one is in use. */
  | { readonly kind: 'set-aside'; readonly path: string; readonly head: Head };
