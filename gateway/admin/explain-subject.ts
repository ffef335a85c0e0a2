/** Reads what `explain` was given: an access log line (combined, with or without a host before it, or our JSON), or a URL. */
import { GatewayError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip.ts';
import type { Event } from '../../detectors/event.ts';
import { completeEvent, createRequestEvent } from '../request-event.ts';

export interface ExplainedRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly httpVersion: string;
  /** "" when unknown. */
  readonly clientIp: string;
  readonly userAgent: string;
  readonly referer: string;
  /** Null when there was no response to know it from. */
  readonly status: number | null;
}

/** @throws GatewayError USAGE */
export function readSubject(subject: string): ExplainedRequest {
  const text = subject.trim();
  const read = text.startsWith('{') ? fromJson(text) : (fromCombined(text) ?? fromUrl(text));
  if (read !== null) return read;
  throw new GatewayError('USAGE', 'that is neither an access log line nor a URL', {
    remedy:
      'Give a line of the access log in quotes, or a URL such as "/wp-login.php?x=1" or "https://shop.example/.env".',
  });
}

const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const combined = new RegExp(
  String.raw`^(?:([^\s"[\]]+) )?([0-9A-Fa-f.:]+) \S+ [^[]{0,256}\[([^\]]{1,64})\] ${quoted} (\d{3}) (?:\d+|-)(?: ${quoted} ${quoted})?`,
);

function fromCombined(line: string): ExplainedRequest | null {
  const match = combined.exec(line);
  if (match === null) return null;
  const [, host = '', ip = '', , request = '', status = '', referer = '', userAgent = ''] = match;
  const words = unescaped(request).split(' ');
  const last = words.at(-1) ?? '';
  const version = /^HTTP\/([\d.]+)$/.exec(last)?.[1];
  const target = words.slice(1, version === undefined ? undefined : -1).join(' ');
  if (parseIp(ip) === null || target === '') return null;
  return {
    method: words[0] ?? '',
    target,
    host: host.replace(/:\d+$/, '').toLowerCase(),
    httpVersion: version ?? '1.0',
    clientIp: ip,
    userAgent: dashed(unescaped(userAgent)),
    referer: dashed(unescaped(referer)),
    status: Number(status),
  };
}

function fromUrl(text: string): ExplainedRequest | null {
  if (/\s/.test(text)) return null;
  const absolute = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(text);
  const target = absolute === null ? text : absolute[2] || '/';
  if (!target.startsWith('/') && !target.startsWith('?')) return null;
  const host = (absolute?.[1] ?? '').replace(/^.*@/, '').replace(/:\d+$/, '').toLowerCase();
  const rooted = target.startsWith('?') ? `/${target}` : target;
  return {
    method: 'GET',
    target: rooted,
    host,
    httpVersion: '1.1',
    clientIp: '',
    userAgent: '',
    referer: '',
    status: null,
  };
}

/** Our own JSON lines. */
function fromJson(text: string): ExplainedRequest | null {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof line !== 'object' || line === null) return null;
  const fields = new Map(Object.entries(line));
  const word = (name: string): string => {
    const value: unknown = fields.get(name);
    return typeof value === 'string' ? value : '';
  };
  const status: unknown = fields.get('status');
  const target = word('target');
  if (target === '') return null;
  return {
    method: word('method') || 'GET',
    target,
    host: word('host').replace(/:\d+$/, '').toLowerCase(),
    httpVersion: word('httpVersion') || '1.1',
    clientIp: word('clientIp'),
    userAgent: word('userAgent'),
    referer: word('referer'),
    status: typeof status === 'number' ? status : null,
  };
}

/** nginx and Apache write a lone dash for nothing. */
function dashed(text: string): string {
  return text === '-' ? '' : text;
}

/** `\x22`, `\"` and `\\` as nginx and Apache write them. */
function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9A-Fa-f]{2})|(.))/g, (whole, hex?: string, character?: string) =>
    hex === undefined ? (character ?? whole) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The event that such a request would be. Without a status the response's fields stay absent. */
export function eventOf(request: ExplainedRequest, requestId: string, at: number): Event {
  const event = createRequestEvent({
    requestId,
    clientIp: request.clientIp,
    method: request.method,
    target: request.target,
    httpVersion: request.httpVersion,
    host: request.host,
    userAgent: request.userAgent === '' ? undefined : request.userAgent,
    referer: request.referer === '' ? undefined : request.referer,
    at,
    timestamp: new Date(at).toISOString(),
  });
  if (request.status !== null) completeEvent(event, request.status, null);
  return event;
}
