/** Opens a listener for others than the gateway's visitors, and says in plain words why one cannot be opened. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { GatewayError, messageOf } from './errors.ts';
import type { ListenAddress } from './options.ts';
import { listenPrivately, type SocketAccess } from './unix-socket.ts';

export interface ListeningOptions {
  /** The key of the settings, for the remedy. */
  readonly setting: string;
  readonly socketAccess: SocketAccess;
}

/** Resolves with the port, 0 for a unix socket. @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED */
export async function listening(server: Server, listen: ListenAddress, options: ListeningOptions): Promise<number> {
  if ('socketPath' in listen) {
    await listenPrivately(server, listen.socketPath, options.socketAccess);
    return 0;
  }
  server.listen(listen.host === null ? { port: listen.port } : { port: listen.port, host: listen.host });
  // `once` rejects when the server reports an error instead.
  await once(server, 'listening').catch((cause: unknown) => refused(listen, options, cause));
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function refused(
  { host, port }: Extract<ListenAddress, { readonly port: number }>,
  { setting }: ListeningOptions,
  cause: unknown,
): never {
  const name = `${host?.includes(':') ? `[${host}]` : (host ?? '')}:${port}`;
  const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const message = inUse
    ? `${name} is already in use by another program`
    : `cannot listen on ${name}: ${messageOf(cause)}`;
  throw new GatewayError(inUse ? 'ADDRESS_IN_USE' : 'LISTEN_FAILED', message, {
    remedy: `Stop that program, set \`${setting}\` to another address, or to \`off\`.`,
    cause,
  });
}
