/** Shows how a client's address would be derived from a peer and sample headers, by asking the resolver of the request path. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { GatewayError } from '../../core/errors.ts';
import { formatRange, type IpAddress, rangeContains } from '../../core/ip.ts';
import { readHead, RequestHead } from '../request-head.ts';
import type { AdminDependencies } from './dependencies.ts';
import type { DoctorCheck } from './models.ts';

const group = 'client address';

/** @throws GatewayError USAGE for a header that is not `Name: value`. */
export function derivationChecks(
  peerAddress: IpAddress | null,
  headerLines: readonly string[],
  { clients }: Pick<AdminDependencies, 'clients'>,
): DoctorCheck[] {
  const head = headOf(headerLines);
  const peer = clients.peerOf(peerAddress?.text ?? '127.0.0.1');
  const client = clients.clientOf(peer, head);
  const trusting = clients.trustedRanges.find((range) => rangeContains(range, peer.address));
  const checks: DoctorCheck[] = [
    {
      group,
      name: 'peer',
      status: 'ok',
      message:
        trusting === undefined
          ? `${peer.address.text} is no trusted proxy`
          : `${peer.address.text} is a trusted proxy (${formatRange(trusting)})`,
      remedy: null,
    },
  ];
  const ignored =
    trusting === undefined && (head.forwardedFor !== '' || head.forwarded !== '' || head.forwarding.length > 0);
  checks.push({
    group,
    name: 'client',
    status: ignored ? 'warn' : 'ok',
    message: ignored
      ? `${client.address.text}, from the connection: the forwarding headers are ignored because the peer is not trusted`
      : `${client.address.text}, from ${client.from === 'peer' ? 'the connection' : `the header ${client.from}`}`,
    remedy: ignored ? `If ${peer.address.text} is your proxy, add it to client.trustedProxies.` : null,
  });
  return checks;
}

function headOf(lines: readonly string[]): RequestHead {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = '/';
  request.httpVersion = '1.1';
  request.rawHeaders = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon > 0 && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return [name, line.slice(colon + 1).trim()];
    throw new GatewayError('USAGE', `"${line}" is not a header`, {
      remedy: "Write it as 'X-Forwarded-For: 203.0.113.9'.",
    });
  });
  const head = new RequestHead('/');
  // Faults are left aside: a sample has no Host, and only the address is asked for.
  readHead(request, head, { headerCount: 100, targetBytes: 8_192, bodyBytes: 0 });
  return head;
}
