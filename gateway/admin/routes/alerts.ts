/** `/v1/alerts`: what scenarios raised, with the events behind it and the decisions that followed. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { formatRange } from '../../../core/ip.ts';
import { alertById, alertDetails, alertSummaries } from '../alert-search.ts';
import type { AdminDependencies } from '../dependencies.ts';
import {
  addressSchema,
  canonicalValue,
  durationSchema,
  limitSchema,
  parseInput,
  rangeSchema,
  scopeOf,
  wordsSchema,
} from '../input.ts';
import type { AlertModel, AlertSummary } from '../models.ts';

const listSchema = z.strictObject({
  since: durationSchema.optional(),
  ip: addressSchema.optional(),
  range: rangeSchema.optional(),
  scope: wordsSchema.transform(scopeOf).optional(),
  value: wordsSchema.optional(),
  scenario: wordsSchema.optional(),
  limit: limitSchema.default(50),
});

export function alertRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/alerts', async ({ query }): Promise<{ alerts: AlertSummary[] }> => {
    const { since, ip, range, scope, scenario, limit, ...rest } = parseInput(listSchema, query);
    const given = rest.value === undefined || scope === undefined ? rest.value : canonicalValue(scope, rest.value);
    const value = ip?.text ?? (range === undefined ? given : formatRange(range));
    const stored = await deps.store.alerts({
      ...(since === undefined ? {} : { since: deps.clock.now() - since }),
      ...(scope === undefined ? {} : { scope }),
      ...(value === undefined ? {} : { value }),
      ...(scenario === undefined ? {} : { scenario }),
      limit,
    });
    const alerts = stored.map(({ alert }) => alert);
    return { alerts: await alertSummaries(alerts, deps) };
  });

  app.get<{ Params: { id: string } }>('/v1/alerts/:id', async ({ params }): Promise<AlertModel> => {
    return alertDetails(await alertById(deps.store, params.id), deps);
  });
}
