/** Ends an answer whose request body the client may still be sending: see `core/linger-on-close.ts`. */
import type { Clock } from '../core/clock.ts';
import { lingerMs, lingerOnClose } from '../core/linger-on-close.ts';
import type { Exchange } from './exchange.ts';

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
