/**
 * MaxMind records as expressions see them (`GeoIPEnrich(ip).Country.IsoCode`): the members and zero values of the Go structs
 * that CrowdSec hands out, `geoip2.City` and `geoip2.ASN`. Specification: `github.com/oschwald/geoip2-golang` v1.
 */
import type { GeoLookup } from '../expr/dependencies.ts';
import type { GeoDatabases } from './geoip.ts';

/** A Go struct with nothing in it: what each member is when the database says nothing. Numbers of Go's uint are bigint. */
type Zero = { readonly [member: string]: Zero | string | bigint | number | boolean | null };

const country: Zero = { GeoNameID: 0n, IsInEuropeanUnion: false, IsoCode: '', Names: null };

const zeroCity: Zero = {
  City: { GeoNameID: 0n, Names: null },
  Continent: { Code: '', GeoNameID: 0n, Names: null },
  Country: country,
  Location: { AccuracyRadius: 0n, Latitude: 0, Longitude: 0, MetroCode: 0n, TimeZone: '' },
  Postal: { Code: '' },
  RegisteredCountry: country,
  RepresentedCountry: { ...country, Type: '' },
  Traits: { IsAnonymousProxy: false, IsSatelliteProvider: false, IsAnycast: false },
};

const zeroAsn: Zero = { AutonomousSystemNumber: 0n, AutonomousSystemOrganization: '' };

export function createGeoLookup(geo: GeoDatabases): GeoLookup {
  return {
    city(ip) {
      const record = geo.cityRecord(ip);
      return record === null ? null : filled(zeroCity, record);
    },
    asn(ip) {
      const record = geo.asnRecord(ip);
      return record === null ? null : filled(zeroAsn, record);
    },
    range: (ip) => geo.asn(ip)?.range ?? null,
    country: (ip) => geo.country(ip) || null,
  };
}

function filled(zero: Zero, record: object): object {
  const values = new Map<string, unknown>(Object.entries(record));
  return Object.fromEntries(
    Object.entries(zero).map(([member, absent]) => [member, valueOf(absent, values.get(keyOf(member)))]),
  );
}

/** `IsoCode` is `iso_code` in the file; MaxMind writes `geoname_id` as one word. */
function keyOf(member: string): string {
  return member === 'GeoNameID' ? 'geoname_id' : member.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase();
}

function valueOf(absent: Zero[string], found: unknown): unknown {
  if (absent === null) return typeof found === 'object' && found !== null ? found : {};
  if (typeof absent === 'object') return filled(absent, typeof found === 'object' && found !== null ? found : {});
  if (typeof absent === 'bigint') return typeof found === 'number' ? BigInt(Math.trunc(found)) : absent;
  return typeof found === typeof absent ? found : absent;
}
