/**
 * Proposes exceptions from what the rules found: for each rule the narrowest one that would have kept it quiet. Many clients that
 * all meet the same rule at the same place are rarely attackers; they come first.
 */
import { splitTarget } from '../engine/request-target.ts';
import type { RuleMatch } from '../engine/transaction-types.ts';
import type { WafRecord } from '../waf-record.ts';
import { pathText } from './place-text.ts';
import {
  type ExceptionScope,
  type ExceptionTarget,
  formatTarget,
  longestName,
  longestPath,
  targetOf,
} from './waf-exception.ts';

/** One request of which the rules would not have, as it is stored. */
export interface FoundRequest {
  readonly requestId: string;
  readonly at: number;
  readonly clientIp: string;
  readonly site: string;
  /** Raw target. One that is as long as `longestPath` may have been cut. */
  readonly target: string;
  readonly findings: readonly WafRecord[];
}

export interface Suggestion {
  readonly scope: ExceptionScope;
  readonly message: string;
  readonly requests: number;
  readonly clients: number;
  /** Requests in which nothing else counted: this exception alone lets them pass. */
  readonly alone: number;
  /** Requests that were refused because of it, among others. */
  readonly refused: number;
  /** Epoch milliseconds. */
  readonly lastAt: number;
  /** What the rule saw the last time, in bytes. */
  readonly example: string;
  readonly lastRequestId: string;
}

interface Gathering extends Omit<Suggestion, 'clients'> {
  readonly clients: Set<string>;
}

type Growing = { -readonly [Key in keyof Gathering]: Gathering[Key] };

/** Rules that only add up points and decide; to except one of them would switch the whole set off. */
const deciding = /^(?:949|959|980)\d{3}$/;

export function suggestExceptions(requests: readonly FoundRequest[]): readonly Suggestion[] {
  const gathered = new Map<string, Growing>();
  for (const request of requests) {
    const path = pathOf(request.target);
    if (path !== null) gather(gathered, request, path);
  }
  return [...gathered.values()]
    .map(({ clients, ...rest }) => ({ ...rest, clients: clients.size }))
    .toSorted(
      (left, right) => right.clients - left.clients || right.requests - left.requests || right.lastAt - left.lastAt,
    );
}

/** Null: it is not known whole. */
function pathOf(target: string): string | null {
  if (target.length >= longestPath && !target.includes('?')) return null;
  const path = pathText(splitTarget(target).filename);
  return path.startsWith('/') && path.length <= longestPath ? path : null;
}

function gather(gathered: Map<string, Growing>, request: FoundRequest, path: string): void {
  const { site, requestId, clientIp, at, findings } = request;
  const core = findings.filter(({ layer }) => layer === 'core-rules');
  const found = new Map<string, Growing>();
  for (const { enforced, matches } of core) {
    for (const match of matches.filter(counts)) {
      for (const { target, value } of placesOf(match)) {
        const key = [match.ruleId, site, path, target === null ? '' : formatTarget(target).toLowerCase()].join('\n');
        const scope = { ruleId: match.ruleId, site, path, target };
        const known = gathered.get(key) ?? begin(scope, match);
        gathered.set(key, known);
        if (found.has(key)) continue;
        found.set(key, known);
        known.requests++;
        known.clients.add(clientIp);
        if (enforced) known.refused++;
        if (at < known.lastAt) continue;
        known.lastAt = at;
        known.lastRequestId = requestId;
        known.example = value;
      }
    }
  }
  const [only] = found.values();
  if (found.size === 1 && only !== undefined && findings.length === core.length) only.alone++;
}

function counts({ score, disruptive, ruleId }: RuleMatch): boolean {
  return (score > 0 || disruptive) && !deciding.test(String(ruleId));
}

interface Place {
  readonly target: ExceptionTarget | null;
  readonly value: string;
}

/** What a rule looked at that came with the request. Where that was nothing with a name, only the whole rule can be excepted. */
function placesOf({ values }: RuleMatch): readonly Place[] {
  const places = values.flatMap(({ variable, value }): Place[] => {
    // One that is so long may have been cut.
    const target = variable.length >= longestName ? null : targetOf(variable);
    // What rules note for themselves is not what the client sent.
    const isOwn = target === null || target.variable === 'TX' || target.variable.startsWith('MATCHED_');
    return isOwn ? [] : [{ target, value }];
  });
  return places.length > 0 ? places : [{ target: null, value: values[0]?.value ?? '' }];
}

function begin(scope: ExceptionScope, { msg }: RuleMatch): Growing {
  return {
    scope,
    message: msg,
    clients: new Set(),
    requests: 0,
    alone: 0,
    refused: 0,
    lastAt: Number.NEGATIVE_INFINITY,
    example: '',
    lastRequestId: '',
  };
}
