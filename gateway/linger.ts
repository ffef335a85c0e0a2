/**
 * Ends connections on which the client may still be sending. Closing at once would reset the connection and may take the
 * answer with it before the client has read it, so our side is ended first and what still comes is read and thrown away for a
 * moment (nginx: `lingering_close`).
 */
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Exchange } from './exchange.ts';

const lingerMs = 2_000;
/** Enough for what a client had under way before it could see the answer. */
const lingerBytes = 1 << 20;

/** The last bytes of an answer whose request body has not been read. The connection is kept when the rest comes at once. */
export function endWithUnreadBody(exchange: Exchange, last: Buffer | null, clock: Clock): void {
  const { request, response } = exchange;
  const { socket } = request;
  if (exchange.closes) lingerOnClose(socket, clock);
  else {
    const timer = clock.after(lingerMs, () => {
      if (!request.complete) socket.destroy();
    });
    socket.once('close', () => timer.cancel());
    request.once('end', () => timer.cancel());
  }
  if (last === null) response.end();
  else response.end(last);
  request.resume();
}

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
