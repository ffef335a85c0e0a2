/** Pieces that several verbs show: decisions, alerts and refusals as rows, and the colours that mean something. */
import type { AlertModel, DecisionModel, MetaModel, RefusalModel, Verdict } from '../gateway/admin/models.ts';
import type { Colour, Column, Output } from './output/output.ts';
import { safeText } from './output/safe-text.ts';
import { relativeTime, shortSpan } from './output/times.ts';

export function typeColour(type: string): Colour {
  switch (type) {
    case 'captcha':
    case 'throttle':
      return 'yellow';
    default:
      return 'red';
  }
}

/** What is left of a decision, or how it ended. */
export function remaining(decision: DecisionModel, now: number): string {
  if (decision.deleted_at !== null) return `lifted ${relativeTime(decision.deleted_at, now)}`;
  const leftMs = Date.parse(decision.until) - now;
  return leftMs > 0 ? shortSpan(leftMs) : `over ${relativeTime(decision.until, now)}`;
}

export function decisionColumns(now: number, machines = false): readonly Column<DecisionModel>[] {
  return [
    { title: 'ID', value: ({ id }) => String(id), colour: () => 'dim' },
    { title: 'VALUE', value: scopedValue, flexible: true },
    {
      title: 'TYPE',
      value: ({ type, simulated }) => (simulated ? `(simul) ${type}` : type),
      colour: ({ type, active }) => (active ? typeColour(type) : 'dim'),
    },
    { title: 'REASON', value: ({ scenario }) => scenario, flexible: true },
    { title: 'ORIGIN', value: ({ origin }) => origin },
    { title: 'COUNTRY', value: ({ country }) => country },
    { title: 'LEFT', value: (decision) => remaining(decision, now) },
    { title: 'ALERT', value: ({ alert_id }) => (alert_id === null ? '' : String(alert_id)), colour: () => 'dim' },
    ...(machines ? [{ title: 'MACHINE', value: ({ machine_id }: DecisionModel) => machine_id }] : []),
  ];
}

/** An address stands for itself; other scopes are named. */
export function scopedValue({ scope, value }: { readonly scope: string; readonly value: string }): string {
  return scope === 'Ip' || scope === 'Range' ? value : `${scope} ${value}`.trimEnd();
}

export function alertColumns(now: number, machines = false): readonly Column<AlertModel>[] {
  return [
    { title: 'ID', value: ({ id }) => String(id), colour: () => 'dim' },
    { title: 'SOURCE', value: ({ source }) => scopedValue(source), flexible: true },
    {
      title: 'SCENARIO',
      value: ({ scenario, simulated }) => (simulated ? `(simul) ${scenario}` : scenario),
      flexible: true,
    },
    { title: 'EVENTS', value: ({ events_count }) => String(events_count), align: 'right' },
    { title: 'COUNTRY', value: ({ source }) => source.cn },
    { title: 'DECISIONS', value: decisionCounts, colour: () => 'red' },
    { title: 'WHEN', value: ({ created_at }) => relativeTime(created_at, now) },
    ...(machines ? [{ title: 'MACHINE', value: ({ machine_id }: AlertModel) => machine_id }] : []),
  ];
}

const mostDecisionsTold = 1_000;

/** What followed from an alert, as cscli says it: `ban:1`. */
export function decisionCounts({ decisions }: AlertModel): string {
  const counts = new Map<string, number>();
  for (const { type } of decisions) counts.set(type, (counts.get(type) ?? 0) + 1);
  // The gateway tells no more of one alert.
  const more = decisions.length >= mostDecisionsTold ? '+' : '';
  return [...counts].map(([type, count]) => `${type}:${count}${more}`).join(' ');
}

/** `64496 Example Net` */
export function systemName({ source }: AlertModel): string {
  return [source.as_number, source.as_name].filter((part) => part !== '').join(' ');
}

/** The first value of a key, "" where there is none. */
export function metaValue(meta: readonly MetaModel[], wanted: string): string {
  return meta.find(({ key }) => key === wanted)?.value ?? '';
}

export function refusalColumns(now: number): readonly Column<RefusalModel>[] {
  return [
    { title: 'REQUEST', value: ({ request_id }) => request_id, colour: () => 'dim' },
    { title: 'WHEN', value: ({ at }) => relativeTime(at, now) },
    { title: 'STATUS', value: ({ status }) => String(status), align: 'right' },
    { title: 'WHAT', value: ({ method, target }) => `${method} ${target}`, flexible: true },
    {
      title: 'WHY',
      value: ({ reason, scenario, detail }) => (reason === 'decision' ? scenario : detail || reason),
      flexible: true,
    },
  ];
}

/** `refused: a ban on Ip 203.0.113.9 covers it for another 3h59m12s`. */
export function verdictLine(output: Output, { outcome, because }: Verdict): string {
  const colours: Readonly<Record<Verdict['outcome'], Colour>> = {
    allowed: 'green',
    passed: 'green',
    refused: 'red',
    throttled: 'yellow',
  };
  return `${output.paint(colours[outcome], outcome)}: ${safeText(because)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
