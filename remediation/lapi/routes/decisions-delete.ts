/**
 * `DELETE /v1/decisions`: people lift decisions, one by its number or all that a filter finds. They end now and stay for history, so
 * that every bouncer hears of it. Specification: CrowdSec `pkg/database/decisions.go`, `ExpireDecisionsWithFilter`; its quirk that
 * `ip=` takes the ranges around the address along is kept, because cscli sends just that.
 */
import { setImmediate } from 'node:timers/promises';
import type { IpRange } from '../../../core/ip.ts';
import type { Decision } from '../../decision.ts';
import type { LedgerFilter } from '../../ledger/decision-ledger.ts';
import { type LapiDependencies, LapiError, type LapiRoutes } from '../lapi-context.ts';
import { firstValues, readId, requireContains, requireNetwork } from '../models/query-fields.ts';
import { lift } from './lift.ts';
import { decisionTouches } from './network-cover.ts';
import { fromStore, sendDeleted } from '../replies.ts';

/** Decisions that are lifted together; others get their turn in between. */
const sliceSize = 5_000;

export const decisionDeleteRoutes: LapiRoutes = (app, deps, guards) => {
  const asMachine = { preHandler: [guards.machine] };

  app.delete('/v1/decisions', asMachine, async (request, reply) => {
    const wanted = readDeleteFilter(request.query);
    return sendDeleted(reply, await fromStore(() => liftAll(deps, wanted)));
  });

  app.delete<{ Params: { id: string } }>('/v1/decisions/:id', asMachine, async (request, reply) => {
    const id = readId(request.params.id);
    if (id === null) throw new LapiError(400, 'decision_id must be valid integer');
    const stored = await fromStore(() => deps.store.decisionById(id));
    if (stored === null) throw new LapiError(500, `decision with id '${id}' doesn't exist: unable to delete`);
    // One that is over ends once more and is announced again, as with CrowdSec.
    await fromStore(() => lift(deps, [stored.decision]));
    return sendDeleted(reply, 1);
  });
};

/** What to lift; absent: whatever it is. */
export interface DeleteFilter {
  readonly network?: IpRange;
  /** True: decisions that cover the network. False: those inside it. */
  readonly contains: boolean;
  readonly scopes?: string;
  readonly uuid?: string;
  readonly origin?: string;
  readonly value?: string;
  readonly type?: string;
  readonly scenario?: string;
}

/** @throws LapiError 500 for a filter that is not known or cannot be read. */
export function readDeleteFilter(query: unknown): DeleteFilter {
  let network: IpRange | undefined;
  let contains = true;
  const exact: { scopes?: string; uuid?: string; origin?: string; value?: string; type?: string; scenario?: string } =
    {};
  for (const [name, value] of firstValues(query)) {
    switch (name) {
      case 'ip':
      case 'range':
        network = requireNetwork(value);
        break;
      case 'contains':
        contains = requireContains(value);
        break;
      case 'scopes':
      case 'uuid':
      case 'origin':
      case 'value':
      case 'type':
      case 'scenario':
        exact[name] = value;
        break;
      default:
        throw new LapiError(500, `'${name.slice(0, 100)}' doesn't exist: invalid filter`);
    }
  }
  return { ...exact, contains, ...(network === undefined ? {} : { network }) };
}

type Deps = Pick<LapiDependencies, 'store' | 'publisher' | 'ledger' | 'clock'>;

/** Resolves to how many were lifted. */
async function liftAll(deps: Deps, wanted: DeleteFilter): Promise<number> {
  if (wanted.uuid !== undefined) return liftOne(deps, wanted, wanted.uuid);
  let lifted = 0;
  let slice: Decision[] = [];
  for (const entry of deps.ledger.active(ledgerFilter(wanted), deps.clock.now())) {
    if (!matches(entry, wanted)) continue;
    slice.push(entry);
    if (slice.length < sliceSize) continue;
    await lift(deps, slice);
    lifted += slice.length;
    slice = [];
    await setImmediate();
  }
  await lift(deps, slice);
  return lifted + slice.length;
}

async function liftOne(deps: Deps, wanted: DeleteFilter, uuid: string): Promise<number> {
  const { store, clock } = deps;
  const stored = await store.decisionByUuid(uuid);
  const isWanted =
    stored !== null &&
    stored.deletedAt === null &&
    stored.decision.until >= clock.now() &&
    matches(stored.decision, wanted);
  if (!isWanted) return 0;
  await lift(deps, [stored.decision]);
  return 1;
}

/** What the ledger finds without looking at everything; `matches` has the last word. */
function ledgerFilter({ network, contains, value, type, origin, scopes, scenario }: DeleteFilter): LedgerFilter {
  return {
    contains,
    // Simulated decisions are lifted like others.
    simulated: true,
    ...(network === undefined ? {} : { network }),
    ...(value === undefined ? {} : { value }),
    ...(type === undefined ? {} : { types: [type] }),
    ...(origin === undefined ? {} : { origins: [origin] }),
    ...(scopes === undefined ? {} : { scopes: [scopes] }),
    ...(scenario === undefined || scenario === '' ? {} : { scenariosContaining: [scenario] }),
  };
}

function matches(
  decision: Decision,
  { network, contains, scopes, origin, value, type, scenario }: DeleteFilter,
): boolean {
  if (scopes !== undefined && decision.scope !== scopes) return false;
  if (origin !== undefined && decision.origin !== origin) return false;
  if (value !== undefined && decision.value !== value) return false;
  if (type !== undefined && decision.type !== type) return false;
  if (scenario !== undefined && decision.scenario !== scenario) return false;
  return network === undefined || decisionTouches(decision, network, contains);
}
