/**
 * WebSocket upgrades: the same judgement as every request, then http-proxy-3 carries the bytes. Any other upgrade is ignored
 * and the request treated as plain: h2c above all, which would be a tunnel past every rule.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Exchange } from './exchange.ts';
import { originHeaders } from './origin-headers.ts';
import type { Site } from './sites.ts';

export interface UpgraderOptions {
  readonly connectTimeoutMs: number;
  /** A socket over which nothing passes for this long is closed. */
  readonly idleTimeoutMs: number;
  readonly clientHeader: string | null;
}

export interface Upgrader {
  /** Carries a judged upgrade. `onFailure` is called when the origin cannot be reached before anything was answered. */
  carry(exchange: Exchange, site: Site, socket: Socket, first: Buffer, onFailure: (cause: unknown) => void): void;
}

/** After a client has ended its side nothing is left but the origin's own end, and not every origin comes to it. */
const closingMs = 1_000;

/** Only GET, HTTP/1.1, `Upgrade: websocket` and no body is an upgrade. Node asks this before it hands over the socket. */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    request.method === 'GET' &&
    request.httpVersionMajor === 1 &&
    request.httpVersionMinor === 1 &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    (headers['content-length'] === undefined || headers['content-length'] === '0')
  );
}

export function createUpgrader(options: UpgraderOptions, deps: { readonly clock: Clock; readonly log: Log }): Upgrader {
  const carried = new WeakMap<IncomingMessage, Exchange>();
  const proxy = createProxyServer({ connectTimeout: options.connectTimeoutMs });
  // Every failure also reaches the callback of its own exchange; without a listener the emitter would throw.
  proxy.on('error', (error) => deps.log.debug({ cause: messageOf(error) }, 'a carried connection failed'));
  proxy.on('proxyReqWs', (outgoing: ClientRequest, request: IncomingMessage) => {
    const exchange = carried.get(request);
    if (exchange === undefined) return;
    // The library folds repeated slashes; the origin must see the target that was judged.
    outgoing.path = exchange.head.target;
    outgoing.once('upgrade', () => {
      exchange.upgraded = true;
      exchange.status = 101;
    });
    outgoing.once('response', (response) => {
      exchange.upgraded = true;
      exchange.status = response.statusCode ?? 502;
    });
  });

  return {
    carry(exchange, site, socket, first, onFailure) {
      const { request } = exchange;
      exchange.forwarded = true;
      carried.set(request, exchange);
      request.headers = {
        ...grouped(originHeaders(exchange, options.clientHeader)),
        connection: 'Upgrade',
        upgrade: 'websocket',
      };
      proxy.ws(request, socket, first, { target: site.origin }, (error: unknown) => {
        if (exchange.upgraded) socket.destroy();
        else onFailure(error);
      });
      socket.once('end', () => {
        const timer = deps.clock.after(closingMs, () => socket.destroy());
        socket.once('close', () => timer.cancel());
      });
      // After the library's own set-up, which clears the timeout.
      socket.setTimeout(options.idleTimeoutMs, () => socket.destroy());
    },
  };
}

/** A flat header list as the object that the library reads; repeated names become lists. */
function grouped(headers: readonly string[]): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let index = 0; index < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    const value = headers[index + 1] as string;
    const before = result[name];
    if (before === undefined) result[name] = value;
    else if (name === 'cookie') result[name] = `${String(before)}; ${value}`;
    else result[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return result;
}
