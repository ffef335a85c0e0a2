/** A scenario document, compiled: its expressions as closures, its bucket's shape, and the phase in which it is poured. */
import type { Expression, ExpressionCompiler } from '../expr/compile.ts';
import { type BucketShape, leakyShape, triggerShape } from './bucket.ts';
import { type Phase, phaseOf } from './phase.ts';
import type { ScenarioSpec } from './scenario-document.ts';

/** The compilers of the two environments that a scenario's expressions live in. */
export interface ScenarioExpressions {
  /** Knows `evt`: filter, groupby, distinct, cancel_on, scope. */
  readonly event: ExpressionCompiler;
  /** Knows `queue`, `signal` and `leaky`: overflow_filter. */
  readonly overflow: ExpressionCompiler;
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
  /** Alerts are raised and shown, and nobody is remedied. */
  readonly simulated: boolean;
  /** `labels.remediation` is the boolean true. */
  readonly remediation: boolean;
}

/** Why a document cannot be compiled, at the key whose value is to blame. */
export class ScenarioCompileError extends Error {
  readonly key: string;

  constructor(key: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ScenarioCompileError';
    this.key = key;
  }
}

/** @throws ScenarioCompileError */
export function compileScenario(spec: ScenarioSpec, expressions: ScenarioExpressions, simulated: boolean): Scenario {
  const shape = shapeOf(spec);
  const optional = (key: string, source: string, expected: 'bool' | 'string' | 'any'): Expression | null =>
    source === '' ? null : compiled(expressions.event, key, source, expected);
  const filter = compiled(expressions.event, 'filter', spec.filter, 'bool');
  const groupby = optional('groupby', spec.groupby, 'string');
  // A trigger overflows before its other processors are asked, so they are not asked for their reads either.
  const isTrigger = spec.type === 'trigger';
  const distinct = optional('distinct', spec.distinct, 'any');
  const cancelOn = optional('cancel_on', spec.cancelOn, 'bool');
  const scope = optional('scope', spec.scopeExpression, 'any');
  const overflowFilter =
    spec.overflowFilter === '' ? null : compiled(expressions.overflow, 'overflow_filter', spec.overflowFilter, 'bool');
  const read = isTrigger
    ? [filter, groupby, scope, overflowFilter]
    : [filter, groupby, distinct, cancelOn, scope, overflowFilter];
  return {
    spec,
    shape,
    phase: phaseOf(read.filter((expression) => expression !== null)),
    filter,
    groupby,
    distinct: isTrigger ? null : distinct,
    cancelOn: isTrigger ? null : cancelOn,
    overflowFilter,
    scope,
    simulated,
    remediation: spec.labels.remediation === true,
  };
}

function shapeOf(spec: ScenarioSpec): BucketShape {
  switch (spec.type) {
    case 'leaky':
      return leakyShape(spec.capacity, spec.leakMs, spec.cacheSize);
    case 'trigger':
      return triggerShape;
    case 'counter':
    case 'conditional':
    case 'bayesian':
      throw new ScenarioCompileError('type', `type ${spec.type} is not supported yet; leaky and trigger are`);
    default:
      return spec.type satisfies never;
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
    throw new ScenarioCompileError(key, `${key}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}
