/**
 * Addresses and ranges in one normal form. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address from the
 * moment it is parsed, so that no list can be evaded by the other spelling. IPv6 text is RFC 5952. IPv4 is read strictly:
 * four decimal numbers without leading zeros, since `010.0.0.1` means different hosts to different programs.
 */

/** An address as 32-bit words, most significant first. IPv4 uses `w0` only; the other words are zero. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** The canonical spelling. */
  readonly text: string;
}

/** A network: `address` has every bit after `prefix` cleared. */
export interface IpRange {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** The longest text that can be an address: an IPv6 address with an embedded IPv4 tail. */
const longestAddress = 45;

const dot = 46;
const colon = 58;
const zeros: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

/** The address, or null when `text` is not exactly one (no port, zone, brackets or spaces). */
export function parseIp(text: string): IpAddress | null {
  if (text.length < 2 || text.length > longestAddress) return null;
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/**
 * The network, or null. A bare address is the range of itself (`/32`, `/128`); host bits are cleared. A mapped range
 * (`::ffff:10.0.0.0/104`) becomes its IPv4 form.
 */
export function parseRange(text: string): IpRange | null {
  const slash = text.indexOf('/');
  if (slash === -1) {
    const address = parseIp(text);
    return address && { address, prefix: addressBits(address) };
  }
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return null;
  const written = text.slice(0, slash);
  const address = parseIp(written);
  if (!address) return null;
  const mapped = address.version === 4 && written.includes(':');
  const prefix = Number(digits) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > addressBits(address)) return null;
  return rangeOf(address, prefix);
}

/** The network of `prefix` bits around an address. */
export function rangeOf(address: IpAddress, prefix: number): IpRange {
  if (prefix >= addressBits(address)) return { address, prefix: addressBits(address) };
  const w0 = masked(address.w0, prefix);
  if (address.version === 4) return { address: ipv4(w0), prefix };
  const w1 = masked(address.w1, prefix - 32);
  const w2 = masked(address.w2, prefix - 64);
  const w3 = masked(address.w3, prefix - 96);
  return { address: ipv6(w0, w1, w2, w3), prefix };
}

/** CIDR text: `192.0.2.0/24`, `2001:db8::/64`. */
export function formatRange(range: IpRange): string {
  return `${range.address.text}/${range.prefix}`;
}

export function rangeContains(range: IpRange, address: IpAddress): boolean {
  const network = range.address;
  if (network.version !== address.version) return false;
  const { prefix } = range;
  return (
    masked(address.w0, prefix) === network.w0 &&
    (address.version === 4 ||
      (masked(address.w1, prefix - 32) === network.w1 &&
        masked(address.w2, prefix - 64) === network.w2 &&
        masked(address.w3, prefix - 96) === network.w3))
  );
}

/** The first and the last address of a network. */
export function rangeBounds(range: IpRange): { first: IpAddress; last: IpAddress } {
  const { address, prefix } = range;
  const last =
    address.version === 4
      ? ipv4((address.w0 | hostBits(prefix)) >>> 0)
      : ipv6(
          (address.w0 | hostBits(prefix)) >>> 0,
          (address.w1 | hostBits(prefix - 32)) >>> 0,
          (address.w2 | hostBits(prefix - 64)) >>> 0,
          (address.w3 | hostBits(prefix - 96)) >>> 0,
        );
  return { first: address, last };
}

/** 32 or 128. */
export function addressBits(address: IpAddress): 32 | 128 {
  return address.version === 4 ? 32 : 128;
}

/** Loopback, link-local and private ranges, IPv6 ones included (RFC 1918, 3927, 4193, 4291, 6598). */
export const privateRanges: readonly IpRange[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].flatMap((text) => parseRange(text) ?? []);

export function isPrivate(address: IpAddress): boolean {
  for (const range of privateRanges) if (rangeContains(range, address)) return true;
  return false;
}

/** `word` with only its `bits` leading bits kept, as an unsigned number; `bits` may be out of 0–32. */
export function masked(word: number, bits: number): number {
  if (bits >= 32) return word;
  return bits <= 0 ? 0 : (word & (-1 << (32 - bits))) >>> 0;
}

function hostBits(prefix: number): number {
  if (prefix >= 32) return 0;
  return prefix <= 0 ? 0xffffffff : 0xffffffff >>> prefix;
}

export function ipv4(word: number): IpAddress {
  const text = `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  return { version: 4, w0: word, w1: 0, w2: 0, w3: 0, text };
}

export function ipv6(w0: number, w1: number, w2: number, w3: number): IpAddress {
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff];
  return { version: 6, w0, w1, w2, w3, text: ipv6Text(groups) };
}

/** RFC 5952, section 4: of the longest runs of two zero groups or more, the first is left out. */
function ipv6Text(groups: readonly number[]): string {
  let gap = groups.length;
  let longest = 1;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > longest) {
      gap = start;
      longest = end - start;
    }
    start = end;
  }
  let text = '';
  for (let index = 0; index < groups.length; index++) {
    if (index === gap) {
      text += '::';
      index += longest - 1;
    } else text += `${index === 0 || index === gap + longest ? '' : ':'}${(groups[index] ?? 0).toString(16)}`;
  }
  return text;
}

/** Read by hand because every request does it; a regular expression and four `Number` calls cost ten times as much. */
function parseIpv4(text: string): IpAddress | null {
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === dot) {
      if (octet === -1 || ++dots > 3) return null;
      word = word * 256 + octet;
      octet = -1;
    } else if (code >= 48 && code <= 57) {
      if (octet === 0) return null;
      octet = octet === -1 ? code - 48 : octet * 10 + code - 48;
      if (octet > 255) return null;
    } else return null;
  }
  if (dots !== 3 || octet === -1) return null;
  return { version: 4, w0: word * 256 + octet, w1: 0, w2: 0, w3: 0, text };
}

/** RFC 4291, section 2.2. `::` stands for one group at least. */
function parseIpv6(text: string): IpAddress | null {
  const groups: number[] = [];
  let gap = text.startsWith('::') ? 0 : -1;
  for (let at = gap === 0 ? 2 : 0; at < text.length; ) {
    const end = hexEnd(text, at);
    if (text.charCodeAt(end) === dot) {
      const tail = parseIpv4(text.slice(at));
      if (tail === null) return null;
      groups.push(tail.w0 >>> 16, tail.w0 & 0xffff);
      break;
    }
    if (end === at || end - at > 4) return null;
    groups.push(hexValue(text, at, end));
    if (end === text.length) break;
    if (text.charCodeAt(end) !== colon || end + 1 === text.length || groups.length > 8) return null;
    at = end + 1;
    if (text.charCodeAt(at) !== colon) continue;
    if (gap !== -1) return null;
    gap = groups.length;
    at++;
  }
  const missing = 8 - groups.length;
  if (gap === -1 ? missing !== 0 : missing < 1) return null;
  // Where nothing is left out there is nothing to be put in.
  const full = gap === -1 ? groups : [...groups.slice(0, gap), ...zeros.slice(0, missing), ...groups.slice(gap)];
  const word = (index: number): number => (((full[index] ?? 0) << 16) | (full[index + 1] ?? 0)) >>> 0;
  const [w0, w1, w2, w3] = [word(0), word(2), word(4), word(6)];
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return ipv4(w3);
  return { version: 6, w0, w1, w2, w3, text: ipv6Text(full) };
}

/** Where the hexadecimal digits from `at` on end. */
function hexEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && hexDigit(text.charCodeAt(end)) !== -1) end++;
  return end;
}

function hexValue(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) value = value * 16 + hexDigit(text.charCodeAt(index));
  return value;
}

/** -1 for what is none. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
