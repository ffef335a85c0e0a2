/** `machines prune` */
import type { Call, Command } from '../command.ts';
import { prune } from '../prune.ts';

export const machinesPrune: Command = {
  name: 'machines prune',
  aliases: ['machine prune'],
  summary: 'delete agents that have not been heard of for long',
  usage: '[-d <duration>] [--not-validated-only] [--force]',
  examples: [
    ['portcullis machines prune -d 1h', 'shows them, and asks before'],
    ['portcullis machines prune --not-validated-only --force', 'those that registered themselves and nobody agreed to'],
  ],
  options: {
    duration: { type: 'string', short: 'd', placeholder: '<duration>', help: 'no heartbeat since (10m)' },
    'not-validated-only': { type: 'boolean', help: 'only those that nobody has agreed to' },
    force: { type: 'boolean', help: 'without asking' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run(call: Call): Promise<number> {
  const body = {
    duration: call.given.text('duration') ?? '10m',
    notValidatedOnly: call.given.flag('not-validated-only'),
  };
  return prune(call, '/v1/machines/prune', body, 'machine');
}
