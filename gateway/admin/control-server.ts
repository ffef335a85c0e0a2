/**
 * The control socket: the only way in for the command line. JSON over HTTP on a unix socket that only the gateway's own user
 * can open, so the file's mode is the authentication. One file per family of routes, see `routes/`.
 */
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { GatewayError, messageOf, type ErrorCode } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { listenPrivately } from '../../core/unix-socket.ts';
import type { AdminDependencies } from './dependencies.ts';
import type { ErrorModel } from './models.ts';
import { alertRoutes } from './routes/alerts.ts';
import { allowlistRoutes } from './routes/allowlists.ts';
import { bouncerRoutes } from './routes/bouncers.ts';
import { decisionImportRoutes } from './routes/decision-import.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { explainRoutes } from './routes/explain.ts';
import { lapiRoutes } from './routes/lapi.ts';
import { logRoutes } from './routes/log.ts';
import { machineRoutes } from './routes/machines.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { simulationRoutes } from './routes/simulation.ts';
import { refusalRoutes } from './routes/refusals.ts';
import { selftestRoutes } from './routes/selftests.ts';
import { statusRoutes } from './routes/status.ts';
import { wafExceptionRoutes } from './routes/waf-exceptions.ts';
import { wafTraceRoutes } from './routes/waf-trace.ts';
import { whyRoutes } from './routes/why.ts';

export interface ControlServer {
  readonly socketPath: string;
  /** @throws GatewayError ADDRESS_IN_USE, LISTEN_FAILED */
  listen(): Promise<void>;
  /** Removes the socket file. Safe before `listen` and twice. */
  close(): Promise<void>;
}

/** Adds one family of routes. */
export type Routes = (app: FastifyInstance, deps: AdminDependencies) => void;

const families: readonly Routes[] = [
  statusRoutes,
  decisionRoutes,
  decisionImportRoutes,
  allowlistRoutes,
  bouncerRoutes,
  machineRoutes,
  lapiRoutes,
  notificationRoutes,
  simulationRoutes,
  metricsRoutes,
  alertRoutes,
  refusalRoutes,
  whyRoutes,
  explainRoutes,
  doctorRoutes,
  selftestRoutes,
  wafExceptionRoutes,
  wafTraceRoutes,
  logRoutes,
];

/** An access log line may be 16 KB; nothing that the command line sends is larger. */
const largestBody = 65_536;

export function createControlServer(options: { readonly socketPath: string }, deps: AdminDependencies): ControlServer {
  const app = createControlApp(deps);
  return {
    socketPath: options.socketPath,
    async listen() {
      await app.ready();
      await listenPrivately(app.server, options.socketPath);
    },
    close: () => app.close(),
  };
}

/** The routes without a listener. */
export function createControlApp(deps: AdminDependencies): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: largestBody, exposeHeadRoutes: false, forceCloseConnections: true });
  app.setErrorHandler((error: FastifyError | GatewayError, request, reply) => {
    const [status, body] = errorAnswer(error, deps.log, request.url);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `the gateway knows no ${request.method} ${request.url.split('?', 1)[0] ?? ''}`;
    const remedy = `Use the command line of the same version (${deps.facts.version}).`;
    return reply.code(404).send({ code: 'NOT_FOUND', message, remedy } satisfies ErrorModel);
  });
  for (const family of families) family(app, deps);
  return app;
}

const statusByCode: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  DECISION_INVALID: 400,
  NOT_FOUND: 404,
  GATEWAY_REFUSED: 409,
  STORE_UNAVAILABLE: 503,
  STORE_FULL: 503,
  STORE_CLOSED: 503,
};

function errorAnswer(error: FastifyError | GatewayError, log: Log, url: string): [number, ErrorModel] {
  if (error instanceof GatewayError) {
    const { code, message, remedy } = error;
    return [statusByCode[code] ?? 500, { code, message, remedy }];
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return [error.statusCode, { code: 'USAGE', message: error.message, remedy: null }];
  }
  log.error({ url, cause: messageOf(error), stack: error.stack }, 'a control request failed');
  const remedy = "The gateway's log has the cause.";
  return [
    500,
    { code: 'GATEWAY_REFUSED', message: 'the gateway could not answer because of a mistake of its own', remedy },
  ];
}
