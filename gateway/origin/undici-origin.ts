/** undici behind the port of `upstream.ts`: for TLS origins, where a connection is more than a socket. */
import type { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import type { OriginOptions } from './http1-origin.ts';
import {
  type OriginClient,
  OriginError,
  type OriginExchange,
  type OriginRequest,
  type ResponseSink,
} from './origin-client.ts';
import { InvalidResponse } from './response-head.ts';

type Controller = Dispatcher.DispatchController;

export function createUndiciOrigin(origin: URL, options: OriginOptions): OriginClient {
  const pool = new Pool(origin, {
    connections: options.connections,
    // More than one request on a connection would let one stalled response hold up others.
    pipelining: 1,
    allowH2: false,
    connect: { timeout: options.connectTimeoutMs },
    headersTimeout: options.headersTimeoutMs,
    // Pauses within a body are judged in upstream.ts, which knows an event stream when it sees one.
    bodyTimeout: 0,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    maxHeaderSize: options.headBytes,
  });
  // Plain connections have no server name; given one, undici need not find out whether Host is an address.
  const plain = origin.protocol === 'http:' ? { servername: 'origin' } : undefined;
  return {
    dispatch(request, sink) {
      const handler = new Handler(sink);
      try {
        pool.dispatch({ ...optionsOf(request), ...plain }, handler);
      } catch (thrown) {
        handler.onResponseError(null, thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
      return handler;
    },
    close: () => pool.destroy(),
  };
}

function optionsOf({ method, target, headers, body, contentLength }: OriginRequest): Dispatcher.DispatchOptions {
  return {
    method,
    path: target,
    headers: contentLength === null ? [...headers] : [...headers, 'Content-Length', contentLength],
    // undici takes any async iterable of chunks and pulls it at the origin's pace; its types do not name that one.
    body: body as Readable | null,
  };
}

/** Each interim response starts undici's time limit for the headers anew, so that their number must have a limit. */
const mostInterims = 20;

/** Translates undici's callbacks into those of a sink. */
class Handler implements OriginExchange {
  readonly #sink: ResponseSink;
  #controller: Controller | null = null;
  #abortedBy: Error | null = null;
  #begun = false;
  #interims = 0;
  #ended = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(cause: Error): void {
    if (this.#ended || this.#abortedBy !== null) return;
    this.#abortedBy = cause;
    this.#controller?.abort(cause);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#abortedBy !== null) controller.abort(this.#abortedBy);
  }

  onResponseStart(controller: Controller, status: number): void {
    const headers = textsOf(controller.rawHeaders as readonly (Buffer | string)[]);
    if (status < 200) {
      this.#interims++;
      if (this.#interims > mostInterims) controller.abort(new InvalidResponse('too many interim responses'));
      else this.#sink.onInterim(status, headers);
      return;
    }
    this.#begun = true;
    this.#sink.onHead(status, headers);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#sink.onData(chunk);
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#sink.onEnd();
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.onError(
      this.#abortedBy === null ? translated(error, this.#begun || this.#interims > 0) : abortedError(this.#abortedBy),
    );
  }
}

function textsOf(raw: readonly (Buffer | string)[]): string[] {
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function abortedError(cause: Error): OriginError {
  return new OriginError('aborted', cause.message, { cause });
}

function translated(error: Error, begun: boolean): OriginError {
  if (error instanceof InvalidResponse) return new OriginError('invalid-response', error.message, { cause: error });
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const detail = { cause: error };
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new OriginError('connect-timeout', error.message, detail);
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new OriginError('headers-timeout', error.message, detail);
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return new OriginError('closed', error.message, { ...detail, stale: !begun });
    case 'UND_ERR_INVALID_ARG':
      return new OriginError('invalid-request', error.message, detail);
    case 'BODY_TOO_LARGE':
    case 'BODY_TOO_SLOW':
      return new OriginError('aborted', error.message, detail);
    default:
      return error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW'
        ? new OriginError('invalid-response', error.message, detail)
        : new OriginError('unreachable', error.message, detail);
  }
}
