/** The path of a unix socket: taken over from a dead process, never from a living one, and never open to other users. */
import { lstat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { once } from 'node:events';
import { GatewayError, messageOf } from './errors.ts';

/** `sun_path` of Linux holds 108 bytes, the last of which is zero. */
export const longestSocketPath = 107;

/** Who may connect: the gateway's own user (0600), or its group too (0660). */
export type SocketAccess = 'user' | 'group';

const masks: Readonly<Record<SocketAccess, number>> = { user: 0o177, group: 0o117 };

/**
 * Listens on `path`, which has its mode from the first moment. A socket that nobody answers is removed first.
 * @throws GatewayError ADDRESS_IN_USE when a process answers there, LISTEN_FAILED otherwise.
 */
export async function listenPrivately(server: Server, path: string, access: SocketAccess = 'user'): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > longestSocketPath) {
    throw new GatewayError(
      'LISTEN_FAILED',
      `the socket path ${path} has ${bytes} bytes; the system allows ${longestSocketPath}`,
      {
        remedy: 'Choose a shorter path, or a data folder with one.',
      },
    );
  }
  await removeStale(path);
  // `once` rejects when the server reports an error instead.
  const listening = once(server, 'listening').catch((cause: unknown) => refused(path, cause));
  // Node binds within `listen`, so the mask holds exactly for the moment in which the file is made.
  const mask = process.umask(masks[access]);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await listening;
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new GatewayError('LISTEN_FAILED', `${path} exists and is no socket`, {
      remedy: 'Move that file away, or choose another path.',
    });
  }
  if (await answers(path)) {
    throw new GatewayError('ADDRESS_IN_USE', `another gateway answers on ${path}`, {
      remedy: 'Stop it first, or give this one a data folder of its own.',
    });
  }
  await unlink(path).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') refused(path, cause);
  });
}

/** Whether a process accepts connections there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Anything but "nobody listens" (a missing right, a full backlog) may be a living process.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function refused(path: string, cause: unknown): never {
  const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  throw new GatewayError(inUse ? 'ADDRESS_IN_USE' : 'LISTEN_FAILED', `cannot listen on ${path}: ${messageOf(cause)}`, {
    remedy: inUse
      ? 'Stop the gateway that uses it.'
      : 'The folder must exist and be writable for the user that runs the gateway.',
    cause,
  });
}
