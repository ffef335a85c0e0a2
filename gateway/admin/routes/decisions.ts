/** `/v1/decisions`: list, add, lift. Lifting expires: followers hear of it, and history keeps it. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { parseRange } from '../../../core/ip.ts';
import { type Decision, isKnownRemediation } from '../../../remediation/decision.ts';
import type { StoredDecision } from '../../../remediation/store/store.ts';
import { decisionFilters, decisionsMeant, foreignOrigins, isPlain, parseDecisionFilters } from '../decision-filter.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { canonicalValue, durationSchema, flagSchema, limitSchema, parseInput, wordsSchema } from '../input.ts';
import { manualAlert } from '../manual-alert.ts';
import type { DecisionAdded, DecisionList, DecisionModel, DecisionsDeleted } from '../models.ts';
import { alertModel, alertsBehind, decisionModel, decisionModels } from '../views.ts';
import { normalScope } from '../../../remediation/normal-scope.ts';

const listSchema = z.strictObject({
  ...decisionFilters,
  /** Also those that are over. */
  all: flagSchema.optional(),
  limit: limitSchema.default(100),
  after: z.string().max(512).optional(),
  /** With the alerts behind them. */
  alerts: flagSchema.optional(),
});

const deleteSchema = z.looseObject({ all: flagSchema.optional() });

const addSchema = z.strictObject({
  scope: wordsSchema.min(1).max(64).transform(normalScope),
  value: wordsSchema.min(1),
  duration: durationSchema,
  type: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be a word such as ban, captcha or throttle'),
  reason: wordsSchema.default(''),
  origin: wordsSchema.max(64).default('cscli'),
  bypassAllowlist: z.boolean().default(false),
});

const mostShown = 100;
/** Rows that are read at a time where the store cannot select by all that is asked. */
const searchedAtOnce = 5_000;
const notStored = 'the store is away: the decision is enforced now, and stored when the store is back';

export function decisionRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/decisions', async ({ query }): Promise<DecisionList> => {
    const { limit, after, all, alerts: withAlerts, ...wanted } = parseInput(listSchema, query);
    await deps.publisher.settle();
    const pageSize = isPlain(wanted) ? limit : Math.max(limit, searchedAtOnce);
    const walk = { includeInactive: all === true, pageSize, ...(after === undefined ? {} : { after }) };
    const found: StoredDecision[] = [];
    let isMore = false;
    for await (const page of decisionsMeant(wanted, walk, deps)) {
      const room = limit - found.length;
      found.push(...page.slice(0, room));
      isMore = page.length > room || (found.length === limit && page.length === pageSize);
      if (found.length === limit) break;
    }
    // Decisions around an address come in one page, without an order that could be gone on with.
    const isOrdered = wanted.id === undefined && (wanted.contained === true || !(wanted.ip ?? wanted.range));
    const next = isMore && isOrdered ? (found.at(-1)?.cursor ?? null) : null;
    const hidden = wanted.own === true ? foreignCount(deps) : 0;
    const alerts = await alertsBehind(found, deps.store);
    const now = deps.clock.now();
    const decisions = found.map((stored) =>
      decisionModel(stored, now, alerts.get(stored.decision.alertUuid ?? '') ?? null),
    );
    const behind = [...alerts.values()].map((alert) => alertModel(alert, []));
    return { decisions, next, hidden, ...(withAlerts === true ? { alerts: behind } : {}) };
  });

  app.post('/v1/decisions', async ({ body }, reply): Promise<DecisionAdded> => {
    const wanted = parseInput(addSchema, body);
    const value = canonicalValue(wanted.scope, wanted.value);
    const warnings = warningsFor(wanted, value, deps);
    const now = deps.clock.now();
    const scenario = wanted.reason === '' ? `manual '${wanted.type}' from the command line` : wanted.reason;
    const alert = manualAlert({ scope: wanted.scope, value }, scenario, 1, deps);
    const decision: Decision = {
      uuid: deps.random.uuid(),
      origin: wanted.origin,
      scenario,
      scope: wanted.scope,
      value,
      type: wanted.type,
      until: now + wanted.duration,
      createdAt: now,
      simulated: false,
      alertUuid: alert.uuid,
    };
    if (!(await deps.publisher.announce(alert, [decision]))) warnings.push(notStored);
    deps.log.info(
      { scope: wanted.scope, value, type: wanted.type, decisionId: decision.uuid },
      'decision added by hand',
    );
    reply.code(201);
    return { decision: await asStored(decision, deps), warnings };
  });

  app.delete('/v1/decisions', async ({ query }): Promise<DecisionsDeleted> => {
    const { all, ...filters } = parseInput(deleteSchema, query);
    const wanted = parseDecisionFilters(filters);
    const isNamed = Object.values(wanted).some((value) => value !== undefined && value !== false);
    if (!isNamed && all !== true) {
      throw new GatewayError('USAGE', 'nothing says which decisions to lift', {
        remedy: 'Name them with --ip, --range, --value, --id, --scenario, --origin or --type, or say --all.',
      });
    }
    await deps.publisher.settle();
    let deleted = 0;
    const shown: StoredDecision[] = [];
    // The store reads the next page while it writes the one before.
    let written: Promise<unknown> = Promise.resolve();
    for await (const page of decisionsMeant(wanted, {}, deps)) {
      await written;
      written = deps.publisher.write(page.map(({ decision }) => ({ kind: 'decision-deleted', decision })));
      deleted += page.length;
      shown.push(...page.slice(0, mostShown - shown.length));
    }
    await written;
    deps.log.info({ deleted }, 'decisions lifted by hand');
    return { deleted, decisions: await decisionModels(shown, deps) };
  });
}

/** Its number is the store's to give; 0 while that is away. */
async function asStored(decision: Decision, { store, clock }: AdminDependencies): Promise<DecisionModel> {
  const unstored = { id: 0, decision, deletedAt: null };
  try {
    const stored = await store.decisionByUuid(decision.uuid);
    const alert = decision.alertUuid === null ? null : await store.alertByUuid(decision.alertUuid);
    return decisionModel(stored ?? unstored, clock.now(), alert);
  } catch {
    return decisionModel(unstored, clock.now(), null);
  }
}

/** Decisions that a list of our own does not show; null when nobody counts them. */
function foreignCount({ activeDecisions }: AdminDependencies): number | null {
  if (activeDecisions === undefined) return null;
  let total = 0;
  for (const { origin, count } of activeDecisions()) if (foreignOrigins.has(origin)) total += count;
  return total;
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
    const message = `${entry.value} is on the allowlist ${entry.list}, which wins over every decision`;
    if (!wanted.bypassAllowlist) {
      throw new GatewayError('GATEWAY_REFUSED', message, {
        remedy: `Take it off with \`allowlists remove ${entry.list} ${entry.value}\`, or store the decision all the same with --bypass-allowlist.`,
      });
    }
    warnings.push(`${message}: the addresses on it stay allowed`);
  }
  const reason = deps.protectedSources.reasonFor(range);
  if (reason !== null) warnings.push(`${value} is protected from scenarios (${reason}), but this decision is enforced`);
  return warnings;
}
