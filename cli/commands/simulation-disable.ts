/** `simulation disable` */
import type { Call, Command } from '../command.ts';
import { switchSimulation } from '../simulation.ts';

export const simulationDisable: Command = {
  name: 'simulation disable',
  summary: 'let scenarios refuse again',
  usage: '<scenario>… | --global',
  examples: [
    ['portcullis simulation disable portcullis/http-probing', 'one scenario, from its next alert on'],
    ['portcullis simulation disable --global', 'none simulates any more'],
  ],
  options: { global: { type: 'boolean', short: 'g', help: 'every scenario, without exceptions' } },
  positionals: { least: 0, most: 1_000 },
  run,
};

async function run(call: Call): Promise<number> {
  return switchSimulation(call, false);
}
