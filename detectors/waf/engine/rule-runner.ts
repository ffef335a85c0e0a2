/**
 * Runs the rules of a phase. ModSecurity Reference Manual, "Processing Phases"; the order of things within a rule is Coraza's:
 * what a rule sets is set for each value that matches, before the rest of its chain is asked.
 */
import type { CompiledOperator, OperatorRun } from '../operators/operator.ts';
import { lowerAscii } from '../seclang/ascii.ts';
import type { Phase } from '../seclang/definition.ts';
import type { Macro } from '../seclang/macro.ts';
import type { Text } from '../text/text.ts';
import type { VariableName } from '../variable-names.ts';
import { nextBit } from './bits.ts';
import type { MacroTable } from './compile-macro.ts';
import type { CompiledPhase } from './compiled-phase.ts';
import type { CompiledRule, CompiledTarget } from './compiled-rule.ts';
import type { Entry } from './entry.ts';
import type { Removals } from './removals.ts';
import { isDisruptive, matchOf } from './rule-match.ts';
import { entriesOf } from './selection.ts';
import type { TransactionState } from './transaction-state.ts';
import type { RuleMatch, Verdict } from './transaction-types.ts';
import { matchedVariableName, scalarText } from './variables.ts';
import { isAwake, type WakeIndex } from './wake-index.ts';

/** Kept of one transaction: more rules match only when somebody tries to fill the memory. */
const mostMatches = 1_000;
/** Values of one rule that MATCHED_VARS holds. */
const mostGathered = 1_000;
/** What running an operator costs besides the characters that it reads, in characters. */
const workPerOperator = 128;

export interface RunnerParts {
  readonly macros: MacroTable;
  readonly wakeIndex: WakeIndex;
}

export class RuleRunner implements OperatorRun {
  readonly matches: RuleMatch[] = [];
  verdict: Verdict | null = null;
  /** What `allow` has let pass: phases 1 and 2, or all but the last. */
  allowed: 'nothing' | 'request' | 'all' = 'nothing';

  // OperatorRun: what operators ask and answer.
  captures = false;
  captured: readonly string[] | null = null;

  readonly #parts: RunnerParts;
  readonly #state: TransactionState;
  #phase: Phase = 1;
  #phaseAllowed = false;
  /** The value at hand is written down when it matches. */
  #gathers = false;

  constructor(parts: RunnerParts, state: TransactionState) {
    this.#parts = parts;
    this.#state = state;
  }

  argument(macro: Macro): string {
    return this.#parts.macros.of(macro).expand(this.#state);
  }

  runPhase(number: Phase, phase: CompiledPhase): void {
    const { budget } = this.#state;
    this.#phase = number;
    this.#phaseAllowed = false;
    budget.begin();
    this.#walk(phase);
    budget.end();
  }

  #walk(phase: CompiledPhase): void {
    const state = this.#state;
    const { rules } = phase;
    const awake = phase.wake(state);
    if (this.exhausted) return;
    let position = nextBit(awake, 0);
    while (position < rules.length) {
      const rule = rules[position] as CompiledRule;
      position++;
      if ((state.removals === null || !state.removals.isRemoved(rule.index)) && this.#run(rule)) {
        const { flow } = rule;
        if (flow.kind === 'jump') position = flow.to;
        else if (flow.kind === 'skip') position += flow.rules;
        if (this.#ended()) return;
      }
      if (this.exhausted) return;
      if (position >= rules.length) return;
      position = nextBit(awake, position);
    }
  }

  /** The time budget is used up: nothing more is run. */
  get exhausted(): boolean {
    return this.#state.budget.exhausted;
  }

  /** After a rule that matched: nothing more of this phase is run. */
  #ended(): boolean {
    return this.#phaseAllowed || this.#state.controls.mode === 'off' || (this.verdict !== null && this.#phase !== 5);
  }

  /** True when the rule and its whole chain match. */
  #run(rule: CompiledRule): boolean {
    const state = this.#state;
    state.rule = rule;
    if (state.matchedVars.length > 0) state.matchedVars.length = 0;
    const scoreBefore = state.score;
    for (let link: CompiledRule | null = rule; link !== null; link = link.chained) {
      if (!this.#matches(link)) return false;
    }
    this.#settle(rule, state.score - scoreBefore);
    return true;
  }

  /** Tries every value, and does for each that matches what the rule says. */
  #matches(rule: CompiledRule): boolean {
    const { operator } = rule;
    if (operator === null) {
      for (const effect of rule.effects) effect(this.#state);
      return true;
    }
    let matched = false;
    for (const target of rule.targets) {
      if (this.#tryTarget(rule, operator, target)) matched = true;
    }
    return matched && !this.exhausted;
  }

  #tryTarget(rule: CompiledRule, operator: CompiledOperator, target: CompiledTarget): boolean {
    const state = this.#state;
    switch (target.kind) {
      case 'slot': {
        const text = state.tx.slots[target.slot] ?? null;
        return text !== null && this.#try(rule, operator, 'TX', 'TX', target.key, target.key, text);
      }
      case 'scalar': {
        const { variable, number } = target;
        return this.#try(rule, operator, variable, variable, null, '', scalarText(number, state));
      }
      case 'live-scalar': {
        const { variable } = target;
        return this.#try(rule, operator, variable, variable, null, '', target.read(state));
      }
      case 'count': {
        const { variable, label, name, key } = target;
        return this.#try(rule, operator, variable, label, name, key, state.numberText(target.count(state)));
      }
      case 'matched': {
        const { matchedVariable, matchedName } = state;
        return this.#try(rule, operator, 'MATCHED_VAR', matchedVariable, matchedName, '', state.matchedText);
      }
      case 'selection':
        return this.#tryEntries(rule, operator, target.selection.variable, entriesOf(target.selection, state));
      case 'live-entries':
        return this.#tryEntries(rule, operator, target.variable, target.read(state));
      default:
        return target satisfies never;
    }
  }

  #tryEntries(
    rule: CompiledRule,
    operator: CompiledOperator,
    variable: VariableName,
    entries: readonly Entry[],
  ): boolean {
    // Values of MATCHED_VARS keep the names under which they matched.
    const label = variable === 'MATCHED_VARS' ? '' : variable;
    let matched = false;
    for (const { name, key, text } of entries) {
      if (this.#try(rule, operator, variable, label, name, key, text)) matched = true;
    }
    return matched;
  }

  /** One value. `label` is the variable as MATCHED_VAR_NAME has it; `name` null: the variable is a scalar. */
  #try(
    rule: CompiledRule,
    operator: CompiledOperator,
    variable: VariableName,
    label: string,
    name: string | null,
    key: string,
    text: Text,
  ): boolean {
    const { sleep, chain } = rule;
    if (this.exhausted || (sleep !== null && !isAwake(text, sleep))) return false;
    // What comes from MATCHED_VARS is there already.
    this.#gathers = rule.gathers && variable !== 'MATCHED_VARS' && variable !== 'MATCHED_VAR';
    const { removals } = this.#state;
    if (removals !== null && isRemoved(removals, rule, variable, name, key)) return false;
    const matched = chain.multiMatch
      ? this.#trySteps(rule, operator, label, name, text)
      : this.#tryText(rule, operator, label, name, this.#state.pool.run(text, chain.steps));
    if (!matched && sleep !== null && !this.exhausted) this.#parts.wakeIndex.ruleOut(text, sleep);
    return matched;
  }

  /** The value as it came, and each time that a transformation has changed it. */
  #trySteps(rule: CompiledRule, operator: CompiledOperator, label: string, name: string | null, value: Text): boolean {
    let text = value;
    let matched = this.#tryText(rule, operator, label, name, text);
    for (const step of rule.chain.steps.steps) {
      const changed = this.#state.pool.transform(text, step);
      if (changed === text) continue;
      text = changed;
      if (this.#tryText(rule, operator, label, name, text)) matched = true;
    }
    return matched;
  }

  #tryText(rule: CompiledRule, operator: CompiledOperator, label: string, name: string | null, text: Text): boolean {
    if (this.#state.budget.charge(workPerOperator + text.value.length)) return false;
    this.captures = rule.capture;
    this.captured = null;
    if (operator.test(text, this) === rule.negated) return false;
    this.#matched(rule, label, name, text);
    return true;
  }

  #matched(rule: CompiledRule, label: string, name: string | null, text: Text): void {
    const state = this.#state;
    state.matchedVariable = label;
    state.matchedName = name;
    state.matchedText = text;
    if (this.#gathers && state.matchedVars.length < mostGathered) {
      state.matchedVars.push({ name: matchedVariableName(state), key: '', text });
    }
    const { captured } = this;
    if (captured !== null && rule.capture) {
      for (let group = 0; group < captured.length; group++) {
        const value = captured[group] ?? '';
        state.tx.slots[group] = value === text.value ? text : state.text(value);
      }
    }
    for (const effect of rule.effects) effect(state);
  }

  /** The whole chain has matched. */
  #settle(rule: CompiledRule, score: number): void {
    const state = this.#state;
    const { definition } = rule;
    const { severity, disruptive } = definition;
    if (severity !== null && severity < state.highestSeverity) state.highestSeverity = severity;
    if (definition.log && this.matches.length < mostMatches)
      this.matches.push(matchOf(rule, this.#phase, score, state));
    if (state.controls.mode !== 'on') return;
    if (disruptive.kind === 'allow') {
      if (disruptive.scope === 'phase') this.#phaseAllowed = true;
      else {
        this.allowed = disruptive.scope;
        this.#phaseAllowed = disruptive.scope === 'all' || this.#phase <= 2;
      }
    } else if (isDisruptive(rule) && this.verdict === null) this.verdict = this.#verdictOf(rule);
  }

  #verdictOf(rule: CompiledRule): Verdict | null {
    const { disruptive } = rule.definition;
    const where = { ruleId: rule.id, phase: this.#phase };
    switch (disruptive.kind) {
      case 'deny':
        return { action: 'deny', ...where, status: disruptive.status, url: '' };
      case 'drop':
        return { action: 'drop', ...where, status: 403, url: '' };
      case 'redirect':
        return { action: 'redirect', ...where, status: disruptive.status, url: rule.url?.expand(this.#state) ?? '' };
      case 'pass':
      case 'allow':
        return null;
      default:
        return disruptive satisfies never;
    }
  }
}

function isRemoved(
  removals: Removals,
  { index }: CompiledRule,
  variable: VariableName,
  name: string | null,
  key: string,
): boolean {
  if (name === null) return removals.isTargetRemoved(index, variable, '', '');
  return removals.isTargetRemoved(index, variable, name, key === '' ? lowerAscii(name) : key);
}
