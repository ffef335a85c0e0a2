/**
 * What carries a request to an origin and its response back: the port behind `upstream.ts`. Plain HTTP/1.1 origins are served
 * by our own client, TLS origins by undici; both pass the same tests.
 */

export interface OriginRequest {
  readonly method: string;
  /** Origin-form target. */
  readonly target: string;
  /** Name and value in turn, Host among them, without framing: that follows from the body. */
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Buffer> | null;
  /** The announced length of the body; null with a body means chunked. */
  readonly contentLength: string | null;
}

/** Hears of one response. After `onEnd` or `onError` nothing more is called. */
export interface ResponseSink {
  /** An interim response (1xx, never 101). */
  onInterim(status: number, headers: readonly string[]): void;
  /** Name and value in turn, as the origin spelled them; latin1. */
  onHead(status: number, headers: readonly string[]): void;
  /** The chunk belongs to the sink. */
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: OriginError): void;
}

export interface OriginExchange {
  /** Stops reading the response, as soon as what was read is delivered. */
  pause(): void;
  resume(): void;
  /** Gives the request up: its connection is closed, and the sink hears `onError` with this cause. Safe at any time. */
  abort(cause: Error): void;
}

export interface OriginClient {
  dispatch(request: OriginRequest, sink: ResponseSink): OriginExchange;
  close(): Promise<void>;
}

export type OriginFailure =
  /** No connection. */
  | 'unreachable'
  | 'connect-timeout'
  | 'headers-timeout'
  /** The connection ended before the response was complete. */
  | 'closed'
  /** What came back is not an HTTP/1.1 response, or not one that can be read in one way only. */
  | 'invalid-response'
  /** The request cannot be sent as it is. */
  | 'invalid-request'
  /** Given up by our side, or by its body. */
  | 'aborted';

export class OriginError extends Error {
  readonly failure: OriginFailure;
  /** It broke on a kept connection before any byte of the response: the origin may have closed it before it saw the request. */
  readonly stale: boolean;

  constructor(
    failure: OriginFailure,
    message: string,
    detail: { readonly stale?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: detail.cause });
    this.name = 'OriginError';
    this.failure = failure;
    this.stale = detail.stale ?? false;
  }
}
