/** Which decisions a question is about. Meanings are those of CrowdSec's `GET /v1/decisions` (`pkg/database/decisionfilter.go`). */
import type { IpRange } from '../../core/ip.ts';
import type { DecisionKind } from './decision-kinds.ts';
import type { LedgerTables } from './ledger-tables.ts';

/** What is absent restricts nothing; an empty list fits nothing. */
export interface LedgerFilter {
  readonly network?: IpRange;
  /** True, the default: decisions that cover `network`. False: those that it covers. */
  readonly contains?: boolean;
  /** Letter for letter, as are value, types and origins. */
  readonly scopes?: readonly string[];
  readonly value?: string;
  readonly types?: readonly string[];
  readonly origins?: readonly string[];
  /** Any of these is part of the scenario, whatever the case. */
  readonly scenariosContaining?: readonly string[];
  /** None of these is. */
  readonly scenariosNotContaining?: readonly string[];
  /** Simulated ones too. Default: only the others. */
  readonly simulated?: boolean;
  readonly idAbove?: number;
  readonly limit?: number;
  readonly offset?: number;
  /** Without those that end before another about the same value with the same type and scope: see `LedgerTables.isHidden`. */
  readonly distinct?: boolean;
}

/** Kinds that are remembered to fit or not; a question meets few, and in the worst case asks twice. */
const maxRemembered = 4_096;

/** Whether a row fits, simulation, activity, `distinct` and paging left aside. */
export function rowTest(tables: LedgerTables, filter: LedgerFilter): (row: number) => boolean {
  const kindFits = kindTest(filter);
  const { network, value, contains = true } = filter;
  const { values } = tables;
  return (row) => {
    if (!kindFits(tables.kindOf(row))) return false;
    if (value !== undefined && !values.isText(row, value)) return false;
    if (network === undefined) return true;
    return contains ? values.isCovering(row, network) : values.isWithin(row, network);
  };
}

function kindTest(filter: LedgerFilter): (kind: DecisionKind) => boolean {
  const { scopes, types, origins, scenariosContaining, scenariosNotContaining } = filter;
  const containing = scenariosContaining?.map((text) => text.toLowerCase());
  const notContaining = scenariosNotContaining?.map((text) => text.toLowerCase());
  const fits = ({ scope, type, origin, scenario }: DecisionKind): boolean => {
    if (scopes !== undefined && !scopes.includes(scope)) return false;
    if (types !== undefined && !types.includes(type)) return false;
    if (origins !== undefined && !origins.includes(origin)) return false;
    if (containing === undefined && notContaining === undefined) return true;
    const lower = scenario.toLowerCase();
    if (containing !== undefined && !containing.some((text) => lower.includes(text))) return false;
    return notContaining === undefined || !notContaining.some((text) => lower.includes(text));
  };
  if ([scopes, types, origins, containing, notContaining].every((list) => list === undefined)) return () => true;
  const known = new Map<DecisionKind, boolean>();
  let last: DecisionKind | null = null;
  let lastFits = false;
  return (kind) => {
    if (kind === last) return lastFits;
    last = kind;
    const remembered = known.get(kind);
    lastFits = remembered ?? fits(kind);
    if (known.size >= maxRemembered) known.clear();
    if (remembered === undefined) known.set(kind, lastFits);
    return lastFits;
  };
}
