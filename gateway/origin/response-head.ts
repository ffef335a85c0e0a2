/**
 * The head of an HTTP/1.1 response, read strictly: what two programs could read in two ways is refused, because the gateway
 * and the client behind it must agree where the response ends. RFC 9112 §4, §5, §6.
 */
import { headerKind, kindOfHeader } from '../header-kind.ts';

export interface ResponseHead {
  readonly status: number;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  readonly framing: Framing;
  /** The origin will not take another request on this connection. */
  readonly last: boolean;
  /** `Keep-Alive: timeout=`, in milliseconds, or null. */
  readonly keepAliveMs: number | null;
}

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

/** What is wrong with a response; the message is for the log. */
export class InvalidResponse extends Error {}

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const control = /[\x00-\x08\x0a-\x1f\x7f]/;

const none: Framing = { kind: 'none' };

/** Reads a head as latin1 text, its final CRLF included, the empty line not. @throws InvalidResponse */
export function readResponseHead(text: string, method: string): ResponseHead {
  let end = text.indexOf('\r\n');
  const status = statusLine.exec(text.slice(0, end));
  if (status === null) throw new InvalidResponse('the status line is not HTTP/1.x');
  const code = Number(status[2]);
  const fields = new Fields(status[1] === '0');
  for (let start = end + 2; start < text.length; start = end + 2) {
    end = text.indexOf('\r\n', start);
    if (end === -1) throw new InvalidResponse('a header line does not end');
    const colon = text.indexOf(':', start);
    if (colon === -1 || colon > end) throw new InvalidResponse('a header line has no colon');
    fields.add(text.slice(start, colon), trimmed(text, colon + 1, end));
  }
  return {
    status: code,
    headers: fields.headers,
    framing: fields.framing(code, method),
    last: fields.last,
    keepAliveMs: fields.keepAliveMs,
  };
}

/** Without the optional white space around it (RFC 9110 §5.5). */
function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

class Fields {
  readonly headers: string[] = [];
  keepAliveMs: number | null = null;
  #length: string | null = null;
  #chunked = false;
  #close = false;
  /** What HTTP/1.0 lacks unless the origin offers it. */
  #keepAlive: boolean;

  constructor(isHttp10: boolean) {
    this.#keepAlive = !isHttp10;
  }

  get last(): boolean {
    return this.#close || !this.#keepAlive;
  }

  add(name: string, value: string): void {
    if (!token.test(name)) throw new InvalidResponse('a header name is not a token');
    if (control.test(value)) throw new InvalidResponse('a header value has a control character');
    this.headers.push(name, value);
    switch (kindOfHeader(name)) {
      case headerKind.contentLength:
        this.#addLength(value);
        break;
      case headerKind.transferEncoding:
        if (this.#chunked || value.toLowerCase() !== 'chunked')
          throw new InvalidResponse('Transfer-Encoding is not "chunked"');
        this.#chunked = true;
        break;
      case headerKind.connection:
        this.#addConnection(value.toLowerCase());
        break;
      case headerKind.hopByHop:
        this.#addKeepAlive(name, value);
        break;
      default:
        break;
    }
  }

  framing(status: number, method: string): Framing {
    if (this.#chunked && this.#length !== null) throw new InvalidResponse('both Content-Length and Transfer-Encoding');
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return none;
    if (this.#chunked) return { kind: 'chunked' };
    if (this.#length !== null) return { kind: 'length', bytes: Number(this.#length) };
    this.#close = true;
    return { kind: 'until-close' };
  }

  #addLength(value: string): void {
    if (!/^\d{1,15}$/.test(value)) throw new InvalidResponse('Content-Length is not a plain number');
    if (this.#length !== null) throw new InvalidResponse('more than one Content-Length');
    this.#length = value;
  }

  #addConnection(value: string): void {
    for (const part of value.split(',')) {
      const option = part.trim();
      if (option === 'close') this.#close = true;
      else if (option === 'keep-alive') this.#keepAlive = true;
    }
  }

  #addKeepAlive(name: string, value: string): void {
    if (name.toLowerCase() !== 'keep-alive') return;
    const seconds = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(value)?.[1];
    if (seconds !== undefined) this.keepAliveMs = Number(seconds) * 1_000;
  }
}
