/** `/v1/why/:subject`: what became of one request, or what would become of the next one from an address, and why. */
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { addressBits, type IpAddress, parseIp } from '../../../core/ip.ts';
import type { RefusalEvent, StoredAlert, StoredDecision } from '../../../remediation/store/store.ts';
import { alertDetails } from '../alert-search.ts';
import { decisionsAround } from '../decision-search.ts';
import type { AdminDependencies } from '../dependencies.ts';
import type { WhyAddress, WhyRequest } from '../models.ts';
import {
  allowlistItem,
  allowlistModel,
  decisionModel,
  decisionModels,
  refusalModel,
  siteModel,
  verdictOn,
} from '../views.ts';

const shown = { decisions: 10, alerts: 5, refusals: 5 } as const;
/** Ours, nginx's `$request_id`, UUIDs, and whatever else bouncers name their requests by: it has a digit. */
const requestIds = /^(?=.*\d)[\w-]{8,100}$/;
/** Alerts that are searched for a request that was passed on. */
const mostSearched = 1_000;

export function whyRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get<{ Params: { subject: string } }>('/v1/why/:subject', async ({ params }): Promise<WhyAddress | WhyRequest> => {
    const subject = params.subject.trim();
    const address = parseIp(subject);
    if (address !== null) return whyAddress(address, deps);
    if (requestIds.test(subject)) return whyRequest(subject, deps);
    throw new GatewayError('USAGE', `"${subject}" is neither an address nor a request id`, {
      remedy:
        'A request id has 16 hexadecimal digits: it stands on the refusal page, in X-Request-Id and in the access log.',
    });
  });
}

async function whyAddress(address: IpAddress, deps: AdminDependencies): Promise<WhyAddress> {
  const { store, clock } = deps;
  const now = clock.now();
  const around = { address, prefix: addressBits(address) };
  const [decisions, alerts, refusals] = await Promise.all([
    decisionsAround(store, around, { includeInactive: true }),
    store.alerts({ value: address.text, limit: shown.alerts }),
    store.refusals({ clientIp: address.text, limit: shown.refusals }),
  ]);
  const item = allowlistItem(address, deps, now);
  const active = ({ decision, deletedAt }: StoredDecision): boolean => deletedAt === null && decision.until > now;
  const ordered = [...decisions.filter(active), ...decisions.filter((stored) => !active(stored))];
  return {
    kind: 'address',
    address: address.text,
    now: verdictOn(address, deps),
    sites: deps.sites.sites.map(siteModel),
    allowlist: item && allowlistModel({ createdAt: now, ...item }),
    protected_by: deps.protectedSources.reasonFor(around),
    decisions: await decisionModels(ordered.slice(0, shown.decisions), deps),
    alerts: await Promise.all(alerts.map((stored) => alertDetails(stored, deps))),
    refusals: refusals.map(refusalModel),
  };
}

async function whyRequest(requestId: string, deps: AdminDependencies): Promise<WhyRequest> {
  const refusal = await refusalOf(requestId, deps);
  const stored = refusal === undefined ? null : await decisionBehind(refusal, deps);
  const alert = await alertBehind(requestId, stored, deps);
  if (refusal === undefined && alert === null) {
    throw new GatewayError('NOT_FOUND', `nothing is stored about a request ${requestId}`, {
      remedy:
        'Only refused and rejected requests are kept, those that the WAF would have refused, and those that led to an alert; the access log has all.',
    });
  }
  const address = parseIp(refusal?.clientIp ?? alert?.alert.source.ip ?? '');
  const site = deps.sites.sites.find(({ name }) => name === refusal?.site);
  return {
    kind: 'request',
    request_id: refusal?.requestId ?? requestId,
    refusal: refusal === undefined ? null : refusalModel(refusal),
    mode: site?.mode ?? null,
    decision: stored && decisionModel(stored, deps.clock.now(), alert),
    alert: alert && (await alertDetails(alert, deps)),
    now: address && verdictOn(address, deps),
  };
}

/** As it was given, else in lower case, in which ours are. */
async function refusalOf(requestId: string, { store }: AdminDependencies): Promise<RefusalEvent | undefined> {
  const [found] = await store.refusals({ requestId, limit: 1 });
  if (found !== undefined || requestId === requestId.toLowerCase()) return found;
  const [other] = await store.refusals({ requestId: requestId.toLowerCase(), limit: 1 });
  return other;
}

/** The decision that refused a request: by its id where that was kept, else the one of that scenario that held at the time. */
async function decisionBehind(refusal: RefusalEvent, { store }: AdminDependencies): Promise<StoredDecision | null> {
  if (refusal.reason !== 'decision') return null;
  if (refusal.decisionUuid !== null) return store.decisionByUuid(refusal.decisionUuid);
  const address = parseIp(refusal.clientIp);
  if (address === null) return null;
  const around = { address, prefix: addressBits(address) };
  const found = await decisionsAround(store, around, { includeInactive: true, scenario: refusal.scenario });
  const fitting = found.filter(
    ({ decision, deletedAt }) =>
      decision.type === refusal.remediation &&
      decision.until > refusal.at &&
      (deletedAt === null || deletedAt >= refusal.at),
  );
  const held = fitting.filter(({ decision }) => decision.createdAt <= refusal.at);
  // `at` is when the request began: the decision that it led to itself, or that came while it waited, is younger.
  const candidates = held.length > 0 ? held : fitting.toSorted((a, b) => a.decision.createdAt - b.decision.createdAt);
  return (
    candidates.find(({ decision }) => refusal.detail === `${decision.scope} ${decision.value}`) ?? candidates[0] ?? null
  );
}

async function alertBehind(
  requestId: string,
  stored: StoredDecision | null,
  { store }: AdminDependencies,
): Promise<StoredAlert | null> {
  const uuid = stored?.decision.alertUuid ?? null;
  if (uuid !== null) return store.alertByUuid(uuid);
  if (stored !== null) return null;
  const latest = await store.alerts({ limit: mostSearched });
  const wanted = [requestId, requestId.toLowerCase()];
  const found = latest.find(({ alert }) => alert.requestIds.some((id) => wanted.includes(id)));
  return found ?? null;
}
