/**
 * An origin that keeps the very bytes of each connection, before any parser has had a say, and answers with scripted
 * bytes: what a proxy sends is judged here, and answers that no HTTP library would write are made here.
 */
import { createServer, type Socket } from 'node:net';
import type { Teardown } from './process.ts';

export interface RawConnection {
  readonly socket: Socket;
  /** Everything received so far, latin1. */
  readonly text: () => string;
  /** Whether the other side has ended its side. */
  readonly ended: () => boolean;
}

export interface RawOrigin {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly connections: readonly RawConnection[];
}

/** Calls `onData` whenever bytes arrive on a connection; it writes what it likes to `connection.socket`. */
export async function startRawOrigin(t: Teardown, onData: (connection: RawConnection) => void): Promise<RawOrigin> {
  const connections: RawConnection[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let received = '';
    let ended = false;
    const connection = { socket, text: () => received, ended: () => ended };
    connections.push(connection);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.once('end', () => {
      ended = true;
      socket.end();
    });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      onData(connection);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the origin has no port');
  return { port: address.port, origin: `http://127.0.0.1:${address.port}`, connections };
}
