/** CrowdSec's four scopes, which people and programs write in any case. */
import type { Scope } from '../detectors/alert.ts';

const knownScopes: ReadonlyMap<string, Scope> = new Map([
  ['ip', 'Ip'],
  ['range', 'Range'],
  ['as', 'AS'],
  ['country', 'Country'],
]);

/** In their spelling whatever the case; others are words of their own and stay as they are. */
export function normalScope(scope: string): Scope {
  switch (scope) {
    case 'Ip':
    case 'Range':
    case 'AS':
    case 'Country':
      return scope;
    default:
      return knownScopes.get(scope.toLowerCase()) ?? scope;
  }
}
