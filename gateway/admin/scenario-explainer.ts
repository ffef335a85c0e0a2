/**
 * Says which scenarios an event matches and why the others do not, without pouring anything: filters are taken apart at their
 * top-level `and` and `or`, and each clause is evaluated for itself. Scenarios are compiled anew for each question and let go
 * afterwards, so that the running detector is not touched and nothing is kept in memory for a question seldom asked.
 */
import { messageOf } from '../../core/errors.ts';
import type { Event } from '../../detectors/event.ts';
import type { Expression } from '../../detectors/expr/compile.ts';
import { compileScenario, type Scenario, type ScenarioExpressions } from '../../detectors/scenarios/scenario.ts';
import type { ScenarioSpec } from '../../detectors/scenarios/scenario-document.ts';
import { splitClauses } from './split-clauses.ts';

/** One condition of a filter, or several joined. */
export interface ClauseExplanation {
  readonly text: string;
  readonly outcome: 'true' | 'false' | 'error' | 'unreached';
  /** The error's message, or "". */
  readonly message: string;
  /** How `parts` are joined; null when there are none. */
  readonly joined: 'and' | 'or' | null;
  readonly parts: readonly ClauseExplanation[];
}

export interface ScenarioExplanation {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly phase: 'request' | 'response';
  readonly matched: boolean;
  readonly remediation: boolean;
  readonly simulated: boolean;
  readonly scope: string;
  readonly capacity: number;
  readonly leakspeed: string;
  readonly filter: ClauseExplanation;
  /** What the event is grouped by, null when the scenario has one bucket for all or did not match. */
  readonly bucket: string | null;
  /** The value that a bucket counts only once, null when it counts every event. */
  readonly distinct: string | null;
}

export interface ScenarioExplainer {
  /** Compiles the scenarios once; the function that is returned may be asked about many events. */
  open(): (event: Event) => readonly ScenarioExplanation[];
}

/** `documents` and `simulate` as the detector got them; documents that do not compile are left out, as there. */
export function createScenarioExplainer(
  options: { readonly documents: readonly ScenarioSpec[]; readonly simulate?: readonly string[] },
  expressions: ScenarioExpressions,
): ScenarioExplainer {
  const simulate = new Set(options.simulate ?? []);
  return {
    open() {
      const subjects = options.documents.flatMap((spec) => {
        try {
          const scenario = compileScenario(spec, expressions, simulate.has(spec.name));
          return [{ scenario, clauses: clausesOf(scenario.filter, expressions, 0) }];
        } catch {
          // The detector has reported it as a fault.
          return [];
        }
      });
      return (event) => subjects.map(({ scenario, clauses }) => explain(scenario, clauses, event));
    },
  };
}

/** A clause with the closures of its parts. */
interface Clause {
  readonly expression: Expression;
  readonly joined: 'and' | 'or' | null;
  readonly parts: readonly Clause[];
}

/** Filters nest two or three deep; what is deeper is shown as it stands. */
const deepest = 4;

function clausesOf(expression: Expression, expressions: ScenarioExpressions, depth: number): Clause {
  const { source } = expression;
  const split = depth < deepest ? splitClauses(source) : null;
  if (split === null) return { expression, joined: null, parts: [] };
  try {
    const parts = split.parts.map((part) => clausesOf(expressions.event.compile(part, 'bool'), expressions, depth + 1));
    return { expression, joined: split.joined, parts };
  } catch {
    // A part that cannot stand alone (a variable declared before it): the whole is shown instead.
    return { expression, joined: null, parts: [] };
  }
}

function explain(scenario: Scenario, clauses: Clause, event: Event): ScenarioExplanation {
  const { spec } = scenario;
  const filter = explainClause(clauses, event);
  const matched = filter.outcome === 'true';
  return {
    name: spec.name,
    description: spec.description,
    type: spec.type,
    phase: scenario.phase,
    matched,
    remediation: scenario.remediation,
    simulated: scenario.simulated,
    scope: spec.scopeType,
    capacity: spec.capacity,
    leakspeed: spec.leakspeed,
    filter,
    bucket: matched ? textOf(scenario.groupby, event) : null,
    distinct: matched ? textOf(scenario.distinct, event) : null,
  };
}

function explainClause(clause: Clause, event: Event): ClauseExplanation {
  const text = clause.expression.source.trim();
  const { outcome, message } = evaluate(clause.expression, event);
  const parts: ClauseExplanation[] = [];
  let decided = false;
  for (const part of clause.parts) {
    if (decided) {
      parts.push(unreached(part));
      continue;
    }
    const explained = explainClause(part, event);
    parts.push(explained);
    decided = explained.outcome === 'error' || explained.outcome === (clause.joined === 'and' ? 'false' : 'true');
  }
  return { text, outcome, message, joined: clause.joined, parts };
}

function unreached(clause: Clause): ClauseExplanation {
  return { text: clause.expression.source.trim(), outcome: 'unreached', message: '', joined: null, parts: [] };
}

function evaluate(expression: Expression, event: Event): Pick<ClauseExplanation, 'outcome' | 'message'> {
  try {
    return { outcome: expression.evaluate({ evt: event }) === true ? 'true' : 'false', message: '' };
  } catch (error) {
    return { outcome: 'error', message: messageOf(error) };
  }
}

function textOf(expression: Expression | null, event: Event): string | null {
  if (expression === null) return null;
  try {
    const value = expression.evaluate({ evt: event });
    return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value, withBigints);
  } catch (error) {
    return `error: ${messageOf(error)}`;
  }
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
