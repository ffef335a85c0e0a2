/**
 * What `method:` of a static does: looks something up for a value and writes what it found into the event, most of it into
 * `Enriched`. Specification: CrowdSec `pkg/parser/enrich*.go`.
 */
import type { Clock } from '../../core/clock.ts';
import type { HostResolver } from '../../core/host-resolver.ts';
import { parseIp } from '../../core/ip.ts';
import type { Event } from '../event.ts';
import { sprintf } from '../expr/go-format.ts';
import { readJson } from '../expr/go-json.ts';
import { setOwn } from '../expr/values.ts';
import type { GeoDatabases } from '../lookups/geoip.ts';
import { createDateParser } from './parse-date.ts';

export const enricherNames = [
  'GeoIpCity',
  'GeoIpASN',
  'IpToRange',
  'reverse_dns',
  'ParseDate',
  'UnmarshalJSON',
] as const;
export type EnricherName = (typeof enricherNames)[number];

/** Returns what has to be awaited before the value can be looked up, or null when it has been. Never throws. */
export type Enricher = (value: string, event: Event, mayWait: boolean) => Promise<void> | null;

/** The databases, and which of them there are: without one nothing is written, unlike for an address that it has not. */
export type EnricherGeo = Pick<GeoDatabases, 'loaded' | 'city' | 'asn'>;

export interface EnricherDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly geo: EnricherGeo;
  /** Null: addresses have no names. */
  readonly hosts: Pick<HostResolver, 'names'> | null;
}

export type Enrichers = Readonly<Record<EnricherName, Enricher>>;

export function createEnrichers({ clock, geo, hosts }: EnricherDeps): Enrichers {
  return {
    GeoIpCity: (value, event) => enrichCity(geo, value, event),
    GeoIpASN: (value, event) => enrichAsn(geo, value, event),
    IpToRange: (value, event) => enrichRange(geo, value, event),
    reverse_dns: (value, event, mayWait) => (hosts === null ? null : enrichName(hosts, value, event, mayWait)),
    ParseDate: createDateEnricher(clock),
    UnmarshalJSON: (_value, event) => unmarshal(event),
  };
}

function enrichCity(geo: EnricherGeo, ip: string, { Enriched }: Event): null {
  if (!geo.loaded.city || parseIp(ip) === null) return null;
  const record = geo.city(ip);
  const country = record?.country ?? '';
  Enriched.IsoCode = country;
  Enriched.IsInEU = country !== '' && record?.inEuropeanUnion === true ? 'true' : 'false';
  Enriched.Latitude = decimal(record?.latitude ?? 0);
  Enriched.Longitude = decimal(record?.longitude ?? 0);
  return null;
}

function enrichAsn(geo: EnricherGeo, ip: string, { Enriched }: Event): null {
  if (!geo.loaded.asn || parseIp(ip) === null) return null;
  const record = geo.asn(ip);
  const number = String(record?.number ?? 0);
  Enriched.ASNNumber = number;
  Enriched.ASNumber = number;
  Enriched.ASNOrg = record?.organisation ?? '';
  return null;
}

function enrichRange(geo: EnricherGeo, ip: string, { Enriched }: Event): null {
  const range = geo.asn(ip)?.range;
  if (range !== undefined) Enriched.SourceRange = range;
  return null;
}

function enrichName(
  hosts: Pick<HostResolver, 'names'>,
  ip: string,
  { Enriched }: Event,
  mayWait: boolean,
): Promise<void> | null {
  const found = hosts.names(ip);
  if (found.kind === 'asked') return mayWait ? found.ready : null;
  const [name] = found.value;
  if (name !== undefined) Enriched.reverse_dns = name;
  return null;
}

/** The event's own time follows its text only while a log is replayed; live, it is when the line was read. */
function createDateEnricher(clock: Pick<Clock, 'now'>): Enricher {
  const parse = createDateParser(clock);
  return (value, event) => {
    const date = parse(value, event.StrTimeFormat);
    if (date === null) return null;
    event.Enriched.MarshaledTime = date.text;
    if (date.ms !== null && event.ExpectMode === 1) event.Time = date.ms;
    return null;
  };
}

/** The members of the JSON object that the line is; a line that is none changes nothing. */
function unmarshal({ Line, Unmarshaled }: Event): null {
  let value: unknown;
  try {
    value = readJson(Line.Raw);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  for (const [key, member] of Object.entries(value)) setOwn(Unmarshaled, key, member);
  return null;
}

/** As Go's `%f` writes it: six decimals. */
export function decimal(value: number): string {
  return sprintf('%f', [value]);
}
