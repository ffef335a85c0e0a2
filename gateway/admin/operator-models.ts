/**
 * What travels over the control socket about the things that operators keep: allowlists, bouncers, machines, and what is switched,
 * counted and told. As in `models.ts`, times are RFC 3339 and names are CrowdSec's where it has the thing.
 */

export interface AllowlistEntryModel {
  /** The list that it stands on. */
  readonly allowlist: string;
  readonly value: string;
  readonly description: string;
  readonly created_at: string;
  /** Null: for ever. */
  readonly expiration: string | null;
}

export interface AllowlistModel {
  readonly name: string;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  /** It stands in the settings, and is changed there. */
  readonly from_settings: boolean;
  /** Nobody else changes our lists. */
  readonly console_managed: boolean;
  readonly size: number;
  readonly items: readonly AllowlistEntryModel[];
}

export interface AllowlistChangeModel {
  /** Values that were added or removed. */
  readonly changed: readonly string[];
  /** Those that stood there already, or did not. */
  readonly unchanged: readonly string[];
  /** Decisions that were lifted, because they cover what nothing may refuse. */
  readonly lifted: number;
}

export interface AllowlistCheckModel {
  readonly value: string;
  readonly allowlisted: boolean;
  /** `192.0.2.1 from office (Ann)`, "" when nothing covers it. */
  readonly reason: string;
}

/** A program that may ask this gateway. */
export interface BouncerModel {
  readonly name: string;
  readonly created_at: string;
  /** `""` before it asked. */
  readonly ip_address: string;
  readonly type: string;
  readonly version: string;
  readonly last_pull: string | null;
  readonly auth_type: string;
  /** It made itself known with a key that is known from another address. */
  readonly auto_created: boolean;
  /** CrowdSec has the word and never sets it. */
  readonly revoked: boolean;
}

/** What a bouncer or a machine told of itself last. */
export interface UsageModel {
  readonly received_at: string;
  readonly os: string;
  readonly feature_flags: readonly string[];
  readonly metrics: readonly UsageMetricModel[];
}

export interface UsageMetricModel {
  readonly name: string;
  readonly unit: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface NewBouncerModel {
  readonly bouncer: BouncerModel;
  /** Shown this once. */
  readonly key: string;
}

export interface RemovedModel {
  readonly deleted: readonly string[];
}

/** An agent that reports here; names as cscli prints them. */
export interface MachineModel {
  readonly machineId: string;
  readonly ipAddress: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_push: string | null;
  readonly last_heartbeat: string | null;
  readonly version: string;
  readonly isValidated: boolean;
  readonly auth_type: string;
  readonly os: string;
  readonly scenarios: readonly string[];
}

export interface MetricModel {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export interface SimulationModel {
  /** True: every scenario simulates, but the exclusions. False: only the exclusions do. */
  readonly simulation: boolean;
  readonly exclusions: readonly string[];
  /** Simulated by the settings. */
  readonly settings: readonly string[];
  /** The scenarios in use that simulate now. */
  readonly simulated: readonly string[];
}

/** One way that people are told. */
export interface NotificationModel {
  readonly name: string;
  readonly type: string;
  /** Profiles that send to it. */
  readonly profiles: readonly string[];
  readonly waiting: number;
  readonly sent: number;
  readonly failed: number;
  readonly last_error: string | null;
}

/** Where this gateway serves and asks Local APIs. */
export interface LapiModel {
  /** Null: it serves none. */
  readonly serving: {
    /** Where agents and bouncers reach it. */
    readonly addresses: readonly string[];
    readonly bouncers: number;
    readonly machines: number;
    readonly pending_machines: number;
  } | null;
  readonly upstreams: readonly LapiUpstreamModel[];
}

/** Another Local API. */
export interface LapiUpstreamModel {
  readonly name: string;
  readonly url: string;
  readonly mode: 'stream' | 'live' | 'agent';
  readonly ok: boolean;
  readonly message: string;
  readonly decisions: number;
  /** When it last answered. */
  readonly last_success_at: string | null;
}
