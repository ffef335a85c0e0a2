/** Reads HTTP/1 responses out of raw bytes (RFC 9112 §6), strictly: for tests that must see what was on the wire. */

export interface RawResponse {
  readonly statusLine: string;
  readonly status: number;
  /** Name as sent and value, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** After chunk decoding. */
  readonly body: Buffer;
  /** Names and values after the last chunk. */
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** False while the body's end has not been seen; a body that ends with the connection is complete once it closed. */
  readonly complete: boolean;
}

export interface ReadOptions {
  /** Methods of the requests in order: an answer to HEAD has no body. */
  readonly methods?: readonly string[];
  /** Whether the connection has ended, which ends a body without a length. */
  readonly closed: boolean;
}

interface Body {
  readonly body: Buffer;
  readonly trailers: readonly (readonly [string, string])[];
  readonly complete: boolean;
  /** Offset behind what was read. */
  readonly end: number;
}

/** Every response in `bytes`, interim (1xx) ones included; the last may be incomplete. Throws on bytes that are none. */
export function readResponses(bytes: Buffer, options: ReadOptions): RawResponse[] {
  const responses: RawResponse[] = [];
  let finals = 0;
  let at = 0;
  while (at < bytes.length) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const [statusLine = '', ...lines] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine);
    if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine.slice(0, 200))}`);
    const status = Number(match[1]);
    const headers = lines.map(headerLine);
    const bodiless = status < 200 || status === 204 || status === 304 || options.methods?.[finals] === 'HEAD';
    const read = readBody(bytes, headEnd + 4, headers, bodiless, options.closed);
    responses.push({ statusLine, status, headers, ...read });
    if (status >= 200 || status === 101) finals += 1;
    // What follows 101 is another protocol.
    if (!read.complete || status === 101) break;
    at = read.end;
  }
  return responses;
}

/** The value of the only header of that name, joined by ", " when repeated; null without one. */
export function headerOf(response: RawResponse, name: string): string | null {
  const values = response.headers.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return values.length === 0 ? null : values.join(', ');
}

function headerLine(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error(`not a header line: ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function readBody(
  bytes: Buffer,
  start: number,
  headers: readonly (readonly [string, string])[],
  bodiless: boolean,
  closed: boolean,
): Body {
  if (bodiless) return { body: Buffer.alloc(0), trailers: [], complete: true, end: start };
  const valueOf = (name: string): string | undefined => headers.find(([one]) => one.toLowerCase() === name)?.[1];
  if (valueOf('transfer-encoding')?.toLowerCase() === 'chunked') return readChunks(bytes, start);
  const length = valueOf('content-length');
  if (length === undefined) return { body: bytes.subarray(start), trailers: [], complete: closed, end: bytes.length };
  const end = start + Number(length);
  return { body: bytes.subarray(start, end), trailers: [], complete: bytes.length >= end, end };
}

function readChunks(bytes: Buffer, start: number): Body {
  const parts: Buffer[] = [];
  const incomplete = (): Body => ({ body: Buffer.concat(parts), trailers: [], complete: false, end: bytes.length });
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return incomplete();
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9A-Fa-f]+(?:;.*)?$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line.slice(0, 80))}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) return readTrailers(bytes, at, Buffer.concat(parts));
    parts.push(bytes.subarray(at, at + size));
    if (bytes.length < at + size + 2) return incomplete();
    if (bytes.toString('latin1', at + size, at + size + 2) !== '\r\n')
      throw new Error('a chunk does not end where it says');
    at += size + 2;
  }
}

function readTrailers(bytes: Buffer, start: number, body: Buffer): Body {
  const trailers: (readonly [string, string])[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return { body, trailers, complete: false, end: bytes.length };
    if (lineEnd === at) return { body, trailers, complete: true, end: at + 2 };
    trailers.push(headerLine(bytes.toString('latin1', at, lineEnd)));
    at = lineEnd + 2;
  }
}
