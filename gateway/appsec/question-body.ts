/**
 * The body of a question: what arrives within the limit and the deadline, and what becomes of the rest. Bodies come from visitors
 * of other web servers, in pieces of their choosing, so they are copied into one buffer that grows with what is there.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';

export interface QuestionBody {
  readonly bytes: Buffer;
  /** It has ended, and `bytes` is all of it. */
  readonly complete: boolean;
  /** There is more than may be read. */
  readonly isOver: boolean;
}

export interface QuestionBodyLimits {
  readonly bodyBytes: number;
  /** Milliseconds. */
  readonly bodyDeadline: number;
}

/** Memory for the bodies of all questions that wait for their answers. */
export class BodyRoom {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** @throws BodyRoomError when there is none left; nothing is taken then. */
  take(bytes: number): void {
    if (bytes > this.#free) throw new BodyRoomError('too many bodies wait for their judgement');
    this.#free -= bytes;
  }

  free(bytes: number): void {
    this.#free += bytes;
  }
}

export class BodyRoomError extends Error {}

/** The bouncer went away within its question. */
export class QuestionAborted extends Error {}

const firstBytes = 16_384;

/**
 * Resolves when the body has ended, at the limit, or at the deadline. What was taken of `room` is given back by the caller, as
 * many bytes as `bytes.buffer` has. @throws QuestionAborted, BodyRoomError
 */
export function readQuestionBody(
  request: IncomingMessage,
  { bodyBytes, bodyDeadline }: QuestionBodyLimits,
  { clock, room }: { readonly clock: Clock; readonly room: BodyRoom },
): Promise<QuestionBody> {
  let buffer = Buffer.alloc(0);
  let length = 0;
  let isOver = false;
  const makeRoom = (needed: number): void => {
    if (needed <= buffer.length) return;
    const bytes = Math.min(bodyBytes, Math.max(firstBytes, needed, buffer.length * 2));
    room.take(bytes - buffer.length);
    // Not from the pool: what is given back is the size of the buffer.
    const larger = Buffer.allocUnsafeSlow(bytes);
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      deadline.cancel();
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      // Whoever listens again lets it flow.
      request.pause();
    };
    const finish = (complete: boolean): void => {
      stop();
      resolve({ bytes: buffer.subarray(0, length), complete, isOver });
    };
    const fail = (error: Error): void => {
      stop();
      room.free(buffer.length);
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      const taken = Math.min(chunk.length, bodyBytes - length);
      isOver = taken < chunk.length;
      try {
        makeRoom(length + taken);
      } catch (thrown) {
        fail(thrown as BodyRoomError);
        return;
      }
      chunk.copy(buffer, length, 0, taken);
      length += taken;
      if (isOver) finish(false);
    };
    const onEnd = (): void => finish(true);
    const onGone = (): void => fail(new QuestionAborted('the bouncer went away within its question'));
    const deadline = clock.after(bodyDeadline, () => finish(false));
    if (request.destroyed) onGone();
    else request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

/** What is read and thrown away of a question that was answered before its end, so that its connection can be used again. */
const restBytes = 1 << 20;
const restMs = 2_000;

/**
 * Reads the rest of a question and throws it away. A rest that is longer than the limit for bodies, or slow, ends the
 * connection.
 */
export function discardRest(request: IncomingMessage, bodyBytes: number, clock: Clock): void {
  if (request.complete || request.destroyed) {
    request.resume();
    return;
  }
  let left = Math.max(restBytes, bodyBytes);
  const late = clock.after(restMs, () => request.socket.destroy());
  request.on('error', () => {});
  request.once('close', () => late.cancel());
  request.once('end', () => late.cancel());
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
  request.resume();
}
