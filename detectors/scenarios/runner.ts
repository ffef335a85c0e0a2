/** A compiled scenario at work: its buckets under both clocks, its silences, its counters. */
import { messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { Blackhole } from './blackhole.ts';
import type { BucketShelf, BucketStore } from './bucket-store.ts';
import type { KeptEvent } from './kept-event.ts';
import type { Phase } from './phase.ts';
import type { Scenario } from './scenario.ts';
import type { ScenarioSpec } from './scenario-document.ts';

/** One scenario as people and metrics see it. The counters are live. */
export interface ScenarioSummary {
  readonly name: string;
  readonly type: ScenarioSpec['type'];
  readonly description: string;
  readonly phase: Phase;
  readonly simulated: boolean;
  readonly remediation: boolean;
  readonly file: string;
  readonly hash: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly counters: Readonly<ScenarioCounters>;
}

export interface ScenarioCounters {
  /** Events counted by a bucket. */
  poured: number;
  /** Overflows that became alerts. */
  overflows: number;
  /** Overflows discarded: during the silence after an alert, by overflow_filter, or for want of a source. */
  discarded: number;
  /** Expressions that raised an error. */
  errors: number;
}

/** A scenario with its buckets. */
export interface Runner {
  readonly scenario: Scenario;
  readonly live: BucketShelf<KeptEvent>;
  readonly replayed: BucketShelf<KeptEvent>;
  readonly blackhole: Blackhole | null;
  readonly counters: ScenarioCounters;
  /** The place of its bucket key among the keys of an event, shared with the scenarios that group alike; -1 when it may change. */
  readonly keyPlace: number;
  /** Its conditions are asked after each pour. */
  readonly isJudged: boolean;
  /**
   * The scenarios with which it shares its buckets, itself among them in its place, or null when there is no other: upstream
   * tells buckets apart by name, filter and group only. Set by `introduceTwins`.
   */
  twins: readonly Runner[] | null;
  /** When its errors may be logged again, epoch milliseconds. */
  logAgainAt: number;
}

/** Most keys of one scenario in their silence after an alert. */
const maxSilentKeys = 65_536;

/** One scenario's errors are logged at most this often; all are counted. */
const errorLogPeriodMs = 60_000;

export function createRunner(scenario: Scenario, store: BucketStore<KeptEvent>, keyPlace: number): Runner {
  const { blackholeMs } = scenario.spec;
  return {
    scenario,
    live: store.shelf(scenario.shape, true),
    replayed: store.shelf(scenario.shape, false),
    blackhole: blackholeMs > 0 ? new Blackhole(blackholeMs, maxSilentKeys) : null,
    counters: { poured: 0, overflows: 0, discarded: 0, errors: 0 },
    keyPlace,
    isJudged: scenario.condition !== null || scenario.bayesian !== null,
    twins: null,
    logAgainAt: 0,
  };
}

/** Lets those of one name, filter and phase know each other. Triggers keep no bucket, counters end at a time of their own. */
export function introduceTwins(runners: readonly Runner[]): void {
  const families = Map.groupBy(
    runners.filter(({ scenario }) => scenario.spec.type !== 'trigger' && !scenario.shape.timed),
    ({ scenario }) => JSON.stringify([scenario.spec.name, scenario.filter.source, scenario.phase]),
  );
  for (const twins of families.values()) {
    if (twins.length > 1) for (const runner of twins) runner.twins = twins;
  }
}

export function summaryOf({ scenario, counters }: Runner): ScenarioSummary {
  const { spec, phase, remediation } = scenario;
  const { name, type, description, file, hash, labels } = spec;
  return {
    name,
    type,
    description,
    phase,
    get simulated() {
      return scenario.simulated;
    },
    remediation,
    file,
    hash,
    labels,
    counters,
  };
}

/** Counts an error that an expression of this scenario raised, and logs it unless one was logged a moment ago. */
export function countError(runner: Runner, error: unknown, { clock, log }: Pick<Runtime, 'clock' | 'log'>): void {
  runner.counters.errors++;
  const now = clock.now();
  if (now < runner.logAgainAt) return;
  runner.logAgainAt = now + errorLogPeriodMs;
  const { name } = runner.scenario.spec;
  const fields = { scenario: name, code: 'EXPRESSION_RAISED', error: messageOf(error), errors: runner.counters.errors };
  log.warn(fields, 'an expression of a scenario raised an error; it counts as not matched');
}
