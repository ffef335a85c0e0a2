/**
 * MaxMind databases (country, city, ASN) as alerts and enrichers read them: synchronous lookups in memory. Files are read
 * whole at start and again whenever they change, so that a weekly update needs no restart; a file that can no longer be
 * read leaves the last good one in use.
 */
import { readFile, stat } from 'node:fs/promises';
import { type AsnResponse, type CityResponse, Reader } from 'maxmind';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { formatRange, type IpAddress, parseIp, rangeOf } from '../../core/ip.ts';
import type { Runtime } from '../../core/runtime.ts';

export interface GeoPaths {
  /** GeoLite2-Country or GeoIP2-Country. Not needed beside a city database, which holds the same. */
  readonly country?: string;
  readonly city?: string;
  readonly asn?: string;
}

export interface AsnRecord {
  readonly number: number;
  readonly organisation: string;
  /** CIDR text of the network that the database's record covers. */
  readonly range: string;
}

export interface CityRecord {
  /** ISO 3166 code of the country, else of the registered, else of the represented one; "" when none is known. */
  readonly country: string;
  readonly inEuropeanUnion: boolean;
  readonly latitude: number;
  readonly longitude: number;
}

/** Every lookup takes an address as text; what is not an address is simply not found. */
export interface GeoDatabases {
  /** Which databases there are. */
  readonly loaded: { readonly city: boolean; readonly asn: boolean };
  /** The ISO country code, or "" when it is unknown or there is no such database. */
  country(ip: string): string;
  /** Null when the address is not in the database, or there is none. */
  asn(ip: string): AsnRecord | null;
  /** Place and country from the city database, or the country alone from a country database (at 0, 0). */
  city(ip: string): CityRecord | null;
  /** The records as the files have them, for those who want more than the above. */
  cityRecord(ip: string): CityResponse | null;
  asnRecord(ip: string): AsnResponse | null;
  /** Reads files that have changed since they were read. Resolves to the paths that were read anew; never rejects. */
  refresh(): Promise<readonly string[]>;
  close(): void;
}

/** How often the files are looked at. MaxMind publishes twice a week. */
const refreshPeriodMs = 60_000;

/**
 * Opens the databases that `paths` names; none at all is fine, and then every lookup finds nothing.
 * @throws GatewayError GEOIP_UNREADABLE, naming the first file that cannot be read.
 */
export async function openGeoDatabases(paths: GeoPaths, { clock, log }: Runtime): Promise<GeoDatabases> {
  const [country, city, asn] = await Promise.all([
    openDatabase<CityResponse>(paths.country),
    openDatabase<CityResponse>(paths.city),
    openDatabase<AsnResponse>(paths.asn),
  ]);
  const databases = [country, city, asn].filter((database) => database !== null);

  const refresh = async (): Promise<readonly string[]> => {
    const renewed: string[] = [];
    for (const database of databases) {
      try {
        if (await database.refresh()) renewed.push(database.path);
      } catch (cause) {
        log.warn(
          { path: database.path, error: messageOf(cause) },
          'database cannot be read; the last good one is kept',
        );
      }
    }
    return renewed;
  };
  const timer = databases.length === 0 ? null : clock.every(refreshPeriodMs, () => void refresh());

  const placeRecord = (ip: string): CityResponse | null => {
    const address = parseIp(ip);
    return address && (city?.lookUp(address)?.record ?? country?.lookUp(address)?.record ?? null);
  };
  const place = (ip: string): CityRecord | null => {
    const record = placeRecord(ip);
    return record === null ? null : placeOf(record);
  };
  return {
    loaded: { city: city !== null || country !== null, asn: asn !== null },
    country: (ip) => place(ip)?.country ?? '',
    city: place,
    cityRecord: placeRecord,
    asnRecord(ip) {
      const address = parseIp(ip);
      return (address && asn?.lookUp(address)?.record) ?? null;
    },
    asn(ip) {
      const address = parseIp(ip);
      const found = address && asn?.lookUp(address);
      if (!address || !found) return null;
      return {
        number: found.record.autonomous_system_number ?? 0,
        organisation: found.record.autonomous_system_organization ?? '',
        range: formatRange(rangeOf(address, found.prefix)),
      };
    },
    refresh,
    close: () => timer?.cancel(),
  };
}

function placeOf(record: CityResponse): CityRecord {
  const country = record.country ?? record.registered_country ?? record.represented_country;
  return {
    country: country?.iso_code ?? '',
    inEuropeanUnion: country?.is_in_european_union ?? false,
    latitude: record.location?.latitude ?? 0,
    longitude: record.location?.longitude ?? 0,
  };
}

/** One file and the reader of its last good contents. */
class Database<T extends CityResponse | AsnResponse> {
  readonly path: string;
  private reader: Reader<T>;
  private version: string;

  constructor(path: string, reader: Reader<T>, version: string) {
    this.path = path;
    this.reader = reader;
    this.version = version;
  }

  lookUp(address: IpAddress): { record: T; prefix: number } | null {
    // An IPv4 tree is 32 bits deep: walking it with an IPv6 address would find somebody else.
    if (address.version === 6 && this.reader.metadata.ipVersion === 4) return null;
    try {
      const [record, prefix] = this.reader.getWithPrefixLength(address.text);
      return record === null ? null : { record, prefix };
    } catch {
      // A file damaged in its middle opens well and fails here; an alert without a country is better than none.
      return null;
    }
  }

  /** True when the file had changed and was read. Rejects, and keeps what it has, when the file is no database. */
  async refresh(): Promise<boolean> {
    const version = await fileVersion(this.path);
    if (version === this.version) return false;
    this.reader = await readDatabase<T>(this.path);
    this.version = version;
    return true;
  }
}

async function openDatabase<T extends CityResponse | AsnResponse>(
  path: string | undefined,
): Promise<Database<T> | null> {
  if (path === undefined || path === '') return null;
  try {
    const version = await fileVersion(path);
    return new Database<T>(path, await readDatabase<T>(path), version);
  } catch (cause) {
    throw new GatewayError('GEOIP_UNREADABLE', `The MaxMind database ${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Give the path of an uncompressed .mmdb file that Portcullis may read.',
      cause,
    });
  }
}

async function readDatabase<T extends CityResponse | AsnResponse>(path: string): Promise<Reader<T>> {
  return new Reader<T>(await readFile(path));
}

async function fileVersion(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs}:${size}:${ino}`;
}
