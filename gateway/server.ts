/**
 * The listener: accepts connections within explicit limits, hands requests to `handle.ts` and then to the upstream, cuts
 * slow clients, and drains on stop with nothing in flight lost.
 */
import { once } from 'node:events';
import {
  createServer,
  IncomingMessage,
  type Server,
  type ServerOptions as HttpServerOptions,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { lingerOnClose } from '../core/linger-on-close.ts';
import type { Log } from '../core/log.ts';
import type { ClientBody } from './body.ts';
import type { ClientResolver } from './client-address.ts';
import { type Connection, createConnections } from './connections.ts';
import type { Counters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './handle.ts';
import type { ListenAddress } from './options.ts';
import { type Answer, answerFor, respond, respondToAsterisk } from './respond.ts';
import type { Site } from './sites.ts';
import { isWebSocketUpgrade, type Upgrader } from './upgrade.ts';
import type { Upstream } from './upstream.ts';
import { holdBody } from './waf/hold-body.ts';
import type { Inspection } from './waf/inspection.ts';

export interface ServerOptions {
  readonly listen: ListenAddress;
  readonly headerBytes: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly connections: number;
  /** 0 for no limit. */
  readonly requestsPerConnection: number;
  readonly minResponseRate: number;
  /** How long a client may take nothing at all before its rate counts. */
  readonly bodyGraceMs: number;
  readonly drainTimeoutMs: number;
}

export interface ServerDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly clients: ClientResolver;
  readonly handler: Handler;
  readonly upstream: Upstream;
  readonly upgrader: Upgrader;
}

export interface GatewayServer {
  /** Resolves once connections are accepted. @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED */
  listen(): Promise<void>;
  /** 0 before it listens, and on a unix socket. */
  readonly port: number;
  readonly draining: boolean;
  readonly openConnections: number;
  /** The gateway drains, and this is the newest request of its connection. */
  isLastAnswer(exchange: Exchange): boolean;
  /** Refuses new connections, lets what is in flight finish, and cuts what is left after the drain timeout. */
  drain(): Promise<void>;
}

export function createGatewayServer(options: ServerOptions, deps: ServerDependencies): GatewayServer {
  const { clock, log, counters, handler, upstream, upgrader } = deps;
  const connections = createConnections(options, deps);
  let draining = false;

  function begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const connection = connections.of(request.socket);
    const exchange = handler.open(request, response, connection.peer);
    connection.open++;
    connection.newest = exchange;
    connection.requests++;
    // Node's own limit announces the end and then does not end the connection.
    if (connection.requests === options.requestsPerConnection) exchange.closes = true;
    response.once('close', () => {
      exchange.relay?.abort();
      handler.close(exchange);
      connection.open--;
      if (connection.newest === exchange && !exchange.closes && request.complete) connection.newest = null;
      if (connection.passed === exchange) connection.passed = null;
      if (connection.passed === null && !exchange.closes) passNext(connection);
      if (connection.broken && connection.open === 0) connection.socket.destroySoon();
    });
    return exchange;
  }

  /** Pipelined requests reach the origin in their order, each after the answer to the one before (RFC 9112 §9.3.2). */
  function pass(exchange: Exchange): void {
    const connection = connections.of(exchange.request.socket);
    if (connection.passed === null) forward(connection, exchange);
    else connection.waiting.push(exchange);
  }

  /** A request that had to wait is asked about again: what was answered before it may have led to a decision. */
  function passNext(connection: Connection): void {
    for (let next = connection.waiting.shift(); next !== undefined; next = connection.waiting.shift()) {
      if (connection.socket.destroyed) return;
      const instead = handler.reconsider(next);
      if (instead === null) return forward(connection, next);
      answer(next, instead);
    }
  }

  function forward(connection: Connection, exchange: Exchange): void {
    connection.passed = exchange;
    const { inspection } = exchange;
    const body = upstream.bodyOf(exchange);
    if (body === null || inspection === null || inspection.requestBodyBytes === 0) {
      upstream.forward(exchange, exchange.site as Site);
    } else void forwardHeld(exchange, inspection, body);
  }

  /** Once the rules have seen the beginning of its body. */
  async function forwardHeld(exchange: Exchange, inspection: Inspection, body: ClientBody): Promise<void> {
    const held = await holdBody(exchange, inspection, body);
    if (held === 'pass') upstream.forward(exchange, exchange.site as Site);
    else if (held !== 'gone') answer(exchange, held);
  }

  function answer(exchange: Exchange, given: Answer): void {
    respond(exchange, isLastAnswer(exchange) ? { ...given, close: true } : given, clock);
  }

  function isLastAnswer(exchange: Exchange): boolean {
    return draining && connections.of(exchange.request.socket).newest === exchange;
  }

  /** What follows an answer that ends the connection is not read: behind an ambiguous request nobody knows what it is. */
  function isSpent({ newest, broken }: Connection): boolean {
    return broken || newest?.closes === true;
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (isSpent(connections.of(request.socket))) return;
    const exchange = begin(request, response);
    whenMet(exchange, () => take(exchange));
  }

  /** At once, unless somebody has to be asked about the client first; not at all when it goes away meanwhile. */
  function whenMet(exchange: Exchange, next: () => void): void {
    const known = handler.meet(exchange);
    if (known === null) next();
    else void afterwards(known, exchange, next);
  }

  async function afterwards(known: Promise<void>, exchange: Exchange, next: () => void): Promise<void> {
    await known;
    if (!exchange.done) next();
  }

  function take(exchange: Exchange): void {
    const instead = handler.judge(exchange);
    // Node drops what came in one piece with an upgrade that is not taken: the next request would begin somewhere in it.
    if (exchange.head.upgrade !== '') exchange.closes = true;
    if (instead !== null) answer(exchange, instead);
    else if (exchange.head.target === '*') respondToAsterisk(exchange);
    else pass(exchange);
  }

  /** Node hands these sockets over while earlier answers may still be written to them: those come first, and then the end. */
  function canHandOver(socket: Socket): boolean {
    const connection = connections.of(socket);
    if (connection.open === 0) return !isSpent(connection);
    connection.broken = true;
    return false;
  }

  function onUpgrade(request: IncomingMessage, socket: Socket, first: Buffer): void {
    if (!canHandOver(socket)) return;
    const exchange = begin(request, standIn(request, socket));
    whenMet(exchange, () => takeUpgrade(exchange, socket, first));
  }

  function takeUpgrade(exchange: Exchange, socket: Socket, first: Buffer): void {
    const instead = handler.judge(exchange);
    if (instead !== null) return answer(exchange, { ...instead, close: true });
    counters.upgrades++;
    // The bytes are no longer HTTP: the response object must not touch the socket again until we answer in its place.
    exchange.response.detachSocket(socket);
    socket.once('close', () => exchange.response.emit('close'));
    upgrader.carry(exchange, exchange.site as Site, socket, first, (cause) => {
      log.warn({ requestId: exchange.id, site: exchange.site?.name, cause: messageOf(cause) }, 'origin failed');
      exchange.outcome = 'failed';
      exchange.reason = 'origin failed';
      if (socket.destroyed) return;
      exchange.response.assignSocket(socket);
      answer(exchange, answerFor(502, { close: true }));
    });
  }

  /** Bytes that are no HTTP request, or that came too slowly or too large: answered while that is possible, then closed. */
  function onMalformed(error: MalformedError, socket: Socket): void {
    const connection = connections.of(socket);
    if (error.code === 'ECONNRESET') return void socket.destroy();
    // Node goes on parsing, and failing, while the end of the connection is under way.
    if (isSpent(connection)) return;
    // The rest of a body that was answered already, or nobody to answer to.
    const isRest = connection.open === 0 && connection.newest?.request.complete === false;
    if (isRest || !socket.writable) return void socket.destroy();
    counters.malformed++;
    if (connection.open > 0) {
      // Answers under way belong to good requests before the bad bytes; they are finished first.
      connection.broken = true;
      if (connection.newest?.request.complete === false) connection.newest.relay?.breakBody();
      return;
    }
    const request = requestOf(error, socket);
    lingerOnClose(socket, clock);
    const exchange = begin(request, standIn(request, socket));
    answer(
      exchange,
      handler.rejectMalformed(exchange, statusOfMalformed(error.code), error.reason ?? error.code ?? ''),
    );
  }

  const server = createServer(nodeOptions(options), onRequest);
  // Counted by ourselves in request-head.ts: Node would drop what is above its limit without a word.
  server.maxHeadersCount = 0;
  server.maxConnections = options.connections;
  server.on('connection', (socket) => connections.add(socket));
  server.on('drop', () => {
    counters.droppedConnections++;
  });
  // An expectation is answered after the decision, when the body is read; unknown ones are refused in request-head.ts.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('clientError', (error, socket) => onMalformed(error, socket as Socket));
  server.on('upgrade', (request, socket, first) => onUpgrade(request, socket as Socket, first));
  // Node hands a CONNECT over as a bare socket; the judgement is the same, and always a refusal.
  server.on('connect', (request, given) => {
    const socket = given as Socket;
    if (canHandOver(socket)) onRequest(request, standIn(request, socket));
  });

  return {
    async listen() {
      await listening(server, options.listen);
      server.on('error', (error) => log.error({ cause: messageOf(error) }, 'the listener reported an error'));
    },
    get port() {
      const address = server.address();
      return address !== null && typeof address === 'object' ? address.port : 0;
    },
    get draining() {
      return draining;
    },
    get openConnections() {
      return connections.size;
    },
    isLastAnswer,
    async drain() {
      if (draining) return;
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const idle = clock.every(100, () => server.closeIdleConnections());
      // Node no longer looks at header time-outs once the server closes.
      const unasked = clock.after(options.headersTimeoutMs, () => connections.destroyUnused());
      const late = clock.after(options.drainTimeoutMs, () => {
        log.warn({ connections: connections.size }, 'the drain timeout is over; what is still open is cut');
        connections.destroyAll();
      });
      await closed;
      idle.cancel();
      unasked.cancel();
      late.cancel();
      connections.close();
    },
  };
}

function nodeOptions(options: ServerOptions): HttpServerOptions {
  return {
    maxHeaderSize: options.headerBytes,
    headersTimeout: options.headersTimeoutMs,
    // Bodies are held to a minimum rate instead (body.ts): a large upload may take its time.
    requestTimeout: 0,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    connectionsCheckingInterval: 1_000,
    // A missing Host is our own 400, so that it becomes an access event.
    requireHostHeader: false,
    noDelay: true,
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: isWebSocketUpgrade,
  };
}

/** A response object for a socket that Node handed over without one. Closes the connection with its answer. */
function standIn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  socket.on('error', () => socket.destroy());
  return response;
}

type MalformedError = Error & { readonly code?: string; readonly reason?: string; readonly rawPacket?: Buffer };

/** What can be told of bytes that are no request: their first line, for the log and for scenarios. */
function requestOf(error: MalformedError, socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket);
  const firstLine = error.rawPacket?.subarray(0, 2_048).toString('latin1').split(/\r|\n/, 1)[0] ?? '';
  const words = /^([A-Z]{1,20}) (\S+)/.exec(firstLine);
  request.method = words?.[1] ?? '';
  request.url = words?.[2] ?? '';
  request.httpVersion = '1.1';
  return request;
}

function statusOfMalformed(code: string | undefined): 400 | 408 | 431 {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}

async function listening(server: Server, listen: ListenAddress): Promise<void> {
  server.listen(listenArguments(listen));
  // `once` rejects when the server reports an error first.
  await once(server, 'listening').catch((cause: unknown) => fail(listen, cause));
}

function listenArguments(listen: ListenAddress): { port: number; host?: string } | { path: string } {
  if ('socketPath' in listen) return { path: listen.socketPath };
  return listen.host === null ? { port: listen.port } : { port: listen.port, host: listen.host };
}

function fail(listen: ListenAddress, cause: unknown): never {
  const name = 'socketPath' in listen ? listen.socketPath : `${listen.host ?? ''}:${listen.port}`;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    throw new GatewayError('ADDRESS_IN_USE', `${name} is already in use by another program`, {
      remedy: 'Stop that program, or set `listen` to another address.',
      cause,
    });
  }
  const remedy =
    code === 'EACCES'
      ? 'Ports below 1024 need the right to bind them: run as a service with CAP_NET_BIND_SERVICE, or choose a higher port.'
      : 'Check the address in `listen`.';
  throw new GatewayError('LISTEN_FAILED', `cannot listen on ${name}: ${messageOf(cause)}`, { remedy, cause });
}
