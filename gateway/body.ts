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

/**
 * The body's chunks. Raises a `BodyFault` when it grows too large, or the request's own error when the client breaks off.
 * A client below its minimum rate is reported to `onTooSlow`, once: it would never deliver the chunk that ends the wait.
 */
export async function* readBody(
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
