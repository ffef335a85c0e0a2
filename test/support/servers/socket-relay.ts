/**
 * Passes connections on, byte for byte: both ends of the way into a network namespace. As a program, inside one:
 * `node socket-relay.ts PORT SOCKET` listens on the loopback and passes on to the Unix socket.
 */
import { connect, createServer, type Socket } from 'node:net';

/** A port of the loopback, or the path of a Unix socket. */
export type RelayEnd = { readonly host: '127.0.0.1'; readonly port: number } | { readonly path: string };

export interface SocketRelay {
  /** Ends the connections too. */
  close(): Promise<void>;
}

/** Resolves once it listens. */
export async function startSocketRelay(listenOn: RelayEnd, passTo: RelayEnd): Promise<SocketRelay> {
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(passTo);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one.pipe(other);
      // The other side learns of an error as an end.
      one.on('error', () => other.destroy());
      one.once('close', () => {
        open.delete(one);
        other.destroySoon();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOn, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

if (import.meta.main) {
  const [port, path = ''] = process.argv.slice(2);
  await startSocketRelay({ host: '127.0.0.1', port: Number(port) }, { path });
  process.stdout.write('listening\n');
}
