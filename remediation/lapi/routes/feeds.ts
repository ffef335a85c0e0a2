/**
 * `/v1/feeds/<format>`: the decisions for firewalls that only pull lists. Ours, CrowdSec has none. Who pulls has a bouncer's key,
 * and may give it where such programs can: in X-Api-Key, as the password of Basic credentials, or as `key` in the URL.
 */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { type FeedName, feedFormats } from '../feeds/feed-format.ts';
import { feedLines } from '../feeds/feed-lines.ts';
import { LapiError, type LapiRoutes } from '../lapi-context.ts';

const words = (most: number) =>
  z
    .string()
    .max(2_048)
    .transform((text) => text.split(',').filter((word) => word !== ''))
    .refine((list) => list.length <= most, `names more than ${most}`);

const querySchema = z.strictObject({
  key: z.string().optional(),
  types: words(16).prefault('ban'),
  scopes: words(2)
    .transform((list) => list.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1).toLowerCase()}`))
    .refine((list) => list.every((scope) => scope === 'Ip' || scope === 'Range'), 'takes ip and range')
    .prefault('ip,range'),
  origins: words(64).optional(),
  versions: z
    .enum(['4', '6', '4,6'], 'takes 4, 6 or 4,6')
    .transform((text): readonly (4 | 6)[] => (text === '4,6' ? [4, 6] : text === '4' ? [4] : [6]))
    .prefault('4,6'),
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,19}$/, 'takes a letter and up to 19 letters, digits or _')
    .prefault('portcullis'),
});

/** One after the other for each of this many; others are asked to come again. */
const mostAtOnce = 8;

export const feedRoutes: LapiRoutes = (app, deps, guards) => {
  let running = 0;
  const options = {
    preHandler: [
      async (request: FastifyRequest) => {
        request.headers['x-api-key'] ??= keyOf(request);
      },
      guards.bouncer,
    ],
  };
  app.get<{ Params: { format: string } }>('/v1/feeds/:format', options, async (request, reply) => {
    const format = formatNamed(request.params.format);
    const { types, scopes, origins, versions, name } = queryOf(request.query);
    if (running >= mostAtOnce) {
      reply.header('retry-after', '5');
      throw new LapiError(503, `${mostAtOnce} feeds are being read at this moment`);
    }
    running++;
    const now = deps.clock.now();
    const filter = { scopes, types, distinct: true, ...(origins && { origins }) };
    const pieces = feedLines(deps.ledger.active(filter, now), {
      format,
      facts: { now, versions, name },
      onTooMany: () =>
        deps.log.warn({ format: request.params.format }, 'a feed leaves networks out: there are too many'),
    });
    const stream = Readable.from(inTurns(pieces), { objectMode: false });
    stream.once('close', () => running--);
    reply.header('cache-control', 'no-store').type(format.contentType);
    return reply.send(stream);
  });
};

/** Lets others run between two pieces. */
async function* inTurns(pieces: Iterable<string>): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (piece !== '') yield Buffer.from(piece);
    await setImmediate();
  }
}

function formatNamed(name: string): (typeof feedFormats)[FeedName] {
  if (Object.hasOwn(feedFormats, name)) return feedFormats[name as FeedName];
  throw new LapiError(
    404,
    `there is no feed '${name.slice(0, 32)}': it is one of ${Object.keys(feedFormats).join(', ')}`,
  );
}

function queryOf(query: unknown): z.output<typeof querySchema> {
  const parsed = querySchema.safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LapiError(400, `${issue?.path.join('.') || 'query'}: ${issue?.message ?? 'is not valid'}`);
}

function keyOf({ headers, query }: FastifyRequest): string | undefined {
  const basic = /^basic\s+([A-Za-z0-9+/=_-]{1,2048})$/i.exec(headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    return text.slice(text.indexOf(':') + 1);
  }
  const { key } = query as { readonly key?: unknown };
  return typeof key === 'string' ? key : undefined;
}
