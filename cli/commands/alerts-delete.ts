/** `alerts delete` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { AlertsDeleted } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { plural } from '../show.ts';

export const alertsDelete: Command = {
  name: 'alerts delete',
  aliases: ['alerts remove'],
  summary: 'delete alerts, and lift the decisions that followed from them',
  usage: '--id <id> | --ip <address> | --all | [filters]',
  examples: [
    ['portcullis alerts delete --ip 203.0.113.9', 'what is known of an address'],
    ['portcullis alerts delete --id 42', 'one alert'],
    ['portcullis alerts delete --scenario portcullis/http-probing', 'what one scenario raised'],
  ],
  options: {
    id: { type: 'string', placeholder: '<id>', help: 'the one with this id, or a uuid that begins so' },
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'about this address' },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'about this range' },
    contained: { type: 'boolean', help: 'with --range: also about what lies inside' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Ip, Range, Country, AS, or one of your own' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'about this value' },
    scenario: { type: 'string', short: 's', placeholder: '<name>', help: 'raised by this scenario' },
    since: { type: 'string', placeholder: '<duration>', help: 'not older than this: 30m, 4h, 7d' },
    until: { type: 'string', placeholder: '<duration>', help: 'older than this' },
    all: { type: 'boolean', short: 'a', help: 'every alert there is' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const filters = ['id', 'ip', 'range', 'scope', 'value', 'scenario', 'since', 'until'] as const;

async function run({ output, given, gateway }: Call): Promise<number> {
  if (given.flag('all') && filters.some((name) => given.text(name) !== undefined)) {
    throw new GatewayError('USAGE', '--all cannot be given together with a filter', {
      remedy: 'Leave out one of them.',
    });
  }
  const query = {
    ...Object.fromEntries(filters.map((name) => [name, given.text(name)])),
    ...(given.flag('contained') ? { contained: 'true' } : {}),
    ...(given.flag('all') ? { all: 'true' } : {}),
  };
  const result = await (await gateway()).ask<AlertsDeleted>('DELETE', '/v1/alerts', { query });
  switch (output.format) {
    case 'json':
      output.json(result);
      break;
    case 'raw':
      output.line(String(result.deleted));
      break;
    case 'human':
      if (result.deleted === 0) output.line('No alerts to delete.');
      else output.line(`Deleted ${plural(result.deleted, 'alert')}, lifted ${plural(result.lifted, 'decision')}.`);
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}
