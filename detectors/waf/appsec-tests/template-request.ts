/**
 * Requests as nuclei would send them, in the parts that the WAF is handed. Raw requests are rebuilt as Go's client would, unless
 * they are unsafe: those go as they are. Texts are bytes.
 * Specification: nuclei's documentation, "Raw HTTP", "Unsafe HTTP"; Go `net/http`, `net/url`.
 */
import { type ExpandScope, expandText } from './expand-text.ts';
import type { RequestBlock } from './template-document.ts';

export interface TemplateRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly protocol: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** What nuclei sends where a template says nothing. */
const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';

/** @throws Error when the request has no request line */
export function rawRequest(raw: string, block: RequestBlock, scope: ExpandScope): TemplateRequest {
  const text = expandText(withCrlf(raw), scope);
  const { lines, body } = parted(text);
  const head = lines.filter((line) => !line.startsWith('@'));
  const [first = '', ...fields] = head;
  const words = first
    .trim()
    .split(' ')
    .filter((word) => word !== '');
  const [method = '', ...rest] = words;
  const last = rest.at(-1) ?? '';
  const hasProtocol = /^HTTP\/\S*$/i.test(last);
  if (rest.length === 0 && !block.unsafe) throw new Error(`${JSON.stringify(first)} is no request line`);
  const target = (hasProtocol ? rest.slice(0, -1) : rest).join(' ') || '/';
  const protocol = hasProtocol ? last : 'HTTP/1.1';
  const headers = fields.flatMap(headerOf);
  if (block.unsafe)
    return { method, target: targetOf(target), protocol, headers: withLength(headers, method, body), body };
  return sent(method, encodedTarget(targetOf(target)), headers, trimmedBody(headers, body), false);
}

/** A path of a block with its method, headers and body. */
export function pathRequest(path: string, block: RequestBlock, scope: ExpandScope): TemplateRequest {
  const expanded = expandText(path, scope);
  const headers = block.headers.flatMap(([name, value]) => [name, expandText(value, scope)]);
  const hasHost = valueOf(headers, 'host') !== null;
  const host = /^[a-z]+:\/\/([^/?#]+)/i.exec(expanded)?.[1] ?? '';
  const all = hasHost ? headers : ['Host', host, ...headers];
  return sent(
    expandText(block.method, scope),
    encodedTarget(targetOf(expanded)),
    all,
    expandText(block.body, scope),
    true,
  );
}

/** Line ends are those of HTTP, unless the author wrote some himself. */
function withCrlf(raw: string): string {
  return raw.includes('\r\n') ? raw : raw.replaceAll('\n', '\r\n');
}

function parted(text: string): { lines: readonly string[]; body: string } {
  // Lines that stand before the request line, like `@timeout: 20s`, and empty ones are no end of the head.
  const begun = text.replace(/^\s+/, '');
  const end = begun.search(/\r\n[ \t]*\r\n/);
  if (end === -1) return { lines: begun.trimEnd().split('\r\n'), body: '' };
  const body = begun.slice(end).replace(/^\r\n[ \t]*\r\n/, '');
  return { lines: begun.slice(0, end).split('\r\n'), body };
}

/** The line end that closes a YAML block is no part of the body; multipart bodies end with one. */
function trimmedBody(headers: readonly string[], body: string): string {
  const isMultipart = (valueOf(headers, 'content-type') ?? '').includes('multipart/');
  return isMultipart || !body.endsWith('\r\n') ? body : body.slice(0, -2);
}

function headerOf(line: string): readonly string[] {
  const colon = line.indexOf(':');
  if (line.trim() === '') return [];
  return colon === -1 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function valueOf(headers: readonly string[], name: string): string | null {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1] ?? '';
  }
  return null;
}

/** What Go's client makes of it: one header of each name, the last; lengths are its own matter. */
function sent(
  method: string,
  target: string,
  written: readonly string[],
  body: string,
  byPath: boolean,
): TemplateRequest {
  const fields = new Map<string, string>();
  for (let index = 0; index < written.length; index += 2) fields.set(written[index] ?? '', written[index + 1] ?? '');
  const has = (name: string): boolean => [...fields.keys()].some((key) => key.toLowerCase() === name);
  if (!has('user-agent')) fields.set('User-Agent', userAgent);
  if (byPath && !has('accept')) fields.set('Accept', '*/*');
  if (byPath && !has('accept-language')) fields.set('Accept-Language', 'en');
  if (!has('accept-encoding')) fields.set('Accept-Encoding', 'gzip');
  if (!has('connection')) fields.set('Connection', 'close');
  for (const [name, value] of fields) {
    if (/^(?:content-length|transfer-encoding|trailer)$/i.test(name)) fields.delete(name);
    // An empty one is how Go is told to send none.
    else if (value === '' && name.toLowerCase() === 'user-agent') fields.delete(name);
  }
  if (body !== '' || /^(?:POST|PUT|PATCH)$/.test(method)) fields.set('Content-Length', String(body.length));
  return { method, target, protocol: 'HTTP/1.1', headers: [...fields].flat(), body };
}

/** Unsafe requests get a length where they have a body and no length. */
function withLength(headers: readonly string[], method: string, body: string): readonly string[] {
  const framed = valueOf(headers, 'content-length') !== null || valueOf(headers, 'transfer-encoding') !== null;
  if (framed || (body === '' && !/^(?:POST|PUT|PATCH)$/.test(method))) return headers;
  return [...headers, 'Content-Length', String(body.length)];
}

/** Without scheme and host. */
function targetOf(url: string): string {
  const rest = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  return rest === '' ? '/' : rest.startsWith('?') ? `/${rest}` : rest;
}

/** Fragments stay at home; what may not stand in a request line is escaped: a space of the query as `+`. */
function encodedTarget(target: string): string {
  const [withoutFragment = ''] = target.split('#', 1);
  const mark = withoutFragment.indexOf('?');
  if (mark === -1) return encodedPath(withoutFragment);
  const query = withoutFragment
    .slice(mark)
    .replaceAll(' ', '+')
    .replaceAll(/[\x00-\x1f\x7f-\xff]/g, percent);
  return encodedPath(withoutFragment.slice(0, mark)) + query;
}

function encodedPath(path: string): string {
  return path.replaceAll(/[\x00-\x20"<>\\^`{|}\x7f-\xff]/g, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
