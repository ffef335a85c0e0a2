/** What the routes of machines have in common: bodies in, types and counts out. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../../core/errors.ts';
import { LapiError } from './lapi-context.ts';

export const jsonType = 'application/json; charset=utf-8';
/** Of answers to HEAD. */
export const textType = 'text/plain; charset=utf-8';

/** The body's bytes: the server hands them over as they came, unpacked, since only a route knows what its faults are called. */
export function bodyOf({ body }: FastifyRequest): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : '', 'utf8');
}

/** What fails in the store fails with 500 and the store's words. */
export async function fromStore<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    throw thrown instanceof GatewayError ? new LapiError(500, thrown.message) : thrown;
  }
}

/** A count as CrowdSec spells it. */
export function sendDeleted(reply: FastifyReply, count: number): FastifyReply {
  return reply.type(jsonType).send(`{"nbDeleted":"${count}"}`);
}
