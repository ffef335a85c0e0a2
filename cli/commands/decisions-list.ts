/** `decisions list` */
import type { DecisionList, DecisionModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import { decisionColumns, plural } from '../show.ts';

export const decisionsList: Command = {
  name: 'decisions list',
  summary: 'show the decisions that are enforced',
  usage: '[filters]',
  examples: [
    ['portcullis decisions list', 'the hundred latest'],
    ['portcullis decisions list --ip 203.0.113.9', 'what covers an address, ranges included'],
    ['portcullis decisions list -a --scenario portcullis/http-probing', 'also those that are over'],
    ['portcullis decisions list -o raw > decisions.csv', 'as CSV'],
  ],
  options: {
    all: { type: 'boolean', short: 'a', help: 'also decisions that are over or were lifted' },
    ip: { type: 'string', short: 'i', placeholder: '<address>', help: 'those that cover this address' },
    range: { type: 'string', short: 'r', placeholder: '<range>', help: 'those that cover this range' },
    scope: { type: 'string', placeholder: '<scope>', help: 'Ip, Range, Country, AS, or one of your own' },
    value: { type: 'string', short: 'v', placeholder: '<value>', help: 'exactly this value' },
    type: { type: 'string', short: 't', placeholder: '<type>', help: 'ban, captcha, throttle, …' },
    scenario: { type: 'string', short: 's', placeholder: '<name>', help: 'made by this scenario' },
    origin: { type: 'string', placeholder: '<origin>', help: 'crowdsec, cscli, CAPI, lists, …' },
    id: { type: 'string', placeholder: '<id>', help: 'the one with this id, or the beginning of it' },
    limit: { type: 'string', short: 'l', placeholder: '<count>', help: 'at most so many (100); 0 for all' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const client = await gateway();
  const wanted = given.text('limit') ?? '100';
  const query = {
    ip: given.text('ip'),
    range: given.text('range'),
    scope: given.text('scope'),
    value: given.text('value'),
    type: given.text('type'),
    scenario: given.text('scenario'),
    origin: given.text('origin'),
    id: given.text('id'),
    ...(given.flag('all') ? { all: 'true' } : {}),
  };
  const everything = wanted === '0';
  const decisions: DecisionModel[] = [];
  let next: string | null = null;
  do {
    const after: string | null = next;
    const page: DecisionList = await client.ask<DecisionList>('GET', '/v1/decisions', {
      query: { ...query, limit: everything ? '10000' : wanted, ...(after === null ? {} : { after }) },
    });
    decisions.push(...page.decisions);
    next = page.next;
    if (!everything) break;
  } while (next !== null);

  switch (output.format) {
    case 'json':
      output.json(decisions);
      break;
    case 'raw':
      output.csv(rawHeader, decisions.map(rawRow));
      break;
    case 'human':
      if (decisions.length === 0) output.line('No decisions.');
      else output.table(decisionColumns(clock.now()), decisions);
      if (next !== null) {
        output.line();
        output.line(
          output.paint(
            'dim',
            `The latest ${plural(decisions.length, 'decision')}; there are more. --limit 0 shows all.`,
          ),
        );
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
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

function rawRow(decision: DecisionModel): (string | number | boolean)[] {
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
  ];
}
