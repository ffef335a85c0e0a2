/**
 * Finds alerts page by page, newest first, with the event loop free in between. Whether an alert has decisions in force is asked
 * of the ledger, in memory; decisions themselves are fetched only for alerts that passed everything else.
 */
import { setImmediate } from 'node:timers/promises';
import type { Store, StoredAlert, StoredDecision } from '../../store/store.ts';
import type { LapiDependencies } from '../lapi-context.ts';
import type { AlertFilter } from './alerts-filter.ts';

export interface FoundAlert {
  readonly stored: StoredAlert;
  /** In order of their ids, at most `mostShown`; null where nobody asked for them. */
  readonly decisions: readonly StoredDecision[] | null;
}

type Deps = { readonly store: Pick<Store, 'alerts' | 'alertById' | 'decisions'> } & Pick<
  LapiDependencies,
  'ledger' | 'clock'
>;

/** Alerts in one page; so many questions wait for the store at once at most. */
const pageSize = 50;
/** Decisions that are shown of one alert: an import may have brought a million. The latest are. */
const mostShown = 10_000;

/** The alerts that a filter lets through, in its order, as many as it wants; one page at a time. */
export async function* searchAlerts(deps: Deps, filter: AlertFilter): AsyncGenerator<readonly FoundAlert[]> {
  let left = filter.limit;
  for await (const page of filter.oldestFirst ? oldestFirst(deps, filter) : everyPage(deps, filter)) {
    const found = page.slice(0, left);
    left -= found.length;
    if (found.length > 0) yield found;
    if (left <= 0) return;
  }
}

/** The decisions of an alert, in order of their ids. */
export async function decisionsOfAlert(store: Pick<Store, 'decisions'>, uuid: string): Promise<StoredDecision[]> {
  const found = await store.decisions({ alertUuid: uuid, includeInactive: true, limit: mostShown });
  return [...found].sort((left, right) => left.id - right.id);
}

/** The store knows one direction only: the ids are gathered first, the oldest of them read again. */
async function* oldestFirst(deps: Deps, filter: AlertFilter): AsyncGenerator<readonly FoundAlert[]> {
  const ids: number[] = [];
  for await (const page of everyPage(deps, filter)) ids.push(...page.map(({ stored }) => stored.id));
  const wanted = ids.toReversed().slice(0, Math.min(filter.limit, ids.length));
  for (let from = 0; from < wanted.length; from += pageSize) {
    const alerts = await Promise.all(wanted.slice(from, from + pageSize).map((id) => deps.store.alertById(id)));
    yield await Promise.all(alerts.flatMap((stored) => (stored === null ? [] : [withDecisions(deps, filter, stored)])));
    await setImmediate();
  }
}

async function* everyPage(deps: Deps, filter: AlertFilter): AsyncGenerator<readonly FoundAlert[]> {
  const { store, ledger, clock } = deps;
  let before: number | undefined;
  for (;;) {
    const page = await store.alerts({ limit: pageSize, ...(before === undefined ? {} : { before }) });
    const now = clock.now();
    const candidates = page.filter(
      ({ alert }) => filter.alert(alert) && (!filter.onlyActive || ledger.hasActive(alert.uuid, now)),
    );
    const found = await Promise.all(candidates.map((stored) => withDecisions(deps, filter, stored)));
    const { decisions: test } = filter;
    yield test === null ? found : found.filter(({ stored, decisions }) => test(decisions ?? [], stored.alert));
    before = page.at(-1)?.id;
    if (page.length < pageSize || before === undefined) return;
    await setImmediate();
  }
}

async function withDecisions({ store }: Deps, filter: AlertFilter, stored: StoredAlert): Promise<FoundAlert> {
  const isWanted = filter.withDecisions || filter.decisions !== null;
  return { stored, decisions: isWanted ? await decisionsOfAlert(store, stored.alert.uuid) : null };
}
