/** Reads a response of HTTP/1 as far as it has come. Binary strings. Specification: RFC 9112 §4, §6, §7. */
import { headerValues } from './parse-raw-request.ts';

export interface RawResponse {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  /** Nothing more belongs to it; never true of a body that ends with the connection. */
  readonly complete: boolean;
}

/** `isHead`: it answers a HEAD request, and has no body. Null: there is no whole head of a final response yet. */
export function parseRawResponse(text: string, isHead: boolean): RawResponse | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) return null;
  const rest = text.slice(end + 4);
  if (status < 200 && status !== 101) return parseRawResponse(rest, isHead);
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon === -1 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  if (isHead || status === 204 || status === 304) return { status, headers, body: '', complete: true };
  if (/chunked$/i.test(headerValues(headers, 'transfer-encoding').join())) return { status, headers, ...chunked(rest) };
  const length = headerValues(headers, 'content-length')[0];
  if (length === undefined || !/^\d{1,15}$/.test(length)) return { status, headers, body: rest, complete: false };
  return { status, headers, body: rest.slice(0, Number(length)), complete: rest.length >= Number(length) };
}

function chunked(text: string): Pick<RawResponse, 'body' | 'complete'> {
  const sizeLine = /([0-9A-Fa-f]{1,8})[^\n]{0,1000}\n/y;
  const parts: string[] = [];
  for (let at = 0; ; ) {
    sizeLine.lastIndex = at;
    const size = Number.parseInt(sizeLine.exec(text)?.[1] ?? '', 16);
    const start = sizeLine.lastIndex;
    if (Number.isNaN(size) || start + size > text.length) return { body: parts.join(''), complete: false };
    if (size === 0) return { body: parts.join(''), complete: text.includes('\r\n', start) };
    parts.push(text.slice(start, start + size));
    at = start + size + 2;
  }
}
