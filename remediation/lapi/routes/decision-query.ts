/**
 * The query of `GET /v1/decisions` and `/v1/decisions/stream`. Parameters that mean nothing are ignored; of one given twice
 * the first counts. Specification: CrowdSec `pkg/database/decisionfilter.go`.
 */
import type { IpRange } from '../../../core/ip.ts';
import type { LedgerFilter } from '../../ledger/decision-ledger.ts';
import { LapiError } from '../lapi-context.ts';
import { firstValues, requireContains, requireNetwork } from '../models/query-fields.ts';
import { normalScope } from '../../normal-scope.ts';

/** Filters are words, and long lists of them are not asked for. */
const longestShown = 100;

/** @throws LapiError 500 for a value that cannot be read. */
export function readDecisionFilter(query: unknown): LedgerFilter {
  const filter: { -readonly [Name in keyof LedgerFilter]: LedgerFilter[Name] } = {};
  let range: IpRange | undefined;
  for (const [name, value] of firstValues(query)) {
    switch (name) {
      case 'ip':
        filter.network = requireNetwork(value);
        break;
      case 'range':
        range = requireNetwork(value);
        break;
      case 'contains':
        filter.contains = requireContains(value);
        break;
      case 'scope':
      case 'scopes':
        filter.scopes = narrowed(filter.scopes, value.split(',').map(normalScope));
        break;
      case 'value':
        filter.value = value;
        break;
      case 'type':
        filter.types = [value];
        break;
      case 'origins':
        filter.origins = value.split(',');
        break;
      case 'scenarios_containing':
        filter.scenariosContaining = value.split(',');
        break;
      case 'scenarios_not_containing':
        filter.scenariosNotContaining = value.split(',');
        break;
      case 'simulated':
        filter.simulated = value !== 'false';
        break;
      case 'limit': {
        const limit = requireNumber(name, value);
        // To SQLite a negative limit is none.
        if (limit >= 0) filter.limit = limit;
        break;
      }
      case 'offset':
        filter.offset = Math.max(0, requireNumber(name, value));
        break;
      case 'id_gt':
        filter.idAbove = requireNumber(name, value);
        break;
      default:
    }
  }
  if (filter.network === undefined && range !== undefined) filter.network = range;
  return filter;
}

/** Of the stream only addresses and ranges, unless `scopes` itself says otherwise; `scope` narrows that. */
export function readStreamFilter(query: unknown): LedgerFilter {
  const filter = readDecisionFilter(query);
  if (firstValues(query).some(([name]) => name === 'scopes')) return filter;
  return { ...filter, scopes: narrowed(filter.scopes, ['Ip', 'Range']) };
}

function narrowed(before: readonly string[] | undefined, scopes: readonly string[]): readonly string[] {
  return before === undefined ? scopes : scopes.filter((scope) => before.includes(scope));
}

/** Go's `strconv.Atoi`. */
function requireNumber(name: string, text: string): number {
  const fault = (why: string): LapiError => {
    const cause = `strconv.Atoi: parsing ${JSON.stringify(text.slice(0, longestShown))}: ${why}`;
    return new LapiError(500, `invalid ${name} value : ${cause}: invalid filter`);
  };
  if (!/^[+-]?\d+$/.test(text)) throw fault('invalid syntax');
  const number = Number(text);
  if (Math.abs(number) >= 2 ** 63) throw fault('value out of range');
  return number;
}
