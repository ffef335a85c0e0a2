/** `why` */
import { exitStatus } from '../../core/errors.ts';
import type { RefusalModel, WhyAddress, WhyRequest } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import type { Output } from '../output/output.ts';
import { calledAs } from '../invocation.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime } from '../output/times.ts';
import {
  alertColumns,
  decisionColumns,
  refusalColumns,
  remaining,
  scopedValue,
  typeColour,
  verdictLine,
} from '../show.ts';
import { showFindings } from '../explain/findings.ts';
import { showAlert } from './alerts-inspect.ts';

export const why: Command = {
  name: 'why',
  summary: 'why a request was refused, or whether an address would be',
  usage: '<request id | address>',
  examples: [
    ['portcullis why 4f1c09ab22e07d31', 'the id on the refusal page, in X-Request-Id and in the log'],
    ['portcullis why 203.0.113.9', 'what would become of its next request, and what it did'],
  ],
  options: {},
  positionals: { least: 1, most: 1, missing: 'neither a request id nor an address was given' },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const [subject = ''] = given.positionals;
  const answer = await (await gateway()).ask<WhyAddress | WhyRequest>('GET', `/v1/why/${encodeURIComponent(subject)}`);
  if (output.format === 'json') output.json(answer);
  else if (output.format === 'raw') {
    const { outcome, because } = answer.now ?? { outcome: 'unknown', because: '' };
    output.csv(['subject', 'now', 'because'], [[subject, outcome, because]]);
  } else if (answer.kind === 'address') showAddress(output, answer, clock.now());
  else showRequest(output, answer, clock.now());
  return exitStatus.ok;
}

function showAddress(output: Output, answer: WhyAddress, now: number): void {
  output.heading(answer.address);
  const observing = answer.sites.filter(({ mode }) => mode === 'observe').map(({ name }) => name);
  output.pairs([
    ['now', verdictLine(output, answer.now)],
    [
      'by',
      answer.now.decision === null ? '' : safeText(`${answer.now.decision.scenario} (${answer.now.decision.origin})`),
    ],
    ['mode', observing.length === 0 ? 'block' : `observe on ${safeText(observing.join(', '))}`],
    ['protected', answer.protected_by === null ? '' : `${safeText(answer.protected_by)}: scenarios never ban it`],
  ]);
  if (answer.decisions.length > 0) {
    output.line();
    output.heading('Decisions that cover it');
    output.table(decisionColumns(now), answer.decisions);
  }
  if (answer.alerts.length > 0) {
    output.line();
    output.heading('Latest alerts');
    output.table(alertColumns(now), answer.alerts);
  }
  if (answer.refusals.length > 0) {
    output.line();
    output.heading('Latest requests that were not passed');
    output.table(refusalColumns(now), answer.refusals);
  }
  if (answer.now.outcome === 'refused' || answer.now.outcome === 'throttled') {
    output.line();
    output.line(output.paint('dim', `Lift it with: ${calledAs} decisions delete --ip ${answer.address}`));
  }
}

function showRequest(output: Output, answer: WhyRequest, now: number): void {
  const { refusal, decision, alert } = answer;
  output.heading(`Request ${answer.request_id}`);
  if (refusal === null) output.line('It was passed on; an alert names it.');
  else showRefusal(output, refusal, answer.mode, now);
  if (refusal !== null) showFindings(output, refusal.findings);
  if (decision !== null) {
    output.line();
    output.heading('Decision');
    const type = output.paint(typeColour(decision.type), safeText(decision.type));
    output.pairs([
      ['what', `${type} on ${safeText(scopedValue(decision))}`],
      ['id', `${decision.id}  ${output.paint('dim', safeText(decision.uuid))}`],
      ['reason', safeText(decision.scenario)],
      ['origin', safeText(decision.origin)],
      ['made', absoluteTime(decision.created_at, now)],
      ['left', remaining(decision, now)],
    ]);
  } else if (refusal?.reason === 'decision') {
    output.line();
    output.line(`The decision (${safeText(refusal.detail)}) is no longer stored.`);
  }
  if (alert !== null) {
    output.line();
    output.line(output.paint('dim', 'Alert'));
    showAlert(output, alert, now, false);
  }
  if (answer.now !== null) {
    output.line();
    output.line(`${output.paint('dim', 'The next request of this client:')} ${verdictLine(output, answer.now)}`);
  }
}

function showRefusal(output: Output, refusal: RefusalModel, mode: string | null, now: number): void {
  const from =
    refusal.client_from === 'peer'
      ? 'the connection itself'
      : `the header ${refusal.client_from}, sent by ${refusal.peer_ip}`;
  output.pairs([
    ['when', absoluteTime(refusal.at, now)],
    ['what', safeText(`${refusal.method} ${refusal.target}`)],
    ['user agent', safeText(refusal.user_agent)],
    ['site', safeText([refusal.site, mode === null ? '' : `(${mode})`].join(' ').trim())],
    ['client', safeText(refusal.client_ip)],
    ['derived from', safeText(from)],
    ['answered', answered(output, refusal)],
  ]);
}

function answered(output: Output, refusal: RefusalModel): string {
  if (refusal.reason === 'waf-observed') return `${refusal.status}: it was passed, the WAF only observed`;
  return `${output.paint('red', String(refusal.status))} ${safeText(reasonOf(refusal))}`;
}

function reasonOf({ reason, remediation, scenario, detail }: RefusalModel): string {
  if (reason === 'decision') return `${remediation}: ${scenario}`;
  return detail === '' ? reason : `${reason}: ${detail}`;
}
