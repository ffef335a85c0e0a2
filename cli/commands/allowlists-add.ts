/** `allowlists add` */
import { changeAllowlist, listAndValues } from '../allowlists/change-allowlist.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export const allowlistsAdd: Command = {
  name: 'allowlists add',
  aliases: ['allowlist add'],
  summary: 'never refuse an address, a range or a host',
  usage: '<name> <address, range or host name>…',
  examples: [
    ['portcullis allowlists add office 192.0.2.10 --comment "Ann"', 'for ever'],
    ['portcullis allowlists add office 198.51.100.0/24 --expiration 7d', 'for a week'],
  ],
  options: {
    comment: { type: 'string', short: 'd', placeholder: '<text>', help: 'whose it is' },
    expiration: { type: 'string', short: 'e', placeholder: '<duration>', help: 'how long (for ever): 4h, 7d' },
  },
  positionals: { least: 1, most: 10_000, missing: 'no allowlist was named' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const { list, values } = listAndValues(given.positionals);
  const comment = given.text('comment');
  const expiration = given.text('expiration');
  const more = { ...(comment === undefined ? {} : { comment }), ...(expiration === undefined ? {} : { expiration }) };
  const result = await changeAllowlist(await gateway(), list, 'items', values, more);
  switch (output.format) {
    case 'json':
      output.json(result);
      break;
    case 'raw':
      for (const value of result.changed) output.line(safeText(value));
      break;
    case 'human':
      for (const value of result.changed) output.line(`Nothing refuses ${safeText(value)} from now on.`);
      for (const value of result.unchanged) output.line(`${safeText(value)} stands on ${safeText(list)} already.`);
      if (result.lifted > 0) output.line(`${plural(result.lifted, 'decision')} about them lifted.`);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
