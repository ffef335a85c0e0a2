/** Finds decisions in the store by what they cover, and by the beginning of their identifier. */
import { GatewayError } from '../../core/errors.ts';
import { addressBits, formatRange, type IpRange, rangeOf } from '../../core/ip.ts';
import { maxQueryRows, type DecisionQuery, type Store, type StoredDecision } from '../../remediation/store/store.ts';

/** Narrows a search; the same fields as in the store's query. */
export type DecisionFilter = Pick<DecisionQuery, 'type' | 'origin' | 'exceptOrigins' | 'scenario' | 'includeInactive'>;

const mostPerValue = 1_000;
const atOnce = 16;

/**
 * Decisions on an address or a network and on every network around it: what CrowdSec's `ip=` and `range=` mean. The store
 * finds by exact value, and a network has at most 128 others around it, so each is asked for.
 */
export async function decisionsAround(
  store: Pick<Store, 'decisions'>,
  range: IpRange,
  filter: DecisionFilter = {},
): Promise<StoredDecision[]> {
  const values: string[] = [];
  if (range.prefix === addressBits(range.address)) values.push(range.address.text);
  for (let prefix = range.prefix; prefix >= 0; prefix--) values.push(formatRange(rangeOf(range.address, prefix)));
  const found: StoredDecision[] = [];
  for (let index = 0; index < values.length; index += atOnce) {
    const slice = values.slice(index, index + atOnce);
    const pages = await Promise.all(slice.map((value) => store.decisions({ ...filter, value, limit: mostPerValue })));
    found.push(...pages.flat());
  }
  return found.filter(({ decision }) => decision.scope === 'Ip' || decision.scope === 'Range').sort(latestFirst);
}

function latestFirst(left: StoredDecision, right: StoredDecision): number {
  return right.decision.createdAt - left.decision.createdAt;
}

/** Pages through everything that matches, the last written first; with `after`, from the decision of that cursor on. */
export async function* everyDecision(
  store: Pick<Store, 'decisions'>,
  query: Omit<DecisionQuery, 'limit'>,
  pageSize = maxQueryRows,
): AsyncGenerator<readonly StoredDecision[]> {
  let { after } = query;
  for (;;) {
    const page = await store.decisions({ ...query, limit: pageSize, ...(after === undefined ? {} : { after }) });
    if (page.length > 0) yield page;
    after = page.at(-1)?.cursor;
    if (page.length < pageSize || after === undefined) return;
  }
}

/** So much of a uuid names a decision or an alert, when it is the only one that begins so. */
export const shortestId = 6;

/**
 * By its number, its uuid, or the beginning of that.
 * @throws GatewayError NOT_FOUND, or USAGE when several decisions begin so.
 */
export async function decisionNamed(
  store: Pick<Store, 'decisions' | 'decisionByUuid' | 'decisionById'>,
  id: string,
): Promise<StoredDecision> {
  const numbered = /^\d{1,15}$/.test(id) ? await store.decisionById(Number(id)) : null;
  const exact = numbered ?? (await store.decisionByUuid(id));
  if (exact !== null) return exact;
  const found: StoredDecision[] = [];
  if (id.length >= shortestId) {
    for await (const page of everyDecision(store, {}))
      found.push(...page.filter(({ decision }) => decision.uuid.startsWith(id)));
  }
  if (found.length > 1)
    throw new GatewayError('USAGE', `${found.length} decisions have an id that begins with ${id}`, {
      remedy: 'Give more of it; `decisions list --json` shows whole ids.',
    });
  const [only] = found;
  if (only === undefined)
    throw new GatewayError('NOT_FOUND', `there is no decision ${id}`, {
      remedy: 'See `decisions list --history` for those there are.',
    });
  return only;
}
