/**
 * `GET /v1/decisions/stream`: everything in force, or what changed since a bouncer's last question. When the answer has left in
 * full, the time at which this question came is the bouncer's new place. Specification: CrowdSec
 * `pkg/apiserver/controllers/v1/decisions.go`, chunked as since 1.6.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LedgerFilter } from '../../ledger/decision-ledger.ts';
import { LapiError, type LapiDependencies, type LapiRoutes } from '../lapi-context.ts';
import { firstValues } from '../models/query-fields.ts';
import { createPieceTurns, type PieceTurns } from './decision-pieces.ts';
import { readStreamFilter } from './decision-query.ts';
import { textType } from '../replies.ts';

/** Without the charset that other answers have. */
const streamType = 'application/json';

export const decisionStreamRoutes: LapiRoutes = (app, deps, guards) => {
  const asBouncer = { preHandler: [guards.bouncer] };
  const turns = createPieceTurns(deps.clock);
  app.get('/v1/decisions/stream', asBouncer, (request, reply) => answer(request, reply, deps, turns));
  // Programs probe their key with it: no work, no trace.
  app.head('/v1/decisions/stream', asBouncer, (_request, reply) => reply.type(textType).send(''));
};

function answer(request: FastifyRequest, reply: FastifyReply, deps: LapiDependencies, turns: PieceTurns): FastifyReply {
  const { lapiCaller, lapiStartedAt, query } = request;
  reply.type(streamType);
  const filter = filterOf(request, deps);
  if (filter === null) return reply.send(turns.stream([Buffer.from('{"new": [], "deleted": []}')].values()));
  const name = lapiCaller?.kind === 'bouncer' ? lapiCaller.bouncer.name : null;
  const given = new Map(firstValues(query));
  const pieces = deps.ledger.stream({
    filter,
    startup: given.get('startup') === 'true',
    lastPull: name === null ? null : deps.bouncers.lastPull(name),
    askedAt: lapiStartedAt,
    now: deps.clock.now(),
    dedup: given.get('dedup') !== 'false',
  });
  const stream = turns.stream(pieces);
  // What the store has not got yet this bouncer has not heard of, and an earlier time says so after a restart too.
  const heardUntil = Math.min(lapiStartedAt, (deps.publisher.oldestPendingAt() ?? Infinity) - 1);
  reply.raw.once('finish', () => {
    if (name !== null && stream.readableEnded) deps.bouncers.pulled(name, heardUntil);
  });
  return reply.send(stream);
}

/** Null, like CrowdSec: a filter that cannot be read finds nothing, and the bouncer's place stays where it was. */
function filterOf({ query }: FastifyRequest, { log }: LapiDependencies): LedgerFilter | null {
  try {
    return readStreamFilter(query);
  } catch (thrown) {
    if (!(thrown instanceof LapiError)) throw thrown;
    log.info({ cause: thrown.message }, 'a bouncer streams decisions with a filter that cannot be read');
    return null;
  }
}
