/** `/v1/bouncers`: programs that may ask this gateway, each with a key of its own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { type Bouncer, bouncerName, hashKey, keyBytes, newBouncer } from '../../../remediation/bouncer.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { durationSchema, flagSchema, isoTime, isoTimeOrNull, parseInput } from '../input.ts';
import type { BouncerModel, NewBouncerModel, RemovedModel, UsageModel } from '../operator-models.ts';
import { latestUsage } from '../usage-reports.ts';

const nameSchema = z.string().regex(bouncerName, 'letters, digits and ._@:- only, at most 128 of them');
const addSchema = z.strictObject({
  name: nameSchema,
  /** One that is in use elsewhere already. */
  key: z
    .string()
    .regex(/^[\x21-\x7e]{1,1024}$/, 'up to 1,024 printable characters, no spaces')
    .optional(),
  /** Random bytes of a new key. */
  length: z.int().min(16).max(128).default(keyBytes),
});
const deleteSchema = z.strictObject({ name: nameSchema, ignoreMissing: flagSchema.optional() });
const pruneSchema = z.strictObject({ duration: durationSchema, dryRun: z.boolean().default(false) });

export function bouncerRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  const { store, bouncerKeys } = deps;

  app.get('/v1/bouncers', async (): Promise<{ bouncers: BouncerModel[] }> => {
    return { bouncers: (await store.bouncers()).map(bouncerModel) };
  });

  app.get<{ Params: { name: string } }>(
    '/v1/bouncers/:name',
    async ({ params }): Promise<{ bouncer: BouncerModel; usage: UsageModel | null }> => {
      const found = (await store.bouncers()).find(({ name }) => name === params.name);
      if (found === undefined) throw absent(params.name);
      return { bouncer: bouncerModel(found), usage: await latestUsage('bouncer', found.name, store) };
    },
  );

  app.post('/v1/bouncers', async ({ body }, reply): Promise<NewBouncerModel> => {
    const { name, key: given, length } = parseInput(addSchema, body);
    if ((await store.bouncers()).some((bouncer) => bouncer.name === name)) {
      throw new GatewayError('GATEWAY_REFUSED', `there is a bouncer called ${name} already`, {
        remedy: `Choose another name, or delete it first: bouncers delete ${name}`,
      });
    }
    const key = given ?? Buffer.from(deps.random.bytes(length)).toString('base64url');
    const bouncer = newBouncer(name, hashKey(key), deps.clock.now());
    // Straight to the store: a key that is shown must be kept.
    await store.apply([{ kind: 'bouncer-added', bouncer }]);
    bouncerKeys.changed();
    deps.log.info({ bouncer: name }, 'bouncer added');
    reply.code(201);
    return { bouncer: bouncerModel(bouncer), key };
  });

  app.delete('/v1/bouncers', async ({ query }): Promise<RemovedModel> => {
    const { name, ignoreMissing } = parseInput(deleteSchema, query);
    const all = await store.bouncers();
    const found = all.find((bouncer) => bouncer.name === name);
    if (found === undefined) {
      if (ignoreMissing === true) return { deleted: [] };
      throw absent(name);
    }
    return remove([found, ...siblingsOf(found, all)], deps);
  });

  app.post('/v1/bouncers/prune', async ({ body }): Promise<RemovedModel> => {
    const { duration, dryRun } = parseInput(pruneSchema, body);
    const before = deps.clock.now() - duration;
    const idle = (await store.bouncers()).filter(({ lastPull, createdAt }) => (lastPull ?? createdAt) < before);
    return dryRun ? { deleted: idle.map(({ name }) => name) } : remove(idle, deps);
  });
}

/** Those that the same key made by itself: while one of them is left, the key is good. */
function siblingsOf(bouncer: Bouncer, all: readonly Bouncer[]): readonly Bouncer[] {
  if (bouncer.autoCreated || bouncer.keyHash === '') return [];
  return all.filter((one) => one.autoCreated && one.keyHash === bouncer.keyHash);
}

async function remove(
  bouncers: readonly Bouncer[],
  { store, bouncerKeys, log }: AdminDependencies,
): Promise<RemovedModel> {
  if (bouncers.length === 0) return { deleted: [] };
  await store.apply(bouncers.map(({ name }) => ({ kind: 'bouncer-deleted', name })));
  for (const { name } of bouncers) {
    bouncerKeys.forget?.(name);
    log.info({ bouncer: name }, 'bouncer deleted');
  }
  bouncerKeys.changed();
  return { deleted: bouncers.map(({ name }) => name) };
}

function absent(name: string): GatewayError {
  return new GatewayError('NOT_FOUND', `there is no bouncer called ${name}`, { remedy: 'See `bouncers list`.' });
}

function bouncerModel(bouncer: Bouncer): BouncerModel {
  return {
    name: bouncer.name,
    created_at: isoTime(bouncer.createdAt),
    ip_address: bouncer.ip,
    type: bouncer.type,
    version: bouncer.version,
    last_pull: isoTimeOrNull(bouncer.lastPull),
    auth_type: bouncer.authType,
    auto_created: bouncer.autoCreated,
    revoked: false,
  };
}
