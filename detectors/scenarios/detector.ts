/**
 * The scenario detector: an event in, overflows with their alerts out. Each scenario belongs to one phase (`phase.ts`) and is poured once for each
 * event, in document order; the index (`kind-index.ts`) leaves out those whose filter cannot be true.
 *
 * Differs from CrowdSec on purpose in two points. A filter that raises fails alone; upstream drops the event for all
 * remaining scenarios. And IPv6 clients share buckets by prefix (`ipv6Prefix`), because one client owns a whole /64: where
 * the groupby value holds the client's own address, the bucket's key holds the prefix instead. Alerts keep the address.
 *
 * Specification: CrowdSec `pkg/leakybucket/manager_run.go`, `bucket.go`, `overflows.go`.
 */
import type { TimerHandle } from '../../core/clock.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { FilterIndex } from '../documents/filter-index.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import { type Event, eventType } from '../event.ts';
import type { Expression, Scope } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';
import type { GeoDatabases } from '../lookups/geoip.ts';
import { type AlertContext, compileContexts } from './alert-context.ts';
import { boundedText } from './bounded-text.ts';
import { Bucket } from './bucket.ts';
import { BucketKeys } from './bucket-keys.ts';
import { type BucketStore, createBucketStore } from './bucket-store.ts';
import { conditionHolds } from './conditions.ts';
import type { ContextDocument } from './context-document.ts';
import { CounterEnds, type TakeOverflow } from './counter-ends.ts';
import { emptyEvent } from './empty-event.ts';
import { EventKeeper } from './event-keeper.ts';
import type { KeptEvent } from './kept-event.ts';
import { createKindIndex } from './kind-index.ts';
import type { Overflow } from './overflow.ts';
import type { Phase } from './phase.ts';
import { createPourTime, type PourTime } from './pour-time.ts';
import {
  countError,
  createRunner,
  introduceTwins,
  type Runner,
  type ScenarioCounters,
  type ScenarioSummary,
  summaryOf,
} from './runner.ts';
import { compileScenario, type Scenario, ScenarioCompileError, type ScenarioExpressions } from './scenario.ts';
import type { ScenarioSpec } from './scenario-document.ts';
import { nothingSimulated, type Simulation } from './simulation.ts';
import { createSettleOverflows, type PendingOverflow, type SettleOverflows } from './settle-overflows.ts';

export interface DetectorCounters {
  /** Events handed in, of both phases. */
  readonly events: number;
  readonly poured: number;
  readonly overflows: number;
  readonly discarded: number;
  readonly filterErrors: number;
  /** Buckets alive now. */
  readonly buckets: number;
  /** Buckets given up because there were too many, or because they kept too much. */
  readonly evictedBuckets: number;
}

export interface ScenarioDetector {
  readonly scenarios: readonly ScenarioSummary[];
  /** Documents that could not be compiled; the others are in use. */
  readonly faults: readonly ItemFault[];
  /** Pours the scenarios that need the request only. The result is shared when it is empty: do not change it. */
  pourRequest(event: Event): readonly Overflow[];
  /** Pours the scenarios that need the response too. */
  pourResponse(event: Event): readonly Overflow[];
  /** Pours all scenarios: for events that arrive whole, like log lines, and for overflows that are poured again. */
  pour(event: Event): readonly Overflow[];
  /** Who is told of live counters whose time is up. They are lost, with a line in the log, while nobody listens. */
  listen(listener: (overflows: readonly Overflow[]) => void): void;
  /** Ends a replay: counters that still wait overflow at the end of their time, and the replay's buckets are forgotten. */
  endReplay(): readonly Overflow[];
  readonly counters: DetectorCounters;
  /** Forgets the live buckets and silences of one source, by the address that keys begin with: for self-tests. */
  forget(source: string): void;
  close(): void;
}

export interface ScenarioDetectorOptions {
  readonly documents: readonly ScenarioSpec[];
  /** What alerts show besides their events. */
  readonly contexts?: readonly ContextDocument[];
  /** The scenarios whose alerts are simulated; none without it. */
  readonly simulation?: Simulation;
  /** Most buckets over all scenarios; past it the one left alone longest is given up. */
  readonly maxBuckets?: number;
  /** Most characters of events that all buckets keep together. */
  readonly maxKeptCharacters?: number;
  /** Bits of an IPv6 address that make one client; 128 takes every address for itself. */
  readonly ipv6Prefix?: number;
}

export interface ScenarioDetectorDeps extends Runtime {
  readonly expressions: ScenarioExpressions;
  /** The data files that the expressions read, for the index; the same that `expressions` were made with. */
  readonly files: DataFiles;
  readonly geo?: GeoDatabases | null;
}

export const scenarioDetectorDefaults = {
  maxBuckets: 100_000,
  maxKeptCharacters: 128 * 1_048_576,
  ipv6Prefix: 64,
} as const;

/** How often the dead are removed. They are dead without it: this only gives back their memory. */
const sweepPeriodMs = 1_000;

const noOverflows: readonly Overflow[] = Object.freeze([]);

/** Compiles the documents and starts the sweep. Faults are gathered, not thrown. */
export function createScenarioDetector(options: ScenarioDetectorOptions, deps: ScenarioDetectorDeps): ScenarioDetector {
  const { simulation = nothingSimulated } = options;
  const scenarios: Scenario[] = [];
  const faults: ItemFault[] = [];
  for (const spec of options.documents) {
    try {
      scenarios.push(compileScenario(spec, deps.expressions, simulation));
    } catch (thrown) {
      if (!(thrown instanceof ScenarioCompileError)) throw thrown;
      faults.push(spec.places.expressionFault(spec.name, thrown.key, thrown.cause));
    }
  }
  const contexts = compileContexts(options.contexts ?? [], deps.expressions.event);
  return new BucketDetector(scenarios, [...faults, ...contexts.faults], contexts.context, options, deps);
}

/** Who began the living bucket of `key` that twins share, and thus says how it goes on; the runner itself where there is none. */
function ownerOf(runner: Runner, { ExpectMode }: Event, key: string, at: number): Runner {
  const owns = ({ live, replayed }: Runner): boolean => (ExpectMode === 0 ? live : replayed).holds(key, at);
  return runner.twins?.find(owns) ?? runner;
}

/** Scenarios that are poured together. */
interface Group {
  readonly runners: readonly Runner[];
  readonly index: FilterIndex;
}

class BucketDetector implements ScenarioDetector {
  readonly scenarios: readonly ScenarioSummary[];
  readonly faults: readonly ItemFault[];
  private readonly deps: ScenarioDetectorDeps;
  private readonly settleOverflows: SettleOverflows;
  private readonly pourTime: PourTime;
  private readonly store: BucketStore<KeptEvent>;
  private readonly runners: readonly Runner[];
  private readonly written: ReadonlySet<string>;
  private readonly requestGroup: Group;
  private readonly responseGroup: Group;
  /** Made for the first event that arrives whole. */
  private allGroup: Group | null = null;
  private readonly sweep: TimerHandle;
  private readonly counterEnds: CounterEnds;
  private listener: ((overflows: readonly Overflow[]) => void) | null = null;
  private events = 0;
  /** Whether any event of a replay has been poured. */
  private replays = false;
  /** The event being poured, as expressions see it. One object, because pours do not nest. */
  private readonly scope: { evt: Event } & Scope = { evt: emptyEvent };
  private readonly keys: BucketKeys;
  private readonly keeper: EventKeeper;
  private pending: PendingOverflow[] = [];

  constructor(
    scenarios: readonly Scenario[],
    faults: readonly ItemFault[],
    context: AlertContext,
    options: ScenarioDetectorOptions,
    deps: ScenarioDetectorDeps,
  ) {
    this.deps = deps;
    this.faults = faults;
    this.store = createBucketStore({
      maxBuckets: options.maxBuckets ?? scenarioDetectorDefaults.maxBuckets,
      maxKeptCharacters: options.maxKeptCharacters ?? scenarioDetectorDefaults.maxKeptCharacters,
    });
    this.keeper = new EventKeeper(context.needs, deps);
    this.written = new Set(scenarios.flatMap(({ filter }) => [...filter.writes]));
    const ipv6Prefix = options.ipv6Prefix ?? scenarioDetectorDefaults.ipv6Prefix;
    this.keys = new BucketKeys(scenarios, this.written, ipv6Prefix);
    this.runners = scenarios.map((scenario) => createRunner(scenario, this.store, this.keys.placeOf(scenario)));
    introduceTwins(this.runners);
    const takeOverflow: TakeOverflow = (...overflow) => this.overflow(...overflow);
    this.counterEnds = new CounterEnds(this.runners, deps.clock, takeOverflow, () => this.tellListener());
    this.scenarios = this.runners.map(summaryOf);
    const runnerOf = new Map(this.runners.map((runner) => [runner.scenario, runner]));
    const onContextError = (scenario: Scenario, error: unknown): void => {
      const runner = runnerOf.get(scenario);
      if (runner !== undefined) countError(runner, error, deps);
    };
    const overflowDeps = { ...deps, geo: deps.geo ?? null, ipv6Prefix, context, onContextError };
    this.settleOverflows = createSettleOverflows(overflowDeps);
    this.pourTime = createPourTime(deps.clock);
    this.requestGroup = this.group((phase) => phase === 'request');
    this.responseGroup = this.group((phase) => phase === 'response');
    this.sweep = deps.clock.every(sweepPeriodMs, () => this.removeDead());
  }

  pourRequest(event: Event): readonly Overflow[] {
    return this.pourGroup(event, this.requestGroup);
  }

  pourResponse(event: Event): readonly Overflow[] {
    return this.pourGroup(event, this.responseGroup);
  }

  pour(event: Event): readonly Overflow[] {
    return this.pourGroup(event, (this.allGroup ??= this.group(() => true)));
  }

  listen(listener: (overflows: readonly Overflow[]) => void): void {
    this.listener = listener;
  }

  endReplay(): readonly Overflow[] {
    this.counterEnds.end(false, Number.POSITIVE_INFINITY);
    for (const { replayed } of this.runners) replayed.clear();
    return this.settle();
  }

  get counters(): DetectorCounters {
    const sum = (key: keyof ScenarioCounters): number =>
      this.runners.reduce((total, { counters }) => total + counters[key], 0);
    return {
      events: this.events,
      poured: sum('poured'),
      overflows: sum('overflows'),
      discarded: sum('discarded'),
      filterErrors: sum('errors'),
      buckets: this.store.totals.buckets,
      evictedBuckets: this.store.totals.evicted,
    };
  }

  forget(source: string): void {
    for (const { live, blackhole } of this.runners) {
      live.forget(source);
      blackhole?.forget(source);
    }
  }

  close(): void {
    this.sweep.cancel();
    this.counterEnds.close();
  }

  private group(takes: (phase: Phase) => boolean): Group {
    const runners = this.runners.filter(({ scenario }) => takes(scenario.phase));
    const filters = runners.map(({ scenario }) => scenario.filter);
    return { runners, index: createKindIndex(filters, this.written, this.deps.files) };
  }

  private pourGroup(event: Event, group: Group): readonly Overflow[] {
    this.events++;
    if (event.Whitelisted || (event.Type === eventType.log && !event.Process)) return noOverflows;
    if (!this.counterEnds.isIdle) this.endCounters(event);
    const candidates = group.index.candidates(event);
    if (candidates.length > 0) this.pourInto(event, group.runners, candidates);
    return this.pending.length === 0 ? noOverflows : this.settle();
  }

  private pourInto(event: Event, runners: readonly Runner[], candidates: readonly number[]): void {
    this.scope.evt = event;
    this.keys.begin();
    const at = this.pourTime(event);
    if (event.ExpectMode === 1) this.replays = true;
    for (let index = 0; index < candidates.length; index++) {
      this.pourOne(event, runners[candidates[index] as number] as Runner, at);
    }
    this.store.trim();
    this.scope.evt = emptyEvent;
    this.keeper.end();
  }

  /** Filter, bucket key and pour of one scenario. */
  private pourOne(event: Event, runner: Runner, at: number | null): void {
    const { scenario } = runner;
    let key: string;
    try {
      if (scenario.filter.evaluate(this.scope) !== true) return;
      key = this.keys.keyOf(event, scenario.groupby, runner.keyPlace, this.scope);
    } catch (error) {
      countError(runner, error, this.deps);
      return;
    }
    if (scenario.spec.type === 'trigger') this.fire(event, runner, key, at ?? this.deps.clock.now());
    else if (at !== null) this.fill(event, runner.twins === null ? runner : ownerOf(runner, event, key, at), key, at);
  }

  /** A trigger overflows with every event. */
  private fire(event: Event, runner: Runner, key: string, at: number): void {
    runner.counters.poured++;
    const bucket = new Bucket<KeptEvent>(0);
    bucket.pour(runner.scenario.shape, this.keeper.keep(event, runner, this.scope), at);
    this.overflow(runner, bucket, key, at);
  }

  private fill(event: Event, runner: Runner, key: string, at: number): void {
    const { scenario, counters } = runner;
    const live = event.ExpectMode === 0;
    const shelf = live ? runner.live : runner.replayed;
    if (scenario.shape.timed) this.counterEnds.endKey(runner, shelf, key, at);
    const slot = shelf.open(key, at);
    if (scenario.distinct !== null && !this.isNew(slot.bucket, runner, scenario.distinct)) return;
    if (scenario.cancelOn !== null && this.holds(runner, scenario.cancelOn)) {
      shelf.remove(slot);
      return;
    }
    counters.poured++;
    const { bucket } = slot;
    const full = shelf.pour(slot, this.keeper.keep(event, runner, this.scope), at);
    if (full || (runner.isJudged && this.isJudged(event, runner, bucket, key))) {
      shelf.remove(slot);
      this.overflow(runner, bucket, key, at);
    } else if (scenario.shape.timed && live) this.counterEnds.expect(bucket.firstAt + scenario.shape.lifetimeMs);
  }

  private isJudged(event: Event, runner: Runner, bucket: Bucket<KeptEvent>, key: string): boolean {
    return conditionHolds(runner.scenario, bucket, event, key, (error) => countError(runner, error, this.deps));
  }

  /** Whether the bucket has not seen this event's distinct value. A value that cannot be had lets the event through. */
  private isNew(bucket: Bucket<KeptEvent>, runner: Runner, distinct: Expression): boolean {
    let value: unknown;
    try {
      value = distinct.evaluate(this.scope);
    } catch (error) {
      countError(runner, error, this.deps);
      return true;
    }
    return bucket.admit(typeof value === 'string' ? boundedText(value) : '', runner.scenario.shape);
  }

  private holds(runner: Runner, condition: Expression): boolean {
    try {
      return condition.evaluate(this.scope) === true;
    } catch (error) {
      countError(runner, error, this.deps);
      return false;
    }
  }

  /** Counters whose time was up before `event`: live ones by the clock, replayed ones by the event's own time. */
  private endCounters(event: Event): void {
    const at = this.pourTime(event);
    if (at !== null) this.counterEnds.end(event.ExpectMode === 0, at);
  }

  /** Live counters have ended while nothing was poured. */
  private tellListener(): void {
    const overflows = this.settle();
    if (overflows.length === 0) return;
    if (this.listener !== null) this.listener(overflows);
    else this.deps.log.warn({ overflows: overflows.length }, 'counters overflew, and nothing takes their alerts');
  }

  private overflow(runner: Runner, bucket: Bucket<KeptEvent>, key: string, at: number): void {
    this.pending.push({ runner, bucket, key, at });
  }

  private settle(): readonly Overflow[] {
    const { pending } = this;
    this.pending = [];
    return this.settleOverflows(pending);
  }

  private removeDead(): void {
    const now = this.deps.clock.now();
    this.store.sweep(now);
    // Silences of a replay last by the dates of its events.
    if (this.replays) return;
    for (const { blackhole } of this.runners) blackhole?.sweep(now);
  }
}
