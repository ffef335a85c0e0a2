/** What the Local API counts, under CrowdSec's names, and the decisions that it hands out. */
import {
  lapiDurationBounds,
  type LapiDurations,
  type LapiSeries,
} from '../../remediation/lapi/server/lapi-counters.ts';
import { type HistogramReading, labelled, type Metric, type MetricSources, type Sample } from './metric.ts';

type Counters = NonNullable<MetricSources['lapiCounters']>;
type Table = 'routes' | 'machines' | 'bouncers' | 'decisionsFound' | 'decisionsMissing' | 'refusedCredentials';

export const lapiMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    'cs_active_decisions',
    'Decisions in force, by what made them.',
    ['reason', 'origin', 'action'],
    ({ activeDecisions }) =>
      [...(activeDecisions?.() ?? [])].map(
        ({ scenario, origin, type, count }): Sample => [{ reason: scenario, origin, action: type }, count],
      ),
  ),
  series('cs_lapi_route_requests_total', 'Requests to the Local API.', ['route', 'method'], 'routes'),
  series(
    'cs_lapi_machine_requests_total',
    'Requests of machines to the Local API.',
    ['machine', 'route', 'method'],
    'machines',
  ),
  series(
    'cs_lapi_bouncer_requests_total',
    'Requests of bouncers to the Local API.',
    ['bouncer', 'route', 'method'],
    'bouncers',
  ),
  series(
    'cs_lapi_decisions_ok_total',
    'Live questions of bouncers that had a decision for an answer.',
    ['bouncer'],
    'decisionsFound',
  ),
  series('cs_lapi_decisions_ko_total', 'Live questions of bouncers that had none.', ['bouncer'], 'decisionsMissing'),
  {
    name: 'cs_lapi_request_duration_seconds',
    type: 'histogram',
    help: 'Time that the Local API took to answer.',
    labels: ['endpoint', 'method'],
    read: ({ lapiCounters }) => lapiCounters?.durations().map(durationReading) ?? [],
  },
  series(
    'portcullis_lapi_refused_total',
    'Keys, tokens and logins that the Local API refused.',
    ['credential'],
    'refusedCredentials',
  ),
];

function series(name: string, help: string, labels: readonly string[], table: Table): Metric {
  const sampleOf = ({ labels: values, count }: LapiSeries): Sample => [
    Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])),
    count,
  ];
  const read = (counters: Counters | undefined): readonly Sample[] => counters?.[table].all().map(sampleOf) ?? [];
  return labelled('counter', name, help, labels, ({ lapiCounters }) => read(lapiCounters));
}

/** The counts are cumulative already; the last is all. */
function durationReading({ labels: [endpoint = '', method = ''], buckets, sumMs }: LapiDurations): HistogramReading {
  return {
    labels: { endpoint, method },
    buckets: lapiDurationBounds.map((boundMs, index) => [boundMs / 1_000, buckets[index] ?? 0]),
    count: buckets.at(-1) ?? 0,
    sum: sumMs / 1_000,
  };
}
