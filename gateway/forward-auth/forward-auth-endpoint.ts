/**
 * Forward-auth: for sites that the gateway cannot stand in front of. Their web server asks about each request before it serves
 * it; the answer is 204, or the page that the visitor would have got here. Decisions, request-phase scenarios and rules on the
 * head of the request are the same as in line; bodies and responses are not seen.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { createThrottle } from '../../remediation/throttle.ts';
import { anyContains } from '../../remediation/allowed/protected-sources.ts';
import { type ClientResolver, type Peer, rangesOf } from '../client-address.ts';
import { Exchange } from '../exchange.ts';
import type { Handler } from '../handle.ts';
import { listening } from '../../core/listening.ts';
import { readHead, type HeadLimits } from '../request-head.ts';
import { type Answer, answerFor, respond } from '../respond.ts';
import type { ForwardAuthOptions } from './options.ts';
import { originalRequest } from './original-request.ts';

export interface ForwardAuthParts extends Runtime {
  /** Trusts whoever may ask. */
  readonly clients: ClientResolver;
  /** Whose sites have a fallback: a server that asks about a host is there to serve it. */
  readonly handler: Handler;
  readonly limits: HeadLimits;
}

export interface ForwardAuthEndpoint {
  /** Resolves with the port, 0 for a unix socket. @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED */
  listen(): Promise<number>;
  /** Answers what was asked, then stops. Safe before `listen` and twice. */
  close(): Promise<void>;
}

/**
 * Where nginx fetches the page for a visitor that it refuses: `auth_request` throws the body of a refusal away. The status and
 * the request id of the refusal come back in headers.
 */
export const refusalPagePath = '/portcullis/page';
const statusHeader = 'x-portcullis-status';

const mostConnections = 4_096;
/** A visitor's headers, and what the server adds. */
const headerBytes = 65_536;
const headersTimeoutMs = 10_000;
/** Longer than web servers keep an unused connection, so that it is they who close it. */
const keepAliveMs = 95_000;
const drainMs = 5_000;
/** Of one asker: beyond this they are not logged. */
const complaints = { ratePerSecond: 0.1, burst: 10, maxSources: 1_000 } as const;

export function createForwardAuthEndpoint(
  options: ForwardAuthOptions & { readonly listen: NonNullable<ForwardAuthOptions['listen']> },
  parts: ForwardAuthParts,
): ForwardAuthEndpoint {
  const { clock, log } = parts;
  const desk = createDesk(options, parts);
  const server = createServer(
    {
      maxHeaderSize: headerBytes,
      headersTimeout: headersTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
      shouldUpgradeCallback: () => false,
    },
    desk,
  );
  server.maxConnections = mostConnections;
  // Counted in request-head.ts.
  server.maxHeadersCount = 0;
  return {
    async listen() {
      const port = await listening(server, options.listen, { setting: 'forwardAuth.listen', socketAccess: 'group' });
      server.on('error', (error) =>
        log.error({ cause: messageOf(error) }, 'the forward-auth endpoint reported an error'),
      );
      return port;
    },
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const late = clock.after(drainMs, () => server.closeAllConnections());
      await closed;
      late.cancel();
    },
  };
}

function createDesk(
  { headers, from }: ForwardAuthOptions,
  { clients, handler, clock, log, limits }: ForwardAuthParts,
): (question: IncomingMessage, response: ServerResponse) => void {
  const askers = rangesOf(from);
  const complaint = createThrottle(complaints);

  function refuseAsker(peer: Peer, response: ServerResponse, status: number, message: string, remedy: string): void {
    const asker = peer.address.text;
    if (complaint.admit(asker, clock.now()).admitted) {
      log.warn({ asker, remedy }, `a question to the forward-auth endpoint is refused: ${message}`);
    }
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
  }

  function judge(question: IncomingMessage, response: ServerResponse, peer: Peer): void {
    const original = originalRequest(question, headers);
    if ('problem' in original) {
      const remedy = 'Let the web server send it, or set `forwardAuth.headers` to what it sends.';
      return refuseAsker(peer, response, 400, original.problem, remedy);
    }
    const exchange = handler.open(original.request, response, peer);
    exchange.answeredElsewhere = true;
    response.once('close', () => handler.close(exchange));
    const known = handler.meet(exchange);
    if (known === null) decide(exchange);
    else void known.then(() => exchange.done || decide(exchange));
  }

  function decide(exchange: Exchange): void {
    const { response } = exchange;
    const refusal = handler.judge(exchange);
    if (refusal !== null) return respond(exchange, forServer(refusal), clock);
    exchange.status = 204;
    response.writeHead(204, ['X-Request-Id', exchange.id]).end();
  }

  /** nginx serves nothing but 2xx, 401 and 403 of `auth_request` as it is; the page carries the real status. */
  function forServer(refusal: Answer): Answer {
    const told = [...(refusal.headers ?? []), statusHeader, String(refusal.status)];
    return { ...refusal, headers: told, status: headers === 'x-original' ? 403 : refusal.status, close: false };
  }

  /** For whom it is shown and why is not looked up again: the server says what it was told. */
  function showPage(question: IncomingMessage, response: ServerResponse, peer: Peer): void {
    const given = question.headers['x-request-id'];
    const id = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : '-';
    const status = Number(question.headers[statusHeader]);
    const exchange = new Exchange(question, response, peer, id, clock.now(), clock.monotonic());
    readHead(question, exchange.head, limits);
    exchange.client = clients.clientOf(peer, exchange.head);
    respond(exchange, answerFor(status === 429 || status === 421 || status === 400 ? status : 403), clock);
  }

  return (question, response) => {
    response.on('error', () => response.destroy());
    const peer = clients.peerOf(question.socket.remoteAddress);
    if (!anyContains(askers, peer.address)) {
      const remedy = 'Add it to `forwardAuth.from` when it is a web server of yours.';
      return refuseAsker(peer, response, 403, 'this address may not ask', remedy);
    }
    if (question.url === refusalPagePath) showPage(question, response, peer);
    else judge(question, response, peer);
  };
}
