/**
 * The client's body on its way to the origin: counted against its limit, watched for its rate. Only the time that we spend
 * waiting for the client counts, so that a slow origin never makes a good client look slow.
 */
import type { Clock } from '../core/clock.ts';
import type { Exchange } from './exchange.ts';

export interface BodyLimits {
  /** The largest body, in bytes, whether it announced its length or not. */
  readonly bodyBytes: number;
  /** Bytes a second, on the average of the whole body, once the grace is over. */
  readonly minBodyRate: number;
  readonly bodyGraceMs: number;
}

const bodyFaults = {
  BODY_TOO_LARGE: { status: 413, reason: 'body larger than allowed' },
  BODY_TOO_SLOW: { status: 408, reason: 'body slower than allowed' },
  BODY_MALFORMED: { status: 400, reason: 'body cannot be read' },
} as const;

export class BodyFault extends Error {
  readonly code: keyof typeof bodyFaults;
  readonly status: 400 | 408 | 413;

  constructor(code: keyof typeof bodyFaults) {
    super(bodyFaults[code].reason);
    this.code = code;
    this.status = bodyFaults[code].status;
  }
}

/** The beginning of a body, while the rest waits. */
export interface HeldBody {
  readonly bytes: Buffer;
  /** It is the whole body. */
  readonly complete: boolean;
}

/** One request's body. Its beginning may be held and looked at; what is held is handed on first. */
export class ClientBody {
  readonly #chunks: AsyncGenerator<Buffer>;
  readonly #held: Buffer[] = [];
  #ended = false;
  #onFault: (fault: Error) => void = () => {};

  constructor(exchange: Exchange, limits: BodyLimits, clock: Clock) {
    this.#chunks = readBody(exchange, limits, clock, (fault) => this.#onFault(fault));
  }

  /**
   * Waits until so many bytes are here, or all of them. Rejects with a `BodyFault`, or with the request's own error when the
   * client breaks off; the body is then of no further use.
   */
  async hold(bytes: number): Promise<HeldBody> {
    const fault = new Promise<never>((_, reject) => {
      this.#onFault = reject;
    });
    let length = 0;
    // One chunk more than was asked for, to know whether there is any.
    while (length <= bytes && !this.#ended) {
      const next = this.#chunks.next();
      // Whoever loses this race is heard of no more; its failure must not count as unhandled.
      next.catch(() => {});
      const { value, done } = await Promise.race([next, fault]);
      if (done === true) this.#ended = true;
      else {
        this.#held.push(value);
        length += value.length;
      }
    }
    const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    return { bytes: all.subarray(0, bytes), complete: this.#ended && all.length <= bytes };
  }

  /**
   * The chunks, those that were held first. A client below its minimum rate is reported to `onTooSlow`, once: it would never
   * deliver the chunk that ends the wait.
   */
  async *chunks(onTooSlow: (fault: BodyFault) => void): AsyncGenerator<Buffer> {
    this.#onFault = (fault) => {
      if (fault instanceof BodyFault) onTooSlow(fault);
    };
    for (let chunk = this.#held.shift(); chunk !== undefined; chunk = this.#held.shift()) yield chunk;
    if (!this.#ended) yield* this.#chunks;
  }

  /** Ends a wait for its beginning. */
  fail(fault: Error): void {
    this.#onFault(fault);
  }

  /** Nothing more of it is wanted. What the client still sends is left to whoever answers. */
  async release(): Promise<void> {
    await this.#chunks.return(undefined);
  }
}

/** The body's chunks. Raises a `BodyFault` when it grows too large, or the request's own error when the client breaks off. */
async function* readBody(
  exchange: Exchange,
  limits: BodyLimits,
  clock: Clock,
  onTooSlow: (fault: BodyFault) => void,
): AsyncGenerator<Buffer> {
  const { request, response, head } = exchange;
  if (head.expect !== '') response.writeContinue();
  let waitedMs = 0;
  let waitingSince: number | null = clock.monotonic();
  const meter = clock.every(1_000, () => {
    if (waitingSince === null) return;
    const waited = waitedMs + clock.monotonic() - waitingSince;
    if (waited <= limits.bodyGraceMs || exchange.bytesReceived >= (waited / 1_000) * limits.minBodyRate) return;
    meter.cancel();
    onTooSlow(new BodyFault('BODY_TOO_SLOW'));
  });
  try {
    // The request must survive the end of this loop: its response still has to be written to the same socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (waitingSince !== null) waitedMs += clock.monotonic() - waitingSince;
      waitingSince = null;
      exchange.bytesReceived += chunk.length;
      if (exchange.bytesReceived > limits.bodyBytes) throw new BodyFault('BODY_TOO_LARGE');
      yield chunk;
      waitingSince = clock.monotonic();
    }
  } finally {
    meter.cancel();
  }
}
