/** `allowlists create` */
import type { AllowlistModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import { safeText } from '../output/safe-text.ts';

export const allowlistsCreate: Command = {
  name: 'allowlists create',
  aliases: ['allowlist create'],
  summary: 'make an allowlist, empty for now',
  usage: '<name> --description <text>',
  examples: [['portcullis allowlists create office --description "our own people"', 'then add addresses to it']],
  options: { description: { type: 'string', short: 'd', placeholder: '<text>', help: 'who stands on it' } },
  positionals: { least: 1, most: 1, missing: 'the allowlist needs a name' },
  run,
};

async function run({ output, given, gateway }: Call): Promise<number> {
  const [name = ''] = given.positionals;
  const body = { name, description: given.text('description') ?? '' };
  const made = await (await gateway()).ask<AllowlistModel>('POST', '/v1/allowlists', { body });
  switch (output.format) {
    case 'json':
      output.json(made);
      break;
    case 'raw':
      output.line(safeText(made.name));
      break;
    case 'human':
      output.line(`Allowlist ${safeText(made.name)} is there, and empty.`);
      output.line(output.paint('dim', `Add to it with: ${calledAs} allowlists add ${safeText(made.name)} <value>…`));
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}
