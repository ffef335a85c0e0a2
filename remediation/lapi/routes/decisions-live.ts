/**
 * `GET /v1/decisions`: what is in force about an address, or whatever a filter finds. Bouncers in live mode ask it for each new
 * visitor, so it is answered from the ledger in memory. Specification: CrowdSec `pkg/apiserver/controllers/v1/decisions.go`.
 */
import type { FastifyRequest } from 'fastify';
import type { LapiDependencies, LapiRoutes } from '../lapi-context.ts';
import { createPieceTurns } from './decision-pieces.ts';
import { readDecisionFilter } from './decision-query.ts';
import { jsonType, textType } from '../replies.ts';

/** A bouncer that asks all the time is seen once in this time. */
const seenEveryMs = 60_000;
/** Bytes. Larger bodies are not worth decoding for one write less. */
const longestText = 4_096;

export const liveDecisionRoutes: LapiRoutes = (app, deps, guards) => {
  const asBouncer = { preHandler: [guards.bouncer] };
  const turns = createPieceTurns(deps.clock);

  app.get('/v1/decisions', asBouncer, (request, reply) => {
    const filter = readDecisionFilter(request.query);
    const pieces = deps.ledger.live(filter, deps.clock.now());
    const first = pieces.next();
    const second = pieces.next();
    noteSeen(request, deps);
    reply.type(jsonType);
    if (first.done === true) return reply.send('null');
    if (second.done !== true) return reply.send(turns.stream(chain([first.value, second.value], pieces)));
    return reply.send(shortBody(first.value));
  });

  app.head('/v1/decisions', asBouncer, (request, reply) => {
    readDecisionFilter(request.query);
    return reply.type(textType).send('');
  });
};

function noteSeen({ lapiCaller, lapiStartedAt }: FastifyRequest, { bouncers }: LapiDependencies): void {
  if (lapiCaller?.kind !== 'bouncer') return;
  const { name } = lapiCaller.bouncer;
  const last = bouncers.lastPull(name);
  if (last === null || lapiStartedAt - last >= seenEveryMs) bouncers.pulled(name, lapiStartedAt);
}

/** As a text, which leaves together with its head; the server counts those that are `null`. */
function shortBody(body: Uint8Array): string | Uint8Array {
  if (body.length > longestText) return body;
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
}

function* chain(first: readonly Uint8Array[], rest: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  yield* first;
  yield* rest;
}
