/** `alerts inspect` */
import type { AlertEventModel, AlertModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime } from '../output/times.ts';
import { decisionColumns, plural, scopedValue } from '../show.ts';

export const alertsInspect: Command = {
  name: 'alerts inspect',
  summary: 'show one alert with its events and decisions',
  usage: '<id>…',
  examples: [
    ['portcullis alerts inspect 3f2a91c0', 'what happened'],
    ['portcullis alerts inspect 3f2a91c0 --details', 'with everything that is known of each event'],
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
    ['alert', safeText(alert.id)],
    ['source', safeText([scopedValue(alert), alert.country, alert.as].filter((part) => part !== '').join('  '))],
    ['when', absoluteTime(alert.created_at, now)],
    ['message', safeText(alert.message)],
    [
      'bucket',
      `capacity ${alert.capacity}${alert.leakspeed === '' ? '' : `, leaks one each ${safeText(alert.leakspeed)}`}`,
    ],
    ['simulated', alert.simulated ? 'yes: nobody is remedied' : ''],
    ...Object.entries(alert.context).map(([key, value]): [string, string] => [safeText(key), safeText(value)]),
  ]);
  if (alert.decision_list.length > 0) {
    output.line();
    output.heading('Decisions');
    output.table(decisionColumns(now), alert.decision_list);
  }
  if (alert.events.length === 0) return;
  output.line();
  const kept = alert.events.length < alert.events_count ? `, ${plural(alert.events.length, 'event')} kept` : '';
  output.heading(`Events (${alert.events_count}${kept})`);
  if (details) for (const event of alert.events) showEvent(output, event);
  else showEvents(output, alert.events);
}

function showEvents(output: Output, events: readonly AlertEventModel[]): void {
  output.table(
    [
      { title: 'TIME', value: ({ timestamp }) => timestamp.slice(0, 23).replace('T', ' '), colour: () => 'dim' },
      { title: 'STATUS', value: ({ meta }) => meta.http_status ?? '', align: 'right' },
      {
        title: 'REQUEST',
        value: ({ meta }) => `${meta.http_verb ?? ''} ${meta.http_path ?? ''}`.trim(),
        flexible: true,
      },
      { title: 'USER AGENT', value: ({ meta }) => meta.http_user_agent ?? '', flexible: true },
    ],
    events,
  );
}

function showEvent(output: Output, { timestamp, meta }: AlertEventModel): void {
  output.line(safeText(timestamp));
  output.pairs(
    Object.entries(meta).map(([key, value]): [string, string] => [safeText(key), safeText(value)]),
    '  ',
  );
}

function eventFields({ timestamp, meta }: AlertEventModel): string[] {
  return [timestamp, meta.source_ip ?? '', meta.http_verb ?? '', meta.http_path ?? '', meta.http_status ?? ''];
}
