/**
 * The body of a request: unpacked where the client has packed it (Go's clients pack what is over 5 KiB), and bounded, because a few
 * bytes of gzip can be gigabytes. A client that stops in the middle is cut off. All bodies share one room in memory, and with each
 * goes what its JSON becomes.
 */
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../../../core/clock.ts';
import { LapiError } from '../lapi-context.ts';

/** Memory for the bodies of all requests that are being worked on. */
export class BodyRoom {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** @throws LapiError 503 when there is none left; nothing is taken then. */
  take(bytes: number): void {
    if (bytes > this.#free) throw new LapiError(503, 'too many large requests at once; try again later');
    this.#free -= bytes;
  }

  free(bytes: number): void {
    this.#free += bytes;
  }

  get freeBytes(): number {
    return this.#free;
  }
}

export interface BodyLimits {
  /** Of the body, unpacked. */
  readonly bodyBytes: number;
  /** Milliseconds in which something must come. */
  readonly bodyPause: number;
}

export interface ReadBody {
  readonly bytes: Buffer;
  /** What to give back to the room when the request is over. */
  readonly taken: number;
}

/** Less than this in `bodyPause` is next to nothing. */
const leastBytes = 1_024;
/** What a value costs in memory besides its text, about. */
const bytesPerValue = 48;
/** As deep as Go's decoder follows. */
const deepestNesting = 10_000;

const tooLarge = (): LapiError => new LapiError(400, 'http: request body too large');

/** False: the stream of the body has ended already, and tells nothing. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
}

/** @throws LapiError */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  { clock, room }: { readonly clock: Clock; readonly room: BodyRoom },
): Promise<ReadBody> {
  if (!hasBody(request)) return { bytes: Buffer.alloc(0), taken: 0 };
  const isPacked = request.headers['content-encoding']?.trim().toLowerCase() === 'gzip';
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) throw tooLarge();
  let taken = 0;
  const take = (bytes: number): void => {
    room.take(bytes);
    taken += bytes;
  };
  try {
    const bytes = await collect(request, isPacked, limits, clock, take);
    take(valuesIn(bytes) * bytesPerValue);
    return { bytes, taken };
  } catch (thrown) {
    room.free(taken);
    throw thrown;
  }
}

function collect(
  request: IncomingMessage,
  isPacked: boolean,
  { bodyBytes, bodyPause }: BodyLimits,
  clock: Clock,
  take: (bytes: number) => void,
): Promise<Buffer> {
  const gunzip = isPacked ? createGunzip({ chunkSize: 65_536 }) : null;
  const source = gunzip ?? request;
  const chunks: Buffer[] = [];
  let length = 0;
  let arrived = 0;
  let arrivedBefore = 0;
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      watch.cancel();
      request.off('data', onArrival).off('end', onEnd).off('error', onGone).off('close', onGone);
      if (gunzip !== null) {
        request.unpipe(gunzip);
        gunzip.off('data', onData).off('end', onEnd).off('error', onDamage);
        // A fault that it still reports is nobody's any more.
        gunzip.on('error', () => {}).destroy();
      } else request.off('data', onData);
      settle();
    };
    const fail = (error: Error): void => finish(() => reject(error));
    const onArrival = (chunk: Buffer): void => {
      arrived += chunk.length;
      if (arrived > bodyBytes) fail(tooLarge());
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > bodyBytes) return fail(tooLarge());
      try {
        take(chunk.length);
      } catch (thrown) {
        return fail(thrown as LapiError);
      }
      chunks.push(chunk);
    };
    const onEnd = (): void =>
      finish(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const onDamage = (error: NodeJS.ErrnoException): void => fail(new LapiError(400, gzipMessage(error)));
    const onGone = (): void => {
      // A request that is complete closes, too, and may still be unpacked then.
      if (!request.complete) fail(new LapiError(400, 'unexpected EOF'));
    };
    const watch = clock.every(bodyPause, () => {
      if (!request.complete && arrived - arrivedBefore < leastBytes)
        fail(new LapiError(408, 'the request body comes too slowly'));
      arrivedBefore = arrived;
    });
    if (request.destroyed) return fail(new LapiError(400, 'unexpected EOF'));
    request.on('data', onArrival).on('error', onGone).on('close', onGone);
    source.on('data', onData).on('end', onEnd);
    if (gunzip !== null) request.pipe(gunzip.on('error', onDamage));
  });
}

function gzipMessage({ code }: NodeJS.ErrnoException): string {
  return code === 'Z_BUF_ERROR' ? 'unexpected EOF' : 'gzip: invalid header';
}

const quote = 0x22;
const backslash = 0x5c;

/** How many values a JSON text has, about. Raises what Go's decoder says of a text that is nested too deeply. */
export function valuesIn(text: Uint8Array): number {
  let values = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case quote:
        at = endOfString(text, at + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        values++;
        depth++;
        if (depth > deepestNesting) {
          throw new LapiError(400, `invalid character '${String.fromCharCode(text[at] ?? 0)}' exceeded max depth`);
        }
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        values++;
        break;
      default:
    }
  }
  return values;
}

/** Where the quote stands that ends the string. */
function endOfString(text: Uint8Array, start: number): number {
  let at = text.indexOf(quote, start);
  while (at !== -1) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === backslash) backslashes++;
    if (backslashes % 2 === 0) return at;
    at = text.indexOf(quote, at + 1);
  }
  return text.length;
}
