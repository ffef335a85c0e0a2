/** What `ctl` and hooks take out of one transaction: whole rules, and variables of rules. Chained rules go with the first. */
import type { VariableName } from '../variable-names.ts';
import type { NameMatcher } from './name-matcher.ts';

/** Rules by their numbers in the rule set. */
export class RuleNumbers {
  readonly #has: Uint8Array;

  /** `rules`: how many the set has. */
  constructor(numbers: readonly number[], rules: number) {
    this.#has = new Uint8Array(rules);
    for (const number of numbers) this.#has[number] = 1;
  }

  has(number: number): boolean {
    return this.#has[number] === 1;
  }
}

export interface RemovedTarget {
  readonly rules: RuleNumbers;
  readonly variable: VariableName;
  readonly matches: NameMatcher;
}

/** Distinct actions that one transaction remembers: more than all rules of a set have. */
const mostRemovals = 10_000;

export class Removals {
  readonly #rules: RuleNumbers[] = [];
  readonly #targets: RemovedTarget[] = [];

  removeRules(rules: RuleNumbers): void {
    if (!this.#rules.includes(rules) && this.#rules.length < mostRemovals) this.#rules.push(rules);
  }

  removeTarget(target: RemovedTarget): void {
    if (!this.#targets.includes(target) && this.#targets.length < mostRemovals) this.#targets.push(target);
  }

  isRemoved(rule: number): boolean {
    for (const rules of this.#rules) if (rules.has(rule)) return true;
    return false;
  }

  isTargetRemoved(rule: number, variable: VariableName, name: string, key: string): boolean {
    for (const target of this.#targets) {
      if (target.variable === variable && target.rules.has(rule) && target.matches(name, key)) return true;
    }
    return false;
  }
}
