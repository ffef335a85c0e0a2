/** What `ctl` and hooks take out of one transaction: whole rules, and variables of rules. Chained rules go with the first. */
import type { VariableName } from '../variable-names.ts';

export interface RemovedTarget {
  readonly variable: VariableName;
  /** `key`: the name in lower case. */
  readonly matches: (name: string, key: string) => boolean;
}

export class Removals {
  readonly #rules: Uint8Array;
  #targets: Map<number, RemovedTarget[]> | null = null;

  /** `rules`: how many the rule set has. */
  constructor(rules: number) {
    this.#rules = new Uint8Array(rules);
  }

  removeRules(indices: readonly number[]): void {
    for (const index of indices) this.#rules[index] = 1;
  }

  removeTarget(indices: readonly number[], target: RemovedTarget): void {
    this.#targets ??= new Map();
    for (const index of indices) {
      const known = this.#targets.get(index);
      if (known === undefined) this.#targets.set(index, [target]);
      else if (!known.includes(target)) known.push(target);
    }
  }

  isRemoved(index: number): boolean {
    return this.#rules[index] === 1;
  }

  /** What is left out of that rule and its chain; null: nothing. */
  targetsOf(index: number): readonly RemovedTarget[] | null {
    return this.#targets?.get(index) ?? null;
  }
}

export function isTargetRemoved(
  targets: readonly RemovedTarget[],
  variable: VariableName,
  name: string,
  key: string,
): boolean {
  for (const target of targets) if (target.variable === variable && target.matches(name, key)) return true;
  return false;
}
