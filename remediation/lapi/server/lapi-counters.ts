/** What the Local API counts, as plain numbers that the metrics page reads. Names of CrowdSec's metrics stand with each. */

/** One series: the values of its labels, and how often. */
export interface LapiSeries {
  readonly labels: readonly string[];
  count: number;
}

export interface LapiDurations {
  readonly labels: readonly string[];
  /** Cumulative counts for the bounds of `lapiDurationBounds`, plus one for the rest. */
  readonly buckets: number[];
  sumMs: number;
}

/** Upper bounds of the duration histogram, milliseconds. */
export const lapiDurationBounds = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/** Bouncers and machines times routes; what is above is counted under one name. */
const mostSeries = 4_096;
const overflow = '(other)';

/** Series of one metric by their labels: by the first, and those few that share it one after the other. */
class SeriesTable {
  readonly #byFirst = new Map<string, LapiSeries[]>();
  #size = 0;

  add(...labels: readonly string[]): void {
    const series = this.#find(labels) ?? this.#make(this.#size < mostSeries ? labels : labels.map(() => overflow));
    series.count++;
  }

  all(): readonly LapiSeries[] {
    return [...this.#byFirst.values()].flat();
  }

  #find(labels: readonly string[]): LapiSeries | undefined {
    return this.#byFirst.get(labels[0] ?? '')?.find((series) => areSame(series.labels, labels));
  }

  #make(labels: readonly string[]): LapiSeries {
    const known = this.#find(labels);
    if (known !== undefined) return known;
    const series = { labels, count: 0 };
    const [first = ''] = labels;
    const shared = this.#byFirst.get(first);
    if (shared === undefined) this.#byFirst.set(first, [series]);
    else shared.push(series);
    this.#size++;
    return series;
  }
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}

export class LapiCounters {
  /** `cs_lapi_route_requests_total{route,method}` */
  readonly routes = new SeriesTable();
  /** `cs_lapi_machine_requests_total{machine,route,method}` */
  readonly machines = new SeriesTable();
  /** `cs_lapi_bouncer_requests_total{bouncer,route,method}` */
  readonly bouncers = new SeriesTable();
  /** `cs_lapi_decisions_ok_total{bouncer}`: live questions that had a decision for an answer. */
  readonly decisionsFound = new SeriesTable();
  /** `cs_lapi_decisions_ko_total{bouncer}`: those that had none. */
  readonly decisionsMissing = new SeriesTable();
  /** Attempts that were refused: `bouncer`, `machine`, `login`. */
  readonly refusedCredentials = new SeriesTable();
  readonly #durations = new Map<string, LapiDurations[]>();

  /** `cs_lapi_request_duration_seconds{endpoint,method}`. Routes are known, so their number is bounded. */
  took(route: string, method: string, durationMs: number): void {
    let ofRoute = this.#durations.get(route);
    if (ofRoute === undefined) this.#durations.set(route, (ofRoute = []));
    let found = ofRoute.find(({ labels }) => labels[1] === method);
    if (found === undefined) {
      found = { labels: [route, method], buckets: lapiDurationBounds.map(() => 0).concat(0), sumMs: 0 };
      ofRoute.push(found);
    }
    found.sumMs += durationMs;
    const { buckets } = found;
    for (let index = buckets.length - 1; index >= 0; index--) {
      if (durationMs > (lapiDurationBounds[index] ?? Number.POSITIVE_INFINITY)) break;
      buckets[index] = (buckets[index] ?? 0) + 1;
    }
  }

  durations(): readonly LapiDurations[] {
    return [...this.#durations.values()].flat();
  }
}
