/**
 * The open connections: who is at the other end, found once, and whether a client reads what we send. A client that lets a
 * response stand is cut when it stays below the minimum rate, so that slow readers cannot hold buffers for ever.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { ClientResolver, Peer } from './client-address.ts';
import type { Counters } from './counters.ts';
import type { Exchange } from './exchange.ts';

export interface Connection {
  readonly socket: Socket;
  readonly peer: Peer;
  /** Requests begun, ever. */
  requests: number;
  /** Exchanges begun and not yet closed. */
  open: number;
  /** Close once the open exchanges are answered: the bytes after them were no request. */
  broken: boolean;
  /** The newest exchange, while it is open, its body is not read to the end, or its answer ends the connection. */
  newest: Exchange | null;
  /** The one that is with the origin. */
  passed: Exchange | null;
  /** Judged, and to be passed on once those before them are answered. */
  readonly waiting: Exchange[];
  /** Bytes that had left for the client when progress was last seen, and when that was (monotonic milliseconds). */
  flushedBytes: number;
  progressAt: number;
}

export interface Connections {
  readonly size: number;
  add(socket: Socket): Connection;
  of(socket: Socket): Connection;
  /** Those without a request under way. */
  destroyUnused(): void;
  destroyAll(): void;
  close(): void;
}

const sweepMs = 1_000;

export function createConnections(
  options: { readonly minResponseRate: number; readonly bodyGraceMs: number },
  deps: { readonly clock: Clock; readonly clients: ClientResolver; readonly counters: Counters },
): Connections {
  const { clock, clients, counters } = deps;
  const bySocket = new Map<Socket, Connection>();

  const sweep = clock.every(sweepMs, () => {
    const now = clock.monotonic();
    for (const connection of bySocket.values()) {
      if (!isStalled(connection, now, options)) continue;
      counters.slowClients++;
      connection.socket.destroy();
    }
  });

  function add(socket: Socket): Connection {
    const connection: Connection = {
      socket,
      peer: clients.peerOf(socket.remoteAddress),
      requests: 0,
      open: 0,
      broken: false,
      newest: null,
      passed: null,
      waiting: [],
      flushedBytes: 0,
      progressAt: clock.monotonic(),
    };
    bySocket.set(socket, connection);
    counters.connections = bySocket.size;
    socket.once('close', () => {
      bySocket.delete(socket);
      counters.connections = bySocket.size;
    });
    return connection;
  }

  return {
    get size() {
      return bySocket.size;
    },
    add,
    of: (socket) => bySocket.get(socket) ?? add(socket),
    destroyUnused() {
      for (const { socket, open } of bySocket.values()) {
        if (open === 0) socket.destroy();
      }
    },
    destroyAll() {
      for (const { socket } of bySocket.values()) socket.destroy();
    },
    close: () => sweep.cancel(),
  };
}

/** Nothing has left for the client in the time that its waiting bytes may take at the minimum rate. */
function isStalled(
  connection: Connection,
  now: number,
  { minResponseRate, bodyGraceMs }: { readonly minResponseRate: number; readonly bodyGraceMs: number },
): boolean {
  const { socket } = connection;
  const waiting = socket.writableLength;
  const flushed = socket.bytesWritten - waiting;
  if (waiting === 0 || flushed !== connection.flushedBytes) {
    connection.flushedBytes = flushed;
    connection.progressAt = now;
    return false;
  }
  return now - connection.progressAt > bodyGraceMs + (waiting / minResponseRate) * 1_000;
}
