/**
 * Which decisions of another Local API are mirrored. The server is asked for these only, and what it sends is held against
 * them once more, because old servers do not know every filter.
 */
import { normalScope } from '../../normal-scope.ts';
import type { MirroredDecision } from './mirrored-decision.ts';

export interface StreamFilters {
  /** Scopes in any case; custom ones exactly as they are. */
  readonly scopes: readonly string[];
  /** Empty: all. */
  readonly origins: readonly string[];
  /** Empty: all. Parts of a scenario's name, without regard to case. */
  readonly scenariosContaining: readonly string[];
  readonly scenariosNotContaining: readonly string[];
  /** Empty: all. Without regard to case. */
  readonly types: readonly string[];
}

/** Path and query of a poll. `scopes` is always named, since a server leaves out all but addresses and ranges without it. */
export function streamPath(filters: StreamFilters, isStartup: boolean): string {
  const query = new URLSearchParams();
  if (isStartup) query.set('startup', 'true');
  query.set('scopes', filters.scopes.map(normalScope).join(','));
  if (filters.origins.length > 0) query.set('origins', filters.origins.join(','));
  if (filters.scenariosContaining.length > 0) query.set('scenarios_containing', filters.scenariosContaining.join(','));
  if (filters.scenariosNotContaining.length > 0) {
    query.set('scenarios_not_containing', filters.scenariosNotContaining.join(','));
  }
  return `v1/decisions/stream?${query.toString()}`;
}

export function createDecisionFilter(filters: StreamFilters): (decision: MirroredDecision) => boolean {
  const scopes = new Set<string>(filters.scopes.map(normalScope));
  const origins = new Set(filters.origins);
  const types = new Set(filters.types.map((type) => type.toLowerCase()));
  const wanted = filters.scenariosContaining.map((part) => part.toLowerCase());
  const unwanted = filters.scenariosNotContaining.map((part) => part.toLowerCase());
  return ({ scope, origin, type, scenario }) => {
    if (!scopes.has(scope)) return false;
    if (origins.size > 0 && !origins.has(origin)) return false;
    if (types.size > 0 && !types.has(type)) return false;
    if (wanted.length === 0 && unwanted.length === 0) return true;
    const name = scenario.toLowerCase();
    if (unwanted.some((part) => name.includes(part))) return false;
    return wanted.length === 0 || wanted.some((part) => name.includes(part));
  };
}
