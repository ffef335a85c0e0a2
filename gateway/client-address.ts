/**
 * Who is asking, through the proxies that we trust and no others. Forwarding headers count only when the connection's peer
 * is a trusted proxy; X-Forwarded-For and Forwarded are read from the right, hop by hop, until an address that we do not
 * trust: that one is the client, whatever stands further left. Sources: RFC 7239; nginx realip with `recursive on`.
 */
import { type IpAddress, type IpRange, parseIp, parseRange } from '../core/ip.ts';
import type { Subject } from '../remediation/index/decision-index.ts';
import { anyContains } from '../remediation/allowed/protected-sources.ts';
import { type HeaderKind, headerKind, kindOfHeader } from './header-kind.ts';
import type { RequestHead } from './request-head.ts';

export interface ClientAddressOptions {
  /** Ranges, or the names of presets: `loopback`, `private`, `cloudflare`. */
  readonly trustedProxies: readonly string[];
  /** `auto`, `x-forwarded-for`, `forwarded`, `cf-connecting-ip`, or the lower-case name of another header. */
  readonly header: string;
}

/** How the client's address was found: from the connection, or from the header named. */
export type ClientFrom = 'peer' | 'selftest' | (string & {});

/** Where an address is from, when MaxMind files are configured. */
export interface Geography {
  /** Upper-case ISO country, "" when unknown. */
  country(address: string): string;
  /** AS number without `AS`, "" when unknown. */
  asn(address: string): string;
}

/** A class, so that country and AS cost nothing until a decision about one is in force. */
export class Client implements Subject {
  readonly address: IpAddress;
  readonly from: ClientFrom;
  readonly #geography: Geography | null;

  constructor(address: IpAddress, from: ClientFrom, geography: Geography | null) {
    this.address = address;
    this.from = from;
    this.#geography = geography;
  }

  country(): string {
    return this.#geography?.country(this.address.text) ?? '';
  }

  asn(): string {
    return this.#geography?.asn(this.address.text) ?? '';
  }
}

/** What is known of a connection's other end; found once for a connection. */
export interface Peer {
  readonly address: IpAddress;
  readonly trusted: boolean;
  readonly cloudflare: boolean;
  /** The answer for every request that carries no usable header. */
  readonly asClient: Client;
}

/** Cloudflare's published ranges (cloudflare.com/ips), as of January 2026. */
const cloudflare = [
  '173.245.48.0/20',
  '103.21.244.0/22',
  '103.22.200.0/22',
  '103.31.4.0/22',
  '141.101.64.0/18',
  '108.162.192.0/18',
  '190.93.240.0/20',
  '188.114.96.0/20',
  '197.234.240.0/22',
  '198.41.128.0/17',
  '162.158.0.0/15',
  '104.16.0.0/13',
  '104.24.0.0/14',
  '172.64.0.0/13',
  '131.0.72.0/22',
  '2400:cb00::/32',
  '2606:4700::/32',
  '2803:f800::/32',
  '2405:b500::/32',
  '2405:8100::/32',
  '2a06:98c0::/29',
  '2c0f:f248::/32',
];

export const proxyPresets: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
  cloudflare,
};

/** More hops than this in one header are nobody's real chain: reading stops there. */
const longestChain = 64;

export interface ClientResolver {
  readonly trustedRanges: readonly IpRange[];
  peerOf(remoteAddress: string | undefined): Peer;
  clientOf(peer: Peer, head: RequestHead): Client;
  /** A client that is known by other means than the connection. */
  clientAt(address: IpAddress, from: ClientFrom): Client;
}

/** A peer without an address is a unix socket: a proxy on this very machine. */
const unixPeer = '127.0.0.1';

export function createClientResolver(options: ClientAddressOptions, geography: Geography | null): ClientResolver {
  const clientAt = (address: IpAddress, from: ClientFrom): Client => new Client(address, from, geography);
  const trustedRanges = rangesOf(options.trustedProxies);
  const cloudflareRanges = rangesOf(options.trustedProxies.includes('cloudflare') ? cloudflare : []);
  const trusts = (address: IpAddress): boolean => anyContains(trustedRanges, address);
  const unknown = parseIp('0.0.0.0') as IpAddress;

  /** From the right: the first address that is not one of our proxies; the leftmost when all of them are. */
  function fromChain(hops: readonly (IpAddress | null)[], from: ClientFrom): Client | null {
    let nearest: IpAddress | null = null;
    for (let index = hops.length - 1; index >= 0 && hops.length - index <= longestChain; index--) {
      const hop = hops[index];
      if (!hop) break;
      nearest = hop;
      if (!trusts(hop)) break;
    }
    return nearest && clientAt(nearest, from);
  }

  function fromForwardedFor(value: string): Client | null {
    if (!value.includes(',')) {
      const only = parseHop(value);
      return only && clientAt(only, 'x-forwarded-for');
    }
    return fromChain(lastParts(value, ',').map(parseHop), 'x-forwarded-for');
  }

  function fromNamed(head: RequestHead, name: string): Client | null {
    const value = lastNamed(head, name);
    if (value === null) return null;
    return fromChain(lastParts(value, ',').map(parseHop), name);
  }

  function fromHeaders(peer: Peer, head: RequestHead): Client | null {
    switch (options.header) {
      case 'auto':
        return (
          (peer.cloudflare ? fromNamed(head, 'cf-connecting-ip') : null) ??
          (head.forwardedFor === '' ? null : fromForwardedFor(head.forwardedFor)) ??
          (head.forwarded === '' ? null : fromChain(forwardedHops(head.forwarded), 'forwarded'))
        );
      case 'x-forwarded-for':
        return head.forwardedFor === '' ? null : fromForwardedFor(head.forwardedFor);
      case 'forwarded':
        return head.forwarded === '' ? null : fromChain(forwardedHops(head.forwarded), 'forwarded');
      default:
        return fromNamed(head, options.header);
    }
  }

  return {
    trustedRanges,
    clientAt,
    peerOf(remoteAddress) {
      const address = parseIp(withoutZone(remoteAddress ?? unixPeer)) ?? unknown;
      const trusted = trusts(address);
      return {
        address,
        trusted,
        cloudflare: trusted && anyContains(cloudflareRanges, address),
        asClient: clientAt(address, 'peer'),
      };
    },
    clientOf(peer, head) {
      return peer.trusted ? (fromHeaders(peer, head) ?? peer.asClient) : peer.asClient;
    },
  };
}

/** The ranges behind a list of CIDR texts and preset names. Texts have been checked with the settings. */
export function rangesOf(names: readonly string[]): readonly IpRange[] {
  return names.flatMap((name) => proxyPresets[name] ?? [name]).flatMap((text) => parseRange(text) ?? []);
}

function withoutZone(text: string): string {
  const zone = text.indexOf('%');
  return zone === -1 ? text : text.slice(0, zone);
}

/** The last `longestChain` parts of a list, so that a long header costs no more than a short one. */
function lastParts(value: string, separator: string): string[] {
  const parts: string[] = [];
  let end = value.length;
  while (parts.length < longestChain && end >= 0) {
    const start = end === 0 ? -1 : value.lastIndexOf(separator, end - 1);
    parts.push(value.slice(start + 1, end));
    end = start;
  }
  return parts.toReversed();
}

/** One hop as proxies write it: an address, `192.0.2.1:4711`, `[2001:db8::1]` or `[2001:db8::1]:4711`. */
function parseHop(text: string): IpAddress | null {
  const hop = text.trim();
  const plain = parseIp(hop);
  if (plain) return plain;
  if (hop.startsWith('[')) {
    const close = hop.indexOf(']');
    return /^(?::\d{1,5})?$/.test(hop.slice(close + 1)) ? parseIp(hop.slice(1, close)) : null;
  }
  const colon = hop.indexOf(':');
  return colon !== -1 && /^\d{1,5}$/.test(hop.slice(colon + 1)) ? parseIp(hop.slice(0, colon)) : null;
}

/** The `for=` of every element, in order; null for obfuscated and unknown ones (RFC 7239 §4, §6). */
function forwardedHops(value: string): (IpAddress | null)[] {
  return lastParts(value, ',').map((element) => {
    const match = /(?:^|;)\s*for\s*=\s*(?:"([^"\\]{1,64})"|([^;,"\s]{1,64}))/i.exec(element);
    const node = match?.[1] ?? match?.[2];
    return node === undefined ? null : parseHop(node);
  });
}

function listOf(head: RequestHead, kind: HeaderKind): readonly string[] {
  switch (kind) {
    case headerKind.forwarding:
      return head.forwarding;
    case headerKind.ours:
      return head.replaced;
    default:
      return head.ordinary;
  }
}

/** The last value of a header by its lower-case name, looked for where such headers are kept. */
function lastNamed(head: RequestHead, name: string): string | null {
  const list = listOf(head, kindOfHeader(name));
  for (let index = list.length - 2; index >= 0; index -= 2) {
    if ((list[index] as string).toLowerCase() === name) return list[index + 1] as string;
  }
  return null;
}
