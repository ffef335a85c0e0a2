/**
 * The request that a visitor made of another web server, read from the question of that server. Only the names of one family of
 * headers are believed: servers set the one they know and pass a visitor's own headers along.
 *
 * Sources: Traefik `forwardAuth`, Caddy `forward_auth` (X-Forwarded-Method, -Host, -Uri); nginx has no names of its own, its
 * users and ingress-nginx settled on X-Original-Method, X-Original-URI and X-Original-URL.
 */
import type { IncomingMessage } from 'node:http';
import { headerKind, kindOfHeader } from '../header-kind.ts';
import type { ForwardAuthOptions } from './options.ts';

export type OriginalRequest = { readonly request: IncomingMessage } | { readonly problem: string };

type Family = ForwardAuthOptions['headers'];

const methodHeader: Readonly<Record<Family, string>> = {
  'x-forwarded': 'x-forwarded-method',
  'x-original': 'x-original-method',
};

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

/** Told about the visitor's request, and therefore no part of it. */
const tellers: ReadonlySet<string> = new Set([
  'x-forwarded-method',
  'x-forwarded-uri',
  'x-forwarded-host',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
]);

/** A view of `question` that reads as the visitor's request; its body is not known. */
export function originalRequest(question: IncomingMessage, family: Family): OriginalRequest {
  const method = single(question, methodHeader[family]) ?? 'GET';
  if (!token.test(method)) return { problem: `${methodHeader[family]} is no method` };
  const place = placeOf(question, family);
  if ('problem' in place) return place;
  const rawHeaders = ['Host', place.host, ...visitorsHeaders(question.rawHeaders)];
  return { request: viewOf(question, { method, url: place.target, rawHeaders }) };
}

function placeOf(
  question: IncomingMessage,
  family: Family,
): { readonly target: string; readonly host: string } | { readonly problem: string } {
  const ownHost = single(question, 'host') ?? '';
  switch (family) {
    case 'x-forwarded': {
      const target = single(question, 'x-forwarded-uri');
      if (target === null) return { problem: 'X-Forwarded-Uri is missing, or there is more than one' };
      return { target, host: single(question, 'x-forwarded-host') ?? ownHost };
    }
    case 'x-original': {
      const target = single(question, 'x-original-uri');
      if (target !== null) return { target, host: ownHost };
      const parts = /^https?:\/\/([^/?#]*)(.*)$/i.exec(single(question, 'x-original-url') ?? '');
      if (parts === null) return { problem: 'X-Original-URI is missing, or there is more than one' };
      const [, host = '', rest = ''] = parts;
      return { target: rest.startsWith('/') ? rest : `/${rest}`, host };
    }
    default:
      return family satisfies never;
  }
}

/** Null when the header is absent or there is more than one: two would leave open which is meant. */
function single({ rawHeaders }: IncomingMessage, name: string): string | null {
  let found: string | null = null;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if ((rawHeaders[index] as string).toLowerCase() !== name) continue;
    if (found !== null) return null;
    found = rawHeaders[index + 1] as string;
  }
  return found;
}

/** Without the question's own framing, and without what tells about the request. */
function visitorsHeaders(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (tellers.has(name.toLowerCase())) continue;
    switch (kindOfHeader(name)) {
      case headerKind.host:
      case headerKind.contentLength:
      case headerKind.transferEncoding:
      case headerKind.connection:
      case headerKind.upgrade:
      case headerKind.expect:
      case headerKind.hopByHop:
        break;
      default:
        kept.push(name, raw[index + 1] as string);
    }
  }
  return kept;
}

/** The same message with other words: socket and parsed headers stay those of the question. */
function viewOf(
  question: IncomingMessage,
  words: { readonly method: string; readonly url: string; readonly rawHeaders: string[] },
): IncomingMessage {
  return Object.create(question, {
    method: { value: words.method },
    url: { value: words.url },
    rawHeaders: { value: words.rawHeaders },
  }) as IncomingMessage;
}
