/** What a scenario needs beyond values of the right shape. Specification: CrowdSec `pkg/leakybucket` (`Validate` of each type). */
import type { ScenarioSpec } from './scenario-document.ts';

/** A mistake at one key of the document. */
export interface ScenarioMistake {
  readonly key: string;
  readonly reason: string;
}

/** All mistakes of a document; what its type demands is left out where the type is none. */
export function scenarioMistakes(spec: ScenarioSpec, typeKnown: boolean): readonly ScenarioMistake[] {
  const mistakes: ScenarioMistake[] = [];
  const demand = (met: boolean, key: string, reason: string): void => {
    if (!met) mistakes.push({ key, reason });
  };
  demand(spec.name !== '', 'name', 'a scenario needs a name');
  demand(spec.description !== '', 'description', 'a scenario needs a description');
  demand(spec.filter.trim() !== '', 'filter', 'a scenario needs a filter');
  const unexpected = spec.scopeType === 'Ip' && spec.scopeExpression !== '';
  demand(!unexpected, 'scope', 'scope Ip takes no expression');
  const needsExpression = spec.scopeType !== 'Ip' && spec.scopeType !== 'Range';
  demand(!needsExpression || spec.scopeExpression !== '', 'scope', `scope ${spec.scopeType} needs an expression`);
  if (typeKnown) demandOfType(spec, demand);
  return mistakes;
}

function demandOfType(spec: ScenarioSpec, demand: (met: boolean, key: string, reason: string) => void): void {
  switch (spec.type) {
    case 'leaky':
      demand(spec.capacity > 0, 'capacity', 'type leaky needs a capacity above 0');
      demand(spec.leakMs > 0, 'leakspeed', 'type leaky needs a leakspeed above 0');
      return;
    case 'trigger':
      demand(spec.capacity === 0, 'capacity', 'type trigger has capacity 0');
      return;
    case 'counter':
      demand(spec.capacity === -1, 'capacity', 'type counter has capacity -1');
      demand(spec.durationMs > 0, 'duration', 'type counter needs a duration above 0');
      return;
    case 'conditional':
      demand(spec.condition !== '', 'condition', 'type conditional needs a condition');
      demand(spec.leakMs > 0, 'leakspeed', 'type conditional needs a leakspeed above 0');
      return;
    case 'bayesian':
      demand(spec.capacity === -1, 'capacity', 'type bayesian has capacity -1');
      demand(spec.leakMs > 0, 'leakspeed', 'type bayesian needs a leakspeed above 0: it is how long a bucket lives');
      demand(spec.bayesianConditions.length > 0, 'bayesian_conditions', 'type bayesian needs conditions');
      demand(spec.bayesianPrior > 0 && spec.bayesianPrior <= 1, 'bayesian_prior', 'bayesian_prior lies in (0, 1]');
      demand(
        spec.bayesianThreshold > 0 && spec.bayesianThreshold <= 1,
        'bayesian_threshold',
        'bayesian_threshold lies in (0, 1]',
      );
      return;
    default:
      return spec.type satisfies never;
  }
}
