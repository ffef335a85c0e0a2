/**
 * The strict front: reads a request's head once, refuses what is ambiguous, and sorts the headers by what becomes of them.
 * Node's parser has already refused bare CR, bare LF, folded lines and bad tokens; this is stricter where two programs could
 * still read one head differently. Rules: architecture page, "What the listener accepts"; RFC 9112 §3, §5, §6.
 */
import type { IncomingMessage } from 'node:http';
import { headerKind, kindOfHeader, mayNotBeNamedByConnection } from './header-kind.ts';

export interface HeadLimits {
  readonly headerCount: number;
  readonly targetBytes: number;
  readonly bodyBytes: number;
}

/** Why a head is refused: the status to answer with, and the reason that the log and `why` show. */
export interface HeadFault {
  readonly status: 400 | 405 | 413 | 414 | 417 | 431;
  readonly reason: string;
}

const fault = (status: HeadFault['status'], reason: string): HeadFault => ({ status, reason });

/** One object for each request, every field set at once, so that its shape never changes. */
export class RequestHead {
  /** Origin-form target, or `*`. Absolute-form has been reduced to its path. */
  target: string;
  /** The Host header as it came, "" when there is none (HTTP/1.0). */
  host = '';
  hostCount = 0;
  contentLength: string | null = null;
  chunked = false;
  connection = '';
  upgrade = '';
  expect = '';
  forwardedFor = '';
  forwardedProto = '';
  forwarded = '';
  userAgent: string | undefined = undefined;
  referer: string | undefined = undefined;
  selftest = '';
  /** Name and value in turn: what goes to the origin in any case. */
  ordinary: string[] = [];
  /** Name and value in turn: what goes on only when a trusted proxy sent it. */
  forwarding: string[] = [];
  /** Name and value in turn: what the gateway sets anew, kept because a trusted proxy may name the client in one of them. */
  replaced: string[] = [];

  constructor(target: string) {
    this.target = target;
  }

  get hasBody(): boolean {
    return this.chunked || (this.contentLength !== null && this.contentLength !== '0');
  }
}

/** Fills a head from a request and returns what is wrong with it, or null. The head is usable for the log in both cases. */
export function readHead(request: IncomingMessage, head: RequestHead, limits: HeadLimits): HeadFault | null {
  const raw = request.rawHeaders;
  let found: HeadFault | null = null;
  if (raw.length > limits.headerCount * 2) found = fault(431, 'more header lines than allowed');
  else found = sortHeaders(raw, head);
  found ??= checkFraming(request, head, limits) ?? checkTarget(request, head, limits) ?? checkConnection(head);
  return found;
}

/** Control characters that Node's parser lets through in values; HTAB is allowed (RFC 9110 §5.5). */
const controlInValue = /[\x00-\x08\x0a-\x1f\x7f]/;

function sortHeaders(raw: readonly string[], head: RequestHead): HeadFault | null {
  let lengths = 0;
  let codings = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    if (controlInValue.test(value)) return fault(400, 'control character in a header value');
    switch (kindOfHeader(name)) {
      case headerKind.ordinary:
        head.ordinary.push(name, value);
        break;
      case headerKind.userAgent:
        head.userAgent ??= value;
        head.ordinary.push(name, value);
        break;
      case headerKind.referer:
        head.referer ??= value;
        head.ordinary.push(name, value);
        break;
      case headerKind.host:
        head.hostCount++;
        head.host = value;
        break;
      case headerKind.contentLength:
        lengths++;
        head.contentLength = value;
        break;
      case headerKind.transferEncoding:
        codings++;
        if (value !== 'chunked') return fault(400, 'Transfer-Encoding is not exactly "chunked"');
        head.chunked = true;
        break;
      case headerKind.connection:
        head.connection = head.connection === '' ? value : `${head.connection},${value}`;
        break;
      case headerKind.upgrade:
        head.upgrade = head.upgrade === '' ? value : `${head.upgrade},${value}`;
        break;
      case headerKind.expect:
        head.expect = head.expect === '' ? value : `${head.expect},${value}`;
        break;
      case headerKind.forwardedFor:
        head.forwardedFor = head.forwardedFor === '' ? value : `${head.forwardedFor},${value}`;
        break;
      case headerKind.forwardedProto:
        head.forwardedProto = value;
        break;
      case headerKind.forwarded:
        head.forwarded = head.forwarded === '' ? value : `${head.forwarded},${value}`;
        break;
      case headerKind.forwarding:
        head.forwarding.push(name, value);
        break;
      case headerKind.selftest:
        head.selftest = value;
        break;
      case headerKind.ours:
        head.replaced.push(name, value);
        break;
      case headerKind.hopByHop:
        break;
    }
  }
  if (lengths > 1) return fault(400, 'more than one Content-Length');
  return codings > 1 ? fault(400, 'more than one Transfer-Encoding') : null;
}

function checkFraming(request: IncomingMessage, head: RequestHead, limits: HeadLimits): HeadFault | null {
  if (request.httpVersionMajor !== 1) return fault(400, 'neither HTTP/1.0 nor HTTP/1.1');
  if (head.chunked) {
    if (head.contentLength !== null) return fault(400, 'both Content-Length and Transfer-Encoding');
    if (request.httpVersionMinor === 0) return fault(400, 'Transfer-Encoding on HTTP/1.0');
  } else if (head.contentLength !== null) {
    if (!/^\d{1,15}$/.test(head.contentLength)) return fault(400, 'Content-Length is not a plain number');
    if (Number(head.contentLength) > limits.bodyBytes) return fault(413, 'body larger than allowed');
    // Leading zeros are an octal number to some readers.
    head.contentLength = String(Number(head.contentLength));
  }
  if (head.hostCount > 1) return fault(400, 'more than one Host');
  if (head.host === '' && request.httpVersionMinor === 1) return fault(400, 'no Host');
  if (head.hostCount === 1 && !isHost(head.host)) return fault(400, 'Host is not a host name');
  if (head.expect !== '' && head.expect.toLowerCase() !== '100-continue') return fault(417, 'unknown expectation');
  return null;
}

/**
 * `name`, `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`. Nothing is percent-encoded: servers differ in whether they decode
 * it. HTTP/1.0 may leave it empty.
 */
const hostShape = /^(?:[A-Za-z0-9._~!$&'()*+;=-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{0,5})?$/;

function isHost(host: string): boolean {
  return host === '' || hostShape.test(host);
}

function checkTarget(request: IncomingMessage, head: RequestHead, limits: HeadLimits): HeadFault | null {
  if (request.method === 'CONNECT') return fault(405, 'CONNECT is not for a reverse proxy');
  const { target } = head;
  if (target.length > limits.targetBytes) return fault(414, 'target longer than allowed');
  if (target.charCodeAt(0) !== 47) {
    if (target === '*') return request.method === 'OPTIONS' ? null : fault(400, '"*" is for OPTIONS only');
    const reduced = reduceAbsoluteForm(target, head.host);
    if (reduced === null) return fault(400, 'target is not a path, or names another host than Host');
    head.target = reduced;
  }
  return target.includes('#') ? fault(400, 'fragment in the target') : null;
}

/** `http://host/path` becomes `/path` when its authority equals Host; anything else is refused (RFC 9112 §3.2.2). */
function reduceAbsoluteForm(target: string, host: string): string | null {
  const match = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  const authority = match?.[1];
  if (authority === undefined || host === '' || authority.toLowerCase() !== host.toLowerCase()) return null;
  const rest = match?.[2] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function checkConnection(head: RequestHead): HeadFault | null {
  const { connection } = head;
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return null;
  const named = new Set<string>();
  for (const token of connection.split(',')) {
    const name = token.trim().toLowerCase();
    if (name === '' || name === 'keep-alive' || name === 'close' || name === 'upgrade') continue;
    if (mayNotBeNamedByConnection(name)) return fault(400, 'Connection names a header that must reach the origin');
    named.add(name);
  }
  if (named.size > 0) head.ordinary = withoutNamed(head.ordinary, named);
  return null;
}

/** A header list (name and value in turn) without the names that a Connection header listed. */
export function withoutNamed(headers: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!named.has(name.toLowerCase())) kept.push(name, headers[index + 1] as string);
  }
  return kept;
}
