/** `simulation enable` */
import type { Call, Command } from '../command.ts';
import { switchSimulation } from '../simulation.ts';

export const simulationEnable: Command = {
  name: 'simulation enable',
  summary: 'let scenarios only simulate: alerts are raised, nobody is refused',
  usage: '<scenario>… | --global',
  examples: [
    ['portcullis simulation enable portcullis/http-probing', 'one scenario, from its next alert on'],
    ['portcullis simulation enable --global', 'all of them'],
  ],
  options: { global: { type: 'boolean', short: 'g', help: 'every scenario, without exceptions' } },
  positionals: { least: 0, most: 1_000 },
  run,
};

async function run(call: Call): Promise<number> {
  return switchSimulation(call, true);
}
