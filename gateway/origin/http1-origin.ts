/**
 * Our own client for plain HTTP/1.1 origins: a pool of kept connections, one exchange on each at a time. It exists for its
 * cost: see `docs/benchmarks.md`. Time limits are looked at by one sweep instead of a timer for each request.
 */
import type { Clock } from '../../core/clock.ts';
import { type ConnectionOptions, OriginConnection } from './origin-connection.ts';
import {
  type OriginClient,
  OriginError,
  type OriginExchange,
  type OriginRequest,
  type ResponseSink,
} from './origin-client.ts';

export interface OriginOptions {
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly headBytes: number;
}

/** An origin that says how long it keeps connections is believed, less this: the race at the end is not worth it. */
const keepAliveMarginMs = 1_000;
const sharedBufferBytes = 65_536;

/** A request from its dispatch to its end, whether it waits, travels or is done. */
class Exchange implements OriginExchange {
  readonly request: OriginRequest;
  readonly sink: ResponseSink;
  connection: OriginConnection | null = null;
  ended = false;
  /** Monotonic milliseconds. */
  readonly dispatchedAt: number;
  readonly #giveUp: (exchange: Exchange) => void;

  constructor(request: OriginRequest, sink: ResponseSink, now: number, giveUp: (exchange: Exchange) => void) {
    this.request = request;
    this.sink = sink;
    this.dispatchedAt = now;
    this.#giveUp = giveUp;
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  abort(cause: Error): void {
    if (this.ended) return;
    if (this.connection !== null) {
      this.connection.fail('aborted', cause.message, cause);
      return;
    }
    this.fail(new OriginError('aborted', cause.message, { cause }));
  }

  /** Ends it while it waits for a connection. */
  fail(error: OriginError): void {
    this.#giveUp(this);
    this.ended = true;
    this.sink.onError(error);
  }
}

export function createHttp1Origin(origin: URL, options: OriginOptions, clock: Clock): OriginClient {
  return new Http1Origin(origin, options, clock);
}

class Http1Origin implements OriginClient {
  readonly #target: ConnectionOptions;
  readonly #options: OriginOptions;
  readonly #clock: Clock;
  readonly #shared = Buffer.allocUnsafeSlow(sharedBufferBytes);
  /** Most recently used last: the surplus grows old and is closed. */
  readonly #idle: OriginConnection[] = [];
  readonly #all = new Set<OriginConnection>();
  readonly #waiting = new Set<Exchange>();
  readonly #sweep: { cancel(): void };

  constructor(origin: URL, options: OriginOptions, clock: Clock) {
    const host = origin.hostname.startsWith('[') ? origin.hostname.slice(1, -1) : origin.hostname;
    this.#target = { host, port: Number(origin.port || 80), headBytes: options.headBytes, clock };
    this.#options = options;
    this.#clock = clock;
    const shortest = Math.min(options.connectTimeoutMs, options.headersTimeoutMs, 4_000);
    this.#sweep = clock.every(Math.max(5, shortest / 4), () => this.#cutLate());
  }

  dispatch(request: OriginRequest, sink: ResponseSink): OriginExchange {
    const now = this.#clock.monotonic();
    const exchange = new Exchange(request, sink, now, (given) => this.#waiting.delete(given));
    const connection = this.#idle.pop() ?? (this.#all.size < this.#options.connections ? this.#open() : null);
    if (connection === null) this.#waiting.add(exchange);
    else this.#carry(connection, exchange);
    return exchange;
  }

  async close(): Promise<void> {
    this.#sweep.cancel();
    for (const exchange of this.#waiting) exchange.abort(new Error('the gateway stops'));
    for (const connection of this.#all) connection.fail('aborted', 'the gateway stops');
  }

  #open(): OriginConnection {
    const connection = new OriginConnection(this.#target, this.#shared, {
      onFree: (freed, keepMs) => this.#onFree(freed, keepMs),
      onClosed: (closed) => this.#onClosed(closed),
    });
    this.#all.add(connection);
    return connection;
  }

  #carry(connection: OriginConnection, exchange: Exchange): void {
    exchange.connection = connection;
    connection.carry(exchange.request, new EndingSink(exchange));
  }

  #onFree(connection: OriginConnection, keepMs: number | null): void {
    const next = this.#nextWaiting();
    if (next !== null) {
      this.#carry(connection, next);
      return;
    }
    const wished = keepMs === null ? Number.POSITIVE_INFINITY : keepMs - keepAliveMarginMs;
    connection.keepMs = Math.min(wished, this.#options.keepAliveTimeoutMs);
    connection.since = this.#clock.monotonic();
    if (connection.keepMs <= 0) connection.fail('closed', 'not kept');
    else this.#idle.push(connection);
  }

  #onClosed(connection: OriginConnection): void {
    this.#all.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    this.#openForWaiting();
  }

  #openForWaiting(): void {
    if (this.#all.size >= this.#options.connections) return;
    const next = this.#nextWaiting();
    if (next !== null) this.#carry(this.#open(), next);
  }

  #nextWaiting(): Exchange | null {
    const next = this.#waiting.values().next();
    if (next.done) return null;
    this.#waiting.delete(next.value);
    return next.value;
  }

  #cutLate(): void {
    const now = this.#clock.monotonic();
    for (const connection of this.#idle.filter(({ since, keepMs }) => now - since >= keepMs)) {
      connection.fail('closed', 'idle');
    }
    for (const exchange of this.#waiting) {
      // The oldest comes first.
      if (now - exchange.dispatchedAt < this.#options.headersTimeoutMs) break;
      exchange.fail(new OriginError('headers-timeout', 'no connection became free in time'));
    }
    for (const connection of this.#all) {
      const waited = now - connection.since;
      if (connection.awaiting === 'connect' && waited >= this.#options.connectTimeoutMs) {
        connection.fail('connect-timeout', 'no connection in time');
      } else if (connection.awaiting === 'origin' && waited >= this.#options.headersTimeoutMs) {
        connection.fail('headers-timeout', 'no response headers in time');
      }
    }
  }
}

/** Notes the end of an exchange on its way to the sink, so that a late abort cannot reach a connection that serves another. */
class EndingSink implements ResponseSink {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  onInterim(status: number, headers: readonly string[]): void {
    this.#exchange.sink.onInterim(status, headers);
  }

  onHead(status: number, headers: readonly string[]): void {
    this.#exchange.sink.onHead(status, headers);
  }

  onData(chunk: Buffer): void {
    this.#exchange.sink.onData(chunk);
  }

  onEnd(): void {
    this.#end();
    this.#exchange.sink.onEnd();
  }

  onError(error: OriginError): void {
    this.#end();
    this.#exchange.sink.onError(error);
  }

  #end(): void {
    this.#exchange.ended = true;
    this.#exchange.connection = null;
  }
}
