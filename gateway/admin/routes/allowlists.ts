/** `/v1/allowlists`: named lists of what nothing may refuse. Specification: CrowdSec `cscli allowlists`. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { addressBits, formatRange, type IpRange, parseRange } from '../../../core/ip.ts';
import { isHostName } from '../../../remediation/allowed/allowed-names.ts';
import { overlaps, settingsAllowlist } from '../../../remediation/allowed/allowlists.ts';
import { mirroredPrefix } from '../../../remediation/decision.ts';
import type { AllowlistEntry, AllowlistRecord, StoredDecision, StoreWrite } from '../../../remediation/store/store.ts';
import { decisionsAround, everyDecision } from '../decision-search.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { durationSchema, isoTime, parseInput, rangeSchema, wordsSchema } from '../input.ts';
import type { AllowlistChangeModel, AllowlistCheckModel, AllowlistModel } from '../operator-models.ts';
import { allowlistModel } from '../views.ts';

/** As bouncers are named: shown in tables, typed in shells. */
const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@:-]{0,127}$/, 'letters, digits and ._@:- only, at most 128 of them');
/** Bounded by what the control socket takes at once; the command line sends slices. */
const valuesSchema = z.array(z.string().max(512)).min(1).max(1_000);

const createSchema = z.strictObject({ name: nameSchema, description: wordsSchema.default('') });
const addSchema = z.strictObject({
  values: valuesSchema,
  comment: wordsSchema.default(''),
  expiration: durationSchema.optional(),
});
const removeSchema = z.strictObject({ values: valuesSchema });
const checkSchema = z.strictObject({ value: rangeSchema });
type Named = { Params: { name: string } };

export function allowlistRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  const { store, clock, publisher, log } = deps;

  app.get(
    '/v1/allowlists',
    async (): Promise<{ allowlists: AllowlistModel[] }> => ({ allowlists: await listsOf(deps) }),
  );

  app.get<Named>('/v1/allowlists/:name', async ({ params }): Promise<AllowlistModel> => {
    const found = (await listsOf(deps)).find(({ name }) => name === params.name);
    return found ?? absent(params.name);
  });

  app.get('/v1/allowlists-check', async ({ query }): Promise<AllowlistCheckModel> => {
    const { value } = parseInput(checkSchema, query);
    const item = deps.index.allowedRange(value, clock.now());
    const comment = item === null || item.comment === '' ? '' : ` (${item.comment})`;
    return {
      value: spelled(value),
      allowlisted: item !== null,
      reason: item === null ? '' : `${item.value} from ${item.list}${comment}`,
    };
  });

  app.post('/v1/allowlists', async ({ body }, reply): Promise<AllowlistModel> => {
    const { name, description } = parseInput(createSchema, body);
    if (name === settingsAllowlist || (await store.allowlists()).some((list) => list.name === name)) {
      throw new GatewayError('GATEWAY_REFUSED', `there is an allowlist called ${name} already`, {
        remedy: `Add to it with \`allowlists add ${name} <value>…\`, or choose another name.`,
      });
    }
    const now = clock.now();
    const list: AllowlistRecord = { name, description, createdAt: now, updatedAt: now };
    await publisher.commit([{ kind: 'allowlist-created', list }]);
    log.info({ allowlist: name }, 'allowlist created');
    reply.code(201);
    return modelOf(list, []);
  });

  app.post<Named>('/v1/allowlists/:name/items', async ({ params, body }): Promise<AllowlistChangeModel> => {
    const { values, comment, expiration } = parseInput(addSchema, body);
    await mustBeOurs(params.name, deps);
    const now = clock.now();
    const wanted = [...new Set(values.map(canonical))];
    const standing = await valuesOn(params.name, deps);
    const changed = wanted.filter((value) => !standing.has(value));
    const until = expiration === undefined ? null : now + expiration;
    const entries = changed.map(
      (value): AllowlistEntry => ({ list: params.name, value, comment, createdAt: now, until }),
    );
    await publisher.commit(entries.map((entry) => ({ kind: 'allowlist-added', entry })));
    const lifted = await liftCovering(changed, deps);
    log.info({ allowlist: params.name, added: changed.length, lifted }, 'allowlist changed by hand');
    return { changed, unchanged: wanted.filter((value) => standing.has(value)), lifted };
  });

  app.post<Named>('/v1/allowlists/:name/remove', async ({ params, body }): Promise<AllowlistChangeModel> => {
    const { values } = parseInput(removeSchema, body);
    await mustBeOurs(params.name, deps);
    const standing = await valuesOn(params.name, deps);
    const wanted = [...new Set(values.map(canonical))];
    const changed = wanted.filter((value) => standing.has(value));
    await publisher.commit(changed.map((value) => ({ kind: 'allowlist-deleted', list: params.name, value })));
    log.info({ allowlist: params.name, removed: changed.length }, 'allowlist changed by hand');
    return { changed, unchanged: wanted.filter((value) => !standing.has(value)), lifted: 0 };
  });

  app.delete<Named>('/v1/allowlists/:name', async ({ params }): Promise<{ deleted: string }> => {
    await mustBeOurs(params.name, deps);
    await publisher.commit([{ kind: 'allowlist-removed', name: params.name }]);
    log.info({ allowlist: params.name }, 'allowlist deleted');
    return { deleted: params.name };
  });
}

async function listsOf({
  store,
  clock,
  settingsAllowlist: fixed = [],
  facts,
}: AdminDependencies): Promise<AllowlistModel[]> {
  const now = clock.now();
  const [lists, entries] = await Promise.all([store.allowlists(), store.allowlist()]);
  const live = Map.groupBy(
    entries.filter(({ until }) => until === null || until > now),
    ({ list }) => list,
  );
  const ours = lists.map((list) => modelOf(list, live.get(list.name) ?? []));
  if (fixed.length === 0) return ours;
  const { startedAt } = facts;
  const description = 'remediation.allowlist of the settings';
  const record = { name: settingsAllowlist, description, createdAt: startedAt, updatedAt: startedAt };
  const items = fixed.map((item) => ({ ...item, list: settingsAllowlist, createdAt: startedAt }));
  return [...ours, { ...modelOf(record, items), from_settings: true }];
}

function modelOf(
  { name, description, createdAt, updatedAt }: AllowlistRecord,
  items: readonly AllowlistEntry[],
): AllowlistModel {
  return {
    name,
    description,
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
    from_settings: false,
    console_managed: false,
    size: items.length,
    items: items.map(allowlistModel),
  };
}

async function valuesOn(list: string, { store, clock }: AdminDependencies): Promise<ReadonlySet<string>> {
  const now = clock.now();
  const entries = await store.allowlist();
  return new Set(
    entries
      .filter((entry) => entry.list === list && (entry.until === null || entry.until > now))
      .map(({ value }) => value),
  );
}

/** @throws GatewayError NOT_FOUND, GATEWAY_REFUSED */
async function mustBeOurs(name: string, { store }: AdminDependencies): Promise<void> {
  if (name === settingsAllowlist) {
    throw new GatewayError('GATEWAY_REFUSED', `${name} stands in the settings`, {
      remedy: 'Change `remediation.allowlist` there, and start the gateway again.',
    });
  }
  if (!(await store.allowlists()).some((list) => list.name === name)) absent(name);
}

function absent(name: string): never {
  throw new GatewayError('NOT_FOUND', `there is no allowlist called ${name}`, {
    remedy: `See \`allowlists list\`, or make it: allowlists create ${name} --description <text>`,
  });
}

/**
 * An address without its `/32` or `/128`, as people write it; a host name in lower case.
 * @throws GatewayError USAGE
 */
function canonical(text: string): string {
  const value = text.trim();
  const range = parseRange(value);
  if (range !== null) return spelled(range);
  if (isHostName(value)) return value.toLowerCase().replace(/\.$/, '');
  throw new GatewayError('USAGE', `"${value}" is not an address, a range or a host name`, {
    remedy: 'Write 192.0.2.10, 192.0.2.0/24, 2001:db8::/32 or office.example.org.',
  });
}

function spelled(range: IpRange): string {
  return range.prefix === addressBits(range.address) ? range.address.text : formatRange(range);
}

/** What other Local APIs decided is theirs to lift. */
function isHere({ decision }: StoredDecision): boolean {
  return !decision.uuid.startsWith(mirroredPrefix);
}

/** Followers of our decisions know nothing of our allowlists: what overlaps a new entry is lifted for them too. */
async function liftCovering(values: readonly string[], deps: AdminDependencies): Promise<number> {
  const ranges = values.flatMap((value) => parseRange(value) ?? []);
  let lifted = 0;
  const lift = async (writes: readonly StoreWrite[]): Promise<void> => {
    if (writes.length > 0) await deps.publisher.write(writes);
    lifted += writes.length;
  };
  for (const range of ranges) {
    const around = await decisionsAround(deps.store, range);
    await lift(around.filter(isHere).map(({ decision }) => ({ kind: 'decision-deleted', decision })));
  }
  const networks = ranges.filter((range) => range.prefix < addressBits(range.address));
  if (networks.length === 0) return lifted;
  for await (const page of everyDecision(deps.store, {})) {
    const inside = page.filter(isHere).filter(({ decision }) => {
      const covered = decision.scope === 'Ip' || decision.scope === 'Range' ? parseRange(decision.value) : null;
      return covered !== null && networks.some((network) => overlaps(network, covered));
    });
    await lift(inside.map(({ decision }) => ({ kind: 'decision-deleted', decision })));
  }
  return lifted;
}
