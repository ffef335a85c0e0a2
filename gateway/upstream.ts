/**
 * The origin's side of an exchange: one function, `forward`. Streams both ways with back-pressure, carries aborts both ways,
 * and answers 502, 503 or 504 itself when the origin cannot. Only requests without a body whose method is safe to repeat are
 * tried again, and only while nothing of a response has arrived. RFC 9110 §7.6, RFC 9112 §9.3.1.
 */
import type { Clock } from '../core/clock.ts';
import type { Verdict } from '../detectors/waf/engine/transaction-types.ts';
import { BodyFault, type BodyLimits, ClientBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { headerKind, kindOfHeader } from './header-kind.ts';
import { endWithUnreadBody } from './linger.ts';
import { OriginError, type OriginExchange, type OriginRequest, type ResponseSink } from './origin/origin-client.ts';
import { originHeaders } from './origin-headers.ts';
import { withoutNamed } from './request-head.ts';
import type { Site } from './sites.ts';
import { InspectedResponse } from './waf/inspected-response.ts';

export interface UpstreamOptions extends BodyLimits {
  /** Requests that may be with one origin or wait for a connection to it before others are answered 503. */
  readonly queueLimit: number;
  /** How often a repeatable request is tried again. */
  readonly retries: number;
  /** How long the origin may pause within a response body, in milliseconds; event streams are exempt. */
  readonly bodyTimeoutMs: number;
  /** A header of the operator's own that names the client, lower case, or null. */
  readonly clientHeader: string | null;
}

export interface UpstreamDependencies {
  readonly clock: Clock;
  /** The gateway is stopping and no further request of the connection is under way: this answer is its last. */
  readonly lastAnswer: (exchange: Exchange) => boolean;
  /** The origin failed before it answered: the caller answers in its place. */
  readonly onFailure: (exchange: Exchange, failure: UpstreamFailure) => void;
  /** The WAF withholds the origin's response: the caller answers in its place. */
  readonly onWithheld: (exchange: Exchange, verdict: Verdict) => void;
}

export interface UpstreamFailure {
  readonly status: 400 | 408 | 413 | 502 | 503 | 504;
  readonly reason: string;
  readonly cause: unknown;
}

export interface Upstream {
  /** Sets `exchange.relay`, whose `abort` tells the origin that the client went away. */
  forward(exchange: Exchange, site: Site): void;
  /** The body as it will be passed on, whose beginning can be held before that; null: there is none. */
  bodyOf(exchange: Exchange): ClientBody | null;
  close(): void;
}

export function createUpstream(options: UpstreamOptions, deps: UpstreamDependencies): Upstream {
  const bodyOf = (exchange: Exchange): ClientBody | null => {
    if (exchange.head.hasBody) exchange.body ??= new ClientBody(exchange, options, deps.clock);
    return exchange.body;
  };
  const shared: Shared = { options, deps, bodyOf, streaming: new Set() };
  const sweep = deps.clock.every(Math.min(1_000, options.bodyTimeoutMs), () => {
    const now = deps.clock.monotonic();
    for (const relay of shared.streaming) relay.cutWhenIdle(now);
  });
  return {
    forward(exchange, site) {
      if (site.load.inFlight >= options.queueLimit) {
        deps.onFailure(exchange, { status: 503, reason: 'too many requests wait for the origin', cause: null });
        return;
      }
      exchange.forwarded = true;
      const relay = new Relay(exchange, site, shared);
      exchange.relay = relay;
      relay.start();
    },
    bodyOf,
    close: () => sweep.cancel(),
  };
}

interface Shared {
  readonly bodyOf: Upstream['bodyOf'];
  readonly options: UpstreamOptions;
  readonly deps: UpstreamDependencies;
  /** Responses whose body has begun and not ended: the ones that can stall. */
  readonly streaming: Set<Relay>;
}

/** Up to this size a whole body is written together with its headers, in one piece instead of two. */
const joinedBodyBytes = 16_384;

/** Methods that may be repeated when a kept-alive connection turns out to be closed (RFC 9110 §9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Carries one response from the origin to the client. */
class Relay implements ResponseSink {
  readonly #exchange: Exchange;
  readonly #site: Site;
  readonly #shared: Shared;
  #origin: OriginExchange | null = null;
  #triesLeft: number;
  /** Bytes of the body still to come, -1 when the response does not say. */
  #bodyLeft = -1;
  #lastDataAt = 0;
  #paused = false;
  #endless = false;
  #started = false;
  #stalled = false;
  #ended = false;

  constructor(exchange: Exchange, site: Site, shared: Shared) {
    this.#exchange = exchange;
    this.#site = site;
    this.#shared = shared;
    this.#triesLeft = exchange.head.hasBody || !repeatable.has(exchange.method) ? 0 : shared.options.retries;
    site.load.inFlight++;
  }

  /** A body waits until the bytes that came with its head are parsed: when they are broken the origin sees nothing of it. */
  start(): void {
    if (this.#exchange.head.hasBody) setImmediate(() => this.#dispatch());
    else this.#dispatch();
  }

  #dispatch(): void {
    if (this.#ended) return;
    const { method, head } = this.#exchange;
    const { options } = this.#shared;
    const request: OriginRequest = {
      method,
      target: head.target,
      headers: originHeaders(this.#exchange, options.clientHeader),
      body: this.#shared.bodyOf(this.#exchange)?.chunks((fault) => this.#origin?.abort(fault)) ?? null,
      contentLength: head.contentLength,
    };
    this.#origin = this.#site.client.dispatch(request, this.#sink());
  }

  /** Where the response goes first: to the rules, when there are any. */
  #sink(): ResponseSink {
    const { inspection, method } = this.#exchange;
    if (inspection === null) return this;
    const flow = {
      pause: () => this.#origin?.pause(),
      resume: () => {
        if (!this.#paused) this.#origin?.resume();
      },
      noteHeld: () => this.#noteData(),
    };
    const withhold = (verdict: Verdict): void => {
      this.#finish();
      this.#origin?.abort(new Error('the response is withheld'));
      this.#shared.deps.onWithheld(this.#exchange, verdict);
    };
    return new InspectedResponse({ inspection, next: this, withhold, method, flow });
  }

  abort(): void {
    if (this.#ended) return;
    this.#finish();
    this.#origin?.abort(new Error('client went away'));
  }

  breakBody(): void {
    const fault = new BodyFault('BODY_MALFORMED');
    if (this.#origin !== null) this.#origin.abort(fault);
    else this.onError(new OriginError('aborted', fault.message, { cause: fault }));
  }

  /** An origin that stops in the middle of a body is given up; one that streams events may be silent for long. */
  cutWhenIdle(monotonicNow: number): void {
    if (this.#endless || this.#paused) return;
    if (monotonicNow - this.#lastDataAt < this.#shared.options.bodyTimeoutMs) return;
    this.#stalled = true;
    this.#origin?.abort(new Error('origin stalled within a response body'));
  }

  onInterim(status: number, headers: readonly string[]): void {
    if (this.#ended || status !== 103) return;
    const link = valuesOf(headers, 'link');
    if (link.length > 0) this.#exchange.response.writeEarlyHints({ link });
  }

  onHead(status: number, raw: readonly string[]): void {
    if (this.#ended) return;
    const { response, request, head } = this.#exchange;
    const answer = responseHeaders(raw);
    this.#started = true;
    this.#exchange.status = status;
    this.#exchange.basicChallenge = status === 401 && answer.basicChallenge;
    this.#bodyLeft = answer.contentLength;
    this.#endless = answer.eventStream;
    this.#exchange.closes ||= (head.hasBody && !request.complete) || this.#shared.deps.lastAnswer(this.#exchange);
    if (this.#exchange.closes) answer.headers.push('Connection', 'close');
    response.writeHead(status, answer.headers);
    if (answer.eventStream) response.flushHeaders();
    this.#noteData();
  }

  /** From now on the next part of the response is waited for. */
  #noteData(): void {
    if (this.#ended) return;
    this.#lastDataAt = this.#shared.deps.clock.monotonic();
    this.#shared.streaming.add(this);
  }

  onData(chunk: Buffer): void {
    if (this.#ended) return;
    const { response } = this.#exchange;
    this.#exchange.bytesSent += chunk.length;
    if (chunk.length === this.#bodyLeft && this.#exchange.bytesSent === chunk.length) {
      this.#end(chunk);
      return;
    }
    this.#lastDataAt = this.#shared.deps.clock.monotonic();
    // A response that was held comes in many pieces at once, whatever the client takes of them.
    if (response.write(chunk) || this.#paused) return;
    this.#paused = true;
    this.#origin?.pause();
    response.once('drain', () => {
      this.#paused = false;
      this.#lastDataAt = this.#shared.deps.clock.monotonic();
      this.#origin?.resume();
    });
  }

  onEnd(): void {
    if (!this.#ended) this.#end(null);
  }

  onError(error: OriginError): void {
    if (this.#ended) return;
    if (error.failure === 'aborted' && !(error.cause instanceof BodyFault) && !this.#stalled) {
      // Not the origin's doing: the client broke off its body, or the gateway stops.
      this.#finish();
      this.#exchange.response.destroy();
      return;
    }
    if (this.#started) {
      this.#finish();
      this.#exchange.outcome = 'failed';
      this.#exchange.reason = 'origin broke off its response';
      this.#exchange.response.destroy();
      return;
    }
    if (this.#triesLeft > 0 && error.stale) {
      this.#triesLeft--;
      this.#dispatch();
      return;
    }
    this.#finish();
    const stalled = { status: 504, reason: 'origin stalled within its response', cause: error } as const;
    this.#shared.deps.onFailure(this.#exchange, this.#stalled ? stalled : failureOf(error));
  }

  #end(lastChunk: Buffer | null): void {
    this.#finish();
    const { response, request, head } = this.#exchange;
    if (head.hasBody && !request.complete) endWithUnreadBody(this.#exchange, lastChunk, this.#shared.deps.clock);
    else if (lastChunk === null) response.end();
    else if (lastChunk.length <= joinedBodyBytes) response.end(lastChunk.toString('latin1'), 'latin1');
    else response.end(lastChunk);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#shared.streaming.delete(this);
    this.#site.load.inFlight--;
  }
}

interface ResponseHeaders {
  readonly headers: string[];
  /** -1 when the response does not say. */
  readonly contentLength: number;
  readonly eventStream: boolean;
  /** `WWW-Authenticate: Basic`. */
  readonly basicChallenge: boolean;
}

/** The origin's headers without those for one hop. */
function responseHeaders(raw: readonly string[]): ResponseHeaders {
  let headers: string[] = [];
  let contentLength = -1;
  let eventStream = false;
  let basicChallenge = false;
  let connection = '';
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    switch (kindOfHeader(name)) {
      case headerKind.connection:
        connection = value;
        break;
      case headerKind.transferEncoding:
      case headerKind.upgrade:
      case headerKind.hopByHop:
        break;
      case headerKind.contentLength:
        contentLength = Number(value);
        headers.push(name, value);
        break;
      default:
        // Told apart by length first: this runs for every header of every response.
        if (name.length === 12 && value.startsWith('text/event-stream')) eventStream = true;
        else if (name.length === 16 && name.toLowerCase() === 'www-authenticate') {
          basicChallenge ||= /^basic\b/i.test(value);
        }
        headers.push(name, value);
    }
  }
  if (connection !== '' && connection !== 'keep-alive' && connection !== 'close') {
    headers = withoutNamed(headers, new Set(connection.toLowerCase().split(/[\s,]+/)));
  }
  return { headers, contentLength, eventStream, basicChallenge };
}

function valuesOf(headers: readonly string[], lowerName: string): string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === lowerName);
}

function failureOf(error: OriginError): UpstreamFailure {
  const { cause } = error;
  if (cause instanceof BodyFault) return { status: cause.status, reason: cause.message, cause };
  switch (error.failure) {
    case 'headers-timeout':
      return { status: 504, reason: 'origin did not answer in time', cause: error };
    case 'connect-timeout':
      return { status: 504, reason: 'origin could not be reached in time', cause: error };
    case 'invalid-request':
      return { status: 400, reason: 'request cannot be passed on', cause: error };
    case 'invalid-response':
      return { status: 502, reason: 'origin sent no valid response', cause: error };
    case 'unreachable':
      return { status: 502, reason: 'origin could not be reached', cause: error };
    case 'closed':
    case 'aborted':
      return { status: 502, reason: 'origin broke off before it answered', cause: error };
    default: {
      const unknown: never = error.failure;
      return unknown;
    }
  }
}
