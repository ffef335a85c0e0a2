/**
 * Response bodies as the client will see them: Content-Encoding undone, up to a bound. A body that unpacks to more than the
 * bound gives its beginning and stops there, however large the rest would be; what is damaged gives what came before.
 * Specification: RFC 9110 §8.4, RFC 1950–1952, RFC 7932, RFC 8878.
 */
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import type { Transform } from 'node:stream';
import { messageOf } from '../../../core/errors.ts';

export interface DecodedContent {
  /** At most `limit` bytes. */
  readonly body: Buffer;
  /** False: there is more, or it could not be read. An encoded body whose own end is missing counts as complete. */
  readonly complete: boolean;
  /** Why it could not be read; "" when all was well, also when the body was cut at the limit. */
  readonly error: string;
}

/** Nobody encodes twice but to hide something; four times is beyond any server. */
const mostEncodings = 4;

/** Unpacked at a time: what is more than the bound is thrown away in pieces of this size. */
const chunkBytes = 64 * 1_024;

/** Packed bytes given to a decoder at a time: of a damaged body, what the pieces before the damage hold is kept. */
const pieceBytes = 8 * 1_024;

/**
 * Undoes `contentEncoding` ("gzip", "br", "gzip, zstd"…) of `body`, of which the end may be missing. An encoding that is not
 * known gives the bytes as they are, and an error.
 */
export async function decodeContent(body: Buffer, contentEncoding: string, limit: number): Promise<DecodedContent> {
  const names = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > mostEncodings) return unread(body, limit, `more than ${mostEncodings} content encodings`);
  let decoded: DecodedContent = { body, complete: true, error: '' };
  // The last one named was applied last.
  for (const name of names.toReversed()) {
    if (decoded.body.length === 0) break;
    const decoder = createDecoder(name, decoded.body);
    if (decoder === null) return unread(body, limit, `the content encoding ${name.slice(0, 40)} is not known`);
    const { complete } = decoded;
    decoded = await unpack(decoder, decoded.body, limit);
    if (!complete) decoded = { ...decoded, complete: false };
    if (decoded.error !== '') break;
  }
  return decoded.body.length > limit ? { ...decoded, body: decoded.body.subarray(0, limit), complete: false } : decoded;
}

function unread(body: Buffer, limit: number, error: string): DecodedContent {
  return { body: body.subarray(0, limit), complete: false, error };
}

function createDecoder(name: string, body: Buffer): Transform | null {
  // Flushing instead of finishing at the end: a body that was cut gives what is there, and no error.
  const deflate = { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: chunkBytes };
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(deflate);
    case 'deflate':
      // Servers mean either of two formats by it, and clients take both.
      return hasZlibHeader(body) ? createInflate(deflate) : createInflateRaw(deflate);
    case 'br':
      return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH, chunkSize: chunkBytes });
    case 'zstd':
      return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush, chunkSize: chunkBytes });
    default:
      return null;
  }
}

/** RFC 1950 §2.2: method 8, and a check value. */
function hasZlibHeader(body: Buffer): boolean {
  const first = body[0] ?? 0;
  return (first & 0x0f) === 8 && ((first << 8) | (body[1] ?? 0)) % 31 === 0;
}

async function unpack(decoder: Transform, body: Buffer, limit: number): Promise<DecodedContent> {
  const chunks: Buffer[] = [];
  let length = 0;
  let error = '';
  for (let at = 0; at < body.length; at += pieceBytes) decoder.write(body.subarray(at, at + pieceBytes));
  decoder.end();
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      // Leaving the loop destroys the decoder.
      if (length > limit) break;
    }
  } catch (cause) {
    error = `the response body cannot be decoded: ${messageOf(cause)}`;
  }
  const all = Buffer.concat(chunks, length);
  return { body: all.subarray(0, limit), complete: error === '' && length <= limit, error };
}
