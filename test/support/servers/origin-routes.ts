/** What the Node origin does per path: one behaviour each, good and bad. Numbers come from the query (`/large?bytes=5`). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RecordedRequest } from './node-origin.ts';

export interface RouteContext {
  /** Calls `go` when the test releases it. */
  hold(go: () => void): void;
}

interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly recorded: RecordedRequest;
  readonly query: URLSearchParams;
  readonly context: RouteContext;
}

type Route = (visit: Visit) => void;

/** Runs the route of the request's path; any other path answers 200 with `origin <method> <target>\n`. */
export function answerRoute(
  request: IncomingMessage,
  response: ServerResponse,
  recorded: RecordedRequest,
  context: RouteContext,
): void {
  const url = new URL(request.url ?? '/', 'http://origin.test');
  const route = routes[url.pathname] ?? plain;
  route({ request, response, recorded, query: url.searchParams, context });
}

const routes: Readonly<Record<string, Route>> = {
  '/echo': echo,
  '/inspect': inspect,
  '/hold': hold,
  '/hold-body': holdBody,
  '/hang': () => {},
  '/reset': ({ request }) => request.socket.resetAndDestroy(),
  '/reset-mid-body': resetMidBody,
  '/truncate': truncate,
  '/truncate-chunked': truncateChunked,
  '/close-idle': closeIdle,
  '/close-on-reuse': closeOnReuse,
  '/large': large,
  '/chunked': chunked,
  '/trailers': trailers,
  '/sse': sse,
  '/early': early,
  '/early-hints': earlyHints,
  '/processing': processing,
  '/continue': afterContinue,
  '/status': status,
  '/headers': responseHeaders,
  '/garbage': ({ request }) => void request.socket.end('SSH-2.0-not-http\r\n'),
  '/big-headers': bigHeaders,
};

function plain({ request, response }: Visit): void {
  request.resume();
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`origin ${request.method} ${request.url}\n`);
  });
}

/** The request's body comes back as it arrives, with its content type. */
function echo({ request, response }: Visit): void {
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
  request.pipe(response);
}

/** The request as JSON, body in base64, once it is complete. */
function inspect({ request, response, recorded }: Visit): void {
  request.resume();
  request.once('end', () => {
    const { method, url, rawHeaders, connection, body } = recorded;
    const text = JSON.stringify({ method, url, rawHeaders, connection, body: body.toString('base64') });
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
}

/** Slow headers: nothing is answered until the test releases it. */
function hold({ request, response, context }: Visit): void {
  request.resume();
  context.hold(() => response.end('released\n'));
}

/** Headers and half of the body at once, the other half when released. */
function holdBody({ request, response, context }: Visit): void {
  request.resume();
  response.writeHead(200, { 'content-length': 12 }).write('first\n');
  context.hold(() => response.end('second'));
}

/** 500 of 1,000 announced bytes, then a TCP reset. */
function resetMidBody({ request, response }: Visit): void {
  response.writeHead(200, { 'content-length': 1000 });
  response.write('x'.repeat(500), () => request.socket.resetAndDestroy());
}

/** 500 of 1,000 announced bytes, then an orderly end. */
function truncate({ request, response }: Visit): void {
  response.writeHead(200, { 'content-length': 1000 });
  response.write('x'.repeat(500), () => request.socket.end());
}

/** A chunked body without its last chunk. */
function truncateChunked({ request, response }: Visit): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write('x'.repeat(500), () => request.socket.end());
}

/** A complete answer that promises to keep the connection, which then ends while idle. */
function closeIdle({ request, response }: Visit): void {
  request.resume();
  response.once('finish', () => request.socket.end());
  response.writeHead(200, { connection: 'keep-alive', 'content-length': 5 }).end('idle\n');
}

/** A complete answer; the next request on the same connection meets its end: the keep-alive race. */
function closeOnReuse({ request, response }: Visit): void {
  const { socket } = request;
  request.resume();
  response.once('finish', () => {
    socket.removeAllListeners('data');
    socket.once('data', () => socket.destroy());
    socket.resume();
  });
  response.writeHead(200, { connection: 'keep-alive', 'content-length': 6 }).end('reuse\n');
}

/** `bytes` of `x`, sent no faster than they are taken. */
function large({ request, response, query }: Visit): void {
  request.resume();
  let left = Number(query.get('bytes') ?? 1_048_576);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': left });
  const block = Buffer.alloc(65_536, 'x');
  const pour = (): void => {
    while (left > 0) {
      const part = left >= block.length ? block : block.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) return void response.once('drain', pour);
    }
    response.end();
  };
  pour();
}

/** `count` chunks of `size` bytes, numbered by their letter. */
function chunked({ request, response, query }: Visit): void {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/plain' });
  const size = Number(query.get('size') ?? 10);
  for (let index = 0; index < Number(query.get('count') ?? 3); index += 1) {
    response.write(String.fromCharCode(97 + (index % 26)).repeat(size));
  }
  response.end();
}

function trailers({ request, response }: Visit): void {
  request.resume();
  response.writeHead(200, { trailer: 'X-Checksum' });
  response.write('with trailers\n');
  response.addTrailers({ 'X-Checksum': 'abc' });
  response.end();
}

/** One event at once, one per release, and the end with the release after `count` (3). */
function sse({ request, response, query, context }: Visit): void {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const count = Number(query.get('count') ?? 3);
  let sent = 0;
  const next = (): void => {
    if (sent === count) return void response.end();
    sent += 1;
    response.write(`data: ${sent}\n\n`);
    context.hold(next);
  };
  next();
}

/** 413 before the body was read; `close=1` ends the connection with it. */
function early({ request, response, query }: Visit): void {
  const close = query.get('close') === '1';
  response.writeHead(413, { 'content-length': 8, ...(close ? { connection: 'close' } : {}) }).end('too big\n');
  if (!close) request.resume();
}

function earlyHints({ request, response }: Visit): void {
  request.resume();
  response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
  response.end('after hints\n');
}

function processing({ request, response }: Visit): void {
  request.resume();
  response.writeProcessing();
  response.end('after processing\n');
}

/** 100 first, whether it was asked for or not, then the body comes back. */
function afterContinue({ request, response }: Visit): void {
  response.writeContinue();
  request.pipe(response);
}

/** `code`, without a body where it may have none. */
function status({ request, response, query }: Visit): void {
  request.resume();
  const code = Number(query.get('code') ?? 200);
  response.writeHead(code).end(code === 204 || code === 304 ? undefined : `status ${code}\n`);
}

/** Repeated headers, hop-by-hop headers, and one that `Connection` names. */
function responseHeaders({ request, response }: Visit): void {
  request.resume();
  const headers = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Multi', 'one', 'X-Multi', 'two'];
  headers.push('Connection', 'X-Hop, keep-alive', 'X-Hop', 'private', 'Keep-Alive', 'timeout=7');
  headers.push('Proxy-Authenticate', 'Basic', 'Server', 'origin/1', 'X-Latin', 'caf\xe9', 'Content-Length', '8');
  response.writeHead(200, headers).end('headers\n');
}

/** A header section of about `bytes` (20,000). */
function bigHeaders({ request, response, query }: Visit): void {
  request.resume();
  response.writeHead(200, { 'x-big': 'x'.repeat(Number(query.get('bytes') ?? 20_000)) }).end('big\n');
}
