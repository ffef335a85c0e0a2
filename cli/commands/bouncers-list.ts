/** `bouncers list` */
import type { BouncerModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { relativeTime } from '../output/times.ts';

export const bouncersList: Command = {
  name: 'bouncers list',
  aliases: ['bouncer list'],
  summary: 'show the programs that may ask this gateway',
  usage: '',
  examples: [['portcullis bouncers list', 'their names; keys are not kept']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, gateway, clock }: Call): Promise<number> {
  const { bouncers } = await (await gateway()).ask<{ bouncers: BouncerModel[] }>('GET', '/v1/bouncers');
  const now = clock.now();
  switch (output.format) {
    case 'json':
      output.json(bouncers);
      break;
    case 'raw':
      output.csv(
        ['name', 'created_at'],
        bouncers.map(({ name, created_at }) => [name, created_at]),
      );
      break;
    case 'human':
      if (bouncers.length === 0) output.line('There are no bouncers. Add one with: bouncers add <name>');
      else {
        output.table(
          [
            { title: 'NAME', value: ({ name }) => name },
            { title: 'ADDED', value: ({ created_at }) => relativeTime(created_at, now), colour: () => 'dim' },
          ],
          bouncers,
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
