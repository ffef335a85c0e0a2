/**
 * Private peers that send forwarding headers without being trusted proxies: most likely a proxy that is missing in
 * `client.trustedProxies`, and then every visitor has its address. `doctor` tells. Bounded; public peers are only lying.
 */
import { isPrivate } from '../core/ip.ts';
import type { Exchange } from './exchange.ts';

export interface UntrustedForwarders {
  note(exchange: Exchange): void;
  /** Most first. */
  list(): readonly { readonly peer: string; readonly requests: number }[];
}

const mostPeers = 64;

export function createUntrustedForwarders(): UntrustedForwarders {
  const requests = new Map<string, number>();
  return {
    note({ peer, head }) {
      if (peer.trusted || (head.forwardedFor === '' && head.forwarded === '') || !isPrivate(peer.address)) return;
      const before = requests.get(peer.address.text);
      if (before === undefined && requests.size >= mostPeers) return;
      requests.set(peer.address.text, (before ?? 0) + 1);
    },
    list: () =>
      [...requests]
        .map(([peer, count]) => ({ peer, requests: count }))
        .sort((left, right) => right.requests - left.requests),
  };
}
