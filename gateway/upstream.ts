/**
 * The origin's side of an exchange: one function, `forward`. Streams both ways with back-pressure, carries aborts both ways,
 * and answers 502, 503 or 504 itself when the origin cannot. Only requests without a body whose method is safe to repeat are
 * tried again, once, and only while nothing of a response has arrived. RFC 9110 §7.6, RFC 9112 §9.3.1.
 */
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock } from '../core/clock.ts';
import { type BodyLimits, readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { headerKind, kindOfHeader } from './header-kind.ts';
import { endAfterBody } from './linger.ts';
import { originHeaders } from './origin-headers.ts';
import { withoutNamed } from './request-head.ts';
import type { Site } from './sites.ts';

export interface UpstreamOptions extends BodyLimits {
  /** Requests that may wait for a connection of one site before others are answered 503. */
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
  /** The gateway is stopping: every answer is the last of its connection. */
  readonly draining: () => boolean;
  /** The origin failed before it answered: the caller answers in its place. */
  readonly onFailure: (exchange: Exchange, failure: UpstreamFailure) => void;
}

export interface UpstreamFailure {
  readonly status: 400 | 408 | 413 | 502 | 503 | 504;
  readonly reason: string;
  readonly cause: unknown;
}

export interface Upstream {
  /** Sets `exchange.relay`, whose `abort` tells the origin that the client went away. */
  forward(exchange: Exchange, site: Site): void;
  readonly inFlight: number;
  close(): void;
}

export function createUpstream(options: UpstreamOptions, deps: UpstreamDependencies): Upstream {
  const shared: Shared = { options, deps, streaming: new Set(), inFlight: 0 };
  const sweep = deps.clock.every(1_000, () => {
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
      relay.dispatch();
    },
    get inFlight() {
      return shared.inFlight;
    },
    close: () => sweep.cancel(),
  };
}

interface Shared {
  readonly options: UpstreamOptions;
  readonly deps: UpstreamDependencies;
  /** Responses whose body did not come in one piece: the ones that can stall. */
  readonly streaming: Set<Relay>;
  inFlight: number;
}

type Controller = Dispatcher.DispatchController;

const noServerName = { servername: 'origin' };

/** Up to this size a whole body is written together with its headers, in one piece instead of two. */
const joinedBodyBytes = 16_384;

/** Methods that may be repeated when a kept-alive connection turns out to be closed (RFC 9110 §9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Carries one response from the origin to the client; undici calls it. */
class Relay {
  readonly #exchange: Exchange;
  readonly #site: Site;
  readonly #shared: Shared;
  #controller: Controller | null = null;
  #triesLeft: number;
  #bodyLeft = -1;
  #lastDataAt = 0;
  #endless = false;
  #started = false;
  #ended = false;

  constructor(exchange: Exchange, site: Site, shared: Shared) {
    this.#exchange = exchange;
    this.#site = site;
    this.#shared = shared;
    site.load.inFlight++;
    shared.inFlight++;
    this.#triesLeft = exchange.head.hasBody || !repeatable.has(exchange.method) ? 0 : shared.options.retries;
  }

  dispatch(): void {
    const exchange = this.#exchange;
    const { head } = exchange;
    const request: Dispatcher.DispatchOptions & { servername?: string } = {
      method: exchange.method as Dispatcher.HttpMethod,
      path: head.target,
      headers: originHeaders(exchange, this.#shared.options.clientHeader),
      // Plain connections have no server name; given one, undici need not find out whether Host is an address.
      ...(this.#site.tls ? undefined : noServerName),
      body: head.hasBody ? this.#body() : null,
    };
    try {
      this.#site.dispatcher.dispatch(request, this);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** undici takes any async iterable of chunks and pulls it at the origin's pace; its types do not name that one. */
  #body(): Readable {
    const chunks = readBody(this.#exchange, this.#shared.options, this.#shared.deps.clock, (fault) =>
      this.#controller?.abort(fault),
    );
    return chunks as AsyncIterable<Buffer> as Readable;
  }

  abort(): void {
    if (this.#ended) return;
    this.#finish();
    this.#controller?.abort(new Error('client went away'));
  }

  /** An origin that stops in the middle of a body is given up; one that streams events may be silent for long. */
  cutWhenIdle(monotonicNow: number): void {
    if (this.#endless || this.#controller?.paused === true) return;
    if (monotonicNow - this.#lastDataAt < this.#shared.options.bodyTimeoutMs) return;
    this.#controller?.abort(new Error('origin stalled within a response body'));
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#ended) controller.abort(new Error('client went away'));
  }

  onResponseStart(controller: Controller, status: number): void {
    if (this.#ended) return;
    const { response, request, head } = this.#exchange;
    const answer = responseHeaders(controller.rawHeaders as readonly (Buffer | string)[]);
    if (status === 401 && answer.basicChallenge) this.#exchange.basicChallenge = true;
    if (status < 200) {
      if (status === 103 && answer.links.length > 0) response.writeEarlyHints({ link: answer.links });
      return;
    }
    this.#started = true;
    this.#exchange.status = status;
    this.#bodyLeft = answer.contentLength;
    this.#endless = answer.eventStream;
    if ((head.hasBody && !request.complete) || this.#shared.deps.draining()) answer.headers.push('Connection', 'close');
    response.writeHead(status, answer.headers);
    if (answer.eventStream) response.flushHeaders();
    if (this.#bodyLeft !== 0) {
      this.#lastDataAt = this.#shared.deps.clock.monotonic();
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#ended) return;
    const { response } = this.#exchange;
    this.#exchange.bytesSent += chunk.length;
    if (chunk.length === this.#bodyLeft && this.#exchange.bytesSent === chunk.length) {
      this.#bodyLeft = 0;
      this.#end(chunk);
      return;
    }
    this.#bodyLeft -= chunk.length;
    this.#shared.streaming.add(this);
    this.#lastDataAt = this.#shared.deps.clock.monotonic();
    if (response.write(chunk)) return;
    controller.pause();
    response.once('drain', () => {
      this.#lastDataAt = this.#shared.deps.clock.monotonic();
      controller.resume();
    });
  }

  onResponseEnd(): void {
    if (!this.#ended) this.#end(null);
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#fail(error);
  }

  #end(lastChunk: Buffer | null): void {
    this.#finish();
    const { response, request } = this.#exchange;
    if (request.complete || !this.#exchange.head.hasBody) {
      if (lastChunk === null) response.end();
      else if (lastChunk.length <= joinedBodyBytes) response.end(lastChunk.toString('latin1'), 'latin1');
      else response.end(lastChunk);
      return;
    }
    if (lastChunk !== null) response.write(lastChunk);
    endAfterBody(this.#exchange, this.#shared.deps.clock);
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    if (this.#started) {
      this.#finish();
      this.#exchange.reason = 'origin broke off its response';
      this.#exchange.response.destroy();
      return;
    }
    if (this.#triesLeft > 0 && isClosedConnection(error)) {
      this.#triesLeft--;
      this.dispatch();
      return;
    }
    this.#finish();
    this.#shared.deps.onFailure(this.#exchange, failureOf(error));
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#shared.streaming.delete(this);
    this.#site.load.inFlight--;
    this.#shared.inFlight--;
  }
}

interface ResponseHeaders {
  readonly headers: string[];
  /** -1 when the response does not say. */
  readonly contentLength: number;
  readonly eventStream: boolean;
  /** `WWW-Authenticate: Basic`. */
  readonly basicChallenge: boolean;
  readonly links: string[];
}

/** The origin's headers as flat latin1 strings, without those for one hop. */
function responseHeaders(raw: readonly (Buffer | string)[]): ResponseHeaders {
  let headers: string[] = [];
  const links: string[] = [];
  let contentLength = -1;
  let eventStream = false;
  let basicChallenge = false;
  let connection = '';
  for (let index = 0; index < raw.length; index += 2) {
    const name = latin1(raw[index]);
    const value = latin1(raw[index + 1]);
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
        if (name.length === 4 && name.toLowerCase() === 'link') links.push(value);
        else if (name.length === 12 && value.startsWith('text/event-stream')) eventStream = true;
        else if (name.length === 16 && name.toLowerCase() === 'www-authenticate') {
          basicChallenge ||= /^basic\b/i.test(value);
        }
        headers.push(name, value);
    }
  }
  if (connection !== '' && connection !== 'keep-alive' && connection !== 'close') {
    headers = withoutNamed(headers, new Set(connection.toLowerCase().split(/[\s,]+/)));
  }
  return { headers, contentLength, eventStream, basicChallenge, links };
}

function latin1(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '');
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The origin closed a kept-alive connection while the request was on its way. */
function isClosedConnection(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function failureOf(error: unknown): UpstreamFailure {
  switch (errorCode(error)) {
    case 'BODY_TOO_LARGE':
      return { status: 413, reason: 'body larger than allowed', cause: error };
    case 'BODY_TOO_SLOW':
      return { status: 408, reason: 'body slower than allowed', cause: error };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { status: 504, reason: 'origin did not answer in time', cause: error };
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { status: 504, reason: 'origin could not be reached in time', cause: error };
    case 'UND_ERR_INVALID_ARG':
      return { status: 400, reason: 'request cannot be passed on', cause: error };
    default:
      return { status: 502, reason: 'origin failed', cause: error };
  }
}
