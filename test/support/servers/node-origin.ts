/**
 * An origin in the test's own process. It records every request as it came and misbehaves on demand: each route in
 * `origin-routes.ts` is one behaviour. What an origin holds back, it holds until the test calls `release()`: no sleeps.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerRoute, type RouteContext } from './origin-routes.ts';
import type { Teardown } from './process.ts';
import { answerWebSocket } from './websocket-echo.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<IncomingMessage['headers']>;
  /** Grows while the body arrives; final once `bodyEnd` is not `open`. */
  readonly body: Buffer;
  readonly bodyEnd: 'open' | 'complete' | 'aborted';
  readonly trailers: Readonly<NodeJS.Dict<string>>;
  /** Requests with the same number shared a connection. */
  readonly connection: number;
}

export interface NodeOriginOptions {
  /** Asked before the routes; true when it has taken care of the request. */
  readonly handler?: (request: IncomingMessage, response: ServerResponse, recorded: RecordedRequest) => boolean;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** How long idle connections are kept; 60 s by default. */
  readonly keepAliveTimeoutMs?: number;
}

export interface NodeOrigin {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Every request whose head arrived, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Waits until `count` requests have ended (body complete or aborted). Rejects after 10 s. */
  received(count: number): Promise<readonly RecordedRequest[]>;
  /** Waits until `count` request heads have arrived, ended or not. Rejects after 10 s. */
  arrived(count: number): Promise<readonly RecordedRequest[]>;
  /** Waits until `count` answers were cut off by the other side before they were finished. Rejects after 10 s. */
  abandoned(count: number): Promise<void>;
  /** Lets go what the `hold` routes hold back: the oldest, or waits for the next to come. Rejects after 10 s. */
  release(): Promise<void>;
  /** Connections accepted since the start. */
  connections(): number;
  /** Connections open now. */
  openConnections(): number;
  /** Ends every connection at once, as an origin that restarts. */
  dropConnections(): void;
  /** Stops listening and ends every connection. Safe twice; done by the teardown too. */
  close(): Promise<void>;
}

type Recording = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] };

const waitMs = 10_000;

/** Starts it on a free port. */
export async function startNodeOrigin(t: Teardown, options: NodeOriginOptions = {}): Promise<NodeOrigin> {
  const state = new OriginState();
  const server = createServer({
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 60_000,
    requestTimeout: 0,
    connectionsCheckingInterval: 1000,
  });
  server.on('connection', (socket) => state.connected(socket));
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const recorded = state.record(request);
    response.once('close', () => {
      if (!response.writableFinished) state.abandon();
    });
    // A reset peer is part of the tests, not a fault of the origin.
    response.on('error', () => {});
    if (options.handler?.(request, response, recorded) === true) return;
    answerRoute(request, response, recorded, state.routes);
  };
  server.on('request', take);
  // The route decides about 100; the default would answer before it is asked.
  server.on('checkContinue', take);
  server.on('upgrade', (request, socket, head) => {
    state.record(request);
    answerWebSocket(request, socket as Socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, options.host ?? '127.0.0.1', resolve);
  });
  const close = (): Promise<void> => closeServer(server, state);
  t.teardown(close);
  return describeOrigin(server, state, close);
}

function describeOrigin(server: Server, state: OriginState, close: () => Promise<void>): NodeOrigin {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the origin has no port');
  const ended = (): number => state.requests.filter((one) => one.bodyEnd !== 'open').length;
  return {
    port: address.port,
    origin: `http://127.0.0.1:${address.port}`,
    requests: state.requests,
    received: (count) => state.until(() => ended() >= count, `${count} complete requests`),
    arrived: (count) => state.until(() => state.requests.length >= count, `${count} requests`),
    async abandoned(count) {
      await state.until(() => state.abandonedAnswers >= count, `${count} abandoned answers`);
    },
    async release() {
      await state.until(() => state.held.length > 0, 'a held answer');
      state.held.shift()?.();
    },
    connections: () => state.accepted,
    openConnections: () => state.sockets.size,
    dropConnections: () => state.dropAll(),
    close,
  };
}

class OriginState {
  readonly requests: Recording[] = [];
  readonly sockets = new Map<Socket, number>();
  readonly held: (() => void)[] = [];
  readonly #waiting = new Set<() => void>();
  accepted = 0;
  abandonedAnswers = 0;
  readonly routes: RouteContext = {
    hold: (go) => {
      this.held.push(go);
      this.#changed();
    },
  };

  connected(socket: Socket): void {
    this.accepted += 1;
    this.sockets.set(socket, this.accepted);
    socket.on('error', () => {});
    socket.once('close', () => this.sockets.delete(socket));
  }

  record(request: IncomingMessage): RecordedRequest {
    const chunks: Buffer[] = [];
    const recording: Recording = {
      method: request.method ?? '',
      url: request.url ?? '',
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      get body() {
        return Buffer.concat(chunks);
      },
      bodyEnd: 'open',
      trailers: {},
      connection: this.sockets.get(request.socket) ?? 0,
    };
    this.requests.push(recording);
    // Wrapped rather than listened to, because a `data` listener would start a body that a route leaves unread.
    const push = request.push.bind(request);
    request.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
      if (chunk !== null) chunks.push(chunk);
      return push(chunk, encoding);
    };
    request.once('end', () => {
      recording.trailers = request.trailers;
      recording.bodyEnd = 'complete';
      this.#changed();
    });
    request.once('close', () => {
      if (recording.bodyEnd === 'open') recording.bodyEnd = 'aborted';
      this.#changed();
    });
    this.#changed();
    return recording;
  }

  abandon(): void {
    this.abandonedAnswers += 1;
    this.#changed();
  }

  dropAll(): void {
    for (const socket of this.sockets.keys()) socket.destroy();
  }

  async until(condition: () => boolean, what: string): Promise<readonly RecordedRequest[]> {
    if (condition()) return this.requests;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = this.requests.map((one) => `${one.method} ${one.url} (${one.bodyEnd})`).join(', ');
        reject(new Error(`the origin waited ${waitMs} ms for ${what}; it saw: ${seen}`));
      }, waitMs);
      this.#waiting.add(look);
    });
    return this.requests;
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}

function closeServer(server: Server, state: OriginState): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    state.dropAll();
  });
}
