/** `simulation status` */
import type { SimulationModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { showSimulation } from '../simulation.ts';

export const simulationStatus: Command = {
  name: 'simulation status',
  summary: 'show which scenarios only simulate',
  usage: '',
  examples: [['portcullis simulation status', 'the rule, its exceptions, and what follows from it']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway }: Call): Promise<number> {
  showSimulation(output, await (await gateway()).ask<SimulationModel>('GET', '/v1/simulation'));
  return 0;
}
