/**
 * Ends connections on which the client may still be sending. Closing at once would reset the connection and may take the
 * answer with it before the client has read it, so our side is ended first and what still comes is read and thrown away for a
 * moment (nginx: `lingering_close`).
 */
import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';

export const lingerMs = 2_000;
/** Enough for what a client had under way before it could see the answer. */
const lingerBytes = 1 << 20;

/** Makes the end of this connection, which Node brings about once the answer is written, a gentle one. */
export function lingerOnClose(socket: Socket, clock: Clock): void {
  socket.destroySoon = () => {
    socket.end();
    const start = socket.bytesRead;
    const timer = clock.after(lingerMs, () => socket.destroy());
    const watch = clock.every(100, () => {
      if (socket.bytesRead - start > lingerBytes) socket.destroy();
    });
    socket.once('close', () => {
      timer.cancel();
      watch.cancel();
    });
  };
}
