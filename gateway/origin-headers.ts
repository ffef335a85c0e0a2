/**
 * The headers for the origin: the client's own, without what is for one hop or speaks for us, and ours. X-Forwarded-For names
 * the client alone, as we derived it: whatever stood left of it may be invented, and an origin that reads the leftmost or the
 * rightmost entry finds the same address.
 */
import type { Exchange } from './exchange.ts';
import { withoutNamed } from './request-head.ts';

/** Name and value in turn. `clientHeader` is the operator's own client header, lower case, or null. */
export function originHeaders(exchange: Exchange, clientHeader: string | null): string[] {
  const { head, client, peer } = exchange;
  let headers = head.ordinary;
  if (peer.trusted && head.forwarding.length > 0) headers = headers.concat(head.forwarding);
  else if (clientHeader !== null && !peer.trusted) headers = withoutNamed(headers, new Set([clientHeader]));
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
  if (head.contentLength !== null) headers.push('Content-Length', head.contentLength);
  return headers;
}
