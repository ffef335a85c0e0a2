/**
 * Sources that are never decided about on our own: loopback, private and link-local addresses, and the proxies that the
 * settings trust. A ban of one of these bans everybody behind it, or the operator. Decisions made by hand still count.
 */
import { formatRange, privateRanges, rangeContains, type IpAddress, type IpRange } from '../../core/ip.ts';
import { overlaps } from './allowlists.ts';

export interface ProtectedSources {
  /** Why this address or network is not decided about, or null. */
  reasonFor(source: IpRange): string | null;
}

export interface ProtectedSourcesOptions {
  readonly trustedProxies: readonly IpRange[];
  /** False: private addresses may be banned, for a gateway that stands inside. Loopback and proxies stay protected. */
  readonly protectPrivate?: boolean;
}

export function createProtectedSources({
  trustedProxies,
  protectPrivate = true,
}: ProtectedSourcesOptions): ProtectedSources {
  const inner = protectPrivate ? privateRanges : privateRanges.filter((range) => isLoopback(range.address));
  return {
    reasonFor(source) {
      const proxy = trustedProxies.find((range) => overlaps(range, source));
      if (proxy !== undefined) return `trusted proxy ${formatRange(proxy)}`;
      const own = inner.find((range) => overlaps(range, source));
      return own === undefined ? null : `private range ${formatRange(own)}`;
    },
  };
}

function isLoopback(address: IpAddress): boolean {
  return address.version === 4 ? address.w0 >>> 24 === 127 : address.text === '::1';
}

/** Whether any of the ranges holds the address. */
export function anyContains(ranges: readonly IpRange[], address: IpAddress): boolean {
  return ranges.some((range) => rangeContains(range, address));
}
