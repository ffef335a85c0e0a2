/** The hooks of a configuration, compiled, and how the hooks of one stage run. */
import { messageOf } from '../../../core/errors.ts';
import type { ItemFault } from '../../documents/item-fault.ts';
import type { HelperDependencies } from '../../expr/dependencies.ts';
import type { Scope } from '../../expr/scope.ts';
import { type Band, type HookSpec, type HookStage, hookStages } from './config-document.ts';
import type { LoadActions, RequestActions } from './hook-actions.ts';
import { createHookCompiler, type HookExpression } from './hook-expressions.ts';
import { type CurrentHook, hookHelpers } from './hook-helpers.ts';
import { hookEnvironments } from './hook-types.ts';

/** What hooks of requests see; made when the first hook runs. */
export interface HookScope extends Scope {
  readonly IsInBand: boolean;
  readonly IsOutBand: boolean;
  readonly hook_vars: Readonly<Record<string, string>>;
}

interface Hook {
  readonly spec: HookSpec;
  readonly filter: HookExpression | null;
  readonly apply: readonly HookExpression[];
}

export interface Hooks {
  /** A hook with a mistake is not used; the others are. */
  readonly faults: readonly ItemFault[];
  /** Runs the on_load hooks. What one raises is a fault. */
  load(actions: LoadActions): readonly ItemFault[];
  has(stage: RequestStage, band: Band): boolean;
  /** Runs the hooks of a stage. What one raises goes to `onError`; its other expressions are left out, the next hook runs. */
  run(
    stage: RequestStage,
    band: Band,
    actions: RequestActions,
    scope: () => HookScope,
    onError: (hook: HookSpec, error: unknown) => void,
  ): void;
}

export type RequestStage = Exclude<HookStage, 'on_load'>;

export function createHooks(specs: readonly HookSpec[], deps: HelperDependencies): Hooks {
  const current: CurrentHook = { load: null, request: null };
  const faults: ItemFault[] = [];
  const byStage = new Map<HookStage, readonly Hook[]>();
  for (const stage of hookStages) {
    const own = specs.filter((spec) => spec.stage === stage);
    if (own.length > 0) byStage.set(stage, compileStage(stage, own, current, deps, faults));
  }
  const of = (stage: HookStage, band: Band): readonly Hook[] =>
    (byStage.get(stage) ?? []).filter(({ spec }) => spec.band === null || spec.band === band);
  const requestHooks: Readonly<Record<RequestStage, Readonly<Record<Band, readonly Hook[]>>>> = {
    pre_eval: { in: of('pre_eval', 'in'), out: of('pre_eval', 'out') },
    post_eval: { in: of('post_eval', 'in'), out: of('post_eval', 'out') },
    on_match: { in: of('on_match', 'in'), out: of('on_match', 'out') },
  };
  return {
    faults,
    has: (stage, band) => requestHooks[stage][band].length > 0,
    load(actions) {
      const raised: ItemFault[] = [];
      current.load = actions;
      try {
        runAll(byStage.get('on_load') ?? [], {}, ({ places }, error) =>
          raised.push(places.fault('', 'apply', `on_load: ${messageOf(error)}`)),
        );
      } finally {
        current.load = null;
      }
      return raised;
    },
    run(stage, band, actions, scope, onError) {
      const hooks = requestHooks[stage][band];
      if (hooks.length === 0) return;
      current.request = actions;
      try {
        runAll(hooks, scope(), onError);
      } finally {
        current.request = null;
      }
    },
  };
}

function compileStage(
  stage: HookStage,
  specs: readonly HookSpec[],
  current: CurrentHook,
  deps: HelperDependencies,
  faults: ItemFault[],
): readonly Hook[] {
  const compile = createHookCompiler(hookEnvironments[stage], hookHelpers(stage, current), deps);
  return specs.flatMap((spec) => {
    const compiled = (key: string, source: string, expected: 'bool' | 'any'): HookExpression | null => {
      try {
        return compile(source, expected);
      } catch (thrown) {
        faults.push(spec.places.expressionFault('', key, thrown));
        return null;
      }
    };
    const before = faults.length;
    const filter = spec.filter === '' ? null : compiled('filter', spec.filter, 'bool');
    const apply = spec.apply.flatMap((source, index) => {
      const expression = compiled(spec.applyIsList ? `apply[${index}]` : 'apply', source, 'any');
      return expression === null ? [] : [expression];
    });
    return faults.length === before ? [{ spec, filter, apply }] : [];
  });
}

function runAll(hooks: readonly Hook[], scope: Scope, onError: (hook: HookSpec, error: unknown) => void): void {
  for (const { spec, filter, apply } of hooks) {
    try {
      if (filter !== null && filter(scope) !== true) continue;
      for (const expression of apply) expression(scope);
    } catch (error) {
      onError(spec, error);
      continue;
    }
    if (spec.breaks) return;
  }
}
