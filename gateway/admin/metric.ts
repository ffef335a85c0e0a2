/** What a metric is: a name that dashboards know, and how its value is read when the page is asked for. */
import type { AdminDependencies } from './dependencies.ts';

/** What the page reads: the narrow part of the admin dependencies. */
export type MetricSources = Pick<
  AdminDependencies,
  | 'store'
  | 'index'
  | 'detector'
  | 'faults'
  | 'ruleFaults'
  | 'layers'
  | 'wafCounters'
  | 'counters'
  | 'facts'
  | 'pulse'
  | 'clock'
  | 'sites'
  | 'reading'
  | 'activeDecisions'
  | 'lapiCounters'
>;

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

export interface HistogramReading {
  readonly labels: Labels;
  /** Upper bounds in the metric's unit with the count of observations at or below each. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  readonly count: number;
  readonly sum: number;
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export interface ScalarMetric extends Described {
  readonly type: 'counter' | 'gauge';
  readonly read: (sources: MetricSources) => readonly Sample[];
}

export interface HistogramMetric extends Described {
  readonly type: 'histogram';
  /** One for each set of labels; the samples carry `le` besides. */
  readonly read: (sources: MetricSources) => readonly HistogramReading[];
}

export type Metric = ScalarMetric | HistogramMetric;

export function counter(name: string, help: string, read: (sources: MetricSources) => number): Metric {
  return { name, type: 'counter', help, labels: [], read: (sources) => [[{}, read(sources)]] };
}

export function gauge(name: string, help: string, read: (sources: MetricSources) => number): Metric {
  return { name, type: 'gauge', help, labels: [], read: (sources) => [[{}, read(sources)]] };
}

export function labelled(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  labels: readonly string[],
  read: (sources: MetricSources) => readonly Sample[],
): Metric {
  return { name, type, help, labels, read };
}

/** `counts` holds one number for each of `boundsMs`, and one for the rest; milliseconds become seconds. */
export function secondsHistogram(
  labels: Labels,
  boundsMs: readonly number[],
  counts: readonly number[],
  sumMs: number,
): HistogramReading {
  let count = 0;
  const buckets = boundsMs.map((boundMs, index): [number, number] => {
    count += counts[index] ?? 0;
    return [boundMs / 1_000, count];
  });
  return { labels, buckets, count: count + (counts[boundsMs.length] ?? 0), sum: sumMs / 1_000 };
}
