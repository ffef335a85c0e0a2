/** `decisions delete` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { DecisionsDeleted } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { plural, scopedValue, typeColour } from '../show.ts';

export const decisionsDelete: Command = {
  name: 'decisions delete',
  aliases: ['decisions remove'],
  summary: 'lift decisions',
  usage: '--ip <address> | --id <id> | --all | [filters]',
  examples: [
    ['portcullis decisions delete --ip 203.0.113.9', 'whatever covers an address, ranges included'],
    ['portcullis decisions delete --value 198.51.100.0/24', 'exactly this range'],
    ['portcullis decisions delete --id 42', 'one decision'],
    ['portcullis decisions delete --all', 'everything'],
  ],
  options: {
    ip: {
      type: 'string',
      short: 'i',
      placeholder: '<address>',
      help: 'those that cover this address, ranges included',
    },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'those that cover this range' },
    contained: { type: 'boolean', help: 'with --range: those that lie inside it instead' },
    id: { type: 'string', placeholder: '<id>', help: 'the one with this id, or a uuid that begins so' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'exactly this value' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Ip, Range, Country, AS, or one of your own' },
    type: { type: 'string', short: 't', placeholder: '<type>', help: 'of this type' },
    scenario: { type: 'string', short: 's', placeholder: '<name>', help: 'made by this scenario' },
    origin: { type: 'string', placeholder: '<origin>', help: 'from this origin' },
    all: { type: 'boolean', help: 'every decision there is' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const filters = ['ip', 'range', 'id', 'value', 'scope', 'type', 'scenario', 'origin'] as const;

async function run({ output, given, gateway }: Call): Promise<number> {
  const query = Object.fromEntries(filters.map((name) => [name, given.text(name)]));
  const named = filters.some((name) => given.text(name) !== undefined);
  if (named && given.flag('all')) {
    throw new GatewayError('USAGE', '--all cannot be given together with a filter', {
      remedy: 'Leave out one of them.',
    });
  }
  const client = await gateway();
  const result = await client.ask<DecisionsDeleted>('DELETE', '/v1/decisions', {
    query: {
      ...query,
      ...(given.flag('contained') ? { contained: 'true' } : {}),
      ...(given.flag('all') ? { all: 'true' } : {}),
    },
  });
  switch (output.format) {
    case 'json':
      output.json(result);
      break;
    case 'raw':
      output.line(String(result.deleted));
      break;
    case 'human':
      output.line(result.deleted === 0 ? 'Nothing to lift.' : `Lifted ${plural(result.deleted, 'decision')}.`);
      for (const decision of result.decisions) {
        const type = output.paint(typeColour(decision.type), safeText(decision.type));
        output.line(
          `  ${type} on ${safeText(scopedValue(decision))}  ${output.paint('dim', safeText(decision.scenario))}`,
        );
      }
      if (result.deleted > result.decisions.length) output.line(output.paint('dim', '  …'));
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}
