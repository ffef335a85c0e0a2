/** `bouncers prune` */
import type { Call, Command } from '../command.ts';
import { prune } from '../prune.ts';

export const bouncersPrune: Command = {
  name: 'bouncers prune',
  aliases: ['bouncer prune'],
  summary: 'delete bouncers that have not asked for long',
  usage: '[-d <duration>] [--force]',
  examples: [
    ['portcullis bouncers prune -d 45m', 'shows them, and asks before'],
    ['portcullis bouncers prune -d 7d --force', 'without asking'],
  ],
  options: {
    duration: { type: 'string', short: 'd', placeholder: '<duration>', help: 'not asked since (60m)' },
    force: { type: 'boolean', help: 'without asking' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run(call: Call): Promise<number> {
  return prune(call, '/v1/bouncers/prune', { duration: call.given.text('duration') ?? '60m' }, 'bouncer');
}
