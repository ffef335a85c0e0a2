/** `/v1/explain`: which scenarios a request matches and why not. Nothing is poured. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseIp } from '../../../core/ip.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { eventOf, readSubject } from '../explain-subject.ts';
import { addressSchema, parseInput, wordsSchema } from '../input.ts';
import type { ExplainModel } from '../models.ts';
import { verdictOn } from '../views.ts';

const schema = z.strictObject({
  subject: z.string().min(1, 'nothing was given to explain').max(32_768),
  method: z
    .string()
    .regex(/^[A-Za-z]{1,20}$/, 'must be an HTTP method')
    .optional(),
  host: wordsSchema.optional(),
  userAgent: z.string().max(8_192).optional(),
  referer: z.string().max(8_192).optional(),
  status: z.coerce.number().int().min(100).max(599).optional(),
  ip: addressSchema.optional(),
});

/** Stands for "some client" when no address was given: TEST-NET-3, RFC 5737. */
const someone = '203.0.113.1';

export function explainRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.post('/v1/explain', async ({ body }): Promise<ExplainModel> => {
    const given = parseInput(schema, body);
    const read = readSubject(given.subject);
    const clientIp = given.ip?.text ?? parseIp(read.clientIp)?.text ?? '';
    const request = {
      ...read,
      method: given.method?.toUpperCase() ?? read.method,
      host: given.host?.toLowerCase() ?? read.host,
      userAgent: given.userAgent ?? read.userAgent,
      referer: given.referer ?? read.referer,
      status: given.status ?? read.status,
      clientIp: clientIp === '' ? someone : clientIp,
    };
    const { method, target, host, userAgent, status } = request;
    const client = parseIp(clientIp);
    return {
      request: { method, target, host, client_ip: clientIp, user_agent: userAgent, status },
      client: client && verdictOn(client, deps),
      scenarios: deps.explainer.open()(eventOf(request, deps.random.requestId(), deps.clock.now())),
    };
  });
}
