/** `/v1/alerts`: what scenarios, machines and people raised, with the events behind it and the decisions that followed. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { formatRange } from '../../../core/ip.ts';
import type { StoredAlert } from '../../../remediation/store/store.ts';
import { alertDetails, type AlertFilter, alertNamed, everyAlert } from '../alert-search.ts';
import { everyDecision } from '../decision-search.ts';
import type { AdminDependencies } from '../dependencies.ts';
import {
  addressSchema,
  canonicalValue,
  durationSchema,
  flagSchema,
  limitSchema,
  parseInput,
  rangeSchema,
  wordsSchema,
} from '../input.ts';
import type { AlertList, AlertModel, AlertsDeleted } from '../models.ts';
import { normalScope } from '../../../remediation/normal-scope.ts';

const filters = {
  since: durationSchema.optional(),
  until: durationSchema.optional(),
  ip: addressSchema.optional(),
  range: rangeSchema.optional(),
  /** Those whose source lies inside the range. */
  contained: flagSchema.optional(),
  scope: wordsSchema.transform(normalScope).optional(),
  value: wordsSchema.optional(),
  scenario: wordsSchema.optional(),
  type: wordsSchema.optional(),
  origin: wordsSchema.optional(),
  /** Without those that stand for lists from elsewhere. */
  own: flagSchema.optional(),
};

const filterSchema = z.strictObject(filters);
const listSchema = z.strictObject({
  ...filters,
  limit: limitSchema.default(50),
  before: z.coerce.number().int().positive().optional(),
});
const deleteSchema = z.strictObject({ ...filters, id: wordsSchema.optional(), all: flagSchema.optional() });
const flushSchema = z.strictObject({
  maxItems: z.coerce.number().int().min(0).default(5_000),
  maxAge: durationSchema.prefault('7d'),
});

export function alertRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  const { store } = deps;

  app.get('/v1/alerts', async ({ query }): Promise<AlertList> => {
    const { limit, before, ...wanted } = parseInput(listSchema, query);
    const found: StoredAlert[] = [];
    let next: number | null = null;
    const from = { pageSize: limit, ...(before === undefined ? {} : { before }) };
    for await (const page of everyAlert(store, filterOf(wanted, deps), from)) {
      const room = limit - found.length;
      found.push(...page.alerts.slice(0, room));
      next = page.alerts.length > room ? (found.at(-1)?.id ?? null) : page.before;
      if (found.length === limit) break;
    }
    const alerts: AlertModel[] = [];
    for (const stored of found) alerts.push(await alertDetails(stored, deps));
    return { alerts, next };
  });

  app.get<{ Params: { id: string } }>('/v1/alerts/:id', async ({ params }): Promise<AlertModel> => {
    return alertDetails(await alertNamed(store, params.id), deps);
  });

  app.delete('/v1/alerts', async ({ query }): Promise<AlertsDeleted> => {
    const { id, all, ...wanted } = parseInput(deleteSchema, query);
    if (id !== undefined) return deleteAlerts([await alertNamed(store, id)], deps);
    const isNamed = Object.values(wanted).some((value) => value !== undefined && value !== false);
    if (!isNamed && all !== true) {
      throw new GatewayError('USAGE', 'nothing says which alerts to delete', {
        remedy: 'Name them with --id, --ip, --range, --scope and --value, or --scenario, or say --all.',
      });
    }
    await deps.publisher.settle();
    const sum = { deleted: 0, lifted: 0 };
    for await (const { alerts } of everyAlert(store, filterOf(wanted, deps))) {
      const { deleted, lifted } = await deleteAlerts(alerts, deps);
      sum.deleted += deleted;
      sum.lifted += lifted;
    }
    deps.log.info(sum, 'alerts deleted by hand');
    return sum;
  });

  app.post('/v1/alerts/flush', async ({ body }): Promise<AlertsDeleted> => {
    const { maxItems, maxAge } = parseInput(flushSchema, body);
    await deps.publisher.settle();
    const oldest = deps.clock.now() - maxAge;
    let seen = 0;
    let deleted = 0;
    for await (const { alerts } of everyAlert(store, {})) {
      const idle: StoredAlert[] = [];
      for (const stored of alerts) {
        seen++;
        const isOld = seen > maxItems || stored.alert.createdAt < oldest;
        // What is in force keeps the alert that says why.
        if (isOld && !(await hasActiveDecision(stored, deps))) idle.push(stored);
      }
      deleted += (await deleteAlerts(idle, deps)).deleted;
    }
    deps.log.info({ deleted }, 'alerts flushed by hand');
    return { deleted, lifted: 0 };
  });
}

async function hasActiveDecision({ alert }: StoredAlert, { store }: AdminDependencies): Promise<boolean> {
  return (await store.decisions({ alertUuid: alert.uuid, limit: 1 })).length > 0;
}

/** Their decisions are lifted, so that followers hear of it. */
async function deleteAlerts(alerts: readonly StoredAlert[], deps: AdminDependencies): Promise<AlertsDeleted> {
  let lifted = 0;
  for (const { alert } of alerts) {
    for await (const page of everyDecision(deps.store, { alertUuid: alert.uuid })) {
      await deps.publisher.write(page.map(({ decision }) => ({ kind: 'decision-deleted', decision })));
      lifted += page.length;
    }
  }
  await deps.publisher.write(alerts.map(({ alert }) => ({ kind: 'alert-deleted', uuid: alert.uuid })));
  return { deleted: alerts.length, lifted };
}

function filterOf(wanted: z.infer<typeof filterSchema>, { clock }: AdminDependencies): AlertFilter {
  const { since, until, ip, range, scope, scenario, type, origin } = wanted;
  const given = wanted.value === undefined || scope === undefined ? wanted.value : canonicalValue(scope, wanted.value);
  const isWithin = wanted.contained === true && range !== undefined;
  const value = ip?.text ?? (range === undefined || isWithin ? given : formatRange(range));
  const now = clock.now();
  return {
    ...(since === undefined ? {} : { since: now - since }),
    ...(until === undefined ? {} : { until: now - until }),
    ...(scope === undefined ? {} : { scope }),
    ...(value === undefined ? {} : { value }),
    ...(scenario === undefined ? {} : { scenario }),
    ...(isWithin ? { within: range } : {}),
    ...(type === undefined ? {} : { type }),
    ...(origin === undefined ? {} : { origin }),
    ownOnly: wanted.own === true,
  };
}
