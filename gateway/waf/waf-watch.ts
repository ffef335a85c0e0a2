/**
 * Follows what the rules do with each request: counts it, and warns when rules run out of time. A refused request is no line
 * of the log: the access log and the store have it.
 */
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { RuleMatch } from '../../detectors/waf/engine/transaction-types.ts';
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';
import { addTime, createWafCounters, type WafCounters, type WafSource } from './waf-counters.ts';

/** One layer's part in one request, when it is over. */
export interface RunReport {
  readonly source: WafSource;
  readonly layer: RuleLayer;
  readonly requestId: string;
  readonly outcome: 'passed' | 'observed' | 'refused';
  /** The time budget ended the rules before their end. */
  readonly exhausted: boolean;
  /** Null: this request's time was not taken. */
  readonly times: { readonly inBandMs: number; readonly afterMs: number } | null;
  /** There are rules that wait for the answer. */
  readonly hasOutOfBand: boolean;
  readonly matches: readonly RuleMatch[];
  /** How many of `matches` were there before the answer. */
  readonly inBandMatches: number;
  /** What CrowdSec would call a rule. */
  readonly nameOf: (ruleId: number) => string;
}

export interface WafWatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Processor time of this thread, in milliseconds from any start. */
  readonly threadTime: () => number;
}

/** To ask for processor time takes as long as some rules do: one request in so many is measured. */
export const timedShare = 16;
/** Between two lines of the log about the same trouble with a layer. */
const quietMs = 60_000;

export class WafWatch {
  readonly counters: WafCounters = createWafCounters();
  readonly threadTime: () => number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #warnings = new Map<string, { at: number; since: number }>();
  #begun = 0;

  constructor({ clock, log, threadTime }: WafWatchDeps) {
    this.#clock = clock;
    this.#log = log;
    this.threadTime = threadTime;
  }

  /** Whether the next request's time is to be taken. */
  takesTime(): boolean {
    return this.#begun++ % timedShare === 0;
  }

  record(report: RunReport): void {
    const { source, layer, matches, times } = report;
    const counters = this.counters.layers[source][layer];
    counters.requests++;
    if (report.outcome !== 'passed') counters[report.outcome]++;
    if (times !== null) {
      addTime(counters.total, times.inBandMs + times.afterMs);
      addTime(counters.inBand, times.inBandMs);
      if (report.hasOutOfBand) addTime(counters.outOfBand, times.afterMs);
    }
    for (let index = 0; index < matches.length; index++) {
      const { ruleId } = matches[index] as RuleMatch;
      const type = report.hasOutOfBand && index >= report.inBandMatches ? 'outofband' : 'inband';
      this.counters.hits.add({ source, layer, type, rule: report.nameOf(ruleId) });
    }
    if (!report.exhausted) return;
    counters.exhausted++;
    this.#warn(report);
  }

  /** A layer raised where none should: its request is judged as `waf.onFailure` says. */
  noteFault(layer: RuleLayer, requestId: string, thrown: unknown): void {
    const requests = this.#due(`${layer}: fault`);
    if (requests === 0) return;
    this.#log.error(
      { layer, requestId, requests, err: thrown },
      'rules failed: please report this, with the lines of `err`',
    );
  }

  #warn({ layer, requestId, outcome }: RunReport): void {
    const requests = this.#due(`${layer}: budget`);
    if (requests === 0) return;
    this.#log.warn({ layer, requestId, outcome, requests }, 'rules ran out of time: see `waf.budget`');
  }

  /** How many requests have had that trouble since it was last written about; 0: it is not time to write again. */
  #due(trouble: string): number {
    const now = this.#clock.monotonic();
    const last = this.#warnings.get(trouble);
    if (last !== undefined && now - last.at < quietMs) {
      last.since++;
      return 0;
    }
    this.#warnings.set(trouble, { at: now, since: 0 });
    return 1 + (last?.since ?? 0);
  }
}
