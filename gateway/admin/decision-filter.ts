/** Which decisions a list or a deletion means: cscli's filters, read from a query and carried out on the store. */
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { addressBits, type IpRange, parseRange, rangeContains } from '../../core/ip.ts';
import type { StoredDecision } from '../../remediation/store/store.ts';
import { type DecisionFilter, decisionNamed, decisionsAround, everyDecision } from './decision-search.ts';
import type { AdminDependencies } from './dependencies.ts';
import {
  addressSchema,
  canonicalValue,
  durationSchema,
  flagSchema,
  parseInput,
  rangeSchema,
  wordsSchema,
} from './input.ts';
import { normalScope } from '../../remediation/normal-scope.ts';

export const decisionFilters = {
  id: wordsSchema.optional(),
  /** Those that cover the address or the range. */
  ip: addressSchema.optional(),
  range: rangeSchema.optional(),
  /** Those that lie inside the range instead. */
  contained: flagSchema.optional(),
  scope: wordsSchema.transform(normalScope).optional(),
  value: wordsSchema.optional(),
  type: wordsSchema.optional(),
  origin: wordsSchema.optional(),
  scenario: wordsSchema.optional(),
  /** Made within this time, and before that. */
  since: durationSchema.optional(),
  until: durationSchema.optional(),
  /** `false` leaves simulated ones out. */
  simulated: flagSchema.optional(),
  /** `true` leaves those out that come from elsewhere: `foreignOrigins`. */
  own: flagSchema.optional(),
};

const schema = z.strictObject(decisionFilters);
export type DecisionFilters = z.infer<typeof schema>;

/** Communities and lists bring decisions by the ten thousand; cscli shows them only when it is asked to. */
export const foreignOrigins: ReadonlySet<string> = new Set(['CAPI', 'lists']);

/** @throws GatewayError USAGE, DECISION_INVALID */
export function parseDecisionFilters(query: unknown): DecisionFilters {
  return parseInput(schema, query);
}

export interface DecisionWalk {
  readonly includeInactive?: boolean;
  /** Cursor of a decision; not with `id`, `ip` or `range`. */
  readonly after?: string;
  readonly pageSize?: number;
}

/**
 * The decisions that are meant, in pages, the last written first. Pages may be smaller than asked for.
 * @throws GatewayError USAGE, NOT_FOUND, DECISION_INVALID
 */
export async function* decisionsMeant(
  wanted: DecisionFilters,
  { includeInactive = false, after, pageSize }: DecisionWalk,
  { store, clock }: Pick<AdminDependencies, 'store' | 'clock'>,
): AsyncGenerator<readonly StoredDecision[]> {
  const isMeant = predicateOf(wanted, clock.now());
  if (wanted.id !== undefined) {
    yield [await decisionNamed(store, wanted.id)];
    return;
  }
  const network = networkOf(wanted);
  if (network !== null && wanted.contained !== true) {
    const found = await decisionsAround(store, network, { ...narrowed(wanted), includeInactive });
    yield found.filter((stored) => isOfSubject(stored, wanted) && isMeant(stored));
    return;
  }
  const query = { ...exactly(wanted), includeInactive, ...(after === undefined ? {} : { after }) };
  for await (const page of everyDecision(store, query, pageSize)) {
    yield network === null && isPlain(wanted) ? page : page.filter((stored) => isMeant(stored));
  }
}

/** Whether the store selects by everything that is asked. */
export function isPlain({ since, until, simulated, contained }: DecisionFilters): boolean {
  return since === undefined && until === undefined && simulated !== false && contained !== true;
}

function predicateOf(wanted: DecisionFilters, now: number): (stored: StoredDecision) => boolean {
  const { since, until, simulated } = wanted;
  const inside = wanted.contained === true ? networkOf(wanted) : null;
  return ({ decision }) => {
    if (since !== undefined && decision.createdAt < now - since) return false;
    if (until !== undefined && decision.createdAt > now - until) return false;
    if (simulated === false && decision.simulated) return false;
    return inside === null || liesInside(inside, decision.value);
  };
}

function liesInside(range: IpRange, value: string): boolean {
  const covered = parseRange(value);
  return covered !== null && covered.prefix >= range.prefix && rangeContains(range, covered.address);
}

/** `--ip` and `--range` mean what covers them. */
function networkOf({ ip, range }: DecisionFilters): IpRange | null {
  if (ip !== undefined && range !== undefined) {
    throw new GatewayError('USAGE', '--ip and --range cannot be given together', { remedy: 'Give one of them.' });
  }
  if (ip !== undefined) return { address: ip, prefix: addressBits(ip) };
  return range ?? null;
}

function narrowed({ type, origin, scenario, own }: DecisionFilters): DecisionFilter {
  return {
    ...(type === undefined ? {} : { type }),
    ...(origin === undefined ? {} : { origin }),
    ...(own === true ? { exceptOrigins: [...foreignOrigins] } : {}),
    ...(scenario === undefined ? {} : { scenario }),
  };
}

function isOfSubject({ decision }: StoredDecision, { scope, value }: DecisionFilters): boolean {
  return (scope ?? decision.scope) === decision.scope && (value ?? decision.value) === decision.value;
}

/** `--value` alone may be an address or a range in any spelling. */
function exactly(wanted: DecisionFilters): DecisionFilter & { scope?: string; value?: string } {
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
