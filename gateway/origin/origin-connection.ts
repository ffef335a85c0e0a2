/**
 * One connection to a plain HTTP/1.1 origin, carrying one exchange at a time. Reads through a buffer that all connections
 * share: what arrives is parsed before the next read, and only what must be kept is copied.
 */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { OriginError, type OriginFailure, type OriginRequest, type ResponseSink } from './origin-client.ts';
import { InvalidResponse, type ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  readonly headBytes: number;
}

export interface ConnectionEvents {
  /** The exchange is over and the connection can take another; `keepMs` is the origin's wish, null when it has none. */
  onFree(connection: OriginConnection, keepMs: number | null): void;
  onClosed(connection: OriginConnection): void;
}

/** The exchange that a connection carries. */
interface Carried {
  readonly request: OriginRequest;
  readonly sink: ResponseSink;
  requestSent: boolean;
}

export class OriginConnection {
  /** How long it may stay idle, milliseconds. Set by the pool. */
  keepMs = 0;
  /**
   * What it waits for: its connect, the origin (to take more of the body, or to answer), or nobody that has a time limit here:
   * a client's slow body is judged elsewhere, and so are pauses in a response body.
   */
  awaiting: 'connect' | 'origin' | 'nothing' = 'connect';
  /** When that wait, or its idle time, began: monotonic milliseconds. */
  since: number;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #parser: ResponseParser;
  #carried: Carried | null = null;
  #served = 0;
  #last = false;
  /** The exchange is over, the read that ended it is not: what is left of it must not become the next answer. */
  #free = false;
  #headSeen = false;
  #originKeepMs: number | null = null;
  #closed = false;
  #paused = false;

  constructor(options: ConnectionOptions, shared: Buffer, events: ConnectionEvents) {
    this.#clock = options.clock;
    this.since = options.clock.monotonic();
    this.#events = events;
    this.#parser = new ResponseParser(
      {
        onHead: (head) => this.#onHead(head),
        onBody: (view) => this.#carried?.sink.onData(Buffer.from(view)),
        onEnd: () => this.#onEnd(),
      },
      { headBytes: options.headBytes },
    );
    this.#socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      keepAlive: true,
      onread: { buffer: shared, callback: (length) => this.#onBytes(shared.subarray(0, length)) },
    });
    this.#socket.on('connect', () => this.#await(this.#carried?.requestSent === true ? 'origin' : 'nothing'));
    this.#socket.on('end', () => this.#onClose(null));
    this.#socket.on('error', (error) => this.#onClose(error));
    this.#socket.on('close', () => this.#onClose(null));
  }

  /** Only when free. */
  carry(request: OriginRequest, sink: ResponseSink): void {
    const carried: Carried = { request, sink, requestSent: request.body === null };
    this.#carried = carried;
    this.#headSeen = false;
    this.#parser.expect(request.method);
    if (!this.#socket.connecting) this.#await(carried.requestSent ? 'origin' : 'nothing');
    this.#socket.write(requestHead(request), 'latin1');
    if (request.body !== null) void this.#sendBody(carried, request.body);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #await(what: OriginConnection['awaiting']): void {
    this.awaiting = what;
    this.since = this.#clock.monotonic();
  }

  /** Ends the connection; what it carries hears of it. */
  fail(failure: OriginFailure, message: string, cause?: unknown): void {
    const carried = this.#carried;
    const stale = failure === 'closed' && this.#served > 0 && !this.#parser.begun;
    this.#carried = null;
    this.#close();
    carried?.sink.onError(new OriginError(failure, message, { stale, cause }));
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#events.onClosed(this);
  }

  async #sendBody(carried: Carried, body: AsyncIterable<Buffer>): Promise<void> {
    const { contentLength } = carried.request;
    let left = contentLength === null ? Number.POSITIVE_INFINITY : Number(contentLength);
    try {
      for await (const chunk of body) {
        if (this.#carried !== carried) return;
        left -= chunk.length;
        if (left < 0) throw new Error('the body is longer than announced');
        if (chunk.length === 0 || this.#writeChunk(chunk, contentLength === null)) continue;
        if (this.awaiting === 'nothing' && !this.#headSeen) this.#await('origin');
        await this.#drained();
        if (this.awaiting === 'origin') this.#await('nothing');
      }
      if (this.#carried !== carried) return;
      if (contentLength === null) this.#socket.write('0\r\n\r\n', 'latin1');
      else if (left > 0) throw new Error('the body is shorter than announced');
      carried.requestSent = true;
      if (this.awaiting === 'nothing' && !this.#headSeen) this.#await('origin');
    } catch (cause) {
      // The origin must not take what comes next on this connection for the rest of this body.
      if (this.#carried === carried) this.fail('aborted', 'the request body broke off', cause);
    }
  }

  #writeChunk(chunk: Buffer, chunked: boolean): boolean {
    if (!chunked) return this.#socket.write(chunk);
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    const more = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return more;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  #onBytes(view: Buffer): boolean {
    if (this.#carried === null) {
      // Nothing was asked: whatever this answers, it must not become the answer to the next request.
      this.#close();
      return false;
    }
    try {
      this.#parser.feed(view);
      if (this.#free && !this.#closed) {
        this.#free = false;
        this.#events.onFree(this, this.#originKeepMs);
      }
    } catch (thrown) {
      // Whatever a sink throws ends its own exchange, like bytes that are no response.
      if (this.#carried === null) this.#close();
      else this.fail(thrown instanceof InvalidResponse ? 'invalid-response' : 'aborted', messageOf(thrown), thrown);
    }
    return !this.#closed;
  }

  #onHead(head: ResponseHead): void {
    const sink = this.#carried?.sink;
    if (head.status < 200) {
      sink?.onInterim(head.status, head.headers);
      return;
    }
    this.#headSeen = true;
    this.#await('nothing');
    this.#last = head.last;
    this.#originKeepMs = head.keepAliveMs;
    sink?.onHead(head.status, head.headers);
  }

  #onEnd(): void {
    const carried = this.#carried;
    if (carried === null) return;
    this.#carried = null;
    this.#served++;
    this.resume();
    // An answer that came before the request was sent leaves half a request behind: nobody else may follow it.
    if (this.#last || !carried.requestSent) this.#close();
    else this.#free = true;
    carried.sink.onEnd();
  }

  #onClose(error: Error | null): void {
    if (this.#closed) return;
    // Only an orderly end completes a body that ends with its connection.
    if (error === null && this.#carried !== null && this.#parser.close()) return;
    if (this.awaiting === 'connect')
      this.fail('unreachable', error?.message ?? 'the origin closed the connection', error);
    else this.fail('closed', error?.message ?? 'the origin closed the connection', error);
  }
}

/** The head of a request as it goes over the wire. Names and values come from Node's parser and hold no line ends. */
function requestHead({ method, target, headers, body, contentLength }: OriginRequest): string {
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  if (contentLength !== null) head += `Content-Length: ${contentLength}\r\n`;
  else if (body !== null) head += 'Transfer-Encoding: chunked\r\n';
  return `${head}\r\n`;
}
