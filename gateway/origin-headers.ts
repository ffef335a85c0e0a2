/**
 * The headers for the origin: the client's own, without what is for one hop or speaks for us, and ours. X-Forwarded-For names
 * the client alone, as we derived it: whatever stood left of it may be invented, and an origin that reads the leftmost or the
 * rightmost entry finds the same address.
 */
import type { Exchange } from './exchange.ts';
import { withoutNamed } from './request-head.ts';

/** Name and value in turn, without framing: the origin's client adds that. `clientHeader` is the operator's own client header, lower case, or null. */
export function originHeaders(exchange: Exchange, clientHeader: string | null): string[] {
  const { head, client, peer } = exchange;
  // A copy in every case: a request that is tried again asks for its headers again.
  const headers =
    clientHeader !== null && !peer.trusted
      ? withoutNamed(head.ordinary, new Set([clientHeader]))
      : head.ordinary.concat(peer.trusted ? head.forwarding : []);
  const proto = peer.trusted && head.forwardedProto === 'https' ? 'https' : 'http';
  headers.push(
    'Host',
    head.host,
    'X-Forwarded-For',
    client.address.text,
    'X-Real-IP',
    client.address.text,
    'X-Forwarded-Proto',
    proto,
    'X-Forwarded-Host',
    head.host,
    'X-Request-Id',
    exchange.id,
  );
  return headers;
}
