/** `/v1/bouncers`: programs that may ask this gateway, each with a key of its own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { type Bouncer, bouncerName, hashKey, keyBytes, newBouncer } from '../../../remediation/bouncer.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { isoTime, parseInput } from '../input.ts';
import type { BouncerModel, NewBouncerModel } from '../models.ts';

const nameSchema = z.string().regex(bouncerName, 'letters, digits and ._@:- only, at most 128 of them');
const addSchema = z.strictObject({
  name: nameSchema,
  /** One that is in use elsewhere already. */
  key: z
    .string()
    .regex(/^[\x21-\x7e]{16,1024}$/, 'at least 16 printable characters, no spaces')
    .optional(),
});
const deleteSchema = z.strictObject({ name: nameSchema });

export function bouncerRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  const { store, bouncerKeys } = deps;

  app.get('/v1/bouncers', async (): Promise<{ bouncers: BouncerModel[] }> => {
    return { bouncers: (await store.bouncers()).map(bouncerModel) };
  });

  app.post('/v1/bouncers', async ({ body }, reply): Promise<NewBouncerModel> => {
    const { name, key: given } = parseInput(addSchema, body);
    if (await isKnown(name)) {
      throw new GatewayError('GATEWAY_REFUSED', `there is a bouncer called ${name} already`, {
        remedy: `Choose another name, or delete it first: bouncers delete ${name}`,
      });
    }
    const key = given ?? Buffer.from(deps.random.bytes(keyBytes)).toString('base64url');
    const bouncer = newBouncer(name, hashKey(key), deps.clock.now());
    // Straight to the store: a key that is shown must be kept.
    await store.apply([{ kind: 'bouncer-added', bouncer }]);
    bouncerKeys.changed();
    deps.log.info({ bouncer: name }, 'bouncer added');
    reply.code(201);
    return { bouncer: bouncerModel(bouncer), key };
  });

  app.delete('/v1/bouncers', async ({ query }): Promise<{ deleted: string }> => {
    const { name } = parseInput(deleteSchema, query);
    if (!(await isKnown(name))) {
      throw new GatewayError('NOT_FOUND', `there is no bouncer called ${name}`, { remedy: 'See `bouncers list`.' });
    }
    await store.apply([{ kind: 'bouncer-deleted', name }]);
    bouncerKeys.changed();
    deps.log.info({ bouncer: name }, 'bouncer deleted');
    return { deleted: name };
  });

  async function isKnown(name: string): Promise<boolean> {
    return (await store.bouncers()).some((bouncer) => bouncer.name === name);
  }
}

function bouncerModel({ name, createdAt }: Bouncer): BouncerModel {
  return { name, created_at: isoTime(createdAt) };
}
