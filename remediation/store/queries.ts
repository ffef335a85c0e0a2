/** What queries mean, for the stores that select in JavaScript. */
import type { Decision } from '../decision.ts';
import {
  maxQueryRows,
  type AlertQuery,
  type DecisionQuery,
  type RefusalEvent,
  type RefusalQuery,
  type UsageQuery,
  type UsageReport,
} from './store.ts';
import type { AlertRecord } from './write-limits.ts';

/** The rows of one page; a limit that is no positive number is none. */
export function pageSize(limit: number): number {
  return limit >= 1 ? Math.min(Math.floor(limit), maxQueryRows) : 0;
}

export function matchesDecision(
  query: DecisionQuery,
  decision: Decision,
  deletedAt: number | null,
  now: number,
): boolean {
  const isActive = deletedAt === null && decision.until > now;
  return (
    (query.onlyInactive === true ? !isActive : isActive || query.includeInactive === true) &&
    isWanted(query.scope, decision.scope) &&
    isWanted(query.value, decision.value) &&
    isWanted(query.type, decision.type) &&
    isWanted(query.origin, decision.origin) &&
    query.exceptOrigins?.includes(decision.origin) !== true &&
    isWanted(query.scenario, decision.scenario) &&
    (query.alertUuid === undefined || query.alertUuid === decision.alertUuid)
  );
}

export function matchesAlert(query: AlertQuery, id: number, alert: Omit<AlertRecord, 'body' | 'uuid'>): boolean {
  return (
    id < (query.before ?? Infinity) &&
    isWanted(query.scope, alert.scope) &&
    isWanted(query.value, alert.value) &&
    isWanted(query.scenario, alert.scenario) &&
    alert.createdAt >= (query.since ?? -Infinity)
  );
}

export function matchesRefusal(query: RefusalQuery, event: RefusalEvent): boolean {
  return (
    isWanted(query.clientIp, event.clientIp) &&
    isWanted(query.requestId, event.requestId) &&
    event.at >= (query.since ?? -Infinity)
  );
}

export function matchesUsage(query: UsageQuery, report: UsageReport): boolean {
  return (
    isWanted(query.side, report.side) &&
    isWanted(query.from, report.from) &&
    report.receivedAt >= (query.since ?? -Infinity)
  );
}

function isWanted(wanted: string | undefined, value: string): boolean {
  return wanted === undefined || wanted === value;
}

export function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

export function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1;
}
