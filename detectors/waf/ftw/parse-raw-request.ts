/**
 * Reads a request as a server that accepts nearly everything would: tests send on purpose what strict parsers refuse, and the
 * rules are to see it. What is odd about the request is noted for `server-answer.ts`, which says who would refuse it. Never
 * throws, takes linear time. Binary strings: one character for each byte. Words: RFC 9112 §2 to §7.
 */

export interface RawRequest {
  readonly method: string;
  /** Everything between the first and the last blank. */
  readonly target: string;
  /** `HTTP/1.1`, or "" when the request line has none. */
  readonly protocol: string;
  /** Names and values in turn, as received. */
  readonly headers: readonly string[];
  /** Null: neither a Content-Length nor chunks announce one. */
  readonly body: string | null;
  readonly oddities: ReadonlySet<Oddity>;
}

export type Oddity =
  | 'blank before the method'
  | 'blank in the target'
  | 'header line without a colon'
  | 'blank in a header name'
  | 'folded header line'
  | 'control character in a header'
  | 'damaged chunks'
  | 'body shorter than announced'
  | 'head without an end';

export function parseRawRequest(raw: string): RawRequest {
  const oddities = new Set<Oddity>();
  const lines = headLines(raw, oddities);
  const { method, target, protocol } = requestLine(lines.first, oddities);
  const headers = headerFields(lines.headers, oddities);
  return { method, target, protocol, headers, body: bodyOf(headers, raw.slice(lines.end), oddities), oddities };
}

/** The values of all headers of a name (lower case), in order. */
export function headerValues(headers: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === name) values.push(headers[index + 1] as string);
  }
  return values;
}

interface HeadLines {
  readonly first: string;
  readonly headers: readonly string[];
  /** Where the body starts. */
  readonly end: number;
}

function headLines(raw: string, oddities: Set<Oddity>): HeadLines {
  let at = 0;
  // RFC 9112 §2.2: empty lines before a request are skipped.
  while (raw.startsWith('\r\n', at) || raw[at] === '\n') at += raw[at] === '\n' ? 1 : 2;
  const lines: string[] = [];
  while (at < raw.length) {
    const newline = raw.indexOf('\n', at);
    const end = newline === -1 ? raw.length : newline;
    const line = raw.slice(at, raw[end - 1] === '\r' && end > at ? end - 1 : end);
    at = Math.min(end + 1, raw.length);
    if (line === '' && newline !== -1) return { first: lines[0] ?? '', headers: lines.slice(1), end: at };
    lines.push(line);
  }
  oddities.add('head without an end');
  return { first: lines[0] ?? '', headers: lines.slice(1), end: raw.length };
}

function requestLine(line: string, oddities: Set<Oddity>): Pick<RawRequest, 'method' | 'target' | 'protocol'> {
  let start = 0;
  while (line[start] === ' ' || line[start] === '\t') start++;
  if (start > 0) oddities.add('blank before the method');
  const first = line.indexOf(' ', start);
  if (first === -1) return { method: line.slice(start), target: '', protocol: '' };
  const last = line.lastIndexOf(' ');
  const method = line.slice(start, first);
  // One blank: the version and the blank before it are not there, as in HTTP/0.9.
  const target = last === first ? line.slice(first + 1) : line.slice(first + 1, last);
  if (/[ \t]/.test(target)) oddities.add('blank in the target');
  return { method, target, protocol: last === first ? '' : line.slice(last + 1) };
}

function headerFields(lines: readonly string[], oddities: Set<Oddity>): readonly string[] {
  const headers: string[] = [];
  for (const line of lines) {
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) oddities.add('control character in a header');
    if (headers.length > 0 && (line[0] === ' ' || line[0] === '\t')) {
      oddities.add('folded header line');
      headers.push(`${headers.pop() ?? ''} ${trimBlanks(line)}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon === -1) oddities.add('header line without a colon');
    const name = colon === -1 ? line : line.slice(0, colon);
    if (/[ \t]/.test(name)) oddities.add('blank in a header name');
    headers.push(name, colon === -1 ? '' : trimBlanks(line.slice(colon + 1)));
  }
  return headers;
}

function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && (text[start] === ' ' || text[start] === '\t')) start++;
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(start, end);
}

/** Chunks win over a length (RFC 9112 §6.3); what follows the body is another request and none of ours. */
function bodyOf(headers: readonly string[], rest: string, oddities: Set<Oddity>): string | null {
  const codings = headerValues(headers, 'transfer-encoding').join(',');
  if (/(?:^|,)[ \t]*chunked[ \t]*$/i.test(codings)) return joinChunks(rest, oddities);
  const length = headerValues(headers, 'content-length')[0];
  if (length === undefined || !/^\d{1,15}$/.test(length)) return null;
  if (rest.length < Number(length)) oddities.add('body shorter than announced');
  return rest.slice(0, Number(length));
}

/** RFC 9112 §7.1. At the first mistake the body ends. */
function joinChunks(text: string, oddities: Set<Oddity>): string {
  const sizeLine = /([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n/y;
  const parts: string[] = [];
  for (let at = 0; ; ) {
    sizeLine.lastIndex = at;
    const size = Number.parseInt(sizeLine.exec(text)?.[1] ?? '', 16);
    if (size === 0) return parts.join('');
    const start = sizeLine.lastIndex;
    if (Number.isNaN(size) || start + size > text.length) {
      if (!Number.isNaN(size)) parts.push(text.slice(start));
      oddities.add('damaged chunks');
      return parts.join('');
    }
    parts.push(text.slice(start, start + size));
    at = start + size;
    if (text.startsWith('\r\n', at)) at += 2;
    else if (text[at] === '\n') at += 1;
  }
}
