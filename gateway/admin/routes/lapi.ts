/** `/v1/lapi`: the Local API that is served here, and those of others that are asked. */
import type { FastifyInstance } from 'fastify';
import type { AdminDependencies } from '../dependencies.ts';
import type { LapiModel } from '../operator-models.ts';

export function lapiRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/lapi', async (): Promise<LapiModel> => (await deps.lapi?.()) ?? { serving: null, upstreams: [] });
}
