/**
 * The wire shape of usage metrics, as a bouncer and as a machine sends them. Names of the wire stand here only. Shape: CrowdSec
 * `pkg/models` (`AllMetrics`, `RemediationComponentsMetrics`, `LogProcessorsMetrics`).
 */

export type IpType = 'ipv4' | 'ipv6';

/** How many of something, with what tells it from the others. */
export interface UsageItem {
  readonly name:
    | 'active_decisions'
    | 'processed'
    | 'dropped'
    | 'read'
    | 'parsed'
    | 'unparsed'
    | 'whitelisted'
    | 'alerts';
  readonly unit: 'ip' | 'request' | 'line' | 'alert' | 'event';
  readonly value: number;
  readonly origin?: string;
  readonly ipType?: IpType;
  readonly remediation?: string;
  /** Of log lines: the kind of source, such as `file`. */
  readonly source?: string;
}

/** What does not change while the gateway runs. */
export interface UsageIdentity {
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly os: { readonly name: string; readonly version: string };
  /** What the other side calls this kind of component, and this one. */
  readonly type: string;
  readonly name: string;
}

export interface HubItemUse {
  readonly name: string;
  readonly status: string;
  readonly version: string;
}

export interface UsageWindow {
  readonly items: readonly UsageItem[];
  /** Seconds. */
  readonly windowSeconds: number;
  /** Epoch milliseconds. */
  readonly endedAt: number;
}

export function bouncerUsage(identity: UsageIdentity, window: UsageWindow): unknown {
  return { log_processors: null, remediation_components: [component(identity, window)] };
}

export function machineUsage(
  identity: UsageIdentity,
  window: UsageWindow,
  what: {
    /** Kind of source → how many. */
    readonly datasources: Readonly<Record<string, number>>;
    /** Kind of item → those installed. */
    readonly hubItems: Readonly<Record<string, readonly HubItemUse[]>>;
  },
): unknown {
  const processor = { ...component(identity, window), datasources: what.datasources, hub_items: what.hubItems };
  return { log_processors: [processor], remediation_components: null };
}

function component({ version, startedAt, os, type, name }: UsageIdentity, window: UsageWindow): object {
  return {
    version,
    type,
    name,
    os: { ...os, family: 'linux' },
    feature_flags: [],
    utc_startup_timestamp: Math.floor(startedAt / 1_000),
    metrics: [
      {
        meta: {
          window_size_seconds: window.windowSeconds,
          utc_now_timestamp: Math.floor(window.endedAt / 1_000),
        },
        items: window.items.map(item),
      },
    ],
  };
}

function item({ name, unit, value, origin, ipType, remediation, source }: UsageItem): object {
  const labels: Record<string, string> = {};
  if (origin !== undefined) labels['origin'] = origin;
  if (ipType !== undefined) labels['ip_type'] = ipType;
  if (remediation !== undefined) labels['remediation'] = remediation;
  if (source !== undefined) labels['datasource_type'] = source;
  return { name, value, unit, labels };
}
