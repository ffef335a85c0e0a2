/**
 * Long answers as streams of pieces. However many are being read, they share one turn of the event loop: half a millisecond of
 * work in all, then whatever else waits comes first. A reader that is slow is waited for, one that left ends the work.
 */
import { OutgoingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers';
import type { Clock } from '../../../core/clock.ts';

/** `next` may be given the piece before, for its bytes to be used again: nobody reads them any more. */
export type Pieces = Iterator<Uint8Array, void, Uint8Array | undefined>;

export interface PieceTurns {
  /** The pieces as one stream; empty ones only give others their turn. */
  stream(pieces: Pieces): Readable;
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
  const turns: Turns = {
    wait(step) {
      waiting.add(step);
      wake();
    },
    leave: (step) => void waiting.delete(step),
  };

  return { stream: (pieces) => new PieceStream(pieces, turns) };
}

interface Turns {
  wait(step: () => void): void;
  leave(step: () => void): void;
}

/**
 * A piece is given back once the answer it was written to holds nothing any more: every byte is with the operating system then.
 * Otherwise it is let go of, so that one buffer serves an answer whose reader keeps up, without work for the garbage collector.
 */
class PieceStream extends Readable {
  readonly #pieces: Pieces;
  readonly #turns: Turns;
  readonly #step = (): void => this.#next();
  /** Null: it cannot be told what becomes of the pieces. */
  #answer: OutgoingMessage | null = null;
  #last: Uint8Array | undefined;

  constructor(pieces: Pieces, turns: Turns) {
    // One piece is read ahead at most.
    super({ highWaterMark: 1 });
    this.#pieces = pieces;
    this.#turns = turns;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { readonly end?: boolean }): T {
    this.#answer = destination instanceof OutgoingMessage && this.#answer === null ? destination : null;
    return super.pipe(destination, options);
  }

  override _read(): void {
    this.#turns.wait(this.#step);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#turns.leave(this.#step);
    this.#pieces.return?.();
    callback(error);
  }

  #next(): void {
    try {
      const { done, value } = this.#pieces.next(this.#isLastSent() ? this.#last : undefined);
      this.#last = undefined;
      if (done === true) this.push(null);
      else if (value.length === 0) this.#turns.wait(this.#step);
      else {
        this.#last = value;
        this.push(value);
      }
    } catch (thrown) {
      this.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  /** What is pushed is in this stream's own buffer first, then in the answer's or its socket's. */
  #isLastSent(): boolean {
    return this.#answer !== null && this.readableLength === 0 && this.#answer.writableLength === 0;
  }
}
