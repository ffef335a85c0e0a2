/** `allowlists remove` */
import { exitStatus } from '../../core/errors.ts';
import { changeAllowlist, listAndValues } from '../allowlists/change-allowlist.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';

export const allowlistsRemove: Command = {
  name: 'allowlists remove',
  aliases: ['allowlist remove'],
  summary: 'take entries off an allowlist',
  usage: '<name> <address, range or host name>…',
  examples: [['portcullis allowlists remove office 192.0.2.10', 'decisions about it count again']],
  options: {},
  positionals: { least: 1, most: 10_000, missing: 'no allowlist was named' },
  run,
};

async function run({ output, given, gateway, io }: Call): Promise<number> {
  const { list, values } = listAndValues(given.positionals);
  const { changed, unchanged } = await changeAllowlist(await gateway(), list, 'remove', values);
  switch (output.format) {
    case 'json':
      output.json({ changed, unchanged });
      break;
    case 'raw':
      for (const value of changed) output.line(safeText(value));
      break;
    case 'human':
      for (const value of changed) output.line(`${safeText(value)} is off ${safeText(list)}.`);
      break;
    default:
      return output.format satisfies never;
  }
  for (const value of unchanged) io.stderr.write(`${safeText(value)} does not stand on ${safeText(list)}\n`);
  return unchanged.length === 0 ? exitStatus.ok : exitStatus.failed;
}
