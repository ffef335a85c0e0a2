/** `machines inspect` */
import type { MachineModel, UsageModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime } from '../output/times.ts';
import { showUsage } from '../usage-table.ts';

export const machinesInspect: Command = {
  name: 'machines inspect',
  aliases: ['machine inspect'],
  summary: 'show one agent, its scenarios, and what it reported of itself',
  usage: '<name>',
  examples: [['portcullis machines inspect web-1', 'when it was heard of, what it runs']],
  options: {},
  refused: {
    hub: {
      type: 'boolean',
      short: 'H',
      because: 'Agents tell their scenarios at login, and inspect shows them always.',
    },
  },
  positionals: { least: 1, most: 1, missing: 'no machine was named' },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const path = `/v1/machines/${encodeURIComponent(given.positionals[0] ?? '')}`;
  const { machine, usage } = await (await gateway()).ask<{ machine: MachineModel; usage: UsageModel | null }>(
    'GET',
    path,
  );
  switch (output.format) {
    case 'json':
      output.json({ ...machine, usage });
      break;
    case 'raw':
      output.csv(
        [
          'machine_id',
          'created_at',
          'updated_at',
          'last_heartbeat',
          'last_push',
          'ip_address',
          'validated',
          'version',
          'os',
        ],
        [
          [
            machine.machineId,
            machine.created_at,
            machine.updated_at,
            machine.last_heartbeat ?? '',
            machine.last_push ?? '',
            machine.ipAddress,
            machine.isValidated,
            machine.version,
            machine.os,
          ],
        ],
      );
      break;
    case 'human': {
      const now = clock.now();
      const time = (at: string | null): string => (at === null ? 'never' : absoluteTime(at, now));
      output.heading(safeText(machine.machineId));
      output.pairs([
        ['state', machine.isValidated ? 'validated' : output.paint('yellow', 'pending: agree with machines validate')],
        ['added', time(machine.created_at)],
        ['heartbeat', time(machine.last_heartbeat)],
        ['reported', time(machine.last_push)],
        ['address', safeText(machine.ipAddress)],
        ['version', safeText(machine.version)],
        ['system', safeText(machine.os)],
        ['known by', machine.auth_type === 'tls' ? 'its certificate' : 'its password'],
      ]);
      if (machine.scenarios.length > 0) {
        output.line();
        output.heading(`Scenarios (${machine.scenarios.length})`);
        for (const scenario of machine.scenarios) output.line(`  ${safeText(scenario)}`);
      }
      showUsage(output, usage, now);
      break;
    }
    default:
      return output.format satisfies never;
  }
  return 0;
}
