/**
 * The other end of each connection, noted when it opens: a socket whose peer has hung up no longer tells its address, and one
 * without an address must not pass for a unix socket, whose peers are trusted.
 */
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type IpAddress, parseIp } from '../../../core/ip.ts';

/** A certificate that the TLS library has verified, but for its being revoked. */
export interface ClientCertificate {
  readonly commonName: string;
  readonly organizationalUnits: readonly string[];
  /** Epoch milliseconds. */
  readonly validTo: number;
  readonly verifiedAt: number;
  /** It is in a list of revoked ones: it is told so, and lets nobody in. */
  readonly isRevoked: boolean;
  /** Of the authorities and lists that it was verified against. */
  readonly generation: number;
}

export interface Peer {
  readonly address: IpAddress;
  readonly isUnix: boolean;
  readonly certificate: ClientCertificate | null;
}

const unix: Peer = { address: parseIp('127.0.0.1') as IpAddress, isUnix: true, certificate: null };
const unknown: Peer = { address: parseIp('0.0.0.0') as IpAddress, isUnix: false, certificate: null };

export class Peers {
  readonly #peers = new WeakMap<Socket, Peer>();

  /** Notes who connects to this server from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#peers.set(socket, typeof server.address() === 'string' ? unix : tcpPeer(socket));
    });
  }

  /** Notes the certificate of a TLS connection. */
  verified(socket: TLSSocket, certificate: ClientCertificate | null): void {
    this.#peers.set(socket, { ...tcpPeer(socket), certificate });
  }

  of(socket: Socket): Peer {
    return this.#peers.get(socket) ?? unknown;
  }
}

function tcpPeer(socket: Socket): Peer {
  const text = (socket.remoteAddress ?? '').replace(/%.*$/, '');
  const address = parseIp(text);
  return address === null ? unknown : { address, isUnix: false, certificate: null };
}
