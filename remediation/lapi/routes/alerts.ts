/**
 * `/v1/alerts`: machines report alerts, and cscli lists and deletes them. Specification: CrowdSec
 * `pkg/apiserver/controllers/v1/alerts.go`. Deviation: whoever deletes an alert lifts its decisions, and bouncers hear of it.
 */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Decision } from '../../decision.ts';
import type { Store, StoredAlert, StoredDecision } from '../../store/store.ts';
import { createAlertIntake } from '../alert-intake.ts';
import { type LapiDependencies, LapiError, type LapiRoutes } from '../lapi-context.ts';
import { alertJson } from '../models/alert-view.ts';
import { readPostedAlerts } from '../models/posted-alert.ts';
import { readId } from '../models/query-fields.ts';
import { readAlertFilter, type AlertFilter } from './alerts-filter.ts';
import { decisionsOfAlert, searchAlerts, type FoundAlert } from './alerts-search.ts';
import { lift } from './lift.ts';
import { bodyOf, jsonType, fromStore, sendDeleted, textType } from '../replies.ts';

/** Decisions that are lifted together. */
const liftedAtOnce = 1_000;

export const alertRoutes: LapiRoutes = (app, deps, guards) => {
  const intake = createAlertIntake(deps);
  const asMachine = { preHandler: [guards.machine] };
  const asTrusted = { preHandler: [guards.machine, guards.trustedIp] };

  app.post('/v1/alerts', asMachine, async (request, reply) => {
    const posted = readPostedAlerts(bodyOf(request));
    const ids = await intake.take(posted, machineIdOf(request));
    return reply
      .code(201)
      .type(jsonType)
      .send(JSON.stringify(ids.map(String)));
  });

  app.head('/v1/alerts', asMachine, async (request, reply) => {
    const filter = readAlertFilter(request.query, deps.clock.now());
    await fromStore(async () => {
      for await (const _ of searchAlerts(deps, filter));
    });
    return reply.type(textType).send();
  });
  app.get('/v1/alerts', asMachine, (request, reply) => {
    const filter = readAlertFilter(request.query, deps.clock.now());
    return sendAlerts(reply, deps, filter);
  });

  app.head<{ Params: { id: string } }>('/v1/alerts/:id', asMachine, async (request, reply) => {
    await requireAlert(deps.store, request.params.id);
    return reply.type(textType).send();
  });
  app.get<{ Params: { id: string } }>('/v1/alerts/:id', asMachine, async (request, reply) => {
    const stored = await requireAlert(deps.store, request.params.id);
    const decisions = await fromStore(() => decisionsOfAlert(deps.store, stored.alert.uuid));
    return reply.type(jsonType).send(alertJson(stored, decisions, deps.gatewayName, deps.clock.now()));
  });

  app.delete('/v1/alerts', asTrusted, async (request, reply) => {
    const filter = readAlertFilter(request.query, deps.clock.now(), true);
    return sendDeleted(reply, await fromStore(() => deleteAlerts(deps, filter)));
  });
  app.delete<{ Params: { id: string } }>('/v1/alerts/:id', asTrusted, async (request, reply) => {
    const id = requireAlertId(request.params.id);
    const stored = await fromStore(() => deps.store.alertById(id));
    if (stored === null) throw new LapiError(500, 'ent: alert not found');
    await fromStore(() => deleteAlert(deps, stored));
    return sendDeleted(reply, 1);
  });
};

function machineIdOf({ lapiCaller }: FastifyRequest): string {
  if (lapiCaller?.kind === 'machine') return lapiCaller.machine.id;
  throw new LapiError(401, 'only machines report alerts');
}

function requireAlertId(text: string): number {
  const id = readId(text);
  if (id === null) throw new LapiError(400, 'alert_id must be valid integer');
  return id;
}

async function requireAlert(store: Pick<Store, 'alertById'>, text: string): Promise<StoredAlert> {
  const id = requireAlertId(text);
  const stored = await fromStore(() => store.alertById(id));
  if (stored === null) throw new LapiError(404, 'object not found');
  return stored;
}

/** The first page is waited for, so that what fails is an error; what follows is sent as it is found. */
async function sendAlerts(reply: FastifyReply, deps: LapiDependencies, filter: AlertFilter): Promise<FastifyReply> {
  const pages = searchAlerts(deps, filter);
  const first = await fromStore(() => pages.next());
  reply.type(jsonType);
  if (first.done === true) return reply.send('null');
  const second = await fromStore(() => pages.next());
  const write = (page: readonly FoundAlert[]): string => pageJson(page, deps);
  if (second.done === true) return reply.send(`[${write(first.value)}]`);
  return reply.send(Readable.from(parts(), { objectMode: false }));

  async function* parts(): AsyncGenerator<string> {
    yield `[${write(first.value as readonly FoundAlert[])}`;
    for (let next = second; next.done !== true; next = await pages.next()) yield `,${write(next.value)}`;
    yield ']';
  }
}

function pageJson(page: readonly FoundAlert[], { gatewayName, clock }: LapiDependencies): string {
  const now = clock.now();
  return page.map(({ stored, decisions }) => alertJson(stored, decisions, gatewayName, now)).join(',');
}

async function deleteAlerts(deps: LapiDependencies, filter: AlertFilter): Promise<number> {
  let deleted = 0;
  const limitless = { ...filter, limit: Infinity, oldestFirst: false, withDecisions: false };
  for await (const page of searchAlerts(deps, limitless)) {
    for (const { stored } of page) await deleteAlert(deps, stored);
    deleted += page.length;
  }
  return deleted;
}

/** Lifts its decisions in slices, then takes the alert out. */
async function deleteAlert(deps: LapiDependencies, { alert }: StoredAlert): Promise<void> {
  const query = { alertUuid: alert.uuid, limit: liftedAtOnce };
  let page = await deps.store.decisions(query);
  while (page.length === liftedAtOnce) {
    await lift(deps, decisionsIn(page));
    await setImmediate();
    page = await deps.store.decisions(query);
  }
  await lift(deps, decisionsIn(page), [{ kind: 'alert-deleted', uuid: alert.uuid }]);
}

function decisionsIn(page: readonly StoredDecision[]): Decision[] {
  return page.map(({ decision }) => decision);
}
