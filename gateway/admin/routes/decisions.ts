/** `/v1/decisions`: list, add, lift. Lifting expires: followers hear of it, and history keeps it. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { addressBits, parseRange, type IpRange } from '../../../core/ip.ts';
import { type Decision, isKnownRemediation } from '../../../remediation/decision.ts';
import type { StoredDecision } from '../../../remediation/store/store.ts';
import { decisionById, type DecisionFilter, decisionsAround, everyDecision } from '../decision-search.ts';
import type { AdminDependencies } from '../dependencies.ts';
import {
  addressSchema,
  canonicalValue,
  durationSchema,
  flagSchema,
  limitSchema,
  parseInput,
  rangeSchema,
  scopeOf,
  wordsSchema,
} from '../input.ts';
import type { DecisionAdded, DecisionList, DecisionsDeleted } from '../models.ts';
import { decisionModel, decisionModels } from '../views.ts';

const filters = {
  ip: addressSchema.optional(),
  range: rangeSchema.optional(),
  scope: wordsSchema.transform(scopeOf).optional(),
  value: wordsSchema.optional(),
  type: wordsSchema.optional(),
  origin: wordsSchema.optional(),
  scenario: wordsSchema.optional(),
};

const listSchema = z.strictObject({
  ...filters,
  id: wordsSchema.optional(),
  all: flagSchema.optional(),
  limit: limitSchema.default(100),
  after: z.string().max(512).optional(),
});

const deleteSchema = z.strictObject({ ...filters, id: wordsSchema.optional(), all: flagSchema.optional() });

const addSchema = z.strictObject({
  scope: wordsSchema.min(1).max(64).transform(scopeOf),
  value: wordsSchema.min(1),
  duration: durationSchema,
  type: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be a word such as ban, captcha or throttle'),
  reason: wordsSchema.default(''),
  origin: wordsSchema.max(64).default('cscli'),
  bypassAllowlist: z.boolean().default(false),
});

type Filters = z.infer<typeof deleteSchema>;
const mostShown = 100;
const notStored = 'the store is away: the decision is enforced now, and stored when the store is back';

export function decisionRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/decisions', async ({ query }): Promise<DecisionList> => {
    const { limit, after, all, ...wanted } = parseInput(listSchema, query);
    const includeInactive = all === true;
    await deps.publisher.settle();
    const around = networkOf(wanted);
    if (wanted.id !== undefined) {
      return { decisions: await decisionModels([await decisionById(deps.store, wanted.id)], deps), next: null };
    }
    if (around !== null) {
      const found = (await decisionsAround(deps.store, around, { ...narrowed(wanted), includeInactive })).filter(
        scoped(wanted),
      );
      return { decisions: await decisionModels(found.slice(0, limit), deps), next: null };
    }
    const cursor = after === undefined ? {} : { after };
    const page = await deps.store.decisions({ ...exactly(wanted), includeInactive, limit, ...cursor });
    const next = page.length === limit ? (page.at(-1)?.cursor ?? null) : null;
    return { decisions: await decisionModels(page, deps), next };
  });

  app.post('/v1/decisions', async ({ body }, reply): Promise<DecisionAdded> => {
    const wanted = parseInput(addSchema, body);
    const value = canonicalValue(wanted.scope, wanted.value);
    const warnings = warningsFor(wanted, value, deps);
    const now = deps.clock.now();
    const decision: Decision = {
      uuid: deps.random.uuid(),
      origin: wanted.origin,
      scenario: wanted.reason === '' ? `manual '${wanted.type}' from the command line` : wanted.reason,
      scope: wanted.scope,
      value,
      type: wanted.type,
      until: now + wanted.duration,
      createdAt: now,
      simulated: false,
      alertUuid: null,
    };
    if (!(await deps.publisher.write([{ kind: 'decision-added', decision }]))) warnings.push(notStored);
    deps.log.info(
      { scope: wanted.scope, value, type: wanted.type, decisionId: decision.uuid },
      'decision added by hand',
    );
    reply.code(201);
    return { decision: decisionModel({ decision, deletedAt: null }, now, null), warnings };
  });

  app.delete('/v1/decisions', async ({ query }): Promise<DecisionsDeleted> => {
    const wanted = parseInput(deleteSchema, query);
    if (!Object.values(wanted).some((value) => value !== undefined && value !== false)) {
      throw new GatewayError('USAGE', 'nothing says which decisions to lift', {
        remedy: 'Name them with --ip, --range, --value, --id, --scenario, --origin or --type, or say --all.',
      });
    }
    await deps.publisher.settle();
    let deleted = 0;
    const shown: StoredDecision[] = [];
    for await (const page of matching(wanted, deps)) {
      await deps.publisher.write(page.map(({ decision }) => ({ kind: 'decision-deleted', decision })));
      deleted += page.length;
      shown.push(...page.slice(0, mostShown - shown.length));
    }
    deps.log.info({ deleted }, 'decisions lifted by hand');
    return { deleted, decisions: await decisionModels(shown, deps) };
  });
}

/** The live decisions that a deletion names, in pages. */
async function* matching(wanted: Filters, deps: AdminDependencies): AsyncGenerator<readonly StoredDecision[]> {
  if (wanted.id !== undefined) {
    yield [await decisionById(deps.store, wanted.id)];
    return;
  }
  const around = networkOf(wanted);
  if (around === null) {
    yield* everyDecision(deps.store, exactly(wanted));
    return;
  }
  const found = (await decisionsAround(deps.store, around, narrowed(wanted))).filter(scoped(wanted));
  if (found.length > 0) yield found;
}

/** `--ip` and `--range` mean what covers them. */
function networkOf({ ip, range }: Filters): IpRange | null {
  if (ip !== undefined && range !== undefined) {
    throw new GatewayError('USAGE', '--ip and --range cannot be given together', { remedy: 'Give one of them.' });
  }
  if (ip !== undefined) return { address: ip, prefix: addressBits(ip) };
  return range ?? null;
}

function narrowed({ type, origin, scenario }: Filters): DecisionFilter {
  return {
    ...(type === undefined ? {} : { type }),
    ...(origin === undefined ? {} : { origin }),
    ...(scenario === undefined ? {} : { scenario }),
  };
}

function scoped({ scope, value }: Filters): (stored: StoredDecision) => boolean {
  return ({ decision }) => (scope ?? decision.scope) === decision.scope && (value ?? decision.value) === decision.value;
}

/** `--value` alone may be an address or a range in any spelling. */
function exactly(wanted: Filters): DecisionFilter & { scope?: string; value?: string } {
  const { scope, value } = wanted;
  const spelled = value === undefined ? undefined : canonicalSpelling(scope, value);
  return {
    ...narrowed(wanted),
    ...(scope === undefined ? {} : { scope }),
    ...(spelled === undefined ? {} : { value: spelled }),
  };
}

function canonicalSpelling(scope: string | undefined, value: string): string {
  if (scope !== undefined) return canonicalValue(scope, value);
  const range = parseRange(value);
  if (range === null) return value;
  return canonicalValue(value.includes('/') ? 'Range' : 'Ip', value);
}

function warningsFor(wanted: z.infer<typeof addSchema>, value: string, deps: AdminDependencies): string[] {
  const warnings: string[] = [];
  if (!isKnownRemediation(wanted.type))
    warnings.push(`"${wanted.type}" is no remediation that is known: it is enforced as a ban`);
  if (wanted.scope !== 'Ip' && wanted.scope !== 'Range') return warnings;
  const range = parseRange(value);
  if (range === null) return warnings;
  const entry = deps.index.allowedRange(range, deps.clock.now());
  if (entry !== null) {
    const message = `${entry.value} is on the allowlist, which wins over every decision`;
    if (!wanted.bypassAllowlist) {
      throw new GatewayError('GATEWAY_REFUSED', message, {
        remedy: `Take it off with \`allowlists delete ${entry.value}\`, or store the decision all the same with --bypass-allowlist.`,
      });
    }
    warnings.push(`${message}: the addresses on it stay allowed`);
  }
  const reason = deps.protectedSources.reasonFor(range);
  if (reason !== null) warnings.push(`${value} is protected from scenarios (${reason}), but this decision is enforced`);
  return warnings;
}
