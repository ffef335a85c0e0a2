/** `alerts list` */
import type { AlertSummary } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { alertColumns } from '../show.ts';

export const alertsList: Command = {
  name: 'alerts list',
  summary: 'show what scenarios noticed',
  usage: '[filters]',
  examples: [
    ['portcullis alerts list --since 4h', 'the last four hours'],
    ['portcullis alerts list --ip 203.0.113.9', 'about one address'],
  ],
  options: {
    since: { type: 'string', placeholder: '<duration>', help: 'not older than this: 30m, 4h, 7d' },
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'about this address' },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'about this range' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Ip, Range, Country, AS, or one of your own' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'about this value' },
    scenario: { type: 'string', short: 's', placeholder: '<name>', help: 'raised by this scenario' },
    limit: { type: 'string', short: 'l', placeholder: '<count>', help: 'at most so many (50)' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const filters = ['since', 'ip', 'range', 'scope', 'value', 'scenario', 'limit'] as const;

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const query = Object.fromEntries(filters.map((name) => [name, given.text(name)]));
  const { alerts } = await (await gateway()).ask<{ alerts: AlertSummary[] }>('GET', '/v1/alerts', { query });
  switch (output.format) {
    case 'json':
      output.json(alerts);
      break;
    case 'raw':
      output.csv(rawHeader, alerts.map(rawRow));
      break;
    case 'human':
      if (alerts.length === 0) output.line('No alerts.');
      else output.table(alertColumns(clock.now()), alerts);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

/** CrowdSec's columns. */
const rawHeader = ['id', 'scope', 'value', 'reason', 'country', 'as', 'decisions', 'created_at', 'kind'];

function rawRow({ id, scope, value, scenario, country, as, decisions, created_at, kind }: AlertSummary): string[] {
  return [id, scope, value, scenario, country, as, decisions, created_at, kind];
}
