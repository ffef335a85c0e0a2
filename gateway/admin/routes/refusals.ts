/** `/v1/refusals`: requests that were not passed on, newest first. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AdminDependencies } from '../dependencies.ts';
import { addressSchema, durationSchema, limitSchema, parseInput, wordsSchema } from '../input.ts';
import type { RefusalModel } from '../models.ts';
import { refusalModel } from '../views.ts';

const listSchema = z.strictObject({
  ip: addressSchema.optional(),
  request: wordsSchema.optional(),
  since: durationSchema.optional(),
  limit: limitSchema.default(50),
});

export function refusalRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/refusals', async ({ query }): Promise<{ refusals: RefusalModel[] }> => {
    const { ip, request, since, limit } = parseInput(listSchema, query);
    const refusals = await deps.store.refusals({
      ...(ip === undefined ? {} : { clientIp: ip.text }),
      ...(request === undefined ? {} : { requestId: request }),
      ...(since === undefined ? {} : { since: deps.clock.now() - since }),
      limit,
    });
    return { refusals: refusals.map(refusalModel) };
  });
}
