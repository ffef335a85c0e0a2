/** `alerts list` */
import type { AlertList, AlertModel } from '../../gateway/admin/models.ts';
import type { Call, Command, Given } from '../command.ts';
import type { ControlClient } from '../control-client.ts';
import { limitOf } from '../limit.ts';
import { alertColumns, decisionCounts, systemName } from '../show.ts';

export const alertsList: Command = {
  name: 'alerts list',
  summary: 'show what scenarios noticed',
  usage: '[filters]',
  examples: [
    ['portcullis alerts list --since 4h', 'the last four hours'],
    ['portcullis alerts list --ip 203.0.113.9', 'about one address'],
    ['portcullis alerts list --range 192.0.2.0/24 --contained', 'about addresses of a network'],
  ],
  options: {
    since: { type: 'string', placeholder: '<duration>', help: 'not older than this: 30m, 4h, 7d' },
    until: { type: 'string', placeholder: '<duration>', help: 'older than this' },
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'about this address' },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'about this range' },
    contained: { type: 'boolean', help: 'with --range: also about what lies inside' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Ip, Range, Country, AS, or one of your own' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'about this value' },
    scenario: { type: 'string', short: 's', placeholder: '<name>', help: 'raised by this scenario' },
    type: { type: 'string', placeholder: '<type>', help: 'that led to a decision of this type' },
    origin: { type: 'string', placeholder: '<origin>', help: 'that led to a decision of this origin' },
    machine: { type: 'boolean', short: 'm', help: 'show who reported them' },
    all: { type: 'boolean', short: 'a', help: 'also those that stand for lists from elsewhere' },
    limit: { type: 'string', short: 'l', placeholder: '<count>', help: 'at most so many (50); 0 for all' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const filters = ['since', 'until', 'ip', 'range', 'scope', 'value', 'scenario', 'type', 'origin'] as const;

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const limit = limitOf(given, 50);
  const alerts = await alertsOf(await gateway(), given, limit);
  const machines = given.flag('machine');
  switch (output.format) {
    case 'json':
      output.json(alerts);
      break;
    case 'raw':
      output.csv(
        [...rawHeader, ...(machines ? ['machine'] : [])],
        alerts.map((alert) => rawRow(alert, machines)),
      );
      break;
    case 'human':
      if (alerts.length === 0) output.line('No alerts.');
      else output.table(alertColumns(clock.now(), machines), alerts);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

const largestPage = 1_000;

async function alertsOf(client: ControlClient, given: Given, limit: number): Promise<AlertModel[]> {
  const alerts: AlertModel[] = [];
  let next: number | null = null;
  do {
    const query: Record<string, string | undefined> = {
      ...Object.fromEntries(filters.map((name) => [name, given.text(name)])),
      ...(given.flag('contained') ? { contained: 'true' } : {}),
      ...(given.flag('all') || given.text('origin') !== undefined ? {} : { own: 'true' }),
      limit: String(Math.min(largestPage, limit - alerts.length)),
      ...(next === null ? {} : { before: String(next) }),
    };
    const page: AlertList = await client.ask<AlertList>('GET', '/v1/alerts', { query });
    alerts.push(...page.alerts);
    next = page.next;
  } while (next !== null && alerts.length < limit);
  return alerts;
}

/** CrowdSec's columns. */
const rawHeader = ['id', 'scope', 'value', 'reason', 'country', 'as', 'decisions', 'created_at', 'kind'];

function rawRow(alert: AlertModel, machines: boolean): (string | number)[] {
  const { id, source, scenario, created_at, kind, machine_id } = alert;
  const row = [id, source.scope, source.value, scenario, source.cn, systemName(alert), decisionCounts(alert)];
  return [...row, created_at, kind, ...(machines ? [machine_id] : [])];
}
