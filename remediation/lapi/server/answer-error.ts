/** What a client is told of an error: `{"message":…}`, with a code when its token is at fault, nothing when the fault is ours. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { PasswordQueueFull } from '../../callers/password-hash.ts';
import { LapiError } from '../lapi-context.ts';
import { TokenError } from './machine-tokens.ts';

export function answerError(
  error: Error | FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
): FastifyReply {
  if (error instanceof TokenError) {
    const { status, message } = error;
    reply.code(status).header('www-authenticate', 'JWT realm=Crowdsec API local');
    return reply.send({ code: status, message });
  }
  if (error instanceof LapiError) return reply.code(error.status).send({ message: error.message });
  if (error instanceof PasswordQueueFull) {
    return reply.code(503).header('retry-after', '5').send({ message: error.message });
  }
  // The store says in its own words that it is away.
  if (error instanceof GatewayError) return reply.code(500).send({ message: error.message });
  if ('statusCode' in error && error.statusCode !== undefined && error.statusCode < 500) {
    return reply.code(error.statusCode).send({ message: error.message });
  }
  const route = request.routeOptions.url;
  log.error({ route, method: request.method, cause: messageOf(error), stack: error.stack }, 'a LAPI request failed');
  return reply.code(500).send();
}
