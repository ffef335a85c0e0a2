/**
 * `req` of hooks: the members and values of Go's `http.Request`, made of a request as it arrived. Made when a hook reads it, for
 * most requests meet none.
 */
import { setOwn } from '../../expr/values.ts';
import type { TransactionRequest } from '../engine/transaction-types.ts';

export type HeadersView = Record<string, string[]>;
export type QueryView = Record<string, string[]>;

export interface CookieView {
  readonly Name: string;
  readonly Value: string;
}

export interface UrlView {
  readonly Scheme: string;
  readonly Host: string;
  /** Decoded. */
  readonly Path: string;
  /** Set where decoding and encoding again gives another text. */
  readonly RawPath: string;
  readonly RawQuery: string;
  readonly Fragment: string;
  readonly text: string;
  query(): QueryView;
}

export interface RequestView {
  readonly Method: string;
  readonly URL: UrlView;
  readonly Proto: string;
  readonly ProtoMajor: bigint;
  readonly ProtoMinor: bigint;
  /** By canonical name: `User-Agent`. */
  readonly Header: HeadersView;
  readonly Host: string;
  readonly RemoteAddr: string;
  readonly RequestURI: string;
  /** -1 where it is not told. */
  readonly ContentLength: bigint;
  readonly TransferEncoding: readonly string[];
  readonly Close: boolean;
  cookies(): readonly CookieView[];
}

export function createRequestView(request: TransactionRequest): RequestView {
  const headers: HeadersView = {};
  for (let index = 0; index < request.headers.length; index += 2) {
    const name = canonicalName(request.headers[index] ?? '');
    const value = utf8(request.headers[index + 1] ?? '');
    const known = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (known === undefined) setOwn(headers, name, [value]);
    else known.push(value);
  }
  const first = (name: string): string => (Object.hasOwn(headers, name) ? (headers[name]?.[0] ?? '') : '');
  const version = /^HTTP\/(\d)(?:\.(\d))?$/.exec(request.protocol);
  const length = first('Content-Length');
  const host = first('Host');
  delete headers.Host;
  return {
    Method: request.method,
    URL: urlOf(utf8(request.target)),
    Proto: request.protocol,
    ProtoMajor: BigInt(version?.[1] ?? 1),
    ProtoMinor: BigInt(version?.[2] ?? 0),
    Header: headers,
    Host: host,
    RemoteAddr: `${request.clientAddress.includes(':') ? `[${request.clientAddress}]` : request.clientAddress}:${request.clientPort}`,
    RequestURI: utf8(request.target),
    ContentLength: /^\d{1,18}$/.test(length) ? BigInt(length) : length === '' ? 0n : -1n,
    TransferEncoding: first('Transfer-Encoding') === '' ? [] : [first('Transfer-Encoding')],
    Close: first('Connection').toLowerCase() === 'close',
    cookies: () => (Object.hasOwn(headers, 'Cookie') ? (headers.Cookie ?? []) : []).flatMap(cookiesIn),
  };
}

/** `user-agent` as `User-Agent`. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** Go's strings are bytes too, but expressions of ours are text. */
function utf8(bytes: string): string {
  return /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

function urlOf(target: string): UrlView {
  const absolute = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(target);
  const rest = absolute === null ? target : target.slice(absolute[0].length);
  const hash = rest.indexOf('#');
  const [beforeHash, Fragment] = hash === -1 ? [rest, ''] : [rest.slice(0, hash), rest.slice(hash + 1)];
  const mark = beforeHash.indexOf('?');
  const [rawPath, RawQuery] = mark === -1 ? [beforeHash, ''] : [beforeHash.slice(0, mark), beforeHash.slice(mark + 1)];
  const path = percentDecoded(rawPath, false);
  return {
    Scheme: absolute?.[1] ?? '',
    Host: absolute?.[2] ?? '',
    Path: path,
    RawPath: encodeURI(path) === rawPath ? '' : rawPath,
    RawQuery,
    Fragment,
    text: target,
    query: () => queryOf(RawQuery),
  };
}

/** Most parameters that `Query()` gives. */
const mostParameters = 1_000;

/** Parts with a semicolon are dropped, as Go does. */
function queryOf(query: string): QueryView {
  const values: QueryView = {};
  for (const part of query.split('&', mostParameters)) {
    if (part === '' || part.includes(';')) continue;
    const equals = part.indexOf('=');
    const name = percentDecoded(equals === -1 ? part : part.slice(0, equals), true);
    const value = equals === -1 ? '' : percentDecoded(part.slice(equals + 1), true);
    const known = Object.hasOwn(values, name) ? values[name] : undefined;
    if (known === undefined) setOwn(values, name, [value]);
    else known.push(value);
  }
  return values;
}

/** What is not a valid escape stays. */
function percentDecoded(text: string, plus: boolean): string {
  const spaced = plus ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  const bytes = Buffer.from(spaced, 'utf8').toString('latin1');
  const decoded = bytes.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1').toString('utf8');
}

function cookiesIn(header: string): readonly CookieView[] {
  return header.split(';').flatMap((part) => {
    const equals = part.indexOf('=');
    if (equals === -1) return [];
    const value = part.slice(equals + 1).trim();
    const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    return [{ Name: part.slice(0, equals).trim(), Value: quoted ? value.slice(1, -1) : value }];
  });
}
