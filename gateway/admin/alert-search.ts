/** Alerts together with the decisions that followed from them. */
import { GatewayError } from '../../core/errors.ts';
import { addressBits, parseIp, parseRange } from '../../core/ip.ts';
import type { Alert } from '../../detectors/alert.ts';
import { maxQueryRows, type Store, type StoredDecision } from '../../remediation/store/store.ts';
import { decisionsAround, shortestId } from './decision-search.ts';
import type { AdminDependencies } from './dependencies.ts';
import type { AlertModel, AlertSummary } from './models.ts';
import { alertModel, alertSummary, decisionModel } from './views.ts';

type Deps = Pick<AdminDependencies, 'store' | 'clock'>;

/** The decisions of one alert, also those that are over: they lie on its source or on a network around it. */
async function decisionsOf(store: Pick<Store, 'decisions'>, alert: Alert): Promise<StoredDecision[]> {
  const { ip, value, scope } = alert.source;
  const address = parseIp(ip);
  const range = address === null ? parseRange(value) : { address, prefix: addressBits(address) };
  const found =
    range === null
      ? await store.decisions({ scope, value, includeInactive: true, limit: 100 })
      : await decisionsAround(store, range, { includeInactive: true });
  return found.filter(({ decision }) => decision.alertUuid === alert.uuid);
}

export async function alertDetails(alert: Alert, { store, clock }: Deps): Promise<AlertModel> {
  const now = clock.now();
  const decisions = await decisionsOf(store, alert);
  return alertModel(
    alert,
    decisions.map((stored) => decisionModel(stored, now, alert)),
  );
}

/** One row for each alert. Decisions are counted only in lists short enough to ask for them. */
export async function alertSummaries(alerts: readonly Alert[], { store, clock }: Deps): Promise<AlertSummary[]> {
  const now = clock.now();
  const rows: AlertSummary[] = [];
  for (const alert of alerts) {
    const decisions = alerts.length > longestCounted ? [] : await decisionsOf(store, alert);
    rows.push(
      alertSummary(
        alert,
        decisions.map((stored) => decisionModel(stored, now, alert)),
      ),
    );
  }
  return rows;
}

const longestCounted = 100;

/** @throws GatewayError NOT_FOUND, or USAGE when several alerts begin so. */
export async function alertById(store: Pick<Store, 'alerts' | 'alertByUuid'>, id: string): Promise<Alert> {
  const exact = await store.alertByUuid(id);
  if (exact !== null) return exact.alert;
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
  return only.alert;
}
