/**
 * Which scenarios only simulate: their alerts are raised and shown, their decisions stored, and nobody is remedied. What holds is
 * asked at each overflow, so that a change counts for the next one. Meanings are CrowdSec's `simulation.yaml`: the exceptions
 * turn the rule around.
 */

export interface SimulationRule {
  /** True: every scenario simulates, but the exceptions. False: only the exceptions do. */
  readonly global: boolean;
  /** Names of scenarios, each once. */
  readonly exceptions: readonly string[];
}

export interface Simulation {
  covers(scenario: string): boolean;
}

export const nothingSimulated: Simulation = { covers: () => false };

/** A rule that may be replaced while scenarios ask. */
export class SwitchableSimulation implements Simulation {
  /** These simulate whatever the rule says: the setting `detection.simulate`. */
  readonly always: readonly string[];
  readonly #always: ReadonlySet<string>;
  #rule: SimulationRule;
  #exceptions: ReadonlySet<string>;

  constructor(rule: SimulationRule, always: readonly string[] = []) {
    this.always = always;
    this.#always = new Set(always);
    this.#rule = rule;
    this.#exceptions = new Set(rule.exceptions);
  }

  get rule(): SimulationRule {
    return this.#rule;
  }

  replace(rule: SimulationRule): void {
    this.#rule = rule;
    this.#exceptions = new Set(rule.exceptions);
  }

  covers(scenario: string): boolean {
    return this.#exceptions.has(scenario) !== this.#rule.global || this.#always.has(scenario);
  }
}

/** The rule under which these scenarios simulate, or no longer do, and all others as before. */
export function ruleWith(rule: SimulationRule, scenarios: readonly string[], simulated: boolean): SimulationRule {
  const named = new Set(scenarios);
  const others = rule.exceptions.filter((name) => !named.has(name));
  return { global: rule.global, exceptions: simulated === rule.global ? others : [...others, ...named] };
}
