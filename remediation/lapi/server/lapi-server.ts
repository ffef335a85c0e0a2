/**
 * The listeners of the Local API: an address, with or without TLS, and a unix socket, in front of one application. On the admin
 * listener it is a plugin instead. Connections, headers and idleness are bounded here, bodies in `request-body.ts`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import { messageOf } from '../../../core/errors.ts';
import { listening } from '../../../core/listening.ts';
import type { ListenAddress } from '../../../core/options.ts';
import type { LapiDependencies, LapiRoutes } from '../lapi-context.ts';
import type { LapiOptions } from '../options.ts';
import { createLapiApp, lapiAppPlugin } from './lapi-app.ts';
import type { LapiCounters } from './lapi-counters.ts';
import type { KnownRoute } from './missing-routes.ts';
import type { ClientCertificate } from './peers.ts';
import { createTlsListener, type TlsListener } from './tls-listener.ts';

export interface LapiServer {
  /**
   * Opens what the settings name. Resolves with the port, 0 when there is none: `admin`, or the socket alone.
   * @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED
   */
  listen(): Promise<{ readonly port: number }>;
  /** Answers what was asked, then stops. Safe before `listen` and twice. */
  close(): Promise<void>;
  /** For the admin listener, when `listen` is `admin`: `app.register(lapi.plugin)`. */
  readonly plugin: FastifyPluginAsync;
  readonly counters: LapiCounters;
  readonly routes: readonly KnownRoute[];
}

const headerBytes = 32_768;
const headersTimeoutMs = 10_000;
/** A whole request, however steadily it comes. */
const requestTimeoutMs = 300_000;
/** Nothing moves: a client that stopped reading its answer. Longer than any unused connection is kept by default. */
const stalledMs = 120_000;
const drainMs = 5_000;

export function createLapiServer(
  options: LapiOptions,
  deps: LapiDependencies,
  families: readonly LapiRoutes[],
): LapiServer {
  let tls: TlsListener | null = null;
  const isStale = ({ generation, verifiedAt }: ClientCertificate): boolean =>
    tls !== null &&
    (generation !== tls.generation || deps.clock.now() - verifiedAt > (options.tls?.cacheExpiration ?? 0));
  const lapi = createLapiApp(options, deps, families, isStale);
  const servers: Server[] = [];
  const serverOptions = {
    maxHeaderSize: headerBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: options.limits.idle,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
    // Most requests are questions: the stream of a body that never comes is half of Node's work for one.
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: () => false,
  };

  async function open(listen: ListenAddress, setting: string): Promise<number> {
    let server: Server;
    if (options.tls !== null && !('socketPath' in listen)) {
      const isNews = (address: string): boolean => lapi.failures.failed(address);
      tls = await createTlsListener(options.tls, serverOptions, { ...deps, peers: lapi.peers, isNews });
      server = tls.server;
    } else server = createServer(serverOptions);
    servers.push(server);
    server.maxConnections = options.limits.connections;
    server.setTimeout(Math.max(stalledMs, options.limits.idle + 1_000));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => lapi.app.routing(request, response));
    lapi.peers.watch(server);
    const port = await listening(server, listen, { setting, socketAccess: 'group' });
    server.on('error', (error) => deps.log.error({ cause: messageOf(error) }, 'the Local API reported an error'));
    return port;
  }

  return {
    counters: lapi.counters,
    routes: lapi.routes.list(),
    plugin: lapiAppPlugin(lapi),
    async listen() {
      await lapi.app.ready();
      const { listen, socket } = options;
      const port = listen === null || listen === 'admin' ? 0 : await open(listen, 'lapi.listen');
      if (socket !== null) await open({ socketPath: socket }, 'lapi.socket');
      return { port };
    },
    async close() {
      tls?.close();
      await Promise.all(servers.map((server) => closed(server, deps)));
      await lapi.app.close();
    },
  };
}

async function closed(server: Server, { clock }: Pick<LapiDependencies, 'clock'>): Promise<void> {
  if (!server.listening) return;
  const over = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = clock.every(50, () => server.closeIdleConnections());
  const late = clock.after(drainMs, () => server.closeAllConnections());
  server.closeIdleConnections();
  await over;
  idle.cancel();
  late.cancel();
}
