/** `bouncers list` */
import type { BouncerModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { relativeTime } from '../output/times.ts';

export const bouncersList: Command = {
  name: 'bouncers list',
  aliases: ['bouncer list'],
  summary: 'show the programs that may ask this gateway',
  usage: '',
  examples: [['portcullis bouncers list', 'who they are and when they asked last; keys are not kept']],
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
      // CrowdSec's columns; under "revoked" it says whether the bouncer is good.
      output.csv(
        ['name', 'ip', 'revoked', 'last_pull', 'type', 'version', 'auth_type'],
        bouncers.map((one) => [
          one.name,
          one.ip_address,
          one.revoked ? 'pending' : 'validated',
          one.last_pull ?? '',
          one.type,
          one.version,
          one.auth_type,
        ]),
      );
      break;
    case 'human':
      if (bouncers.length === 0) output.line('There are no bouncers. Add one with: bouncers add <name>');
      else {
        output.table(
          [
            { title: 'NAME', value: ({ name }) => name, flexible: true },
            { title: 'IP', value: ({ ip_address }) => ip_address },
            {
              title: 'ASKED',
              value: ({ last_pull }) => (last_pull === null ? 'never' : relativeTime(last_pull, now)),
              colour: ({ last_pull }) => (last_pull === null ? 'dim' : null),
            },
            { title: 'TYPE', value: ({ type }) => type, flexible: true },
            { title: 'VERSION', value: ({ version }) => version, flexible: true },
            { title: 'AUTH', value: ({ auth_type }) => auth_type },
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
