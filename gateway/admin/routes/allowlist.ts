/** `/v1/allowlist`: addresses and ranges that nothing may refuse. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { addressBits, formatRange, type IpRange } from '../../../core/ip.ts';
import type { AllowlistEntry } from '../../../remediation/store/store.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { durationSchema, parseInput, rangeSchema, wordsSchema } from '../input.ts';
import type { AllowlistEntryModel } from '../models.ts';
import { allowlistModel } from '../views.ts';

const addSchema = z.strictObject({
  value: rangeSchema,
  comment: wordsSchema.default(''),
  expiration: durationSchema.optional(),
});
/** The list that entries without one go to. */
const list = 'default';
const deleteSchema = z.strictObject({ value: rangeSchema });

export function allowlistRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/allowlist', async (): Promise<{ entries: AllowlistEntryModel[] }> => {
    const now = deps.clock.now();
    const entries = (await deps.store.allowlist()).filter(({ until }) => until === null || until > now);
    return { entries: entries.map(allowlistModel) };
  });

  app.post('/v1/allowlist', async ({ body }, reply): Promise<{ entry: AllowlistEntryModel }> => {
    const { value, comment, expiration } = parseInput(addSchema, body);
    const now = deps.clock.now();
    const until = expiration === undefined ? null : now + expiration;
    const entry: AllowlistEntry = { list, value: spelled(value), comment, createdAt: now, until };
    await deps.publisher.write([{ kind: 'allowlist-added', entry }]);
    deps.log.info({ value: entry.value }, 'allowlist entry added by hand');
    reply.code(201);
    return { entry: allowlistModel(entry) };
  });

  app.delete('/v1/allowlist', async ({ query }): Promise<{ deleted: string }> => {
    const value = spelled(parseInput(deleteSchema, query).value);
    const known = (await deps.store.allowlist()).some((entry) => entry.list === list && entry.value === value);
    if (!known) {
      throw new GatewayError('NOT_FOUND', `${value} is not on the allowlist that the command line keeps`, {
        remedy: 'See `allowlists list`; entries of the settings file are changed there.',
      });
    }
    await deps.publisher.write([{ kind: 'allowlist-deleted', list, value }]);
    deps.log.info({ value }, 'allowlist entry removed by hand');
    return { deleted: value };
  });
}

/** An address without its `/32` or `/128`, as people write it. */
function spelled(range: IpRange): string {
  return range.prefix === addressBits(range.address) ? range.address.text : formatRange(range);
}
