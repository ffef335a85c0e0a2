/** `machines list` */
import type { MachineModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { relativeTime } from '../output/times.ts';

export const machinesList: Command = {
  name: 'machines list',
  aliases: ['machine list'],
  summary: 'show the agents that may report here',
  usage: '',
  examples: [['portcullis machines list', 'who they are, and when they were heard of last']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const { machines } = await (await gateway()).ask<{ machines: MachineModel[] }>('GET', '/v1/machines');
  const now = clock.now();
  switch (output.format) {
    case 'json':
      output.json(machines);
      break;
    case 'raw':
      // CrowdSec's columns.
      output.csv(
        ['machine_id', 'ip_address', 'updated_at', 'validated', 'version', 'auth_type', 'last_heartbeat', 'os'],
        machines.map((one) => [
          one.machineId,
          one.ipAddress,
          one.updated_at,
          one.isValidated,
          one.version,
          one.auth_type,
          one.last_heartbeat ?? '',
          one.os,
        ]),
      );
      break;
    case 'human':
      if (machines.length === 0) output.line('There are no machines. Add one with: machines add <name> --auto');
      else {
        output.table(
          [
            { title: 'NAME', value: ({ machineId }) => machineId, flexible: true },
            { title: 'IP', value: ({ ipAddress }) => ipAddress },
            {
              title: 'STATE',
              value: ({ isValidated }) => (isValidated ? 'validated' : 'pending'),
              colour: ({ isValidated }) => (isValidated ? null : 'yellow'),
            },
            {
              title: 'HEARTBEAT',
              value: ({ last_heartbeat }) => (last_heartbeat === null ? 'never' : relativeTime(last_heartbeat, now)),
            },
            { title: 'VERSION', value: ({ version }) => version, flexible: true },
            { title: 'OS', value: ({ os }) => os, flexible: true },
            { title: 'AUTH', value: ({ auth_type }) => auth_type },
            { title: 'CHANGED', value: ({ updated_at }) => relativeTime(updated_at, now), colour: () => 'dim' },
          ],
          machines,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
