/**
 * Says which scenarios an event matches and why the others do not, without pouring anything: filters are taken apart at their
 * top-level `and` and `or`, and each clause is evaluated for itself. Scenarios are compiled anew for each question and let go
 * afterwards, so that the running detector is not touched and nothing is kept in memory for a question seldom asked.
 */
import { messageOf } from '../../core/errors.ts';
import type { Event } from '../event.ts';
import type { Expression } from '../expr/compile.ts';
import { type Clause, type ClauseExplanation, clausesOf, explainClauses } from '../expr/explain-clauses.ts';
import { compileScenario, type Scenario, type ScenarioExpressions } from './scenario.ts';
import type { ScenarioSpec, ScenarioType } from './scenario-document.ts';
import { nothingSimulated, type Simulation } from './simulation.ts';

export interface ScenarioExplanation {
  readonly name: string;
  readonly description: string;
  readonly type: ScenarioType;
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

/** `documents` and `simulation` as the detector got them; documents that do not compile are left out, as there. */
export function createScenarioExplainer(
  options: { readonly documents: readonly ScenarioSpec[]; readonly simulation?: Simulation },
  expressions: ScenarioExpressions,
): ScenarioExplainer {
  const { simulation = nothingSimulated } = options;
  return {
    open() {
      const subjects = options.documents.flatMap((spec) => {
        try {
          const scenario = compileScenario(spec, expressions, simulation);
          return [{ scenario, clauses: clausesOf(scenario.filter, expressions.event) }];
        } catch {
          // The detector has reported it as a fault.
          return [];
        }
      });
      return (event) => subjects.map(({ scenario, clauses }) => explain(scenario, clauses, event));
    },
  };
}

function explain(scenario: Scenario, clauses: Clause, event: Event): ScenarioExplanation {
  const { spec } = scenario;
  const filter = explainClauses(clauses, event);
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
