/**
 * `Store`: what outlives the process. Every method returns a promise from the first day, and nothing on the request path
 * awaits one. Memory, the embedded SQLite file and Redis pass one contract suite (`test/contracts/store.ts`).
 */
import type { Alert } from '../../detectors/alert.ts';
import type { WafRecord } from '../../detectors/waf/waf-record.ts';
import type { Bouncer, BouncerSighting } from '../bouncer.ts';
import type { Decision } from '../decision.ts';
import type { Machine, MachineSighting } from '../machine.ts';

/**
 * One request that was not passed on: refused by a decision or by the WAF, throttled, or rejected by the strict front. And one
 * that was passed although the WAF would have refused it, where that only observes.
 */
export interface RefusalEvent {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly clientIp: string;
  /** How the client address was derived: `peer`, or the header it was read from. */
  readonly clientFrom: string;
  readonly peerIp: string;
  readonly site: string;
  readonly method: string;
  /** Raw target, cut to 2,048 characters. */
  readonly target: string;
  readonly status: number;
  /** `decision`, `waf`, `waf-observed` (passed), `rejected` (the strict front) or `unknown-host`. */
  readonly reason: string;
  readonly remediation: string;
  readonly decisionUuid: string | null;
  readonly scenario: string;
  readonly userAgent: string;
  /** Why the strict front rejected it, "" otherwise. */
  readonly detail: string;
  /** What the rules of the WAF found, for each layer that came to a verdict. */
  readonly findings: readonly WafRecord[];
}

/** A named allowlist; it may be empty. */
export interface AllowlistRecord {
  /** Unique. */
  readonly name: string;
  readonly description: string;
  readonly createdAt: number;
  /** Epoch milliseconds of the last change of the list or of its entries. */
  readonly updatedAt: number;
}

/** An entry of an allowlist: an address or range that nothing may ban. The same value may stand on several lists. */
export interface AllowlistEntry {
  /** Name of the allowlist that it stands on. */
  readonly list: string;
  readonly value: string;
  readonly comment: string;
  readonly createdAt: number;
  /** Epoch milliseconds, or null for ever. */
  readonly until: number | null;
}

/** What a bouncer or a machine reported about itself, as it came, within limits. */
export interface UsageReport {
  readonly side: 'bouncer' | 'machine';
  /** Name of the bouncer, id of the machine. */
  readonly from: string;
  readonly receivedAt: number;
  /** The element of the request as JSON, at most `maxReportLength` characters. */
  readonly body: string;
}

/** What followers hear of. */
export type StoreChange =
  | { readonly kind: 'decision-added'; readonly decision: Decision; readonly id: number }
  /** `until` of the decision is the one that it was made with. */
  | {
      readonly kind: 'decision-deleted';
      readonly decision: Decision;
      readonly id: number;
      /** Epoch milliseconds. */
      readonly deletedAt: number;
    }
  | { readonly kind: 'allowlist-added'; readonly entry: AllowlistEntry }
  | { readonly kind: 'allowlist-deleted'; readonly list: string; readonly value: string };

/** What `apply` takes: that which followers hear of, and the records that only queries see. */
export type StoreWrite =
  | { readonly kind: 'decision-added' | 'decision-deleted'; readonly decision: Decision }
  /** Makes the list when it is not there, so that no entry is lost. */
  | { readonly kind: 'allowlist-added'; readonly entry: AllowlistEntry }
  | { readonly kind: 'allowlist-deleted'; readonly list: string; readonly value: string }
  /** Replaces name, description and times of a list of the same name; its entries stay. */
  | { readonly kind: 'allowlist-created'; readonly list: AllowlistRecord }
  /** The list and its entries; followers hear of each entry. */
  | { readonly kind: 'allowlist-removed'; readonly name: string }
  | { readonly kind: 'alert'; readonly alert: Alert }
  /** The alert alone; its decisions are deleted by writes of their own. */
  | { readonly kind: 'alert-deleted'; readonly uuid: string }
  | { readonly kind: 'refusal'; readonly event: RefusalEvent }
  /** Replaces a bouncer of the same name. */
  | { readonly kind: 'bouncer-added'; readonly bouncer: Bouncer }
  | { readonly kind: 'bouncer-deleted'; readonly name: string }
  /** Changes what is named of a bouncer that is there; one that was deleted meanwhile stays deleted. */
  | { readonly kind: 'bouncer-seen'; readonly name: string; readonly seen: BouncerSighting }
  /** Replaces a machine of the same id. */
  | { readonly kind: 'machine-added'; readonly machine: Machine }
  | { readonly kind: 'machine-deleted'; readonly id: string }
  | { readonly kind: 'machine-seen'; readonly id: string; readonly seen: MachineSighting }
  | { readonly kind: 'usage-reported'; readonly report: UsageReport };

/** A slice of the change stream. `cursor` resumes after it. */
export interface ChangeBatch {
  readonly cursor: string;
  readonly changes: readonly StoreChange[];
  /** True on the last batch of the initial snapshot: from here on the stream is live. */
  readonly snapshotEnd: boolean;
}

export interface DecisionQuery {
  readonly scope?: string;
  readonly value?: string;
  readonly type?: string;
  readonly origin?: string;
  /** None of these: a few names, since every store looks through them for each row. */
  readonly exceptOrigins?: readonly string[];
  readonly scenario?: string;
  /** Those that follow from this alert. */
  readonly alertUuid?: string;
  /** Also those that have expired or were deleted and are still kept for history. */
  readonly includeInactive?: boolean;
  /** Only those that have expired or were deleted. */
  readonly onlyInactive?: boolean;
  /** At most `maxQueryRows` are returned, whatever is asked. */
  readonly limit: number;
  /** The `cursor` of the last decision of the previous page. */
  readonly after?: string;
}

/** The most rows that one query returns, so that no answer grows without bound. */
export const maxQueryRows = 10_000;

export interface AlertQuery {
  readonly scope?: string;
  readonly value?: string;
  readonly scenario?: string;
  /** Epoch milliseconds; alerts created at or after it. */
  readonly since?: number;
  readonly limit: number;
  /** Only those with a smaller id: the `id` of the last alert of the previous page. */
  readonly before?: number;
}

/** An alert with the number that CrowdSec's API knows it by: it rises with the order of writing and stays for good. */
export interface StoredAlert {
  readonly id: number;
  readonly alert: Alert;
}

export interface RefusalQuery {
  readonly clientIp?: string;
  readonly requestId?: string;
  readonly since?: number;
  readonly limit: number;
}

export interface UsageQuery {
  readonly side?: UsageReport['side'];
  readonly from?: string;
  readonly since?: number;
  readonly limit: number;
}

export interface StoredDecision {
  /** The number that CrowdSec's API knows it by: the position of its first write. It stays for good. */
  readonly id: number;
  readonly decision: Decision;
  /** Null while it was not deleted by hand. */
  readonly deletedAt: number | null;
  /** Hand it to `DecisionQuery.after` to go on after this decision. Opaque; another store's cursor starts from the top. */
  readonly cursor: string;
}

export interface StoreHealth {
  readonly ok: boolean;
  /** Epoch milliseconds of the last write or read that worked, null before the first. */
  readonly lastSuccessAt: number | null;
  readonly message: string;
}

export interface Store {
  readonly name: string;
  /**
   * Resolves when the writes are durable, in order; rejects with a GatewayError when they are not. Up to 500 writes are
   * one unit; more are several, of which the first may be kept when a later one fails. `decision-added` replaces a
   * decision of the same uuid, `decision-deleted` keeps it for history. Limits of every field: `write-limits.ts`.
   */
  apply(writes: readonly StoreWrite[]): Promise<void>;
  /**
   * The change stream. With `cursor` null it starts with a snapshot of every live decision and allowlist entry, in
   * batches, then follows live, this process's own writes included. Ends when `signal` aborts or the store is closed. A
   * cursor that is too old to resume yields a fresh snapshot.
   *
   * An iteration has at most one snapshot, at its start, and outlasts outages of the store. It throws STORE_UNAVAILABLE
   * only when it lost its place (history trimmed or store replaced while it was behind): call again with the last cursor.
   * Several changes of one decision may be folded into the last. Expiry is not told: followers read `until`.
   */
  changes(cursor: string | null, signal: AbortSignal): AsyncIterable<ChangeBatch>;
  /** Last written first. */
  decisions(query: DecisionQuery): Promise<readonly StoredDecision[]>;
  decisionByUuid(uuid: string): Promise<StoredDecision | null>;
  decisionById(id: number): Promise<StoredDecision | null>;
  /** By name. */
  allowlists(): Promise<readonly AllowlistRecord[]>;
  /** The live entries of every list, in order of writing. */
  allowlist(): Promise<readonly AllowlistEntry[]>;
  /** By id, the highest first. */
  alerts(query: AlertQuery): Promise<readonly StoredAlert[]>;
  alertByUuid(uuid: string): Promise<StoredAlert | null>;
  alertById(id: number): Promise<StoredAlert | null>;
  /** Newest first. */
  refusals(query: RefusalQuery): Promise<readonly RefusalEvent[]>;
  /** By name. */
  bouncers(): Promise<readonly Bouncer[]>;
  /** By id. */
  machines(): Promise<readonly Machine[]>;
  /** Newest first. */
  usageReports(query: UsageQuery): Promise<readonly UsageReport[]>;
  /**
   * How many decisions each value has had since `since`, expired and deleted ones included: what escalation starts from.
   * Only our own (`isOwn`) count. Bounded by `limit`, newest first.
   */
  decisionCounts(since: number, limit: number): Promise<readonly { readonly value: string; readonly count: number }[]>;
  health(): StoreHealth;
  /** Waits for what was applied, then frees everything. Safe after a partial start and twice. */
  close(): Promise<void>;
}
