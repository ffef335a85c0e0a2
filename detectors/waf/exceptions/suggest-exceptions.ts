/**
 * Proposes exceptions from what the rules found: for each rule the narrowest one that would have kept it quiet. Many clients that
 * all meet the same rule at the same place are rarely attackers; they come first.
 */
import type { RuleMatch } from '../engine/transaction-types.ts';
import type { WafRecord } from '../waf-record.ts';
import { type ExceptionScope, formatTarget, parseTarget } from './waf-exception.ts';

/** One request of which the rules would not have, as it is stored. */
export interface FoundRequest {
  readonly requestId: string;
  readonly at: number;
  readonly clientIp: string;
  readonly site: string;
  /** Raw target. */
  readonly target: string;
  readonly findings: readonly WafRecord[];
}

export interface Suggestion {
  readonly scope: ExceptionScope;
  readonly message: string;
  readonly requests: number;
  readonly clients: number;
  /** Epoch milliseconds. */
  readonly lastAt: number;
  /** What the rule saw the last time. */
  readonly example: string;
  readonly lastRequestId: string;
  /** Requests that were refused because of it, among others. */
  readonly refused: number;
}

interface Gathering {
  readonly scope: ExceptionScope;
  readonly match: RuleMatch;
  readonly clients: Set<string>;
  requests: number;
  refused: number;
  lastAt: number;
  example: string;
  lastRequestId: string;
}

/** Rules that only add up points and decide; to except one of them would switch the whole set off. */
const deciding = /^(?:949|959|980)\d{3}$/;

/** `pathOf`: the decoded path of a raw target. */
export function suggestExceptions(
  requests: readonly FoundRequest[],
  pathOf: (target: string) => string,
): readonly Suggestion[] {
  const gathered = new Map<string, Gathering>();
  for (const request of requests) {
    for (const finding of request.findings) {
      if (finding.layer !== 'core-rules') continue;
      const path = pathOf(request.target);
      for (const match of finding.matches) gather(gathered, request, finding.enforced, match, path);
    }
  }
  return [...gathered.values()]
    .map(({ scope, match, clients, ...rest }) => ({ scope, message: match.msg, clients: clients.size, ...rest }))
    .toSorted(
      (left, right) => right.clients - left.clients || right.requests - left.requests || right.lastAt - left.lastAt,
    );
}

function gather(
  gathered: Map<string, Gathering>,
  request: FoundRequest,
  enforced: boolean,
  match: RuleMatch,
  path: string,
): void {
  const isScored = match.score > 0 || match.disruptive;
  if (!isScored || deciding.test(String(match.ruleId))) return;
  const seen = new Set<string>();
  for (const { variable, value } of match.values) {
    const target = parseTarget(variable);
    // What rules note for themselves is not what the client sent.
    if (target === null || target.variable === 'TX' || target.variable.startsWith('MATCHED_')) continue;
    const key = [match.ruleId, request.site, path, formatTarget(target).toLowerCase()].join('\n');
    if (seen.has(key)) continue;
    seen.add(key);
    const known = gathered.get(key) ?? begin({ ruleId: match.ruleId, site: request.site, path, target }, match);
    gathered.set(key, known);
    known.requests++;
    known.clients.add(request.clientIp);
    if (enforced) known.refused++;
    if (request.at < known.lastAt) continue;
    known.lastAt = request.at;
    known.example = value;
    known.lastRequestId = request.requestId;
  }
}

function begin(scope: ExceptionScope, match: RuleMatch): Gathering {
  return { scope, match, clients: new Set(), requests: 0, refused: 0, lastAt: 0, example: '', lastRequestId: '' };
}
