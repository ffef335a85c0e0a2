/**
 * `DumpRequest()`: the request as JSON for whoever looks into a rule's matches, without what its filters take out. By default
 * the headers that carry secrets go, and the body stays. Specification: CrowdSec `pkg/appsec/request.go` (`ReqDumpFilter`).
 */
import { setOwn, ValueError } from '../../expr/values.ts';
import { compilePattern } from '../../regex/compile-pattern.ts';
import type { DumpFilter } from './hook-types.ts';
import type { RequestView } from './request-view.ts';

/** Receives a dump. False: it could not be written. */
export type WriteDump = (json: string) => boolean;

/** Bytes of the body that a dump holds. */
const longestBody = 1_048_576;

interface Filters {
  readonly headerNames: readonly RegExpLike[];
  readonly headerContents: readonly RegExpLike[];
  readonly dropHeaders: boolean;
  readonly argNames: readonly RegExpLike[];
  readonly argContents: readonly RegExpLike[];
  readonly dropArgs: boolean;
  readonly dropBody: boolean;
}

interface RegExpLike {
  test(text: string): boolean;
}

const secretHeaders: RegExpLike = /^(?:authorization|proxy-authorization|cookie|set-cookie|x-crowdsec-appsec-.*)$/i;

const nothing: Filters = {
  headerNames: [],
  headerContents: [],
  dropHeaders: false,
  argNames: [],
  argContents: [],
  dropArgs: false,
  dropBody: false,
};

const standard: Filters = { ...nothing, headerNames: [secretHeaders] };

export interface RequestDump {
  /** The same with one filter more. @throws ValueError for a pattern that is none */
  filtered(name: DumpFilter, pattern: string): RequestDump;
  /** Hands the JSON over; true when it was written. */
  write(): boolean;
}

export function createRequestDump(
  request: RequestView,
  body: Buffer | null,
  uuid: string,
  write: WriteDump,
  filters: Filters = standard,
): RequestDump {
  return {
    filtered: (name, pattern) => createRequestDump(request, body, uuid, write, withFilter(filters, name, pattern)),
    write: () => write(JSON.stringify(dumped(request, body, uuid, filters))),
  };
}

function withFilter(filters: Filters, name: DumpFilter, pattern: string): Filters {
  switch (name) {
    case 'NoFilters':
      return nothing;
    case 'WithEmptyHeadersFilters':
    case 'WithNoHeadersFilters':
      return { ...filters, headerNames: [], headerContents: [], dropHeaders: false };
    case 'WithHeadersDrop':
      return { ...filters, dropHeaders: true };
    case 'WithHeadersNameFilter':
      return { ...filters, headerNames: [...filters.headerNames, compiled(pattern)] };
    case 'WithHeadersContentFilter':
      return { ...filters, headerContents: [...filters.headerContents, compiled(pattern)] };
    case 'WithEmptyArgsFilters':
    case 'WithNoArgsFilters':
      return { ...filters, argNames: [], argContents: [], dropArgs: false };
    case 'WithArgsDrop':
      return { ...filters, dropArgs: true };
    case 'WithArgsNameFilter':
      return { ...filters, argNames: [...filters.argNames, compiled(pattern)] };
    case 'WithArgsContentFilter':
      return { ...filters, argContents: [...filters.argContents, compiled(pattern)] };
    case 'WithNoBodyFilter':
      return { ...filters, dropBody: false };
    case 'WithBodyDrop':
      return { ...filters, dropBody: true };
    default:
      return name satisfies never;
  }
}

function compiled(pattern: string): RegExpLike {
  try {
    return compilePattern(`(?i)${pattern}`);
  } catch {
    throw new ValueError(`invalid pattern ${JSON.stringify(pattern)}`);
  }
}

function dumped(request: RequestView, body: Buffer | null, uuid: string, filters: Filters): object {
  const { dropHeaders, headerNames, headerContents, dropArgs, argNames, argContents, dropBody } = filters;
  const args = kept(request.URL.query(), dropArgs, argNames, argContents);
  // The address has the arguments too.
  const showsQuery = !dropArgs && argNames.length === 0 && argContents.length === 0;
  return {
    uuid,
    client_ip: request.RemoteAddr.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
    host: request.Host,
    method: request.Method,
    proto: request.Proto,
    uri: showsQuery ? request.RequestURI : request.URL.Path,
    headers: kept(request.Header, dropHeaders, headerNames, headerContents),
    args,
    ...(dropBody || body === null ? {} : { body: body.subarray(0, longestBody).toString('base64') }),
  };
}

function kept(
  values: Readonly<Record<string, readonly string[]>>,
  drop: boolean,
  names: readonly RegExpLike[],
  contents: readonly RegExpLike[],
): Readonly<Record<string, readonly string[]>> {
  const all: Record<string, readonly string[]> = {};
  if (drop) return all;
  for (const [name, texts] of Object.entries(values)) {
    if (names.some((pattern) => pattern.test(name))) continue;
    const rest = texts.filter((text) => !contents.some((pattern) => pattern.test(text)));
    if (rest.length > 0) setOwn(all, name, rest);
  }
  return all;
}
