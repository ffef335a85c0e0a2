/** A scenario document, compiled: its expressions as closures, its bucket's shape, and the phase in which it is poured. */
import { messageOf } from '../../core/errors.ts';
import type { Expression, ExpressionCompiler } from '../expr/compile.ts';
import { type Likelihood, likelihoodOf } from './bayesian.ts';
import { type BucketShape, counterShape, endlessShape, leakyShape, triggerShape } from './bucket.ts';
import { looksBack } from './event-needs.ts';
import { type Phase, phaseOf } from './phase.ts';
import type { ScenarioSpec } from './scenario-document.ts';
import type { Simulation } from './simulation.ts';

/** The compilers of the two environments that a scenario's expressions live in. */
export interface ScenarioExpressions {
  /** Knows `evt`: filter, groupby, distinct, cancel_on, scope; for conditions `queue` and `leaky` too. */
  readonly event: ExpressionCompiler;
  /** Knows `queue`, `signal` and `leaky`: overflow_filter. */
  readonly overflow: ExpressionCompiler;
}

/** The conditions of a bayesian scenario, with single-precision numbers. */
export interface Bayesian {
  readonly prior: number;
  readonly threshold: number;
  readonly conditions: readonly { readonly holds: Expression; readonly likelihood: Likelihood }[];
}

export interface Scenario {
  readonly spec: ScenarioSpec;
  readonly shape: BucketShape;
  readonly phase: Phase;
  readonly filter: Expression;
  /** Null where the scenario has none, here and below. */
  readonly groupby: Expression | null;
  readonly distinct: Expression | null;
  readonly cancelOn: Expression | null;
  readonly overflowFilter: Expression | null;
  readonly scope: Expression | null;
  /** Asked after each pour: true overflows the bucket. */
  readonly condition: Expression | null;
  readonly bayesian: Bayesian | null;
  /** Whether one of its expressions looks at the events of its bucket, which then must be kept whole. */
  readonly looksBack: boolean;
  /** Alerts are raised and shown, and nobody is remedied: asked anew each time. */
  readonly simulated: boolean;
  /** `labels.remediation` is the boolean true. */
  readonly remediation: boolean;
}

/** Why a document cannot be compiled, at the key whose value is to blame. */
export class ScenarioCompileError extends Error {
  readonly key: string;

  constructor(key: string, cause: unknown) {
    super(`${key}: ${messageOf(cause)}`, { cause });
    this.name = 'ScenarioCompileError';
    this.key = key;
  }
}

/** @throws ScenarioCompileError */
export function compileScenario(
  spec: ScenarioSpec,
  expressions: ScenarioExpressions,
  simulation: Simulation,
): Scenario {
  const optional = (key: string, source: string, expected: 'bool' | 'string' | 'any'): Expression | null =>
    source === '' ? null : compiled(expressions.event, key, source, expected);
  const filter = compiled(expressions.event, 'filter', spec.filter, 'bool');
  const groupby = optional('groupby', spec.groupby, 'string');
  const distinct = optional('distinct', spec.distinct, 'any');
  const cancelOn = optional('cancel_on', spec.cancelOn, 'bool');
  const scope = optional('scope', spec.scopeExpression, 'any');
  const condition = optional('condition', spec.condition, 'bool');
  const bayesian = compileBayesian(spec, expressions.event);
  const overflowFilter =
    spec.overflowFilter === '' ? null : compiled(expressions.overflow, 'overflow_filter', spec.overflowFilter, 'bool');
  // A trigger overflows before its other processors are asked, so they are not asked for their reads either.
  const isTrigger = spec.type === 'trigger';
  const conditions = isTrigger ? [] : [condition, ...(bayesian?.conditions.map(({ holds }) => holds) ?? [])];
  const early = isTrigger ? [filter, groupby, scope] : [filter, groupby, distinct, cancelOn, scope];
  return {
    spec,
    shape: shapeOf(spec),
    phase: phaseOf(present([...early, ...conditions, overflowFilter])),
    filter,
    groupby,
    distinct: isTrigger ? null : distinct,
    cancelOn: isTrigger ? null : cancelOn,
    overflowFilter,
    scope,
    condition: isTrigger ? null : condition,
    bayesian: isTrigger ? null : bayesian,
    looksBack: looksBack(present([...conditions, overflowFilter])),
    get simulated() {
      return simulation.covers(spec.name);
    },
    remediation: spec.labels.remediation === true,
  };
}

function present(expressions: readonly (Expression | null)[]): readonly Expression[] {
  return expressions.filter((expression) => expression !== null);
}

/** As upstream, a threshold is what makes a scenario ask its bayesian conditions. */
function compileBayesian(spec: ScenarioSpec, compiler: ExpressionCompiler): Bayesian | null {
  if (spec.bayesianThreshold === 0) return null;
  return {
    prior: Math.fround(spec.bayesianPrior),
    threshold: Math.fround(spec.bayesianThreshold),
    conditions: spec.bayesianConditions.map((written) => ({
      holds: compiled(compiler, 'bayesian_conditions', written.condition, 'bool'),
      likelihood: likelihoodOf(written),
    })),
  };
}

function shapeOf({ type, capacity, leakMs, durationMs, cacheSize }: ScenarioSpec): BucketShape {
  switch (type) {
    case 'leaky':
      return leakyShape(capacity, leakMs, cacheSize);
    case 'trigger':
      return triggerShape;
    case 'counter':
      return counterShape(durationMs, cacheSize);
    case 'conditional':
    case 'bayesian':
      return endlessShape(capacity, leakMs, cacheSize);
    default:
      return type satisfies never;
  }
}

function compiled(
  compiler: ExpressionCompiler,
  key: string,
  source: string,
  expected: 'bool' | 'string' | 'any',
): Expression {
  try {
    return compiler.compile(source, expected);
  } catch (cause) {
    throw new ScenarioCompileError(key, cause);
  }
}
