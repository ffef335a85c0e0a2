/** One rule of a program, with its chain, for the evaluator. */
import { findTransformation } from '../transformations/find-transformation.ts';
import type { CompiledOperator } from '../operators/operator.ts';
import type { RuleDefinition } from '../seclang/definition.ts';
import type { Macro } from '../seclang/macro.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { TextSteps } from '../text/text-step.ts';
import { compileEffect } from './compile-effect.ts';
import { compileMacro, type MacroTable } from './compile-macro.ts';
import { compileTargets } from './compile-target.ts';
import type {
  CompiledEffect,
  CompiledFlow,
  CompiledRule,
  CompiledTarget,
  TransformationChain,
  WakeBit,
} from './compiled-rule.ts';
import type { RuleCatalog } from './rule-catalog.ts';
import type { Selections } from './selection.ts';
import type { TxLayout } from './tx-variables.ts';

/** What the rules of a set share. */
export interface RuleParts {
  readonly layout: TxLayout;
  readonly selections: Selections;
  readonly steps: TextSteps;
  readonly pool: TextPool;
  readonly macros: MacroTable;
  readonly catalog: RuleCatalog;
  /** Of each rule of the program, chained ones too; `SecAction` has none. */
  readonly operators: ReadonlyMap<RuleDefinition, CompiledOperator>;
}

/** Where a rule is: what its chained rules inherit. */
export interface RulePosition {
  readonly index: number;
  /** The rule's bit, should it turn out that it can sleep. */
  readonly bit: WakeBit;
  readonly flow: CompiledFlow;
}

/** Nothing can be told from their texts beforehand, and to make them for every value takes time. */
const digests: ReadonlySet<string> = new Set(['length', 'md5', 'sha1']);

/** @throws GatewayError PATTERN_INVALID of a selector or a `ctl`. */
export function compileRule(head: RuleDefinition, position: RulePosition, parts: RuleParts): CompiledRule {
  const gathers = readsMatchedVars(head);
  return compileLink(head, head, position, gathers, parts);
}

function compileLink(
  definition: RuleDefinition,
  head: RuleDefinition,
  position: RulePosition,
  gathers: boolean,
  parts: RuleParts,
): CompiledRule {
  const { layout, macros } = parts;
  const operator = parts.operators.get(definition) ?? null;
  if (definition.operator !== null) macros.of(definition.operator.argument);
  const targets = compileTargets(definition, parts);
  const chain = compileChain(definition, parts.steps);
  const negated = definition.operator?.negated ?? false;
  const sleeps = definition === head && operator !== null && canSleep(operator, negated, targets, chain);
  const { chained, disruptive } = definition;
  return {
    definition,
    id: head.id,
    index: position.index,
    targets,
    chain,
    operator,
    negated,
    capture: definition.capture,
    sleep: sleeps ? position.bit : null,
    effects: compileEffects(definition, parts),
    chained: chained === null ? null : compileLink(chained, head, position, gathers, parts),
    gathers,
    flow: position.flow,
    msg: compileMacro(definition.msg, layout),
    logdata: compileMacro(definition.logdata, layout),
    tags: definition.tags.map((tag) => compileMacro(tag, layout)),
    url: disruptive.kind === 'redirect' ? compileMacro(disruptive.url, layout) : null,
  };
}

/**
 * True when nothing but values of the request decides whether the rule matches: then the search index can say beforehand that
 * it does not.
 */
function canSleep(
  operator: CompiledOperator,
  negated: boolean,
  targets: readonly CompiledTarget[],
  { steps }: TransformationChain,
): boolean {
  if (operator.number < 0 || negated) return false;
  if (steps.steps.some(({ change }) => digests.has(change.name))) return false;
  return targets.every(({ kind }) => kind === 'scalar' || kind === 'selection');
}

function compileChain({ transformations, multiMatch }: RuleDefinition, steps: TextSteps): TransformationChain {
  const changes = transformations.flatMap((name) => findTransformation(name) ?? []);
  return { steps: steps.chain(changes), multiMatch };
}

function compileEffects({ effects }: RuleDefinition, parts: RuleParts): readonly CompiledEffect[] {
  return effects.flatMap((effect) => compileEffect(effect, parts) ?? []);
}

/** For the log, or because the chain reads MATCHED_VARS. */
function readsMatchedVars(head: RuleDefinition): boolean {
  if (head.log) return true;
  for (let link: RuleDefinition | null = head; link !== null; link = link.chained) {
    if (link.targets.some(({ variable }) => isMatchedVars(variable))) return true;
    if (
      macrosOf(link).some(({ parts }) => parts.some((part) => typeof part !== 'string' && isMatchedVars(part.variable)))
    )
      return true;
  }
  return false;
}

function isMatchedVars(variable: string): boolean {
  return variable === 'MATCHED_VARS' || variable === 'MATCHED_VARS_NAMES';
}

function macrosOf({ operator, effects }: RuleDefinition): readonly Macro[] {
  const macros = effects.flatMap((effect): readonly Macro[] => {
    if (effect.kind === 'control') return [];
    if (effect.kind === 'initcol') return [effect.key];
    return effect.kind === 'expirevar' ? [effect.key, effect.seconds] : [effect.key, effect.value];
  });
  return operator === null ? macros : [operator.argument, ...macros];
}
