/**
 * The metrics, as one list: what the page shows and what `docs/metrics.md` documents. Nothing is counted here; the plain
 * counters of the request path and the detector are read when the page is asked for. `cs_` names are CrowdSec's, so that
 * existing dashboards go on working; the others are ours.
 */
import { Registry } from 'prom-client';
import { durationBounds } from '../counters.ts';
import type { LogReading } from '../detection.ts';
import {
  counter,
  gauge,
  type HistogramReading,
  labelled,
  type Metric,
  type MetricSources,
  type Sample,
  secondsHistogram,
} from './metric.ts';
import { lapiMetrics } from './lapi-metrics.ts';
import { faultsOf } from './routes/status.ts';
import { wafMetrics } from './waf-metrics.ts';

const crowdsecMetrics: readonly Metric[] = [
  labelled('gauge', 'cs_info', 'Always 1; the version stands in the label.', ['version'], ({ facts }) => [
    [{ version: facts.version }, 1],
  ]),
  labelled('gauge', 'cs_alerts', 'Alerts raised since the start, by scenario.', ['reason'], ({ detector }) =>
    detector.scenarios
      .map(({ name, counters }): Sample => [{ reason: name }, counters.overflows])
      .filter(([, count]) => count > 0),
  ),
  gauge('cs_buckets', 'Buckets alive.', ({ detector }) => detector.counters.buckets),
  labelled(
    'counter',
    'cs_bucket_poured_total',
    'Events counted by a bucket, by scenario.',
    ['source', 'type', 'name'],
    ({ detector }) =>
      detector.scenarios.map(
        ({ name, counters }): Sample => [{ source: 'gateway', type: 'http', name }, counters.poured],
      ),
  ),
  labelled(
    'counter',
    'cs_bucket_overflowed_total',
    'Buckets that overflowed and raised an alert, by scenario.',
    ['name'],
    ({ detector }) => detector.scenarios.map(({ name, counters }): Sample => [{ name }, counters.overflows]),
  ),
];

/** CrowdSec has one metric for each kind of source; the label is what it reads. */
const sourceMetrics: readonly Metric[] = (
  [
    ['file', 'cs_filesource_hits_total', 'Lines read from files.'],
    ['journalctl', 'cs_journalctlsource_hits_total', 'Lines read from the journal.'],
    ['syslog', 'cs_syslogsource_hits_total', 'Lines received as syslog messages.'],
    ['docker', 'cs_dockersource_hits_total', 'Lines read from containers.'],
    ['http', 'cs_httpsource_hits_total', 'Lines received over HTTP.'],
    ['stdin', 'portcullis_stdin_lines_total', 'Lines read from standard input.'],
  ] as const
).map(([wanted, name, help]) =>
  labelled('counter', name, help, ['source'], ({ reading }) =>
    reading()
      .sources.filter(({ kind }) => kind === wanted)
      .map((source): Sample => [{ source: source.name }, source.lines]),
  ),
);

const nodeMetric = (name: string, help: string, count: (node: LogReading['nodes'][number]) => number): Metric =>
  labelled('counter', name, help, ['name', 'stage'], ({ reading }) =>
    reading().nodes.map((node): Sample => [{ name: node.name, stage: node.stage }, count(node)]),
  );

const logMetrics: readonly Metric[] = [
  ...sourceMetrics,
  counter('cs_parser_hits_total', 'Log lines handed to the parsers.', ({ reading }) => reading().lines.lines),
  counter(
    'cs_parser_hits_ko_total',
    'Log lines that no parser understood.',
    ({ reading }) => reading().lines.discarded,
  ),
  nodeMetric('cs_node_hits_total', 'Events that a parser looked at.', ({ hits }) => hits),
  nodeMetric('cs_node_hits_ok_total', 'Events that a parser understood.', ({ ok }) => ok),
  nodeMetric('cs_node_hits_ko_total', 'Events that a parser did not understand.', ({ failed }) => failed),
  nodeMetric('cs_node_wl_hits_ok_total', 'Events that a parser whitelisted.', ({ whitelisted }) => whitelisted),
  labelled(
    'counter',
    'portcullis_source_dropped_lines_total',
    'Log lines lost, by source.',
    ['source'],
    ({ reading }) => reading().sources.map(({ name, dropped }): Sample => [{ source: name }, dropped]),
  ),
  labelled('gauge', 'portcullis_source_up', '1 while a source of log lines can be read.', ['source'], ({ reading }) =>
    reading().sources.map(({ name, state }): Sample => [{ source: name }, state === 'failed' ? 0 : 1]),
  ),
  gauge('portcullis_queued_lines', 'Log lines that wait to be judged.', ({ reading }) => reading().queue.queued),
  counter(
    'portcullis_whitelisted_overflows_total',
    'Overflows that a postoverflow whitelisted.',
    ({ reading }) => reading().lines.whitelistedOverflows,
  ),
];

const trafficMetrics: readonly Metric[] = [
  labelled('counter', 'portcullis_requests_total', 'Requests, by what became of them.', ['outcome'], ({ counters }) =>
    Object.entries(counters.byOutcome).map(([outcome, count]): Sample => [{ outcome }, count]),
  ),
  labelled(
    'counter',
    'portcullis_responses_total',
    'Responses, by the class of their status.',
    ['class'],
    ({ counters }) =>
      counters.byStatusClass.map((count, index): Sample => [{ class: index === 0 ? 'none' : `${index}xx` }, count]),
  ),
  {
    name: 'portcullis_request_duration_seconds',
    type: 'histogram',
    help: 'From the first byte of a request to the last of its response.',
    labels: [],
    read: ({ counters }) => [secondsHistogram({}, durationBounds, counters.durationBuckets, counters.durationMs)],
  },
  counter(
    'portcullis_observed_total',
    'Requests that observe mode let through although a decision covers them.',
    ({ counters }) => counters.observed,
  ),
  counter('portcullis_received_bytes_total', 'Bytes of request bodies.', ({ counters }) => counters.bytesReceived),
  counter('portcullis_sent_bytes_total', 'Bytes of response bodies.', ({ counters }) => counters.bytesSent),
  gauge('portcullis_connections', 'Open client connections.', ({ counters }) => counters.connections),
  counter('portcullis_upgrades_total', 'Connections that became WebSockets.', ({ counters }) => counters.upgrades),
  counter(
    'portcullis_slow_clients_total',
    'Connections cut because their client was too slow.',
    ({ counters }) => counters.slowClients,
  ),
  counter(
    'portcullis_dropped_connections_total',
    'Connections refused at the limit.',
    ({ counters }) => counters.droppedConnections,
  ),
  counter('portcullis_malformed_total', 'Times that bytes were no HTTP request.', ({ counters }) => counters.malformed),
  counter(
    'portcullis_dropped_refusal_records_total',
    'Records of refused requests that the store could not take.',
    ({ counters }) => counters.droppedRefusals,
  ),
  counter(
    'portcullis_dropped_log_lines_total',
    'Access log lines that could not be written.',
    ({ counters }) => counters.droppedLogLines,
  ),
];

const detectionMetrics: readonly Metric[] = [
  counter(
    'portcullis_poured_total',
    'Requests shown to the scenarios: one for each that is neither refused nor allowlisted.',
    ({ pulse }) => pulse().poured,
  ),
  counter(
    'portcullis_overflows_discarded_total',
    'Overflows that raised no alert: in the silence after one, or filtered.',
    ({ detector }) => detector.counters.discarded,
  ),
  counter(
    'portcullis_expression_errors_total',
    'Expressions that raised an error.',
    ({ detector }) => detector.counters.filterErrors,
  ),
  counter(
    'portcullis_evicted_buckets_total',
    'Buckets given up for want of room.',
    ({ detector }) => detector.counters.evictedBuckets,
  ),
  gauge('portcullis_scenarios', 'Scenarios in use.', ({ detector }) => detector.scenarios.length),
  gauge('portcullis_scenario_faults', 'Scenario documents that cannot be used.', (sources) => faultsOf(sources).length),
];

const stateMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    'portcullis_indexed_decisions',
    'Decisions in the index, by scope, until they are swept after their end.',
    ['scope'],
    ({ index }) => {
      const { ip, range, country, as, custom } = index.size;
      return Object.entries({ Ip: ip, Range: range, Country: country, AS: as, custom }).map(
        ([scope, count]): Sample => [{ scope }, count],
      );
    },
  ),
  gauge('portcullis_allowlist_entries', 'Entries of the allowlist.', ({ index }) => index.size.allowlist),
  gauge('portcullis_decision_index_bytes', 'Memory of the decision index.', ({ index }) => index.memoryBytes()),
  gauge('portcullis_store_up', '1 while the store answers.', ({ store }) => (store.health().ok ? 1 : 0)),
  labelled(
    'gauge',
    'portcullis_decisions_age_seconds',
    'How long ago the index was last in step with the store; absent before the first time.',
    [],
    ({ pulse }) => {
      const { followAgeMs } = pulse();
      return followAgeMs === null ? [] : [[{}, followAgeMs / 1_000]];
    },
  ),
  labelled(
    'gauge',
    'portcullis_site_enforcing',
    '1 where decisions are enforced, 0 in observe mode.',
    ['site'],
    ({ sites }) => sites.sites.map(({ name, mode }): Sample => [{ site: name }, mode === 'block' ? 1 : 0]),
  ),
  gauge(
    'process_start_time_seconds',
    'Start of the process, seconds since the epoch.',
    ({ facts }) => facts.startedAt / 1_000,
  ),
  counter('process_cpu_seconds_total', 'Processor time, user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss()),
  gauge('nodejs_heap_size_used_bytes', 'Memory of the JavaScript heap in use.', () => process.memoryUsage().heapUsed),
  gauge(
    'nodejs_external_memory_bytes',
    'Memory outside of the heap: buffers and typed arrays.',
    () => process.memoryUsage().external,
  ),
  labelled('gauge', 'nodejs_version_info', 'Always 1; the version stands in the label.', ['version'], () => [
    [{ version: process.version }, 1],
  ]),
];

export const metrics: readonly Metric[] = [
  ...crowdsecMetrics,
  ...lapiMetrics,
  ...logMetrics,
  ...trafficMetrics,
  ...detectionMetrics,
  ...wafMetrics,
  ...stateMetrics,
];

/** The Prometheus text of all metrics. */
export function createMetricsPage(sources: MetricSources): { readonly contentType: string; text(): Promise<string> } {
  const registry = new Registry();
  for (const metric of metrics) {
    // prom-client's own classes count for themselves; what is counted elsewhere is handed over in the shape of its `get`.
    registry.registerMetric(readingOf(metric, sources) as unknown as Parameters<Registry['registerMetric']>[0]);
  }
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

function readingOf(metric: Metric, sources: MetricSources): { name: string; get: () => Promise<object> } {
  const { name, help, type } = metric;
  return {
    name,
    get: async () => ({ name, help, type, values: valuesOf(metric, sources), aggregator: 'sum' }),
  };
}

function valuesOf(metric: Metric, sources: MetricSources): readonly Value[] {
  if (metric.type === 'histogram') {
    return metric.read(sources).flatMap((reading) => histogramValues(metric.name, reading));
  }
  return metric.read(sources).map(([labels, value]) => ({ labels, value }));
}

function histogramValues(name: string, { labels, buckets, count, sum }: HistogramReading): readonly Value[] {
  const upTo = (le: number | string, value: number): Value => ({
    metricName: `${name}_bucket`,
    labels: { le, ...labels },
    value,
  });
  return [
    ...buckets.map(([bound, below]) => upTo(bound, below)),
    upTo('+Inf', count),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
