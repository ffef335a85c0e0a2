/**
 * Who a request is from: the peer, unless that is a proxy that the settings trust. Then X-Forwarded-For is read from the right,
 * hop by hop, until an address that is not trusted; else X-Real-IP. Deviation: CrowdSec takes the leftmost entry, which anybody
 * behind the proxy can write, and so become a trusted address.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type IpAddress, type IpRange, parseIp, parseRange } from '../../../core/ip.ts';
import { anyContains } from '../../allowed/protected-sources.ts';

/** Of settings, which have been checked. */
export function rangesOf(texts: readonly string[]): readonly IpRange[] {
  return texts.flatMap((text) => parseRange(text) ?? []);
}

/** More hops than this are nobody's real chain: reading stops there. */
const longestChain = 64;

/** `peer` is the address of the connection. */
export function clientIpOf(
  peer: IpAddress,
  headers: IncomingHttpHeaders,
  trustedProxies: readonly IpRange[],
): IpAddress {
  if (!anyContains(trustedProxies, peer)) return peer;
  const chain = headers['x-forwarded-for'];
  if (chain !== undefined) {
    let nearest = peer;
    const hops = (Array.isArray(chain) ? chain.join(',') : chain).split(',');
    for (const hop of hops.slice(-longestChain).toReversed()) {
      const address = parseHop(hop.trim());
      // What stands further left was written by somebody that we cannot name.
      if (address === null) break;
      nearest = address;
      if (!anyContains(trustedProxies, address)) break;
    }
    return nearest;
  }
  const real = headers['x-real-ip'];
  return (typeof real === 'string' ? parseHop(real.trim()) : null) ?? peer;
}

/** An address as proxies write it: bare, `192.0.2.1:4711`, `[2001:db8::1]` or `[2001:db8::1]:4711`. */
function parseHop(text: string): IpAddress | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::\d{1,5})?$/.exec(text);
  return parseIp(match?.[1] ?? match?.[2] ?? text);
}
