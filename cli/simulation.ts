/** What the `simulation` verbs share. */
import { GatewayError } from '../core/errors.ts';
import type { SimulationModel } from '../gateway/admin/operator-models.ts';
import type { Call } from './command.ts';
import type { Output } from './output/output.ts';
import { safeText } from './output/safe-text.ts';

/** @throws GatewayError USAGE */
export async function switchSimulation({ output, given, gateway }: Call, simulated: boolean): Promise<number> {
  const scenarios = given.positionals;
  const global = given.flag('global');
  if (global === scenarios.length > 0) {
    throw new GatewayError('USAGE', global ? '--global is about all scenarios' : 'no scenario was named', {
      remedy: 'Name scenarios, or say --global.',
    });
  }
  const body = { simulated, ...(global ? { global } : { scenarios }) };
  showSimulation(output, await (await gateway()).ask<SimulationModel>('POST', '/v1/simulation', { body }));
  return 0;
}

export function showSimulation(output: Output, state: SimulationModel): void {
  switch (output.format) {
    case 'json':
      output.json(state);
      return;
    case 'raw':
      output.csv(
        ['scenario'],
        state.simulated.map((name) => [name]),
      );
      return;
    case 'human':
      output.line(`Global simulation: ${state.simulation ? output.paint('yellow', 'enabled') : 'disabled'}`);
      showNames(output, state.simulation ? 'Not in simulation' : 'In simulation', state.exclusions);
      showNames(output, 'In simulation by the settings', state.settings);
      return;
    default:
      output.format satisfies never;
  }
}

function showNames(output: Output, title: string, names: readonly string[]): void {
  if (names.length === 0) return;
  output.line();
  output.heading(title);
  for (const name of names) output.line(`  ${safeText(name)}`);
}
