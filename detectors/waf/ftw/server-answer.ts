/**
 * What the server in front of the rules answers on its own. The suites are written for such a server: some of their tests
 * expect its 400 and no rule at all. The strict front of the gateway refuses all of this too; it refuses more, which would hide
 * from the rules what other tests want them to see (two framings, CONNECT, unknown versions). Words: RFC 9112 §3, §5, §6.
 */
import { headerValues, type RawRequest } from './parse-raw-request.ts';

export interface ServerAnswer {
  /** Null: an answer that no client of HTTP/1 can read, or none. */
  readonly status: number | null;
  readonly reason: string;
}

/** Null: the request reaches the rules. */
export function serverAnswer(request: RawRequest): ServerAnswer | null {
  // A request of HTTP/0.9 gets a body without a head (RFC 1945 §4.1).
  if (request.protocol === '' && request.method !== '' && request.target !== '') {
    return { status: null, reason: 'HTTP/0.9 has no status line' };
  }
  const reason = lineFault(request) ?? targetFault(request) ?? headerFault(request);
  return reason === null ? null : { status: 400, reason };
}

/** A token of RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function lineFault({ method, protocol, oddities }: RawRequest): string | null {
  if (oddities.has('blank before the method')) return 'blank before the method';
  if (oddities.has('head without an end')) return 'head without an end';
  if (!token.test(method)) return 'method is no token';
  const major = /^HTTP\/(\d)\.\d$/.exec(protocol)?.[1];
  if (major === undefined) return 'protocol is not HTTP/ and a version';
  return major === '0' ? 'HTTP/0.9 by name' : null;
}

function targetFault({ method, target, oddities }: RawRequest): string | null {
  if (oddities.has('blank in the target') || /[\x00-\x20\x7f]/.test(target)) return 'blank or control in the target';
  if (method === 'CONNECT') return /^[^/?#@]+:\d{1,5}$/.test(target) ? null : 'CONNECT without a port';
  if (target.includes('#')) return 'fragment in the target';
  if (target === '*') return method === 'OPTIONS' ? null : '"*" is for OPTIONS';
  return /^(?:\/|[a-z][a-z0-9+.-]*:\/\/[^/])/i.test(target) ? null : 'target is neither a path nor a URL';
}

/** A name, an IPv4 address or one of IPv6 in brackets, with or without a port. */
const hostShape = /^(?:[A-Za-z0-9_.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{0,5})?$/;

function headerFault({ protocol, headers, oddities }: RawRequest): string | null {
  for (const oddity of [
    'control character in a header',
    'header line without a colon',
    'blank in a header name',
  ] as const) {
    if (oddities.has(oddity)) return oddity;
  }
  for (const length of headerValues(headers, 'content-length')) {
    if (!/^\d{1,15}$/.test(length)) return 'Content-Length is no number';
  }
  const hosts = headerValues(headers, 'host');
  if (hosts.length > 1) return 'more than one Host';
  const [host = ''] = hosts;
  if (host === '') return protocol === 'HTTP/1.1' ? 'no Host' : null;
  return hostShape.test(host) ? null : 'Host is no host name';
}
