/** From what the house keeps to what the control socket shows. */
import type { Alert } from '../../detectors/alert.ts';
import { enforcedAs } from '../../remediation/decision.ts';
import type { IndexedDecision } from '../../remediation/decision-index.ts';
import type { AllowlistItem } from '../../remediation/allowlists.ts';
import type { AllowlistEntry, RefusalEvent, StoredDecision } from '../../remediation/store/store.ts';
import type { WafRecord } from '../../detectors/waf/waf-record.ts';
import type { IpAddress } from '../../core/ip.ts';
import { addressBits } from '../../core/ip.ts';
import type { Site } from '../sites.ts';
import type { AdminDependencies } from './dependencies.ts';
import { isoTime, timeLeft } from './input.ts';
import type {
  AlertModel,
  AlertSummary,
  AllowlistEntryModel,
  DecisionModel,
  FindingModel,
  RefusalModel,
  SiteModel,
  Verdict,
} from './models.ts';

export function decisionModel(
  { decision, deletedAt }: Pick<StoredDecision, 'decision' | 'deletedAt'>,
  now: number,
  alert: Alert | null,
): DecisionModel {
  return {
    id: decision.uuid,
    origin: decision.origin,
    type: decision.type,
    scope: decision.scope,
    value: decision.value,
    duration: timeLeft(deletedAt === null ? decision.until : Math.min(decision.until, deletedAt), now),
    scenario: decision.scenario,
    simulated: decision.simulated,
    created_at: isoTime(decision.createdAt),
    until: isoTime(decision.until),
    deleted_at: deletedAt === null ? null : isoTime(deletedAt),
    active: deletedAt === null && decision.until > now,
    alert_id: decision.alertUuid,
    country: alert?.source.country ?? '',
    as: alert === null ? '' : systemName(alert),
    events_count: alert?.eventsCount ?? 0,
  };
}

/** With the country, network and event count of the alerts behind them. */
export async function decisionModels(
  found: readonly StoredDecision[],
  deps: Pick<AdminDependencies, 'store' | 'clock'>,
): Promise<DecisionModel[]> {
  const now = deps.clock.now();
  const wanted = new Set(found.flatMap(({ decision }) => decision.alertUuid ?? []));
  const alerts = new Map<string, Alert>();
  if (wanted.size <= mostAlertsAsked) {
    for (const stored of await Promise.all([...wanted].map((uuid) => deps.store.alertByUuid(uuid)))) {
      if (stored !== null) alerts.set(stored.alert.uuid, stored.alert);
    }
  }
  return found.map((stored) => decisionModel(stored, now, alerts.get(stored.decision.alertUuid ?? '') ?? null));
}

/** Long lists go without the alerts' details rather than asking the store a thousand times. */
const mostAlertsAsked = 200;

function systemName({ source }: Alert): string {
  return [source.asNumber, source.asName].filter((part) => part !== '').join(' ');
}

export function alertSummary(alert: Alert, decisions: readonly DecisionModel[]): AlertSummary {
  const counts = new Map<string, number>();
  for (const { type } of decisions) counts.set(type, (counts.get(type) ?? 0) + 1);
  return {
    id: alert.uuid,
    scenario: alert.scenario,
    scope: alert.source.scope,
    value: alert.source.value,
    country: alert.source.country,
    as: systemName(alert),
    message: alert.message,
    events_count: alert.eventsCount,
    created_at: isoTime(alert.createdAt),
    start_at: isoTime(alert.startAt),
    stop_at: isoTime(alert.stopAt),
    simulated: alert.simulated,
    kind: alert.kind,
    decisions: [...counts].map(([type, count]) => `${type}:${count}`).join(' '),
  };
}

export function alertModel(alert: Alert, decisions: readonly DecisionModel[]): AlertModel {
  return {
    ...alertSummary(alert, decisions),
    capacity: alert.capacity,
    leakspeed: alert.leakspeed,
    scenario_version: alert.scenarioVersion,
    scenario_hash: alert.scenarioHash,
    ip: alert.source.ip,
    range: alert.source.range,
    labels: alert.labels,
    context: pairs(alert.meta),
    request_ids: alert.requestIds,
    events: alert.events.map(({ timestamp, meta }) => ({ timestamp, meta: pairs(meta) })),
    decision_list: decisions,
  };
}

function pairs(meta: readonly { readonly key: string; readonly value: string }[]): Record<string, string> {
  return Object.fromEntries(meta.map(({ key, value }) => [key, value]));
}

export function refusalModel(event: RefusalEvent): RefusalModel {
  return {
    request_id: event.requestId,
    at: isoTime(event.at),
    client_ip: event.clientIp,
    client_from: event.clientFrom,
    peer_ip: event.peerIp,
    site: event.site,
    method: event.method,
    target: event.target,
    status: event.status,
    reason: event.reason,
    remediation: event.remediation,
    scenario: event.scenario,
    user_agent: event.userAgent,
    detail: event.detail,
    findings: event.findings.map(findingModel),
  };
}

function findingModel({ layer, enforced, ruleId, score, matches }: WafRecord): FindingModel {
  return {
    layer,
    enforced,
    rule_id: ruleId,
    score,
    matches: matches.map((match) => ({
      rule_id: match.ruleId,
      file: match.place.file,
      line: match.place.line,
      phase: match.phase,
      message: match.msg,
      data: match.logdata,
      severity: match.severity,
      score: match.score,
      tags: match.tags,
      values: match.values,
    })),
  };
}

export function allowlistModel(entry: AllowlistEntry): AllowlistEntryModel {
  return {
    value: entry.value,
    comment: entry.comment,
    created_at: isoTime(entry.createdAt),
    expiration: entry.until === null ? null : isoTime(entry.until),
  };
}

export function siteModel(site: Site): SiteModel {
  const { name, hosts, origin, mode } = site;
  return { name, hosts, origin, mode };
}

/** What would become of a request from this address now, as far as decisions go. */
export function verdictOn(
  address: IpAddress,
  deps: Pick<AdminDependencies, 'index' | 'clock' | 'sites' | 'clients'>,
): Verdict {
  const now = deps.clock.now();
  const entry = allowlistItem(address, deps, now);
  if (entry !== null) {
    const comment = entry.comment === '' ? '' : ` (${entry.comment})`;
    return {
      outcome: 'allowed',
      because: `${entry.value} is on the allowlist${comment}: nothing refuses it`,
      decision: null,
    };
  }
  const found = deps.index.lookup(deps.clients.clientAt(address, 'peer'), now);
  if (found === null) return { outcome: 'passed', because: 'no decision covers it', decision: null };
  return refusalVerdict(found, deps.sites.sites, now);
}

function refusalVerdict(found: IndexedDecision, sites: readonly Site[], now: number): Verdict {
  const { type, scope, value, scenario, origin, until } = found;
  const decision = { type, scope, value, scenario, origin, until: isoTime(until) };
  const because = `a ${type} on ${scope} ${value} covers it for another ${timeLeft(until, now)}`;
  const enforcing = sites.some((site) => site.mode === 'block');
  if (!enforcing) return { outcome: 'passed', because: `${because}, but observe mode refuses nobody`, decision };
  return { outcome: enforcedAs(type) === 'throttle' ? 'throttled' : 'refused', because, decision };
}

export function allowlistItem(
  address: IpAddress,
  deps: Pick<AdminDependencies, 'index'>,
  now: number,
): AllowlistItem | null {
  if (!deps.index.isAllowed(address, now)) return null;
  return deps.index.allowedRange({ address, prefix: addressBits(address) }, now);
}
