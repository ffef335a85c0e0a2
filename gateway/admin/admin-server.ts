/** The admin listener: health for load balancers and supervisors, metrics for Prometheus. Read only; keep it off the public. */
import { once } from 'node:events';
import fastify, { type FastifyPluginAsync } from 'fastify';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { ListenAddress } from '../options.ts';
import type { AdminDependencies } from './dependencies.ts';
import { createMetricsPage } from './metrics.ts';
import { stateOf } from './routes/status.ts';

export interface AdminServer {
  /** Resolves with the port, 0 for a unix socket. @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED */
  listen(): Promise<number>;
  /** Safe before `listen` and twice. */
  close(): Promise<void>;
}

export interface AdminServerOptions {
  readonly listen: ListenAddress;
  /** Others who share the listener. */
  readonly plugins?: readonly FastifyPluginAsync[];
}

export function createAdminServer(options: AdminServerOptions, deps: AdminDependencies): AdminServer {
  const app = fastify({ logger: false, bodyLimit: 1_024, forceCloseConnections: true });
  const page = createMetricsPage(deps);

  app.get('/health', async (_request, reply) => {
    const { state, notes } = stateOf(deps);
    const uptimeSeconds = Math.max(0, Math.floor((deps.clock.now() - deps.facts.startedAt) / 1_000));
    const { followAgeMs } = deps.pulse();
    reply.code(state === 'draining' ? 503 : 200).header('cache-control', 'no-store');
    return {
      status: state,
      notes,
      version: deps.facts.version,
      uptimeSeconds,
      decisions: deps.index.size.total,
      decisionsAgeSeconds: followAgeMs === null ? null : Math.round(followAgeMs / 1_000),
    };
  });

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', page.contentType).header('cache-control', 'no-store');
    return page.text();
  });

  app.get('/', async (_request, reply) => {
    reply.header('content-type', 'text/plain; charset=utf-8');
    return `Portcullis ${deps.facts.version}\n\n/health    how the gateway is\n/metrics   for Prometheus\n`;
  });

  for (const plugin of options.plugins ?? []) app.register(plugin);

  return {
    async listen() {
      await app.ready();
      const { server } = app;
      server.listen(listenArguments(options.listen));
      // `once` rejects when the server reports an error instead.
      await once(server, 'listening').catch((cause: unknown) => refused(options.listen, cause));
      const address = server.address();
      return address !== null && typeof address === 'object' ? address.port : 0;
    },
    close: () => app.close(),
  };
}

function listenArguments(listen: ListenAddress): { port: number; host?: string } | { path: string } {
  if ('socketPath' in listen) return { path: listen.socketPath };
  return listen.host === null ? { port: listen.port } : { port: listen.port, host: listen.host };
}

function refused(listen: ListenAddress, cause: unknown): never {
  const name = 'socketPath' in listen ? listen.socketPath : `${listen.host ?? ''}:${listen.port}`;
  const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const message = inUse
    ? `${name} is already in use by another program`
    : `cannot listen on ${name}: ${messageOf(cause)}`;
  throw new GatewayError(inUse ? 'ADDRESS_IN_USE' : 'LISTEN_FAILED', message, {
    remedy: 'Stop that program, set `admin.listen` to another address, or to `off`.',
    cause,
  });
}
