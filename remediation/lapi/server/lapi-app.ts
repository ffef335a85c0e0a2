/**
 * The Local API as an application without a listener: what every route has in common. Guards run before a body is read; bodies reach
 * the routes unpacked and as bytes; errors look as CrowdSec's clients expect them; nothing is ever compressed.
 * Specification: CrowdSec `pkg/apiserver`, gin.
 */
import fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  type onRequestAsyncHookHandler,
  type onRequestHookHandler,
  type onSendHookHandler,
  type preValidationAsyncHookHandler,
  type RouteOptions,
} from 'fastify';
import type { IpRange } from '../../../core/ip.ts';
import { lingerOnClose } from '../../../core/linger-on-close.ts';
import { createPasswordHasher } from '../../callers/password-hash.ts';
import type { LapiDependencies, LapiGuards, LapiRoutes } from '../lapi-context.ts';
import type { LapiOptions } from '../options.ts';
import { aboutRoutes } from './about.ts';
import { usageMetricsRoutes } from './usage-metrics.ts';
import { watcherRoutes } from './watchers.ts';
import { answerError } from './answer-error.ts';
import { clientIpOf, rangesOf } from './client-ip.ts';
import { createFailureLimits, type FailureLimits } from './failure-limits.ts';
import { createGuards } from './guards.ts';
import { LapiCounters } from './lapi-counters.ts';
import { createMachineTokens } from './machine-tokens.ts';
import { createMissingRouteHandler, RouteTable } from './missing-routes.ts';
import { type ClientCertificate, Peers } from './peers.ts';
import { BodyRoom, hasBody, readBody } from './request-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Anybody may ask: the body is small. */
    lapiIsOpen?: boolean;
  }
}

export interface LapiApp {
  readonly app: FastifyInstance;
  readonly peers: Peers;
  readonly routes: RouteTable;
  readonly counters: LapiCounters;
  readonly failures: FailureLimits;
  readonly room: BodyRoom;
}

/** Of a client that has not shown who it is. */
const openBodyBytes = 2 * 1024 ** 2;
const longestParameter = 2_048;

/** `isStale`: this certificate has to be verified anew. */
export function createLapiApp(
  options: LapiOptions,
  deps: LapiDependencies,
  families: readonly LapiRoutes[],
  isStale: (certificate: ClientCertificate) => boolean = () => false,
): LapiApp {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestIdHeader: false,
    routerOptions: { maxParamLength: longestParameter },
    // A path that cannot be decoded.
    frameworkErrors: (_error, _request, reply) => void (reply as FastifyReply).code(400).send(),
  });
  const peers = new Peers();
  const counters = new LapiCounters();
  const failures = createFailureLimits({ burst: 10, everyMs: 10_000 }, deps.clock);
  const room = new BodyRoom(options.limits.bodiesInMemory);
  const routes = new RouteTable();
  const missing = createMissingRouteHandler(routes);
  const tokens = createMachineTokens(options.secret, deps.random);
  const certificateOf = ({ raw }: FastifyRequest): ClientCertificate | null =>
    options.tls === null ? null : peers.of(raw.socket).certificate;
  const guards = createGuards({
    ...deps,
    tokens,
    failures,
    counters,
    trustedIps: rangesOf(options.trustedIps),
    bouncersAllowedOu: options.tls?.bouncersAllowedOu ?? [],
    certificateOf,
  });

  noteClients(app, deps, peers, rangesOf(options.trustedProxies));
  readBodies(app, options, deps, room);
  app.addHook('onRoute', (route) => {
    guardFirst(route, guards);
    if (route.url.includes(':')) {
      // `/v1/alerts/` is a slash too many, not an alert without a name.
      const named: onRequestHookHandler = (request, reply, done) => {
        if (Object.values(request.params as Record<string, string>).includes('')) missing(request, reply);
        else done();
      };
      route.onRequest = [named, ...[route.onRequest ?? []].flat()];
    }
    for (const method of [route.method].flat()) routes.add({ method, path: route.url });
  });
  finishAnswers(app, deps, (request) => {
    const certificate = certificateOf(request);
    return certificate !== null && isStale(certificate);
  });
  count(app, counters);
  app.setErrorHandler((error: Error, request, reply) => answerError(error, request, reply, deps.log));
  app.setNotFoundHandler(missing);

  const hasher = createPasswordHasher(deps.random);
  const own = [
    aboutRoutes,
    watcherRoutes({
      options,
      tokens,
      hasher,
      certificateOf,
      onRefused: () => counters.refusedCredentials.add('login'),
    }),
    usageMetricsRoutes,
  ];
  for (const family of [...own, ...families]) family(app, deps, guards);
  return { app, peers, routes, counters, failures, room };
}

/** The same routes on somebody else's application: everything below `/v1/` is handed over as it came. */
export function lapiAppPlugin({ app, peers }: Pick<LapiApp, 'app' | 'peers'>): FastifyPluginAsync {
  return async (host) => {
    await app.ready();
    peers.watch(host.server);
    leaveBodies(host);
    host.all('/v1/*', { exposeHeadRoute: false }, (request, reply) => {
      reply.hijack();
      app.routing(request.raw, reply.raw);
    });
  };
}

function noteClients(
  app: FastifyInstance,
  { clock }: Pick<LapiDependencies, 'clock'>,
  peers: Peers,
  trustedProxies: readonly IpRange[],
): void {
  app.decorateRequest('lapiCaller', null);
  app.decorateRequest('lapiClientIp', '');
  app.decorateRequest('lapiStartedAt', 0);
  app.addHook('onRequest', (request, _reply, done) => {
    request.lapiStartedAt = clock.now();
    request.lapiClientIp = clientIpOf(peers.of(request.raw.socket).address, request.headers, trustedProxies).text;
    done();
  });
}

/** Keeps fastify from reading bodies, and from refusing a Content-Type that it cannot read: nobody asks for it here. */
function leaveBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.addHook('onRequest', (request, _reply, done) => {
    // An object that something was deleted from is slower to read: GET comes without.
    if (request.headers['content-type'] !== undefined) delete request.headers['content-type'];
    done();
  });
}

/** Routes without a body never look at one. */
function readBodies(
  app: FastifyInstance,
  { limits }: LapiOptions,
  { clock }: Pick<LapiDependencies, 'clock'>,
  room: BodyRoom,
): void {
  leaveBodies(app);
  const read: preValidationAsyncHookHandler = async (request, reply) => {
    const isOpen = request.routeOptions.config.lapiIsOpen === true;
    const bodyBytes = isOpen ? Math.min(openBodyBytes, limits.bodyBytes) : limits.bodyBytes;
    let taken = 0;
    let isOver = false;
    // Noted first: the client may be gone by the time its body has been unpacked.
    reply.raw.once('close', () => {
      isOver = true;
      room.free(taken);
    });
    const body = await readBody(request.raw, { bodyBytes, bodyPause: limits.bodyPause }, { clock, room });
    if (isOver) room.free(body.taken);
    else ({ taken } = body);
    request.body = body.bytes;
  };
  app.addHook('onRoute', (route) => {
    if ([route.method].flat().includes('POST')) route.preValidation = read;
  });
}

/** Families name their guards among `preHandler`; these, and what stands before them, run before the body is read. */
function guardFirst(route: RouteOptions, guards: LapiGuards): void {
  const hooks = [route.preHandler ?? []].flat();
  const all: readonly unknown[] = Object.values(guards);
  const last = hooks.findLastIndex((hook) => all.includes(hook));
  route.config = { ...route.config, lapiIsOpen: last === -1 };
  if (last === -1) return;
  // Both kinds of hook take a request and a reply.
  const first = hooks.slice(0, last + 1) as unknown as onRequestAsyncHookHandler[];
  route.onRequest = [...[route.onRequest ?? []].flat(), ...first];
  route.preHandler = hooks.slice(last + 1);
}

function finishAnswers(
  app: FastifyInstance,
  { clock }: Pick<LapiDependencies, 'clock'>,
  isStale: (request: FastifyRequest) => boolean,
): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    const { raw } = request;
    if (hasBody(raw) && !raw.complete) {
      // Nobody reads the rest of a body that was refused.
      reply.header('connection', 'close');
      lingerOnClose(raw.socket, clock);
    } else if (isStale(request)) reply.header('connection', 'close');
    done();
  });
}

function count(app: FastifyInstance, counters: LapiCounters): void {
  const countLive: onSendHookHandler = ({ lapiCaller }, reply, payload, done) => {
    if (lapiCaller?.kind === 'bouncer' && reply.statusCode === 200) {
      const answers = payload === 'null' ? counters.decisionsMissing : counters.decisionsFound;
      answers.add(lapiCaller.bouncer.name);
    }
    done();
  };
  app.addHook('onRoute', (route) => {
    if (route.url === '/v1/decisions' && route.method === 'GET') route.onSend = countLive;
  });
  app.addHook('onResponse', (request, reply, done) => {
    done();
    const { url } = request.routeOptions;
    if (url === undefined) return;
    const { method, lapiCaller } = request;
    counters.routes.add(url, method);
    counters.took(url, method, reply.elapsedTime);
    if (lapiCaller?.kind === 'bouncer') counters.bouncers.add(lapiCaller.bouncer.name, url, method);
    else if (lapiCaller?.kind === 'machine') counters.machines.add(lapiCaller.machine.id, url, method);
  });
}
