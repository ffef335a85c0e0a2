/**
 * Bytes from an origin → one response: head, body in pieces, end. A state machine that is fed whatever a read brought; it
 * keeps no more than an unfinished head or chunk line. RFC 9112 §6, §7.
 */
import { type Framing, InvalidResponse, readResponseHead, type ResponseHead } from './response-head.ts';

export interface ParserEvents {
  onHead(head: ResponseHead): void;
  /** A view of the bytes that were fed: copy what is kept. */
  onBody(view: Buffer): void;
  onEnd(): void;
}

export interface ParserLimits {
  /** Of a response's head and of the interim responses before it, together. */
  readonly headBytes: number;
}

type State = 'head' | 'length' | 'chunk-line' | 'chunk-data' | 'chunk-end' | 'trailer' | 'until-close' | 'done';

const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
/** A chunk's size and its extensions, which are ignored; all trailers together. */
const longestChunkLine = 256;
const longestTrailers = 8_192;
const nothing = Buffer.alloc(0);

export class ResponseParser {
  readonly #events: ParserEvents;
  readonly #limits: ParserLimits;
  #method = '';
  #state: State = 'done';
  /** What came of a head or line that is not complete. */
  #pending: Buffer = nothing;
  #bytesLeft = 0;
  #headBytesLeft = 0;
  #begun = false;
  #trailerBytes = 0;

  constructor(events: ParserEvents, limits: ParserLimits) {
    this.#events = events;
    this.#limits = limits;
  }

  /** Readies the parser for the answer to a request with this method. */
  expect(method: string): void {
    this.#method = method;
    this.#state = 'head';
    this.#pending = nothing;
    this.#headBytesLeft = this.#limits.headBytes;
    this.#begun = false;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** True once a byte of the answer has arrived. */
  get begun(): boolean {
    return this.#begun;
  }

  /** @throws InvalidResponse, also for bytes beyond the end of the response. */
  feed(bytes: Buffer): void {
    let rest = bytes;
    this.#begun = true;
    while (rest.length > 0) {
      if (this.#state === 'done') throw new InvalidResponse('bytes after the end of the response');
      rest = this.#step(rest);
    }
  }

  /** The origin closed. True when that completes the response. */
  close(): boolean {
    if (this.#state !== 'until-close') return false;
    this.#finish();
    return true;
  }

  #step(bytes: Buffer): Buffer {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'length':
      case 'chunk-data':
        return this.#readCounted(bytes);
      case 'chunk-line':
        return this.#readChunkLine(bytes);
      case 'chunk-end':
        return this.#readChunkEnd(bytes);
      case 'trailer':
        return this.#readTrailer(bytes);
      case 'until-close':
        this.#events.onBody(bytes);
        return nothing;
      case 'done':
        return nothing;
      default: {
        const unknown: never = this.#state;
        return unknown;
      }
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const text = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const end = text.indexOf(headEnd);
    if ((end === -1 ? text.length : end) > this.#headBytesLeft)
      throw new InvalidResponse('the headers are larger than allowed');
    if (end === -1) {
      // Without this, a head with other line ends would be waited for until the time is over.
      if (hasBareLineFeed(text)) throw new InvalidResponse('a line of the head does not end with CRLF');
      this.#pending = Buffer.from(text);
      return nothing;
    }
    this.#pending = nothing;
    this.#headBytesLeft -= end;
    const head = readResponseHead(text.toString('latin1', 0, end + 2), this.#method);
    if (head.status === 101) throw new InvalidResponse('the origin switches protocols unasked');
    if (head.status >= 200) this.#begin(head.framing);
    this.#events.onHead(head);
    if (head.framing.kind === 'none' && head.status >= 200) this.#finish();
    else if (head.framing.kind === 'length' && head.framing.bytes === 0) this.#finish();
    return text.subarray(end + 4);
  }

  #begin(framing: Framing): void {
    switch (framing.kind) {
      case 'none':
        break;
      case 'length':
        this.#state = 'length';
        this.#bytesLeft = framing.bytes;
        break;
      case 'chunked':
        this.#state = 'chunk-line';
        this.#trailerBytes = 0;
        break;
      case 'until-close':
        this.#state = 'until-close';
        break;
    }
  }

  #readCounted(bytes: Buffer): Buffer {
    const taken = bytes.length <= this.#bytesLeft ? bytes : bytes.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= taken.length;
    const complete = this.#bytesLeft === 0;
    const counted = this.#state;
    if (complete && counted === 'chunk-data') this.#state = 'chunk-end';
    this.#events.onBody(taken);
    if (complete && counted === 'length') this.#finish();
    return bytes.subarray(taken.length);
  }

  #readChunkLine(bytes: Buffer): Buffer {
    const line = this.#takeLine(bytes, longestChunkLine);
    if (line === null) return nothing;
    const size = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line.text)?.[1];
    if (size === undefined) throw new InvalidResponse('a chunk size cannot be read');
    this.#bytesLeft = Number.parseInt(size, 16);
    this.#state = this.#bytesLeft === 0 ? 'trailer' : 'chunk-data';
    return line.rest;
  }

  #readChunkEnd(bytes: Buffer): Buffer {
    const line = this.#takeLine(bytes, 0);
    if (line === null) return nothing;
    this.#state = 'chunk-line';
    return line.rest;
  }

  /** Trailers are for one hop here: read, bounded, thrown away. */
  #readTrailer(bytes: Buffer): Buffer {
    const line = this.#takeLine(bytes, longestTrailers);
    if (line === null) return nothing;
    this.#trailerBytes += line.text.length;
    if (this.#trailerBytes > longestTrailers) throw new InvalidResponse('the trailers are larger than allowed');
    if (line.text === '') this.#finish();
    return line.rest;
  }

  /** A line of at most `longest` characters, without its CRLF; null while it is not complete. */
  #takeLine(bytes: Buffer, longest: number): { readonly text: string; readonly rest: Buffer } | null {
    const text = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const end = text.indexOf(lineEnd);
    if (end > longest || (end === -1 && text.length > longest + 1))
      throw new InvalidResponse('a line of the body is too long');
    if (end === -1) {
      this.#pending = Buffer.from(text);
      return null;
    }
    this.#pending = nothing;
    return { text: text.toString('latin1', 0, end), rest: text.subarray(end + 2) };
  }

  #finish(): void {
    this.#state = 'done';
    this.#events.onEnd();
  }
}

function hasBareLineFeed(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] !== 13) return true;
  }
  return false;
}
