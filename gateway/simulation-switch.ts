/** Which scenarios simulate, for the operator to change while the gateway runs: first on disk, then in force. */
import { GatewayError, messageOf } from '../core/errors.ts';
import { writeSimulation } from '../detectors/scenarios/simulation-file.ts';
import type { SimulationRule, SwitchableSimulation } from '../detectors/scenarios/simulation.ts';

export interface SimulationSwitch {
  readonly rule: SimulationRule;
  /** Simulated by the setting `detection.simulate`, whatever the rule says. */
  readonly always: readonly string[];
  /**
   * Counts from the next overflow on.
   * @throws GatewayError GATEWAY_REFUSED when the file cannot be written; nothing has changed then.
   */
  change(revise: (rule: SimulationRule) => SimulationRule): Promise<SimulationRule>;
}

export function createSimulationSwitch(simulation: SwitchableSimulation, path: string): SimulationSwitch {
  /** The last change; each waits for the one before. */
  let changing: Promise<unknown> = Promise.resolve();

  async function changeTo(rule: SimulationRule): Promise<SimulationRule> {
    try {
      await writeSimulation(path, rule);
    } catch (cause) {
      throw new GatewayError('GATEWAY_REFUSED', `${path} cannot be written: ${messageOf(cause)}`, {
        remedy: 'Nothing has changed. Make room on the disk, or let the gateway write its data folder.',
        cause,
      });
    }
    simulation.replace(rule);
    return rule;
  }

  return {
    get rule() {
      return simulation.rule;
    },
    always: simulation.always,
    change(revise) {
      const result = changing.then(() => changeTo(revise(simulation.rule)));
      changing = result.catch(() => undefined);
      return result;
    },
  };
}
