/** Helpers on addresses and places. Texts that are no addresses are simply not in any range. */
import {
  addressBits,
  formatRange,
  type IpAddress,
  type IpRange,
  parseIp,
  parseRange,
  rangeContains,
  rangeOf,
} from '../../../core/ip.ts';
import { valueOf } from '../awaited-value.ts';
import { parseFloat64 } from '../builtins/numbers.ts';
import type { HelperDependencies } from '../dependencies.ts';
import { type HelperTable, unavailable } from '../helper.ts';
import { anyType, boolType, floatType, stringArray, stringType } from '../types.ts';
import { ValueError } from '../values.ts';

/** Ranges are mostly literals or lines of a data file; whatever comes beyond is parsed each time. */
const mostRanges = 4_096;

export function networkHelpers({ geo, resolver }: HelperDependencies): HelperTable {
  const ranges = new Map<string, IpRange | null>();
  const rangeFor = (text: string): IpRange | null => {
    const known = ranges.get(text);
    if (known !== undefined) return known;
    const range = text.includes('/') ? parseRange(text) : null;
    if (ranges.size < mostRanges) ranges.set(text, range);
    return range;
  };
  // Whitelists ask about one address again and again.
  let lastText = '';
  let last: IpAddress | null = null;
  const addressOf = (text: string): IpAddress | null => {
    if (text !== lastText) {
      last = parseIp(text);
      lastText = text;
    }
    return last;
  };
  return {
    IpInRange: {
      parameters: [stringType, stringType],
      returns: boolType,
      pure: true,
      run: (ip: string, cidr: string) => {
        const address = addressOf(ip);
        const range = address === null ? null : rangeFor(cidr);
        return address !== null && range !== null && rangeContains(range, address);
      },
    },
    IpToRange: { parameters: [stringType, stringType], returns: stringType, pure: true, run: ipToRange },
    IsIP: { parameters: [stringType], returns: boolType, pure: true, run: (ip: string) => addressOf(ip) !== null },
    IsIPV4: {
      parameters: [stringType],
      returns: boolType,
      pure: true,
      run: (ip: string) => addressOf(ip)?.version === 4,
    },
    IsIPV6: {
      parameters: [stringType],
      returns: boolType,
      pure: true,
      run: (ip: string) => addressOf(ip)?.version === 6,
    },
    Distance: {
      parameters: [stringType, stringType, stringType, stringType],
      returns: floatType,
      pure: true,
      run: (...coordinates: string[]) => distance(coordinates),
    },
    LookupHost:
      resolver === undefined
        ? unavailable([stringType], 'it needs a resolver')
        : {
            parameters: [stringType],
            returns: stringArray,
            waits: true,
            run: (name: string) => [...valueOf(resolver.addresses(name))],
          },
    ...(geo === undefined
      ? {
          GeoIPEnrich: unavailable([stringType], noGeo),
          GeoIPASNEnrich: unavailable([stringType], noGeo),
          GeoIPRangeEnrich: unavailable([stringType], noGeo),
          IPToCountry: unavailable([stringType], noGeo),
        }
      : {
          GeoIPEnrich: { parameters: [stringType], returns: anyType, run: (ip: string) => geo.city(ip) },
          GeoIPASNEnrich: { parameters: [stringType], returns: anyType, run: (ip: string) => geo.asn(ip) },
          GeoIPRangeEnrich: { parameters: [stringType], returns: anyType, run: (ip: string) => geo.range(ip) },
          IPToCountry: { parameters: [stringType], returns: stringType, run: (ip: string) => geo.country(ip) ?? '' },
        }),
  };
}

const noGeo = 'it needs a MaxMind database';

/** The CIDR text of the network of `mask` bits around an address; "" when either is invalid. The mask may have its slash. */
function ipToRange(ip: string, mask: string): string {
  const address = parseIp(ip);
  const digits = mask.startsWith('/') ? mask.slice(1) : mask;
  if (address === null || !/^\d{1,3}$/.test(digits) || Number(digits) > addressBits(address)) return '';
  return formatRange(rangeOf(address, Number(digits)));
}

const earthRadiusKm = 6_371;

/** Kilometres along the sphere. A place at 0,0 means that nobody knows where it is. */
function distance(coordinates: readonly string[]): number {
  const [lat1 = 0, lon1 = 0, lat2 = 0, lon2 = 0] = coordinates.map((text) => {
    const value = parseFloat64(text);
    if (value === null) throw new ValueError(`Distance wants numbers, got ${JSON.stringify(text)}`);
    return value;
  });
  if ((lat1 === 0 && lon1 === 0) || (lat2 === 0 && lon2 === 0)) return 0;
  const radians = Math.PI / 180;
  const half = (degrees: number): number => Math.sin((degrees * radians) / 2) ** 2;
  const chord = half(lat2 - lat1) + half(lon2 - lon1) * Math.cos(lat1 * radians) * Math.cos(lat2 * radians);
  return 2 * Math.atan2(Math.sqrt(chord), Math.sqrt(1 - chord)) * earthRadiusKm;
}
