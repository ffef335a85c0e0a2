/** `/v1/log`: the last lines of the operational log, as they were written. */
import type { FastifyInstance } from 'fastify';
import type { AdminDependencies } from '../dependencies.ts';
import type { LogModel } from '../models.ts';

export function logRoutes(app: FastifyInstance, { recentLog }: Pick<AdminDependencies, 'recentLog'>): void {
  app.get('/v1/log', async (): Promise<LogModel> => ({ text: recentLog?.() ?? '' }));
}
