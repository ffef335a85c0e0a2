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

/** Series of one metric by their labels. */
class SeriesTable {
  readonly #series = new Map<string, LapiSeries>();

  add(...labels: readonly string[]): void {
    let key = labels.join('\0');
    if (!this.#series.has(key) && this.#series.size >= mostSeries) {
      labels = labels.map(() => overflow);
      key = labels.join('\0');
    }
    const found = this.#series.get(key);
    if (found === undefined) this.#series.set(key, { labels, count: 1 });
    else found.count++;
  }

  all(): readonly LapiSeries[] {
    return [...this.#series.values()];
  }
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
  readonly #durations = new Map<string, LapiDurations>();

  /** `cs_lapi_request_duration_seconds{endpoint,method}`. Routes are known, so their number is bounded. */
  took(route: string, method: string, durationMs: number): void {
    const key = `${route}\0${method}`;
    let found = this.#durations.get(key);
    if (found === undefined) {
      found = { labels: [route, method], buckets: lapiDurationBounds.map(() => 0).concat(0), sumMs: 0 };
      this.#durations.set(key, found);
    }
    found.sumMs += durationMs;
    const { buckets } = found;
    for (let index = buckets.length - 1; index >= 0; index--) {
      if (durationMs > (lapiDurationBounds[index] ?? Number.POSITIVE_INFINITY)) break;
      buckets[index] = (buckets[index] ?? 0) + 1;
    }
  }

  durations(): readonly LapiDurations[] {
    return [...this.#durations.values()];
  }
}
