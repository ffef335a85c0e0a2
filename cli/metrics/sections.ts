/** The sections of `metrics`, with cscli's names: which of the gateway's metrics stand in which column. */
import type { MetricModel, UsageModel } from '../../gateway/admin/operator-models.ts';
import { type MetricTree, metricTree } from './metric-tree.ts';

/** What the gateway answers. */
export interface MetricsAnswer {
  readonly metrics: readonly MetricModel[];
  readonly bouncers: Readonly<Record<string, UsageModel>>;
}

export interface SectionTable {
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly rows: readonly { readonly keys: readonly string[]; readonly values: readonly number[] }[];
}

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly help: string;
  table(answer: MetricsAnswer): SectionTable;
  /** As cscli names and nests the numbers, zeros and all of a row that is not empty. */
  tree(answer: MetricsAnswer): MetricTree;
}

/** A column of numbers: its title, its name in cscli's JSON ("": the number stands there itself), the metrics that it sums. */
type Column = readonly [title: string, name: string, ...metrics: readonly string[]];

interface PivotOptions {
  /** Labels, and their titles. */
  readonly keys: Readonly<Record<string, string>>;
  /** The labels by which cscli nests the numbers, where they are others; those left out are added up. */
  readonly path?: readonly string[];
  readonly columns: readonly Column[];
}

export const sections: readonly Section[] = [
  pivot('gateway', 'Requests', 'requests that went through this gateway, by what became of them', {
    keys: { outcome: 'Outcome' },
    columns: [['Requests', '', 'portcullis_requests_total']],
  }),
  pivot('acquisition', 'Acquisition', 'lines read from the logs of other programs', {
    keys: { source: 'Source' },
    columns: [
      [
        'Lines read',
        'reads',
        'cs_filesource_hits_total',
        'cs_journalctlsource_hits_total',
        'cs_syslogsource_hits_total',
        'cs_dockersource_hits_total',
        'cs_httpsource_hits_total',
        'portcullis_stdin_lines_total',
      ],
      ['Lines lost', 'lost', 'portcullis_source_dropped_lines_total'],
    ],
  }),
  pivot('parsers', 'Parsers', 'what parsers looked at, and understood', {
    keys: { name: 'Parser', stage: 'Stage' },
    path: ['name'],
    columns: [
      ['Hits', 'hits', 'cs_node_hits_total'],
      ['Parsed', 'parsed', 'cs_node_hits_ok_total'],
      ['Unparsed', 'unparsed', 'cs_node_hits_ko_total'],
    ],
  }),
  pivot('scenarios', 'Scenarios', 'events that scenarios counted, and buckets that overflowed', {
    keys: { name: 'Scenario' },
    columns: [
      ['Poured', 'pour', 'cs_bucket_poured_total'],
      ['Overflows', 'overflow', 'cs_bucket_overflowed_total'],
    ],
  }),
  pivot('whitelists', 'Whitelists', 'events that parsers whitelisted', {
    keys: { name: 'Whitelist', stage: 'Stage' },
    columns: [['Whitelisted', 'whitelisted', 'cs_node_wl_hits_ok_total']],
  }),
  pivot('decisions', 'Decisions', 'decisions in force, by what made them', {
    keys: { reason: 'Reason', origin: 'Origin', action: 'Action' },
    columns: [['Count', '', 'cs_active_decisions']],
  }),
  pivot('alerts', 'Alerts', 'alerts since the start, by scenario', {
    keys: { reason: 'Reason' },
    columns: [['Count', '', 'cs_alerts']],
  }),
  {
    name: 'bouncers',
    title: 'Bouncers',
    help: 'what bouncers reported of themselves last',
    table: bouncerTable,
    tree: bouncerTree,
  },
  pivot('lapi', 'Local API', 'requests to the Local API, by route', {
    keys: { route: 'Route', method: 'Method' },
    columns: [['Hits', '', 'cs_lapi_route_requests_total']],
  }),
  pivot('lapi-machine', 'Local API, machines', 'requests to the Local API, by machine', {
    keys: { machine: 'Machine', route: 'Route', method: 'Method' },
    columns: [['Hits', '', 'cs_lapi_machine_requests_total']],
  }),
  pivot('lapi-bouncer', 'Local API, bouncers', 'requests to the Local API, by bouncer', {
    keys: { bouncer: 'Bouncer', route: 'Route', method: 'Method' },
    columns: [['Hits', '', 'cs_lapi_bouncer_requests_total']],
  }),
  pivot('lapi-decisions', 'Local API, decisions', 'answers to live questions of bouncers', {
    keys: { bouncer: 'Bouncer' },
    columns: [
      ['Empty answers', 'Empty', 'cs_lapi_decisions_ko_total'],
      ['Non-empty answers', 'NonEmpty', 'cs_lapi_decisions_ok_total'],
    ],
  }),
  pivot('appsec-engine', 'AppSec', 'requests that the rules of the WAF looked at', {
    keys: { appsec_engine: 'Engine', source: 'Source' },
    path: ['appsec_engine'],
    columns: [
      ['Processed', 'processed', 'cs_appsec_reqs_total'],
      ['Blocked', 'blocked', 'cs_appsec_block_total'],
    ],
  }),
  pivot('appsec-rule', 'AppSec rules', 'rules of the WAF that matched', {
    keys: { rule_name: 'Rule', type: 'Band', appsec_engine: 'Engine' },
    path: ['appsec_engine', 'rule_name'],
    columns: [['Triggered', 'triggered', 'cs_appsec_rule_hits']],
  }),
];

/** One row for each set of labels, one column for each group of metrics. */
function pivot(name: string, title: string, help: string, { keys, path, columns }: PivotOptions): Section {
  const labels = Object.keys(keys);
  const places = (path ?? labels).map((label) => labels.indexOf(label));
  const rowsOf = ({ metrics }: MetricsAnswer): SectionTable['rows'] => {
    const rows = new Map<string, { keys: readonly string[]; values: number[] }>();
    for (const [at, [, , ...names]] of columns.entries()) {
      for (const { samples } of metrics.filter((metric) => names.includes(metric.name))) {
        for (const { labels: given, value } of samples) {
          const texts = labels.map((label) => given[label] ?? '');
          const key = texts.join('\0');
          const row = rows.get(key) ?? { keys: texts, values: columns.map(() => 0) };
          row.values[at] = (row.values[at] ?? 0) + value;
          rows.set(key, row);
        }
      }
    }
    return sorted([...rows.values()].filter(({ values }) => values.some((value) => value !== 0)));
  };
  return {
    name,
    title,
    help,
    table: (answer) => ({
      keys: Object.values(keys),
      values: columns.map(([column]) => column),
      rows: rowsOf(answer),
    }),
    tree: (answer) =>
      metricTree(
        rowsOf(answer).flatMap(({ keys: texts, values }) => {
          const before = places.map((place) => texts[place] ?? '');
          return columns.map(
            ([, column], at) => [column === '' ? before : [...before, column], values[at] ?? 0] as const,
          );
        }),
      ),
  };
}

function bouncerTable({ bouncers }: MetricsAnswer): SectionTable {
  const rows = Object.entries(bouncers).flatMap(([bouncer, { metrics }]) =>
    metrics.map(({ name, unit, labels, value }) => {
      const text = Object.entries(labels).map(([label, one]) => `${label}=${one}`);
      return { keys: [bouncer, name, unit, text.join(' ')], values: [value] };
    }),
  );
  return { keys: ['Bouncer', 'Metric', 'Unit', 'Labels'], values: ['Value'], rows: sorted(rows) };
}

/** By bouncer, origin, metric and unit. */
function bouncerTree({ bouncers }: MetricsAnswer): MetricTree {
  return metricTree(
    Object.entries(bouncers).flatMap(([bouncer, { metrics }]) =>
      metrics.map(({ name, unit, labels, value }) => [[bouncer, labels.origin ?? '', name, unit], value] as const),
    ),
  );
}

function sorted<Row extends { readonly keys: readonly string[] }>(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((left, right) => (left.keys.join('\0') < right.keys.join('\0') ? -1 : 1));
}
