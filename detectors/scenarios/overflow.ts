/**
 * A bucket that has overflown becomes alerts: one for each source among the events that it kept, mostly one in all.
 * Specification: CrowdSec `pkg/leakybucket/overflows.go`.
 */
import { formatDuration } from '../../core/duration.ts';
import { formatRange, parseIp, rangeOf } from '../../core/ip.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert, AlertSource } from '../alert.ts';
import type { Source } from '../event.ts';
import type { GeoDatabases } from '../geoip.ts';
import type { Bucket } from './bucket.ts';
import type { KeptEvent } from './kept-event.ts';
import type { Scenario } from './scenario.ts';

export interface OverflowDeps extends Runtime {
  /** Consulted when an event brings no country or AS of its own; null when there is no database. */
  readonly geo: GeoDatabases | null;
  /** IPv6 addresses that share this many bits are one client, named by the address that it used last. 128: none do. */
  readonly ipv6Prefix: number;
}

/**
 * The alerts of `bucket`, which overflew at `at` (epoch milliseconds). Empty, with an error in the log, when an event of
 * scope Ip or Range has no valid `Meta.source_ip`: nobody could be named, and so nobody remedied.
 */
export function alertsOf(
  scenario: Scenario,
  bucket: Bucket<KeptEvent>,
  at: number,
  deps: OverflowDeps,
): readonly Alert[] {
  const sources = new Map<string, AlertSource>();
  for (const kept of bucket.queue) {
    const found = kept.sources === null ? eventSource(scenario, kept, deps) : overflowSources(scenario, kept.sources);
    if (found === null) {
      deps.log.error(
        { scenario: scenario.spec.name, sourceIp: kept.meta.source_ip ?? '' },
        'alert lost: no valid source address',
      );
      return [];
    }
    for (const source of found) sources.set(sourceKey(source, deps.ipv6Prefix), source);
  }
  const events = bucket.queue.map((kept) => kept.toAlertEvent());
  const requestIds = bucket.queue.map((kept) => kept.requestId).filter((id) => id !== '');
  const { spec } = scenario;
  return [...sources.values()].map((source) => ({
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
    meta: [],
    requestIds,
  }));
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
  const address = parseIp(kept.meta.source_ip ?? '');
  if (address === null) return null;
  const ip = address.text;
  const range = kept.meta.SourceRange ?? deps.geo?.asn(ip)?.range ?? '';
  const value = scope === 'Ip' ? ip : (kept.scopeValue ?? range);
  return [{ scope, value, ip, range, ...whereabouts(ip, kept, deps.geo) }];
}

/** The country and the network of an address: what an enricher found, else the databases. */
function whereabouts(
  ip: string,
  kept: KeptEvent,
  geo: GeoDatabases | null,
): Omit<AlertSource, 'scope' | 'value' | 'ip' | 'range'> {
  const { enriched } = kept;
  const place = enriched.IsoCode === undefined && geo !== null ? geo.city(ip) : null;
  const network = enriched.ASNNumber === undefined && geo !== null ? geo.asn(ip) : null;
  return {
    asNumber: network === null ? (enriched.ASNNumber ?? '') : String(network.number),
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
    return [
      {
        scope,
        value: widened ? source.Range : source.Value,
        ip: source.IP,
        range: source.Range,
        asNumber: source.AsNumber,
        asName: source.AsName,
        country: source.Cn,
        latitude: source.Latitude,
        longitude: source.Longitude,
      },
    ];
  });
}

const nobody = { ip: '', range: '', asNumber: '', asName: '', country: '', latitude: 0, longitude: 0 } as const;
