/** From what the house keeps to what the control socket shows. */
import type { Alert } from '../../detectors/alert.ts';
import { enforcedAs } from '../../remediation/decision.ts';
import type { IndexedDecision } from '../../remediation/index/decision-index.ts';
import type { AllowlistItem } from '../../remediation/allowed/allowlists.ts';
import type {
  AllowlistEntry,
  RefusalEvent,
  Store,
  StoredAlert,
  StoredDecision,
} from '../../remediation/store/store.ts';
import type { WafRecord } from '../../detectors/waf/waf-record.ts';
import type { IpAddress } from '../../core/ip.ts';
import { addressBits } from '../../core/ip.ts';
import type { Site } from '../sites.ts';
import type { AdminDependencies } from './dependencies.ts';
import { isoTime, timeLeft } from './input.ts';
import type { AlertModel, DecisionModel, FindingModel, RefusalModel, SiteModel, Verdict } from './models.ts';
import type { AllowlistEntryModel } from './operator-models.ts';

export function decisionModel(
  { id, decision, deletedAt }: Pick<StoredDecision, 'id' | 'decision' | 'deletedAt'>,
  now: number,
  stored: StoredAlert | null,
): DecisionModel {
  const alert = stored?.alert ?? null;
  return {
    id,
    uuid: decision.uuid,
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
    alert_id: stored?.id ?? null,
    country: alert?.source.country ?? '',
    as: alert === null ? '' : systemName(alert),
    events_count: alert?.eventsCount ?? 0,
    machine_id: alert?.machineId ?? '',
  };
}

/** With the country, network and event count of the alerts behind them. */
export async function decisionModels(
  found: readonly StoredDecision[],
  deps: Pick<AdminDependencies, 'store' | 'clock'>,
): Promise<DecisionModel[]> {
  const now = deps.clock.now();
  const alerts = await alertsBehind(found, deps.store);
  return found.map((stored) => decisionModel(stored, now, alerts.get(stored.decision.alertUuid ?? '') ?? null));
}

const askedAtOnce = 64;

/** The alerts that these decisions follow from, by uuid. */
export async function alertsBehind(
  found: readonly StoredDecision[],
  store: Pick<Store, 'alertByUuid'>,
): Promise<ReadonlyMap<string, StoredAlert>> {
  const wanted = [...new Set(found.flatMap(({ decision }) => decision.alertUuid ?? []))];
  const alerts = new Map<string, StoredAlert>();
  for (let index = 0; index < wanted.length; index += askedAtOnce) {
    const slice = wanted.slice(index, index + askedAtOnce);
    for (const stored of await Promise.all(slice.map((uuid) => store.alertByUuid(uuid)))) {
      if (stored !== null) alerts.set(stored.alert.uuid, stored);
    }
  }
  return alerts;
}

function systemName({ source }: Alert): string {
  return [source.asNumber, source.asName].filter((part) => part !== '').join(' ');
}

export function alertModel({ id, alert }: StoredAlert, decisions: readonly DecisionModel[]): AlertModel {
  const { source } = alert;
  return {
    id,
    uuid: alert.uuid,
    kind: alert.kind,
    machine_id: alert.machineId ?? '',
    scenario: alert.scenario,
    scenario_version: alert.scenarioVersion,
    scenario_hash: alert.scenarioHash,
    message: alert.message,
    source: {
      scope: source.scope,
      value: source.value,
      ip: source.ip,
      range: source.range,
      as_number: source.asNumber,
      as_name: source.asName,
      cn: source.country,
      latitude: source.latitude,
      longitude: source.longitude,
    },
    events_count: alert.eventsCount,
    events: alert.events,
    created_at: isoTime(alert.createdAt),
    start_at: isoTime(alert.startAt),
    stop_at: isoTime(alert.stopAt),
    capacity: alert.capacity,
    leakspeed: alert.leakspeed,
    simulated: alert.simulated,
    remediation: alert.remediation,
    labels: null,
    scenario_labels: alert.labels,
    meta: alert.meta,
    request_ids: alert.requestIds,
    decisions,
  };
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
    allowlist: entry.list,
    value: entry.value,
    description: entry.comment,
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
