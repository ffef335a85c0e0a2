/** What queries mean, for the stores that select in JavaScript. */
import type { Decision } from '../decision.ts';
import { maxQueryRows, type AlertQuery, type DecisionQuery, type RefusalEvent, type RefusalQuery } from './store.ts';
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
  return (
    (query.includeInactive === true || (deletedAt === null && decision.until > now)) &&
    isWanted(query.scope, decision.scope) &&
    isWanted(query.value, decision.value) &&
    isWanted(query.type, decision.type) &&
    isWanted(query.origin, decision.origin) &&
    isWanted(query.scenario, decision.scenario)
  );
}

export function matchesAlert(query: AlertQuery, alert: Omit<AlertRecord, 'body' | 'uuid'>): boolean {
  return (
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

function isWanted(wanted: string | undefined, value: string): boolean {
  return wanted === undefined || wanted === value;
}

export function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}
