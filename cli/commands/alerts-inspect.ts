/** `alerts inspect` */
import type { AlertEventModel, AlertModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime } from '../output/times.ts';
import { decisionColumns, metaValue, plural, scopedValue, systemName } from '../show.ts';

export const alertsInspect: Command = {
  name: 'alerts inspect',
  summary: 'show one alert with its events and decisions',
  usage: '<id>…',
  examples: [
    ['portcullis alerts inspect 42', 'what happened'],
    ['portcullis alerts inspect 42 --details', 'with everything that is known of each event'],
  ],
  options: { details: { type: 'boolean', short: 'd', help: 'everything that is known of each event' } },
  positionals: { least: 1, most: 100, missing: 'no alert was named' },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const client = await gateway();
  const alerts: AlertModel[] = [];
  for (const id of given.positionals) {
    alerts.push(await client.ask<AlertModel>('GET', `/v1/alerts/${encodeURIComponent(id)}`));
  }
  switch (output.format) {
    case 'json':
      output.json(alerts.length === 1 ? alerts[0] : alerts);
      break;
    case 'raw':
      output.csv(
        ['alert_id', 'timestamp', 'source_ip', 'method', 'path', 'status'],
        alerts.flatMap(({ id, events }) => events.map((event) => [id, ...eventFields(event)])),
      );
      break;
    case 'human':
      for (const [index, alert] of alerts.entries()) {
        if (index > 0) output.line();
        showAlert(output, alert, clock.now(), given.flag('details'));
      }
      break;
    default:
      return output.format satisfies never;
  }
  return 0;
}

/** Also what `why` shows of the alert behind a decision. */
export function showAlert(output: Output, alert: AlertModel, now: number, details: boolean): void {
  output.heading(safeText(alert.scenario));
  output.pairs([
    ['alert', `${alert.id}  ${output.paint('dim', safeText(alert.uuid))}`],
    [
      'source',
      safeText(
        [scopedValue(alert.source), alert.source.cn, systemName(alert)].filter((part) => part !== '').join('  '),
      ),
    ],
    ['machine', safeText(alert.machine_id)],
    ['when', absoluteTime(alert.created_at, now)],
    ['message', safeText(alert.message)],
    ['bucket', bucketText(alert)],
    ['simulated', alert.simulated ? 'yes: nobody is remedied' : ''],
    ...alert.meta.map(({ key, value }): [string, string] => [safeText(key), safeText(value)]),
  ]);
  if (alert.decisions.length > 0) {
    output.line();
    output.heading('Decisions');
    output.table(decisionColumns(now), alert.decisions);
  }
  if (alert.events.length === 0) return;
  output.line();
  const kept = alert.events.length < alert.events_count ? `, ${plural(alert.events.length, 'event')} kept` : '';
  output.heading(`Events (${alert.events_count}${kept})`);
  if (details) for (const event of alert.events) showEvent(output, event);
  else showEvents(output, alert.events);
}

/** "" for alerts that no bucket raised. */
function bucketText({ capacity, leakspeed }: AlertModel): string {
  if (capacity === 0 && (leakspeed === '' || leakspeed === '0')) return '';
  return `capacity ${capacity}${leakspeed === '' ? '' : `, leaks one each ${safeText(leakspeed)}`}`;
}

function showEvents(output: Output, events: readonly AlertEventModel[]): void {
  output.table(
    [
      { title: 'TIME', value: ({ timestamp }) => timestamp.slice(0, 23).replace('T', ' '), colour: () => 'dim' },
      { title: 'STATUS', value: ({ meta }) => metaValue(meta, 'http_status'), align: 'right' },
      {
        title: 'REQUEST',
        value: ({ meta }) => `${metaValue(meta, 'http_verb')} ${metaValue(meta, 'http_path')}`.trim(),
        flexible: true,
      },
      { title: 'USER AGENT', value: ({ meta }) => metaValue(meta, 'http_user_agent'), flexible: true },
    ],
    events,
  );
}

function showEvent(output: Output, { timestamp, meta }: AlertEventModel): void {
  output.line(safeText(timestamp));
  output.pairs(
    meta.map(({ key, value }): [string, string] => [safeText(key), safeText(value)]),
    '  ',
  );
}

function eventFields({ timestamp, meta }: AlertEventModel): string[] {
  return [timestamp, ...['source_ip', 'http_verb', 'http_path', 'http_status'].map((key) => metaValue(meta, key))];
}
