/**
 * The filters of `GET /v1/alerts` and `DELETE /v1/alerts`: which the store answers, which need the alert alone, and which its
 * decisions. Specification: CrowdSec `pkg/database/alerts.go`, `AlertPredicatesFromFilter`.
 */
import type { IpRange } from '../../../core/ip.ts';
import type { Alert } from '../../../detectors/alert.ts';
import type { StoredDecision } from '../../store/store.ts';
import { LapiError } from '../lapi-context.ts';
import { normalScope } from '../../normal-scope.ts';
import {
  firstValues,
  notBool,
  readBool,
  requireContains,
  requireDuration,
  requireNetwork,
} from '../models/query-fields.ts';
import { decisionTouches } from './network-cover.ts';

export interface AlertFilter {
  /** Of what can be told without decisions. */
  readonly alert: (alert: Alert) => boolean;
  /** Only alerts with a decision in force. */
  readonly onlyActive: boolean;
  /** Of all decisions of an alert, those included that are over; null when none of the filters asks for them. */
  readonly decisions: ((decisions: readonly StoredDecision[], alert: Alert) => boolean) | null;
  readonly withDecisions: boolean;
  /** Infinity: all. */
  readonly limit: number;
  readonly oldestFirst: boolean;
}

const defaultLimit = 100;
/** Scopes of alerts that stand for a pull of somebody else's decisions. */
const pulledScopes: ReadonlySet<string> = new Set(['crowdsecurity/community-blocklist', 'CAPI', 'lists']);
const pulledOrigins: ReadonlySet<string> = new Set(['CAPI', 'lists']);

type AlertTest = (alert: Alert) => boolean;
type DecisionTest = (decision: StoredDecision) => boolean;

/** What the parameters ask for, before they are one. */
interface Asked {
  readonly alertTests: AlertTest[];
  /** Each has to hold of one decision at least. */
  readonly decisionTests: DecisionTest[];
  /** Of an alert with its decisions. */
  readonly bothTests: ((alert: Alert, decisions: readonly StoredDecision[]) => boolean)[];
  network: IpRange | null;
  contains: boolean;
  onlyActive: boolean;
  hidesPulled: boolean;
  withDecisions: boolean;
  limit: number;
  oldestFirst: boolean;
}

/**
 * `ignoresLimit`: for deletions, which CrowdSec never limits.
 * @throws LapiError 500 for a parameter that is not known or cannot be read.
 */
export function readAlertFilter(query: unknown, now: number, ignoresLimit = false): AlertFilter {
  const asked: Asked = {
    alertTests: [],
    decisionTests: [],
    bothTests: [],
    network: null,
    contains: true,
    onlyActive: false,
    hidesPulled: false,
    withDecisions: true,
    limit: defaultLimit,
    oldestFirst: false,
  };
  const parameters = firstValues(query);
  for (const [name, value] of parameters) {
    if (name === 'limit' && ignoresLimit) continue;
    const read = readers.get(name);
    if (read === undefined)
      throw new LapiError(500, `filter parameter '${name}' is unknown (=${value}): invalid filter`);
    read(asked, value, now);
  }
  if (asked.hidesPulled && !parameters.some(([name]) => name === 'origin')) {
    asked.alertTests.push(({ source: { scope } }) => !pulledScopes.has(scope) && !scope.startsWith('lists:'));
    asked.bothTests.push((_alert, decisions) => !decisions.some(({ decision }) => pulledOrigins.has(decision.origin)));
  }
  const { network, contains } = asked;
  if (network !== null) asked.decisionTests.push(({ decision }) => decisionTouches(decision, network, contains));
  return filterOf(asked);
}

function filterOf({ alertTests, decisionTests, bothTests, ...asked }: Asked): AlertFilter {
  const needsDecisions = decisionTests.length > 0 || bothTests.length > 0;
  return {
    alert: (alert) => alertTests.every((test) => test(alert)),
    onlyActive: asked.onlyActive,
    decisions: needsDecisions
      ? (decisions, alert) =>
          decisionTests.every((test) => decisions.some(test)) && bothTests.every((test) => test(alert, decisions))
      : null,
    withDecisions: asked.withDecisions,
    limit: asked.limit,
    oldestFirst: asked.oldestFirst,
  };
}

type ParameterReader = (asked: Asked, value: string, now: number) => void;

const readers: ReadonlyMap<string, ParameterReader> = new Map<string, ParameterReader>([
  ['ip', (asked, value) => void (asked.network = requireNetwork(value))],
  ['range', (asked, value) => void (asked.network = requireNetwork(value))],
  ['contains', (asked, value) => void (asked.contains = requireContains(value))],
  [
    'scope',
    ({ alertTests }, value) => {
      const scope = normalScope(value);
      alertTests.push(({ source }) => source.scope === scope);
    },
  ],
  ['value', ({ alertTests }, value) => void alertTests.push(({ source }) => source.value === value)],
  [
    'scenario',
    ({ bothTests }, value) =>
      void bothTests.push(
        ({ scenario }, decisions) =>
          scenario === value || decisions.some(({ decision }) => decision.scenario === value),
      ),
  ],
  ['origin', ({ decisionTests }, value) => void decisionTests.push(({ decision }) => decision.origin === value)],
  ['decision_type', ({ decisionTests }, value) => void decisionTests.push(({ decision }) => decision.type === value)],
  [
    'since',
    ({ alertTests }, value, now) => {
      const from = now - requireDuration(value);
      alertTests.push(({ startAt }) => startAt >= from);
    },
  ],
  [
    'until',
    ({ alertTests }, value, now) => {
      const to = now - requireDuration(value);
      alertTests.push(({ startAt }) => startAt <= to);
    },
  ],
  [
    'created_before',
    ({ alertTests }, value, now) => {
      const to = now - requireDuration(value);
      alertTests.push(({ createdAt }) => createdAt <= to);
    },
  ],
  ['has_active_decision', readHasActiveDecision],
  ['include_capi', (asked, value) => void (asked.hidesPulled = value === 'false')],
  ['kind', ({ alertTests }, value) => void alertTests.push(({ kind }) => kind === value)],
  [
    'simulated',
    ({ alertTests }, value) => {
      if (value === 'false') alertTests.push(({ simulated }) => !simulated);
    },
  ],
  ['limit', (asked, value) => void (asked.limit = requireLimit(value))],
  // Only this spelling turns the order round.
  ['sort', (asked, value) => void (asked.oldestFirst = value === 'ASC')],
  ['with_decisions', (asked, value) => void (asked.withDecisions = requireBool(value))],
]);

/** `false` means alerts that never had a decision: CrowdSec's own reading. */
function readHasActiveDecision(asked: Asked, value: string): void {
  if (requireBool(value)) asked.onlyActive = true;
  else asked.bothTests.push((_alert, decisions) => decisions.length === 0);
}

function requireBool(value: string): boolean {
  const found = readBool(value);
  if (found !== null) return found;
  throw new LapiError(500, `'${value.slice(0, 100)}' is not a boolean: ${notBool(value)}: unable to parse type`);
}

function requireLimit(value: string): number {
  if (!/^\+?\d{1,15}$/.test(value)) {
    throw new LapiError(500, `bad limit in parameters: [${value.slice(0, 100)}]: unable to query`);
  }
  return Number(value) || Infinity;
}
