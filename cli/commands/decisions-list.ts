/** `decisions list` */
import type { AlertModel, DecisionList, DecisionModel } from '../../gateway/admin/models.ts';
import type { Call, Command, Given } from '../command.ts';
import type { ControlClient } from '../control-client.ts';
import { limitOf } from '../limit.ts';
import type { Output } from '../output/output.ts';
import { decisionColumns, plural } from '../show.ts';

export const decisionsList: Command = {
  name: 'decisions list',
  summary: 'show the decisions that are enforced',
  usage: '[filters]',
  examples: [
    ['portcullis decisions list', 'the hundred latest, without those of communities and lists'],
    ['portcullis decisions list --ip 203.0.113.9', 'what covers an address, ranges included'],
    ['portcullis decisions list --history --scenario portcullis/http-probing', 'also those that are over'],
    ['portcullis decisions list -a --limit 0 -o raw > decisions.csv', 'everything, as CSV'],
    ['portcullis decisions list -o json', 'as cscli prints it: a list of alerts, each with its `decisions`'],
  ],
  options: {
    all: { type: 'boolean', short: 'a', help: 'also those of communities and lists (CAPI, lists)' },
    history: { type: 'boolean', help: 'also decisions that are over or were lifted' },
    since: { type: 'string', placeholder: '<duration>', help: 'made within this time: 30m, 4h, 7d' },
    until: { type: 'string', placeholder: '<duration>', help: 'made before this time' },
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'those that cover this address' },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'those that cover this range' },
    contained: { type: 'boolean', help: 'with --range: those that lie inside it instead' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Ip, Range, Country, AS, or one of your own' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'exactly this value' },
    type: { type: 'string', short: 't', placeholder: '<type>', help: 'ban, captcha, throttle, …' },
    scenario: { type: 'string', short: 's', placeholder: '<name>', help: 'made by this scenario' },
    origin: { type: 'string', placeholder: '<origin>', help: 'crowdsec, cscli, CAPI, lists, …' },
    id: { type: 'string', placeholder: '<id>', help: 'the one with this id, or a uuid that begins so' },
    'no-simu': { type: 'boolean', help: 'without simulated ones' },
    machine: { type: 'boolean', short: 'm', help: 'show who reported what they follow from' },
    limit: { type: 'string', short: 'l', placeholder: '<count>', help: 'at most so many (100); 0 for all' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

const texts = ['since', 'until', 'ip', 'range', 'scope', 'value', 'type', 'scenario', 'origin', 'id'] as const;
const largestPage = 10_000;

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const client = await gateway();
  const found = await decisionsOf(client, given, limitOf(given, 100), output.format === 'json');
  const machines = given.flag('machine');
  switch (output.format) {
    case 'json':
      output.json(asAlerts(found));
      break;
    case 'raw':
      output.csv(
        [...rawHeader, ...(machines ? ['machine'] : [])],
        found.decisions.map((decision) => rawRow(decision, machines)),
      );
      break;
    case 'human':
      if (found.decisions.length === 0) output.line('No decisions.');
      else output.table(decisionColumns(clock.now(), machines), found.decisions);
      showRest(output, found);
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

async function decisionsOf(
  client: ControlClient,
  given: Given,
  limit: number,
  withAlerts: boolean,
): Promise<Required<DecisionList>> {
  const decisions: DecisionModel[] = [];
  const alerts = new Map<number, AlertModel>();
  const showsAll = given.flag('all') || given.text('origin') !== undefined || given.text('id') !== undefined;
  const query = {
    ...Object.fromEntries(texts.map((name) => [name, given.text(name)])),
    ...(given.flag('history') ? { all: 'true' } : {}),
    ...(given.flag('contained') ? { contained: 'true' } : {}),
    ...(given.flag('no-simu') ? { simulated: 'false' } : {}),
    ...(showsAll ? {} : { own: 'true' }),
    ...(withAlerts ? { alerts: 'true' } : {}),
  };
  let next: string | null = null;
  let hidden: number | null = null;
  do {
    const page: DecisionList = await client.ask<DecisionList>('GET', '/v1/decisions', {
      query: {
        ...query,
        limit: String(Math.min(largestPage, limit - decisions.length)),
        ...(next === null ? {} : { after: next }),
      },
    });
    decisions.push(...page.decisions);
    for (const alert of page.alerts ?? []) alerts.set(alert.id, alert);
    ({ next, hidden } = page);
  } while (next !== null && decisions.length < limit);
  return { decisions, next, hidden, alerts: [...alerts.values()] };
}

function showRest(output: Output, { decisions, next, hidden }: DecisionList): void {
  if (next === null && (hidden ?? 0) === 0) return;
  const more =
    next === null ? '' : `The latest ${plural(decisions.length, 'decision')}; there are more. --limit 0 shows all.`;
  const foreign = hidden ? `${plural(hidden, 'decision')} of communities and lists not shown: -a shows them.` : '';
  output.line();
  for (const line of [more, foreign]) if (line !== '') output.line(output.paint('dim', line));
}

/** What scripts written for cscli read: each alert with those of its decisions that were asked for. */
function asAlerts({ decisions, alerts }: Required<DecisionList>): object[] {
  const known = new Map(alerts.map((alert) => [alert.id, alert]));
  const groups = Map.groupBy(decisions, ({ alert_id, uuid }) => alert_id ?? uuid);
  return [...groups].map(([key, group]) => {
    const alert = typeof key === 'number' ? known.get(key) : undefined;
    return { ...(alert ?? standIn(group[0])), decisions: group };
  });
}

/** For decisions without an alert, those of lists and of other Local APIs. */
function standIn(decision: DecisionModel | undefined): object {
  if (decision === undefined) return {};
  const { scenario, scope, value, created_at, simulated, country: cn } = decision;
  return { id: 0, scenario, message: scenario, simulated, created_at, source: { scope, value, cn }, events: [] };
}

/** CrowdSec's columns. */
const rawHeader = [
  'id',
  'source',
  'ip',
  'reason',
  'action',
  'country',
  'as',
  'events_count',
  'expiration',
  'simulated',
  'alert_id',
];

function rawRow(decision: DecisionModel, machines: boolean): (string | number | boolean)[] {
  return [
    decision.id,
    decision.origin,
    `${decision.scope}:${decision.value}`,
    decision.scenario,
    decision.type,
    decision.country,
    decision.as,
    decision.events_count,
    decision.duration,
    decision.simulated,
    decision.alert_id ?? '',
    ...(machines ? [decision.machine_id] : []),
  ];
}
