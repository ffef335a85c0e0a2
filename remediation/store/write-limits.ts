/**
 * The one gate that every write passes before any store sees it. Fields that say what a decision or an allowlist entry
 * applies to are refused when they are too long, since a shortened one would apply to something else; what is only read by
 * people is cut. Lone surrogates become U+FFFD, because neither SQLite nor Redis can hold them. Lengths are UTF-16 units.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Alert, AlertEvent } from '../../detectors/alert.ts';
import type { Decision } from '../decision.ts';
import { searchedValue } from './searched-value.ts';
import { mostMatches, type WafRecord } from '../../detectors/waf/waf-record.ts';
import type { Bouncer, BouncerSighting } from '../bouncer.ts';
import type { Machine, MachineSighting } from '../machine.ts';
import type { AllowlistEntry, AllowlistRecord, RefusalEvent, StoreWrite, UsageReport } from './store.ts';

/** A slice of a large `apply`; smaller ones are atomic. */
export const writesPerUnit = 500;

/** Longest `uuid`, `origin`, `scope` and `type`. */
export const maxNameLength = 256;
/** Longest `value` and `scenario`: a custom scope may measure a header or a path. */
export const maxValueLength = 2_048;
/** Any other string of an alert or a refusal; CrowdSec's context values are 4,000 bytes. */
export const maxTextLength = 4_096;
/** A whole alert as JSON. */
export const maxAlertLength = 262_144;
/** What a bouncer or a machine reports at once, as JSON. */
export const maxReportLength = 262_144;
/** Names of scenarios that a machine may run. */
export const maxScenarios = 5_000;
const maxEvents = 500;
const maxMeta = 100;
const maxRequestIds = 1_000;
const maxListedLabels = 100;
/** Layers of the WAF, and what is kept of a rule that matched many values. */
const maxFindings = 4;
const maxMatchedValues = 8;
const maxMatchedLength = 512;
/** The last moment that a JavaScript date can hold. */
const maxTime = 8.64e15;

/** An alert in the form that stores keep: what queries select by, and everything as JSON. */
export interface AlertRecord {
  readonly uuid: string;
  readonly scope: string;
  readonly value: string;
  readonly scenario: string;
  readonly createdAt: number;
  readonly body: string;
}

/** A write within its limits. */
export type LimitedWrite = Exclude<StoreWrite, { readonly kind: 'alert' }> | AlertWrite;
export interface AlertWrite {
  readonly kind: 'alert';
  readonly record: AlertRecord;
}

/** The write within limits. Throws DECISION_INVALID when a field that may not be cut is too long or a time is no number. */
export function limitWrite(write: StoreWrite): LimitedWrite {
  switch (write.kind) {
    case 'decision-added':
    case 'decision-deleted':
      return limitDecisionWrite(write.kind, write.decision);
    case 'allowlist-added':
      return { kind: write.kind, entry: limitEntry(write.entry) };
    case 'allowlist-deleted':
      return { kind: write.kind, list: name(write.list), value: exact(write.value, maxValueLength, 'value') };
    case 'allowlist-created':
      return { kind: write.kind, list: limitList(write.list) };
    case 'alert':
      return { kind: write.kind, record: alertRecord(write.alert) };
    case 'alert-deleted':
      return { kind: write.kind, uuid: exact(write.uuid, maxNameLength, 'uuid') };
    case 'refusal':
      return { kind: write.kind, event: limitRefusal(write.event) };
    case 'bouncer-added':
      return { kind: write.kind, bouncer: limitBouncer(write.bouncer) };
    case 'allowlist-removed':
    case 'bouncer-deleted':
      return { kind: write.kind, name: name(write.name) };
    case 'bouncer-seen':
      return { kind: write.kind, name: name(write.name), seen: limitBouncerSighting(write.seen) };
    case 'machine-added':
      return { kind: write.kind, machine: limitMachine(write.machine) };
    case 'machine-deleted':
      return { kind: write.kind, id: exact(write.id, maxNameLength, 'id') };
    case 'machine-seen':
      return { kind: write.kind, id: exact(write.id, maxNameLength, 'id'), seen: limitMachineSighting(write.seen) };
    case 'usage-reported':
      return { kind: write.kind, report: limitReport(write.report) };
    default:
      return write satisfies never;
  }
}

export function parseRefusal(body: string): RefusalEvent {
  const event = JSON.parse(body) as RefusalEvent & { readonly findings?: RefusalEvent['findings'] };
  // Those that were stored before there was a WAF have none.
  return event.findings === undefined ? { ...event, findings: [] } : event;
}

export function parseAlert(body: string): Alert {
  return JSON.parse(body) as Alert;
}

function limitDecisionWrite(kind: 'decision-added' | 'decision-deleted', decision: Decision): LimitedWrite {
  const { alertUuid } = decision;
  return {
    kind,
    decision: {
      uuid: exact(decision.uuid, maxNameLength, 'uuid'),
      origin: exact(decision.origin, maxNameLength, 'origin'),
      scenario: exact(decision.scenario, maxValueLength, 'scenario'),
      scope: exact(decision.scope, maxNameLength, 'scope'),
      value: exact(decision.value, maxValueLength, 'value'),
      type: exact(decision.type, maxNameLength, 'type'),
      until: time(decision.until, 'until'),
      createdAt: time(decision.createdAt, 'createdAt'),
      simulated: decision.simulated,
      alertUuid: alertUuid === null ? null : exact(alertUuid, maxNameLength, 'alertUuid'),
    },
  };
}

function limitEntry(entry: AllowlistEntry): AllowlistEntry {
  return {
    list: name(entry.list),
    value: exact(entry.value, maxValueLength, 'value'),
    comment: cut(entry.comment, maxTextLength),
    createdAt: time(entry.createdAt, 'createdAt'),
    until: entry.until === null ? null : time(entry.until, 'until'),
  };
}

function limitList(list: AllowlistRecord): AllowlistRecord {
  return {
    name: name(list.name),
    description: cut(list.description, maxTextLength),
    createdAt: time(list.createdAt, 'createdAt'),
    updatedAt: time(list.updatedAt, 'updatedAt'),
  };
}

function limitBouncer(bouncer: Bouncer): Bouncer {
  return {
    name: name(bouncer.name),
    keyHash: exact(bouncer.keyHash, maxNameLength, 'keyHash'),
    createdAt: time(bouncer.createdAt, 'createdAt'),
    authType: bouncer.authType,
    autoCreated: bouncer.autoCreated,
    ip: cut(bouncer.ip, maxNameLength),
    type: cut(bouncer.type, maxNameLength),
    version: cut(bouncer.version, maxNameLength),
    lastPull: timeOrNull(bouncer.lastPull, 'lastPull'),
  };
}

/** Only what is there: the rest of the bouncer stays. */
function limitBouncerSighting({ ip, type, version, lastPull }: BouncerSighting): BouncerSighting {
  return {
    ...(ip !== undefined && { ip: cut(ip, maxNameLength) }),
    ...(type !== undefined && { type: cut(type, maxNameLength) }),
    ...(version !== undefined && { version: cut(version, maxNameLength) }),
    ...(lastPull !== undefined && { lastPull: timeOrNull(lastPull, 'lastPull') }),
  };
}

function limitMachine(machine: Machine): Machine {
  return {
    id: exact(machine.id, maxNameLength, 'id'),
    passwordHash: exact(machine.passwordHash, maxValueLength, 'passwordHash'),
    authType: machine.authType,
    validated: machine.validated,
    createdAt: time(machine.createdAt, 'createdAt'),
    updatedAt: time(machine.updatedAt, 'updatedAt'),
    ip: cut(machine.ip, maxNameLength),
    version: cut(machine.version, maxNameLength),
    scenarios: limitScenarios(machine.scenarios),
    lastPush: timeOrNull(machine.lastPush, 'lastPush'),
    lastHeartbeat: timeOrNull(machine.lastHeartbeat, 'lastHeartbeat'),
    os: cut(machine.os, maxNameLength),
  };
}

/** As `limitBouncerSighting`. */
function limitMachineSighting(seen: MachineSighting): MachineSighting {
  const { passwordHash, validated, updatedAt, ip, version, scenarios, lastPush, lastHeartbeat, os } = seen;
  return {
    ...(passwordHash !== undefined && { passwordHash: exact(passwordHash, maxValueLength, 'passwordHash') }),
    ...(validated !== undefined && { validated }),
    ...(updatedAt !== undefined && { updatedAt: time(updatedAt, 'updatedAt') }),
    ...(ip !== undefined && { ip: cut(ip, maxNameLength) }),
    ...(version !== undefined && { version: cut(version, maxNameLength) }),
    ...(scenarios !== undefined && { scenarios: limitScenarios(scenarios) }),
    ...(lastPush !== undefined && { lastPush: timeOrNull(lastPush, 'lastPush') }),
    ...(lastHeartbeat !== undefined && { lastHeartbeat: timeOrNull(lastHeartbeat, 'lastHeartbeat') }),
    ...(os !== undefined && { os: cut(os, maxNameLength) }),
  };
}

function limitScenarios(scenarios: readonly string[]): string[] {
  return scenarios.slice(0, maxScenarios).map((scenario) => cut(scenario, maxNameLength));
}

/** A shortened report would be no JSON, so a longer one is refused. */
function limitReport(report: UsageReport): UsageReport {
  return {
    side: report.side,
    from: exact(report.from, maxNameLength, 'from'),
    receivedAt: time(report.receivedAt, 'receivedAt'),
    body: exact(report.body, maxReportLength, 'body'),
  };
}

function limitRefusal(event: RefusalEvent): RefusalEvent {
  return {
    requestId: cut(event.requestId, maxNameLength),
    at: time(event.at, 'at'),
    clientIp: cut(event.clientIp, maxNameLength),
    clientFrom: cut(event.clientFrom, maxNameLength),
    peerIp: cut(event.peerIp, maxNameLength),
    site: cut(event.site, maxNameLength),
    method: cut(event.method, maxNameLength),
    target: cut(event.target, maxValueLength),
    status: event.status,
    reason: cut(event.reason, maxNameLength),
    remediation: cut(event.remediation, maxNameLength),
    decisionUuid: event.decisionUuid === null ? null : cut(event.decisionUuid, maxNameLength),
    scenario: cut(event.scenario, maxValueLength),
    userAgent: cut(event.userAgent, maxValueLength),
    detail: cut(event.detail, maxValueLength),
    findings: event.findings.slice(0, maxFindings).map(limitFinding),
  };
}

function limitFinding(finding: WafRecord): WafRecord {
  return {
    ...finding,
    matches: finding.matches.slice(0, mostMatches).map((match) => ({
      ...match,
      place: { file: cut(match.place.file, maxValueLength), line: match.place.line },
      msg: cut(match.msg, maxValueLength),
      logdata: cut(match.logdata, maxValueLength),
      ver: cut(match.ver, maxNameLength),
      tags: match.tags.slice(0, maxMeta).map((tag) => cut(tag, maxNameLength)),
      values: match.values.slice(0, maxMatchedValues).map(({ variable, value }) => ({
        variable: cut(variable, maxNameLength),
        value: cut(value, maxMatchedLength),
      })),
    })),
  };
}

function alertRecord(alert: Alert): AlertRecord {
  const { source } = alert;
  const limited: Alert = {
    uuid: exact(alert.uuid, maxNameLength, 'uuid'),
    kind: cut(alert.kind, maxNameLength),
    ...(alert.machineId !== undefined && { machineId: exact(alert.machineId, maxNameLength, 'machineId') }),
    scenario: cut(alert.scenario, maxValueLength),
    scenarioHash: cut(alert.scenarioHash, maxNameLength),
    scenarioVersion: cut(alert.scenarioVersion, maxNameLength),
    message: cut(alert.message, maxTextLength),
    source: {
      scope: cut(source.scope, maxNameLength),
      value: cut(source.value, maxValueLength),
      ip: cut(source.ip, maxNameLength),
      range: cut(source.range, maxNameLength),
      asNumber: cut(source.asNumber, maxNameLength),
      asName: cut(source.asName, maxNameLength),
      country: cut(source.country, maxNameLength),
      latitude: source.latitude,
      longitude: source.longitude,
    },
    eventsCount: alert.eventsCount,
    events: alert.events.slice(-maxEvents).map(limitEvent),
    startAt: time(alert.startAt, 'startAt'),
    stopAt: time(alert.stopAt, 'stopAt'),
    createdAt: time(alert.createdAt, 'createdAt'),
    capacity: alert.capacity,
    leakspeed: cut(alert.leakspeed, maxNameLength),
    simulated: alert.simulated,
    remediation: alert.remediation,
    labels: limitLabels(alert.labels),
    meta: alert.meta.slice(0, maxMeta).map(limitMeta),
    requestIds: alert.requestIds.slice(-maxRequestIds).map((id) => cut(id, maxNameLength)),
  };
  return {
    uuid: limited.uuid,
    scope: limited.source.scope,
    value: searchedValue(limited.source),
    scenario: limited.scenario,
    createdAt: limited.createdAt,
    body: alertBody(limited),
  };
}

/** The newest events that fit: `eventsCount` still says how many there were. */
function alertBody(alert: Alert): string {
  let body = JSON.stringify(alert);
  let { events } = alert;
  while (body.length > maxAlertLength && events.length > 0) {
    events = events.slice(Math.ceil(events.length / 2));
    body = JSON.stringify({ ...alert, events });
  }
  return body.length > maxAlertLength ? JSON.stringify({ ...alert, events: [], meta: [], labels: {} }) : body;
}

function limitEvent(event: AlertEvent): AlertEvent {
  return { timestamp: cut(event.timestamp, maxNameLength), meta: event.meta.slice(0, maxMeta).map(limitMeta) };
}

function limitMeta(item: { readonly key: string; readonly value: string }): { key: string; value: string } {
  return { key: cut(item.key, maxNameLength), value: cut(item.value, maxTextLength) };
}

/** Labels are whatever a scenario's author wrote; what JSON cannot hold, or holds at great length, is left out. */
function limitLabels(labels: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  for (const [key, value] of Object.entries(labels).slice(0, maxListedLabels)) {
    if (typeof value === 'string') kept.push([cut(key, maxNameLength), cut(value, maxTextLength)]);
    else if ((jsonOf(value)?.length ?? Infinity) <= maxTextLength) kept.push([cut(key, maxNameLength), value]);
  }
  return Object.fromEntries(kept);
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function cut(text: string, length: number): string {
  return (text.length > length ? text.slice(0, length) : text).toWellFormed();
}

function exact(text: string, length: number, field: string): string {
  if (text.length <= length) return text.isWellFormed() ? text : text.toWellFormed();
  throw new GatewayError('DECISION_INVALID', `${field} has ${text.length} characters; at most ${length} are kept`, {
    remedy: `Shorten ${field}.`,
  });
}

function name(text: string): string {
  return exact(text, maxNameLength, 'name');
}

function timeOrNull(ms: number | null, field: string): number | null {
  return ms === null ? null : time(ms, field);
}

/** Whole milliseconds, within what a date can hold: `until: Infinity` is the end of time. */
function time(ms: number, field: string): number {
  if (Number.isNaN(ms)) throw new GatewayError('DECISION_INVALID', `${field} is not a time`);
  return Math.trunc(Math.min(maxTime, Math.max(-maxTime, ms)));
}
