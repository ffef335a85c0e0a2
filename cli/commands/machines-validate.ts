/** `machines validate` */
import type { MachineModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const machinesValidate: Command = {
  name: 'machines validate',
  aliases: ['machine validate'],
  summary: 'agree to agents that registered themselves',
  usage: '<name>…',
  examples: [['portcullis machines validate web-1', 'it may report from now on']],
  options: {},
  positionals: { least: 1, most: 1_000, missing: 'no machine was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const client = await gateway();
  const machines: MachineModel[] = [];
  for (const name of given.positionals) {
    const path = `/v1/machines/${encodeURIComponent(name)}/validate`;
    const { machine } = await client.ask<{ machine: MachineModel }>('POST', path, { body: {} });
    machines.push(machine);
    if (output.format === 'human') output.line(`Machine ${safeText(machine.machineId)} may report from now on.`);
  }
  if (output.format === 'json') output.json(machines);
  if (output.format === 'raw') for (const { machineId } of machines) output.line(safeText(machineId));
  return 0;
}
