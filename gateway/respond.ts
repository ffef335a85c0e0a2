/**
 * Remediation → HTTP response: what the gateway answers itself. People get a page with a request id, programs a problem
 * document (RFC 9457). Neither tells an attacker which rule it was; `portcullis why <request id>` does.
 */
import type { IpAddress } from '../core/ip.ts';
import { type BlockPageContent, renderBlockPage } from '../captcha-pages/block-page.ts';
import type { Clock } from '../core/clock.ts';
import type { Exchange } from './exchange.ts';
import { endWithUnreadBody } from './linger.ts';

/** Above this an unread body is not waited for: the connection closes with the answer. */
const smallBody = 65_536;

export interface Answer {
  readonly status: number;
  readonly title: string;
  /** One plain sentence for the person who reads it. */
  readonly detail: string;
  readonly headers?: readonly string[];
  /** Close the connection whatever the client wished. */
  readonly close?: boolean;
}

const answers: Readonly<Record<number, { title: string; detail: string }>> = {
  400: { title: 'Bad request', detail: 'The request could be read in more than one way, so it was not passed on.' },
  403: { title: 'Access blocked', detail: 'Requests from your network are blocked for now.' },
  405: { title: 'Method not allowed', detail: 'This method is not served here.' },
  408: { title: 'Request timeout', detail: 'The request did not arrive in time.' },
  413: { title: 'Content too large', detail: 'The request body is larger than this site accepts.' },
  414: { title: 'Address too long', detail: 'The requested address is longer than this site accepts.' },
  417: { title: 'Expectation failed', detail: 'The request expects something that this site does not offer.' },
  421: { title: 'Misdirected request', detail: 'No site of this name is served here.' },
  429: {
    title: 'Too many requests',
    detail: 'Requests from your network are slowed down for now. Please try again shortly.',
  },
  431: { title: 'Headers too large', detail: 'The request headers are larger than this site accepts.' },
  502: { title: 'Bad gateway', detail: 'The site behind this gateway could not be reached.' },
  503: { title: 'Service unavailable', detail: 'The site behind this gateway is busy. Please try again shortly.' },
  504: { title: 'Gateway timeout', detail: 'The site behind this gateway did not answer in time.' },
};

/** Why a client is refused, as plainly as can be said without telling which rule it was. By the decision's origin. */
export function refusalReason(origin: string): string {
  switch (origin.split(/[/:]/, 1)[0]) {
    case 'crowdsec':
      return 'Suspicious requests came from your network, so it is blocked for now.';
    case 'cscli':
    case 'console':
      return 'The owner of this site has blocked your network.';
    case 'CAPI':
    case 'lists':
    case 'cscli-import':
      return 'Your network is on a list of sources of attacks.';
    default:
      return 'Requests from your network are blocked for now.';
  }
}

/** The standard answer for a status. */
export function answerFor(status: number, more: Partial<Pick<Answer, 'detail' | 'headers' | 'close'>> = {}): Answer {
  const text = answers[status] ?? { title: 'Error', detail: 'The request could not be served.' };
  return { status, ...text, ...more };
}

/** Writes an answer of our own and ends the exchange; safe to call when the client is already gone. */
export function respond(exchange: Exchange, answer: Answer, clock: Clock): void {
  const { response, head, request } = exchange;
  exchange.status = answer.status;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = Buffer.from(renderAnswer(exchange, answer));
  const unread = head.hasBody && !request.complete;
  // A client that waits for leave to send its body may as well send another request: the two cannot be told apart.
  const waits = unread && head.expect !== '';
  const large = unread && !(Number(head.contentLength ?? Number.NaN) <= smallBody);
  exchange.closes ||= answer.close === true || waits || large;
  response.writeHead(answer.status, [
    ...answerHeaders(exchange, answer, body.length),
    ...(exchange.closes ? ['Connection', 'close'] : []),
  ]);
  // What asks may be another server about a visitor's HEAD: only its own question decides what it can read.
  const sent = response.req.method === 'HEAD' ? null : body;
  exchange.bytesSent = sent?.length ?? 0;
  if (unread) endWithUnreadBody(exchange, sent, clock);
  else response.end(sent ?? undefined);
}

/** `OPTIONS *` asks about the server itself, which for clients is the gateway (RFC 9110 §9.3.7). */
export function respondToAsterisk(exchange: Exchange): void {
  exchange.status = 204;
  const allow = ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'];
  exchange.response.writeHead(204, exchange.closes ? [...allow, 'Connection', 'close'] : allow);
  exchange.response.end();
}

function renderAnswer(exchange: Exchange, answer: Answer): string {
  const content: BlockPageContent = {
    title: answer.title,
    detail: answer.detail,
    status: answer.status,
    requestId: exchange.id,
    maskedAddress: maskAddress(exchange.client.address),
    time: new Date(exchange.startedAt).toISOString(),
  };
  return wantsPage(exchange) ? renderBlockPage(content) : problemOf(content);
}

function answerHeaders(exchange: Exchange, answer: Answer, bodyBytes: number): string[] {
  const page = wantsPage(exchange);
  return [
    'Content-Type',
    page ? 'text/html; charset=utf-8' : 'application/problem+json',
    'Content-Length',
    String(bodyBytes),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    exchange.id,
    'X-Content-Type-Options',
    'nosniff',
    'Vary',
    'Accept',
    ...(page
      ? ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"]
      : []),
    ...(answer.headers ?? []),
  ];
}

/** A page for whoever accepts HTML before JSON; browsers say so, programs and fetch calls do not. */
function wantsPage(exchange: Exchange): boolean {
  const { accept, 'x-requested-with': requestedWith } = exchange.request.headers;
  if (requestedWith !== undefined || accept === undefined) return false;
  const html = accept.indexOf('text/html');
  const json = accept.search(/application\/(?:[\w.-]+\+)?json/);
  return html !== -1 && (json === -1 || html < json);
}

function problemOf(content: BlockPageContent): string {
  return JSON.stringify({
    type: 'about:blank',
    title: content.title,
    status: content.status,
    detail: content.detail,
    request_id: content.requestId,
    client: content.maskedAddress,
    time: content.time,
  });
}

/** `203.0.113.x` and `2001:db8:1:2::x`: enough for a person to recognise, too little to publish. */
export function maskAddress(address: IpAddress): string {
  if (address.version === 4) return address.text.replace(/\d+$/, 'x');
  const groups = [address.w0 >>> 16, address.w0 & 0xffff, address.w1 >>> 16, address.w1 & 0xffff];
  return `${groups.map((group) => group.toString(16)).join(':')}::x`;
}
