/**
 * Ends a response whose request body has not been read. Closing at once would reset the connection and may take the answer
 * with it before the client has read it, so the rest is read and thrown away for a moment first (nginx: `lingering_close`).
 */
import type { Clock } from '../core/clock.ts';
import type { Exchange } from './exchange.ts';

const lingerMs = 2_000;
/** Enough for what a client had under way before it could see the answer. */
const lingerBytes = 1 << 20;

/** The whole answer has been written: the client can read it while we wait. Keeps the connection when the body ends in time. */
export function endAfterBody(exchange: Exchange, clock: Clock): void {
  const { request, response } = exchange;
  let left = lingerBytes;
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    timer.cancel();
    request.off('data', onData);
    request.off('end', end);
    response.off('close', end);
    if (response.destroyed) return;
    response.end();
    if (!request.complete) request.socket.destroySoon();
  };
  const onData = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) end();
  };
  const timer = clock.after(lingerMs, end);
  if (request.complete) return end();
  request.on('data', onData);
  request.once('end', end);
  response.once('close', end);
}
