/** Alerts together with the decisions that followed from them. */
import { GatewayError } from '../../core/errors.ts';
import { type IpRange, parseRange, rangeContains } from '../../core/ip.ts';
import { maxQueryRows, type AlertQuery, type Store, type StoredAlert } from '../../remediation/store/store.ts';
import { shortestId } from './decision-search.ts';
import type { AdminDependencies } from './dependencies.ts';
import type { AlertModel } from './models.ts';
import { alertModel, decisionModel } from './views.ts';

type Deps = Pick<AdminDependencies, 'store' | 'clock'>;

/** Decisions that are shown of one alert: an import has a million. */
const mostShown = 1_000;

export async function alertDetails(stored: StoredAlert, { store, clock }: Deps): Promise<AlertModel> {
  const now = clock.now();
  const decisions = await store.decisions({ alertUuid: stored.alert.uuid, includeInactive: true, limit: mostShown });
  return alertModel(
    stored,
    decisions.map((decision) => decisionModel(decision, now, stored)),
  );
}

/** What a search for alerts asks beyond what stores select by. */
export interface AlertFilter extends Pick<AlertQuery, 'scope' | 'value' | 'scenario' | 'since'> {
  /** Epoch milliseconds; alerts created before it. */
  readonly until?: number;
  /** Those whose source lies inside. */
  readonly within?: IpRange;
  /** Those from which a decision of this type, or of this origin, followed. */
  readonly type?: string;
  readonly origin?: string;
  /** Without those that only stand for lists from elsewhere. */
  readonly ownOnly?: boolean;
}

/** Pages through everything that matches, the latest first. The pages may be empty: each ends at the alert `before`. */
export async function* everyAlert(
  store: Pick<Store, 'alerts' | 'decisions'>,
  filter: AlertFilter,
  from: { readonly before?: number; readonly pageSize?: number } = {},
): AsyncGenerator<{ readonly alerts: readonly StoredAlert[]; readonly before: number | null }> {
  const { scope, value, scenario, since } = filter;
  const { pageSize = 1_000 } = from;
  const query = {
    ...(scope === undefined ? {} : { scope }),
    ...(value === undefined ? {} : { value }),
    ...(scenario === undefined ? {} : { scenario }),
    ...(since === undefined ? {} : { since }),
    limit: pageSize,
  };
  let before = from.before;
  for (;;) {
    const page = await store.alerts({ ...query, ...(before === undefined ? {} : { before }) });
    before = page.at(-1)?.id;
    const isLast = page.length < pageSize || before === undefined;
    const alerts: StoredAlert[] = [];
    for (const stored of page) if (await isWanted(stored, filter, store)) alerts.push(stored);
    yield { alerts, before: isLast ? null : (before ?? null) };
    if (isLast) return;
  }
}

async function isWanted(
  { alert }: StoredAlert,
  filter: AlertFilter,
  store: Pick<Store, 'decisions'>,
): Promise<boolean> {
  const { until = Infinity, within, type, origin } = filter;
  if (alert.createdAt >= until) return false;
  if (filter.ownOnly === true && isForeign(alert.source.scope)) return false;
  if (within !== undefined && !liesWithin(within, alert.source.value)) return false;
  if (type === undefined && origin === undefined) return true;
  const asked = { ...(type === undefined ? {} : { type }), ...(origin === undefined ? {} : { origin }) };
  const found = await store.decisions({ ...asked, alertUuid: alert.uuid, includeInactive: true, limit: 1 });
  return found.length > 0;
}

/** CrowdSec's alerts that stand for a pull of the community's decisions, or of a list. */
function isForeign(scope: string): boolean {
  return scope === 'crowdsecurity/community-blocklist' || scope.startsWith('lists:');
}

function liesWithin(range: IpRange, value: string): boolean {
  const source = parseRange(value);
  return source !== null && source.prefix >= range.prefix && rangeContains(range, source.address);
}

/**
 * By its number, its uuid, or the beginning of that.
 * @throws GatewayError NOT_FOUND, or USAGE when several alerts begin so.
 */
export async function alertNamed(
  store: Pick<Store, 'alerts' | 'alertByUuid' | 'alertById'>,
  id: string,
): Promise<StoredAlert> {
  const numbered = /^\d{1,15}$/.test(id) ? await store.alertById(Number(id)) : null;
  const exact = numbered ?? (await store.alertByUuid(id));
  if (exact !== null) return exact;
  const found =
    id.length < shortestId
      ? []
      : (await store.alerts({ limit: maxQueryRows })).filter(({ alert }) => alert.uuid.startsWith(id));
  if (found.length > 1) {
    throw new GatewayError('USAGE', `${found.length} alerts have an id that begins with ${id}`, {
      remedy: 'Give more of it.',
    });
  }
  const [only] = found;
  if (only === undefined) {
    throw new GatewayError('NOT_FOUND', `there is no alert ${id}`, {
      remedy: 'See `alerts list` for those there are.',
    });
  }
  return only;
}
