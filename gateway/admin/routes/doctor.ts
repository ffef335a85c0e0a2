/** `/v1/doctor`: everything that can be checked from within the running gateway, and how a client's address is derived. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AdminDependencies } from '../dependencies.ts';
import { derivationChecks } from '../doctor-address.ts';
import { doctorChecks } from '../doctor-checks.ts';
import { addressSchema, parseInput } from '../input.ts';
import type { DoctorModel } from '../models.ts';

const schema = z.strictObject({
  peer: addressSchema.optional(),
  header: z
    .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(z.string().max(4_096)).max(32))
    .default([]),
});

export function doctorRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/doctor', async ({ query }): Promise<DoctorModel> => {
    const { peer, header } = parseInput(schema, query);
    const derivation = peer === undefined && header.length === 0 ? [] : derivationChecks(peer ?? null, header, deps);
    return { checks: [...(await doctorChecks(deps)), ...derivation] };
  });
}
