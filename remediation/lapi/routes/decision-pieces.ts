/**
 * Long answers as streams of pieces. However many are being read, they share one turn of the event loop: half a millisecond of
 * work in all, then whatever else waits comes first. A reader that is slow is waited for, one that left ends the work.
 */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers';
import type { Clock } from '../../../core/clock.ts';

export interface PieceTurns {
  /** The pieces as one stream; empty ones only give others their turn. */
  stream(pieces: Iterator<Uint8Array, void>): Readable;
}

const turnMs = 0.5;

export function createPieceTurns(clock: Pick<Clock, 'monotonic'>): PieceTurns {
  const waiting = new Set<() => void>();
  let isDue = false;

  const turn = (): void => {
    isDue = false;
    const start = clock.monotonic();
    // Who waits again meanwhile has its next turn after the others.
    for (const step of Array.from(waiting)) {
      if (waiting.delete(step)) step();
      if (clock.monotonic() - start >= turnMs) break;
    }
    if (waiting.size > 0) wake();
  };
  const wake = (): void => {
    if (!isDue) setImmediate(turn);
    isDue = true;
  };
  const wait = (step: () => void): void => {
    waiting.add(step);
    wake();
  };

  return {
    stream(pieces) {
      const step = (): void => {
        try {
          const { done, value } = pieces.next();
          if (done === true) readable.push(null);
          else if (value.length === 0) wait(step);
          else readable.push(value);
        } catch (thrown) {
          readable.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      };
      const readable = new Readable({
        read: () => wait(step),
        destroy(error, callback) {
          waiting.delete(step);
          pieces.return?.();
          callback(error);
        },
      });
      return readable;
    },
  };
}
