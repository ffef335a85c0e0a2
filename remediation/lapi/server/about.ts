/** `/health` and `/v1/openapi.json`: what anybody may ask of the Local API. */
import type { LapiRoutes } from '../lapi-context.ts';
import { openApiDocument } from './openapi.ts';

export const aboutRoutes: LapiRoutes = (app, { version }) => {
  app.get('/health', async (_request, reply) => {
    reply.header('cache-control', 'no-cache');
    return { status: 'up' };
  });

  const document = JSON.stringify(openApiDocument(version));
  app.get('/v1/openapi.json', async (_request, reply) => {
    reply.type('application/json; charset=utf-8');
    return document;
  });
};
