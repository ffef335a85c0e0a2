/**
 * Whether an address is one of the public internet, for requests whose target somebody else may have chosen.
 * Specification: the IANA registries of special-purpose addresses (RFC 6890), RFC 6052 and 3056 for IPv4 inside IPv6.
 */
import { type IpAddress, type IpRange, ipv4, parseRange, rangeContains } from './ip.ts';

const ranges = (...texts: readonly string[]): readonly IpRange[] => texts.flatMap((text) => parseRange(text) ?? []);

/** Of IPv4: this host, private, shared, loopback, link-local, protocol, documentation, measurement, multicast, reserved. */
const special4 = ranges(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
);

/** All that is handed out of IPv6 lies here. */
const global6 = ranges('2000::/3');
/** Of that: Teredo and protocol assignments, documentation. */
const special6 = ranges('2001::/23', '2001:db8::/32', '3fff::/20');
const translated = ranges('64:ff9b::/96');
const sixToFour = ranges('2002::/16');

export function isPublic(address: IpAddress): boolean {
  if (address.version === 4) return !isIn(special4, address);
  // These lead to the IPv4 address that they hold.
  if (isIn(translated, address)) return isPublic(ipv4(address.w3));
  if (isIn(sixToFour, address)) return isPublic(ipv4(((address.w0 << 16) | (address.w1 >>> 16)) >>> 0));
  return isIn(global6, address) && !isIn(special6, address);
}

function isIn(list: readonly IpRange[], address: IpAddress): boolean {
  return list.some((range) => rangeContains(range, address));
}
