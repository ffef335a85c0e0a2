/**
 * `Overflow`: a bucket that has overflown, and its alerts: one for each source among the events that it kept, mostly one in
 * all. Addresses are spelled as the event spells them, so that an alert can be found in its log; decisions are canonical.
 * Specification: CrowdSec `pkg/leakybucket/overflows.go`.
 */
import { formatDuration } from '../../core/duration.ts';
import { formatRange, parseIp, parseRange, rangeOf } from '../../core/ip.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert, AlertSource } from '../alert.ts';
import type { Source } from '../event.ts';
import type { GeoDatabases } from '../lookups/geoip.ts';
import type { AlertContext } from './alert-context.ts';
import type { Bucket } from './bucket.ts';
import type { KeptEvent } from './kept-event.ts';
import type { Scenario } from './scenario.ts';
import type { ScenarioSpec } from './scenario-document.ts';

/** A bucket that overflew, after overflow_filter and blackhole. */
export interface Overflow {
  readonly scenario: ScenarioSpec;
  /** The bucket's key: the value of groupby. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** One for each source, at least one. */
  readonly alerts: readonly Alert[];
}

export interface OverflowDeps extends Runtime {
  /** Consulted when an event brings no country or AS of its own; null when there is no database. */
  readonly geo: GeoDatabases | null;
  /** IPv6 addresses that share this many bits are one client, named by the address that it used last. 128: none do. */
  readonly ipv6Prefix: number;
  readonly context: AlertContext;
  /** Told what an expression of a context raised. */
  readonly onContextError: (scenario: Scenario, error: unknown) => void;
}

/**
 * The alerts of `bucket`, which overflew at `at` (epoch milliseconds). Empty, with a line in the log, when an event of scope
 * Ip or Range has no valid `Meta.source_ip` or no source fits the scope: nobody could be named, and so nobody remedied.
 */
export function alertsOf(
  scenario: Scenario,
  bucket: Bucket<KeptEvent>,
  at: number,
  deps: OverflowDeps,
): readonly Alert[] {
  const sources = sourcesOf(scenario, bucket, deps);
  if (sources.length === 0) return [];
  const events = bucket.queue.map((kept) => kept.toAlertEvent());
  const meta = contextOf(scenario, bucket, deps);
  const requestIds = bucket.queue.map((kept) => kept.requestId).filter((id) => id !== '');
  const { spec } = scenario;
  return sources.map((source) => ({
    uuid: deps.random.uuid(),
    kind: 'crowdsec',
    scenario: spec.name,
    scenarioHash: spec.hash,
    scenarioVersion: spec.version,
    message: alertMessage(scenario, bucket, source, at),
    source,
    eventsCount: bucket.count,
    events,
    startAt: bucket.firstAt,
    stopAt: at,
    createdAt: deps.clock.now(),
    capacity: spec.capacity,
    leakspeed: spec.leakspeed,
    simulated: scenario.simulated,
    remediation: scenario.remediation,
    labels: spec.labels,
    meta,
    requestIds,
  }));
}

/** The sources of the events kept, each as its newest event shows it; the one that was seen first comes first. */
function sourcesOf(scenario: Scenario, { queue }: Bucket<KeptEvent>, deps: OverflowDeps): readonly AlertSource[] {
  const sources = new Map<string, AlertSource>();
  let before: KeptEvent | null = null;
  for (const kept of queue.toReversed()) {
    if (before !== null && namesTheSame(kept, before)) continue;
    before = kept;
    const found = kept.sources === null ? eventSource(scenario, kept, deps) : overflowSources(scenario, kept.sources);
    if (found === null) {
      const fields = { scenario: scenario.spec.name, sourceIp: kept.meta.source_ip ?? '' };
      deps.log.error(fields, 'alert lost: no valid source address');
      return [];
    }
    for (const source of found) {
      const key = sourceKey(source, deps.ipv6Prefix);
      const newer = sources.get(key);
      // Set anew, so that the order is that of the oldest events.
      if (newer !== undefined) sources.delete(key);
      sources.set(key, newer ?? source);
    }
  }
  if (sources.size === 0) {
    const { name, scopeType } = scenario.spec;
    deps.log.warn({ scenario: name, scope: scopeType }, 'alert lost: no source of the scope of the scenario');
  }
  return [...sources.values()].toReversed();
}

/** Whether two log events of one bucket are of the same source, without asking any database. */
function namesTheSame(left: KeptEvent, right: KeptEvent): boolean {
  return (
    left.sources === null &&
    right.sources === null &&
    left.meta.source_ip === right.meta.source_ip &&
    left.meta.SourceRange === right.meta.SourceRange &&
    left.scopeValue === right.scopeValue
  );
}

function contextOf(scenario: Scenario, { queue }: Bucket<KeptEvent>, deps: OverflowDeps): Alert['meta'] {
  const { context, onContextError } = deps;
  if (context.isEmpty) return [];
  return context.gather(
    queue.map((kept) => kept.toEvent()),
    (error) => onContextError(scenario, error),
  );
}

/** What tells sources apart: their value, or the prefix that buckets group IPv6 clients by. */
function sourceKey({ scope, value }: AlertSource, ipv6Prefix: number): string {
  const address = scope === 'Ip' && ipv6Prefix < 128 && value.includes(':') ? parseIp(value) : null;
  return address?.version === 6 ? formatRange(rangeOf(address, ipv6Prefix)) : value;
}

/** CrowdSec's sentence: `Ip 192.0.2.1 performed 'crowdsecurity/http-probing' (11 events over 4s) at 2026-01-01 00:00:04 +0000 UTC`. */
function alertMessage(scenario: Scenario, bucket: Bucket<KeptEvent>, source: AlertSource, at: number): string {
  const over = formatDuration(Math.max(0, at - bucket.firstAt));
  const when = new Date(bucket.lastAt)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '');
  const events = `${bucket.count} events over ${over}`;
  return `${source.scope} ${source.value} performed '${scenario.spec.name}' (${events}) at ${when} +0000 UTC`;
}

/** The one source of a log or request event; null when it has none that may be named. */
function eventSource(scenario: Scenario, kept: KeptEvent, deps: OverflowDeps): readonly AlertSource[] | null {
  const scope = scenario.spec.scopeType;
  if (scope !== 'Ip' && scope !== 'Range') return [{ ...nobody, scope, value: kept.scopeValue ?? '' }];
  const ip = kept.meta.source_ip ?? '';
  const address = parseIp(ip);
  const declared = kept.meta.SourceRange ?? '';
  const network = declared === '' ? null : parseRange(declared);
  if (address === null || (declared !== '' && network === null)) return null;
  const range = network === null ? (deps.geo?.asn(address.text)?.range ?? '') : formatRange(network);
  const value = scope === 'Ip' ? ip : (kept.scopeValue ?? range);
  return [{ scope, value, ip, range, ...whereabouts(address.text, kept, deps.geo) }];
}

/** The country and the network of an address: what an enricher found, else the databases. */
function whereabouts(
  ip: string,
  kept: KeptEvent,
  geo: GeoDatabases | null,
): Omit<AlertSource, 'scope' | 'value' | 'ip' | 'range'> {
  const { enriched } = kept;
  const place = enriched.IsoCode === undefined && geo !== null ? geo.city(ip) : null;
  const number = enriched.ASNumber ?? enriched.ASNNumber;
  const network = number === undefined && geo !== null ? geo.asn(ip) : null;
  return {
    asNumber: network === null ? (number ?? '') : String(network.number),
    asName: network?.organisation ?? enriched.ASNOrg ?? '',
    country: place?.country ?? enriched.IsoCode ?? '',
    latitude: place?.latitude ?? decimal(enriched.Latitude),
    longitude: place?.longitude ?? decimal(enriched.Longitude),
  };
}

function decimal(text: string | undefined): number {
  const value = Number(text ?? '');
  return Number.isFinite(value) ? value : 0;
}

/** The sources of an overflow that was poured again: those of the scenario's scope; an Ip serves as its stored Range. */
function overflowSources(scenario: Scenario, sources: Readonly<Record<string, Source>>): readonly AlertSource[] {
  const scope = scenario.spec.scopeType;
  return Object.values(sources).flatMap((source) => {
    const widened = source.Scope === 'Ip' && scope === 'Range' && source.Range !== '';
    if (source.Scope !== scope && !widened) return [];
    return [{ ...sourceOf(source), scope, value: widened ? source.Range : source.Value }];
  });
}

/** A source as alerts have it. */
export function sourceOf(source: Source): AlertSource {
  return {
    scope: source.Scope,
    value: source.Value,
    ip: source.IP,
    range: source.Range,
    asNumber: source.AsNumber,
    asName: source.AsName,
    country: source.Cn,
    latitude: source.Latitude,
    longitude: source.Longitude,
  };
}

const nobody = { ip: '', range: '', asNumber: '', asName: '', country: '', latitude: 0, longitude: 0 } as const;

const noAlerts: readonly Alert[] = Object.freeze([]);

/** The alerts of all overflows. Mostly there are none, and then nothing is allocated. */
export function alertsIn(overflows: readonly Overflow[]): readonly Alert[] {
  return overflows.length === 0 ? noAlerts : overflows.flatMap(({ alerts }) => alerts);
}
