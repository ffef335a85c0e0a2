/** The routes of bouncers on a ledger, with a bouncer that is let in. */
import fastify, { type FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import { LapiError, type LapiDependencies, type LapiGuards } from '../../../../remediation/lapi/lapi-context.ts';
import { liveDecisionRoutes } from '../../../../remediation/lapi/routes/decisions-live.ts';
import { decisionStreamRoutes } from '../../../../remediation/lapi/routes/decisions-stream.ts';
import type { DecisionLedger } from '../../../../remediation/ledger/decision-ledger.ts';
import type { Bouncer } from '../../../../remediation/bouncer.ts';
import { collectedLog, type LogLine } from '../../support.ts';
import { createLedgerWorld, type LedgerWorld } from '../../ledger/support.ts';

export interface DecisionWorld extends LedgerWorld {
  readonly app: FastifyInstance;
  readonly lines: LogLine[];
  /** When the bouncer's last answered question came. */
  readonly pulls: number[];
  lastPull: number | null;
  /** When the first decision was made that the store has not got. */
  oldestPendingAt: number | null;
  /** Bytes of stream answers that the ledger was asked for. */
  produced: number;
  /** Pieces of those that came back to be written over. */
  givenBack: number;
  /** Set: the guard lets nobody in. */
  isStranger: boolean;
  readonly get: (url: string) => Promise<Answer>;
  readonly head: (url: string) => Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export function createDecisionWorld(t: Test): DecisionWorld {
  const app = fastify({ exposeHeadRoutes: false });
  const { log, lines } = collectedLog();
  const ledgerWorld = createLedgerWorld();
  const { clock, ledger } = ledgerWorld;
  const bouncer = { name: 'b1' } as Bouncer;
  const guard: LapiGuards['bouncer'] = async (request) => {
    if (world.isStranger) throw new LapiError(403, 'access forbidden');
    request.lapiCaller = { kind: 'bouncer', bouncer };
    request.lapiStartedAt = clock.now();
  };
  const ask = async (method: 'GET' | 'HEAD', url: string): Promise<Answer> => {
    const { statusCode, headers, body } = await app.inject({ method, url });
    return { status: statusCode, headers, body };
  };
  const world: DecisionWorld = {
    ...ledgerWorld,
    app,
    lines,
    pulls: [],
    lastPull: null,
    oldestPendingAt: null,
    produced: 0,
    givenBack: 0,
    isStranger: false,
    get: (url) => ask('GET', url),
    head: (url) => ask('HEAD', url),
  };
  const bouncers = {
    pulled: (_name: string, at: number) => {
      world.pulls.push(at);
      world.lastPull = at;
    },
    lastPull: () => world.lastPull,
  };
  const counted: Pick<DecisionLedger, 'live' | 'stream'> = {
    live: (filter, now) => ledger.live(filter, now),
    *stream(question) {
      const pieces: Iterator<Uint8Array, void, Uint8Array | undefined> = ledger.stream(question);
      let back: Uint8Array | undefined;
      for (let next = pieces.next(); next.done !== true; next = pieces.next(back)) {
        world.produced += next.value.length;
        back = yield next.value;
        if (back !== undefined) world.givenBack++;
      }
    },
  };
  // The routes ask for nothing else.
  const publisher = { oldestPendingAt: () => world.oldestPendingAt };
  const deps = { clock, log, ledger: counted, bouncers, publisher } as unknown as LapiDependencies;
  const guards: LapiGuards = { bouncer: guard, machine: guard, either: guard, trustedIp: guard };
  app.decorateRequest('lapiCaller', null);
  app.decorateRequest('lapiStartedAt', 0);
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof LapiError)) throw error;
    return reply.code(error.status).send({ message: error.message });
  });
  liveDecisionRoutes(app, deps, guards);
  decisionStreamRoutes(app, deps, guards);
  t.teardown(() => app.close());
  return world;
}
