/** `/v1/waf/trace`: what rules say about each request, for tests of rules through the gateway. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { RuleTrace, WafTraceModel } from '../../waf/rule-trace.ts';
import { parseInput } from '../input.ts';

const querySchema = z.strictObject({ port: z.coerce.number().int().min(1).max(65_535) });

export function wafTraceRoutes(app: FastifyInstance, { trace }: { readonly trace: RuleTrace }): void {
  app.post('/v1/waf/trace', async () => {
    trace.start();
    return {};
  });

  app.get('/v1/waf/trace', async ({ query }): Promise<WafTraceModel> => {
    const { port } = parseInput(querySchema, query);
    return trace.of(port) ?? { request: null, finished: false, matches: [] };
  });

  app.delete('/v1/waf/trace', async () => {
    trace.stop();
    return {};
  });
}
