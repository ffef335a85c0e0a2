/** `allowlists delete` */
import { parseRange } from '../../core/ip.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const allowlistsDelete: Command = {
  name: 'allowlists delete',
  aliases: ['allowlist delete'],
  summary: 'delete an allowlist with everything on it',
  usage: '<name>',
  examples: [['portcullis allowlists delete office', 'decisions about them count again']],
  options: {},
  positionals: { least: 1, most: 1, missing: 'no allowlist was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const [name = ''] = given.positionals;
  if (parseRange(name) !== null) {
    throw new GatewayError('USAGE', `${name} is no allowlist`, {
      remedy: `To take it off one: allowlists remove <name> ${name}`,
    });
  }
  const path = `/v1/allowlists/${encodeURIComponent(name)}`;
  const { deleted } = await (await gateway()).ask<{ deleted: string }>('DELETE', path);
  switch (output.format) {
    case 'json':
      output.json({ deleted });
      break;
    case 'raw':
      output.line(safeText(deleted));
      break;
    case 'human':
      output.line(`Allowlist ${safeText(deleted)} is gone.`);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
