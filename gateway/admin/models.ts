/**
 * What travels over the control socket, and what `--json` prints: one shape for both. Times are RFC 3339; names are those of
 * CrowdSec's API where it has the thing. The command line imports these types and nothing else of the routes.
 */
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';
import type { AllowlistEntryModel, LapiUpstreamModel } from './operator-models.ts';
import type { ScenarioExplanation } from '../../detectors/scenarios/scenario-explainer.ts';

/** A decision as people and programs see it: CrowdSec's, and what else is known of it. */
export interface DecisionModel {
  readonly id: number;
  readonly uuid: string;
  readonly origin: string;
  readonly type: string;
  readonly scope: string;
  readonly value: string;
  /** What is left, in Go's spelling: `3h59m12s`; negative once it is over. */
  readonly duration: string;
  readonly scenario: string;
  readonly simulated: boolean;
  readonly created_at: string;
  readonly until: string;
  /** When it was lifted by hand, or null. */
  readonly deleted_at: string | null;
  readonly active: boolean;
  /** Null where no alert is kept that it follows from. */
  readonly alert_id: number | null;
  /** From the alert, "" and 0 where there is none. */
  readonly country: string;
  readonly as: string;
  readonly events_count: number;
  readonly machine_id: string;
}

/** The answer to `GET /v1/log`: lines, the oldest first. */
export interface LogModel {
  readonly text: string;
}

export interface DecisionList {
  readonly decisions: readonly DecisionModel[];
  /** Hand it back as `after` for the next page; null on the last. */
  readonly next: string | null;
  /** Decisions of communities and lists that were left out; null when nobody counts them. */
  readonly hidden: number | null;
  /** Where they are asked for: the alerts that these decisions follow from, each once and without its decisions. */
  readonly alerts?: readonly AlertModel[];
}

export interface DecisionAdded {
  readonly decision: DecisionModel;
  readonly warnings: readonly string[];
}

export interface DecisionsDeleted {
  readonly deleted: number;
  /** The first hundred of them. */
  readonly decisions: readonly DecisionModel[];
}

/** How an import of decisions ended. Entries that it did not take are counted once, in the order of these reasons. */
export interface ImportModel {
  readonly imported: number;
  /** Left out, because an allowlist covers them. */
  readonly allowlisted: number;
  /** Not understood. */
  readonly malformed: number;
  /** The first of those that were not understood. */
  readonly faults: readonly { readonly line: number; readonly message: string }[];
  /** Of the alerts that hold the decisions. */
  readonly alert_ids: readonly number[];
}

/** One entry of an import on its way: what is missing or null stands in the query for all. */
export type ImportRow = readonly [
  line: number,
  value: string,
  scope?: string | null,
  type?: string | null,
  duration?: string | null,
  reason?: string | null,
  origin?: string | null,
];

export interface MetaModel {
  readonly key: string;
  readonly value: string;
}

export interface AlertEventModel {
  readonly timestamp: string;
  readonly meta: readonly MetaModel[];
}

/** CrowdSec's alert, and what else is known of it. */
export interface AlertModel {
  readonly id: number;
  readonly uuid: string;
  readonly kind: string;
  /** Who reported it; "" for what this gateway noticed itself. */
  readonly machine_id: string;
  readonly scenario: string;
  readonly scenario_version: string;
  readonly scenario_hash: string;
  readonly message: string;
  readonly source: {
    readonly scope: string;
    readonly value: string;
    readonly ip: string;
    readonly range: string;
    readonly as_number: string;
    readonly as_name: string;
    /** The country, as CrowdSec calls it. */
    readonly cn: string;
    readonly latitude: number;
    readonly longitude: number;
  };
  readonly events_count: number;
  readonly events: readonly AlertEventModel[];
  readonly created_at: string;
  readonly start_at: string;
  readonly stop_at: string;
  readonly capacity: number;
  readonly leakspeed: string;
  readonly simulated: boolean;
  readonly remediation: boolean;
  /** CrowdSec has none either; those of the scenario are below. */
  readonly labels: null;
  readonly scenario_labels: Readonly<Record<string, unknown>>;
  /** Its context. */
  readonly meta: readonly MetaModel[];
  readonly request_ids: readonly string[];
  /** What followed from it, also what is over; the first thousand. */
  readonly decisions: readonly DecisionModel[];
}

export interface AlertList {
  readonly alerts: readonly AlertModel[];
  /** Hand it back as `before` for the next page; null on the last. */
  readonly next: number | null;
}

export interface AlertsDeleted {
  readonly deleted: number;
  /** Decisions of theirs that were lifted with them. */
  readonly lifted: number;
}

export interface RefusalModel {
  readonly request_id: string;
  readonly at: string;
  readonly client_ip: string;
  readonly client_from: string;
  readonly peer_ip: string;
  readonly site: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly remediation: string;
  readonly scenario: string;
  readonly user_agent: string;
  readonly detail: string;
  readonly findings: readonly FindingModel[];
}

/** What one layer of the WAF found in a request. */
export interface FindingModel {
  readonly layer: RuleLayer;
  readonly enforced: boolean;
  /** 0 for a limit. */
  readonly rule_id: number;
  readonly score: number;
  readonly matches: readonly {
    readonly rule_id: number;
    readonly file: string;
    readonly line: number;
    readonly phase: number;
    readonly message: string;
    readonly data: string;
    readonly severity: number | null;
    readonly score: number;
    readonly tags: readonly string[];
    readonly values: readonly { readonly variable: string; readonly value: string }[];
  }[];
}

export interface SiteModel {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly origin: string;
  readonly mode: 'block' | 'observe';
}

/** One source of log lines. */
export interface SourceModel {
  readonly kind: string;
  readonly name: string;
  readonly state: 'running' | 'waiting' | 'failed' | 'ended';
  readonly lines: number;
  readonly dropped: number;
  readonly last_error: string | null;
  readonly retry_at: string | null;
  readonly last_line_at: string | null;
}

/** A set of rules of the WAF. Numbers are of requests, since the start. */
export interface RuleLayerModel {
  readonly name: 'core-rules' | 'virtual-patches';
  readonly mode: 'off' | 'observe' | 'block' | 'mixed';
  readonly rules: number;
  /** `OWASP_CRS/4.29.0`, or the names of appsec-configs. */
  readonly version: string;
  readonly requests: number;
  readonly refused: number;
  /** The rules would have refused them, and only observed. */
  readonly observed: number;
  /** The time budget ended the rules before their end. */
  readonly exhausted: number;
}

export interface StatusModel {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly started_at: string;
  readonly state: 'ok' | 'degraded' | 'draining';
  /** Why it is degraded. */
  readonly notes: readonly string[];
  readonly url: string;
  readonly listen_socket: string | null;
  readonly admin_url: string | null;
  /** Where bouncers ask: a URL, or `unix:` and a path; null when they cannot. */
  readonly appsec_url: string | null;
  readonly forward_auth_url: string | null;
  readonly lapi_urls: readonly string[];
  /** Other Local APIs. */
  readonly upstreams: readonly LapiUpstreamModel[];
  readonly demo: boolean;
  readonly mode: 'block' | 'observe' | 'mixed';
  readonly sites: readonly SiteModel[];
  readonly settings_file: string | null;
  readonly data_folder: string;
  readonly decisions: { readonly total: number; readonly by_scope: Readonly<Record<string, number>> };
  readonly allowlist: number;
  readonly scenarios: { readonly loaded: number; readonly faults: number };
  readonly waf: { readonly layers: readonly RuleLayerModel[]; readonly faults: number };
  /** Logs of other programs. */
  readonly sources: readonly SourceModel[];
  readonly requests: Readonly<Record<string, number>>;
  readonly alerts_raised: number;
  readonly store: {
    readonly name: string;
    readonly ok: boolean;
    readonly message: string;
    readonly last_success_at: string | null;
  };
  readonly memory_bytes: number;
}

/** What the index says about an address now. */
export interface Verdict {
  readonly outcome: 'allowed' | 'refused' | 'throttled' | 'passed';
  /** One sentence. */
  readonly because: string;
  readonly decision: {
    readonly type: string;
    readonly scope: string;
    readonly value: string;
    readonly scenario: string;
    readonly origin: string;
    readonly until: string;
  } | null;
}

export interface WhyRequest {
  readonly kind: 'request';
  readonly request_id: string;
  /** Null for a request that was passed on and is known only because an alert names it. */
  readonly refusal: RefusalModel | null;
  readonly mode: 'block' | 'observe' | null;
  readonly decision: DecisionModel | null;
  readonly alert: AlertModel | null;
  readonly now: Verdict | null;
}

export interface WhyAddress {
  readonly kind: 'address';
  readonly address: string;
  readonly now: Verdict;
  readonly sites: readonly SiteModel[];
  readonly allowlist: AllowlistEntryModel | null;
  readonly protected_by: string | null;
  /** Those that cover it, active ones first, then the latest that are over. */
  readonly decisions: readonly DecisionModel[];
  readonly alerts: readonly AlertModel[];
  readonly refusals: readonly RefusalModel[];
}

export interface ExplainModel {
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly host: string;
    readonly client_ip: string;
    readonly user_agent: string;
    readonly status: number | null;
  };
  readonly client: Verdict | null;
  readonly scenarios: readonly ScenarioExplanation[];
}

export interface DoctorCheck {
  readonly group: string;
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly remedy: string | null;
}

export interface DoctorModel {
  readonly checks: readonly DoctorCheck[];
}

export interface SelftestPlan {
  /** The scenario that is expected to fire. */
  readonly scenario: string;
  /** Others that the same requests may set off first. */
  readonly others: readonly string[];
  readonly phase: 'request' | 'response';
  /** Requests until the bucket overflows. */
  readonly needed: number;
  readonly probes: readonly string[];
}

export interface SelftestModel {
  readonly token: string;
  readonly address: string;
  readonly expires_at: string;
  readonly url: string;
  readonly listen_socket: string | null;
  readonly host: string;
  readonly mode: 'block' | 'observe';
  readonly plan: SelftestPlan;
}

export interface SelftestProgress {
  readonly requests: number;
  readonly forwarded: number;
  readonly refused: number;
  /** Requests, of all clients, that observe mode let through although a decision covers them. */
  readonly observed: number;
  readonly alert: AlertModel | null;
  readonly decision: DecisionModel | null;
  readonly verdict: Verdict;
}

export interface SelftestLifted {
  readonly lifted: number;
}

/** The body of every answer that is not a success. */
export interface ErrorModel {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}
