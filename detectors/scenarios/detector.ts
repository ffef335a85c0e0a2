/**
 * The scenario detector: an event in, alerts out. Each scenario belongs to one phase (`phase.ts`) and is poured once for each
 * event, in document order; the index (`documents/filter-index.ts`) leaves out those whose filter cannot be true.
 *
 * Differs from CrowdSec on purpose in two points. A filter that raises fails alone; upstream drops the event for all
 * remaining scenarios. And IPv6 clients share buckets by prefix (`ipv6Prefix`), because one client owns a whole /64: where
 * the groupby value holds the client's own address, the bucket's key holds the prefix instead. Alerts keep the address.
 *
 * Specification: CrowdSec `pkg/leakybucket/manager_run.go`, `bucket.go`, `overflows.go`.
 */
import type { TimerHandle } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { formatRange, parseIp, rangeOf } from '../../core/ip.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert } from '../alert.ts';
import { createFilterIndex, type FilterIndex } from '../documents/filter-index.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import { ownCopy } from '../documents/own-copy.ts';
import { type Event, eventType } from '../event.ts';
import type { Expression, Scope } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';
import type { GeoDatabases } from '../geoip.ts';
import { Bucket } from './bucket.ts';
import { type BucketStore, createBucketStore } from './bucket-store.ts';
import { KeptEvent } from './kept-event.ts';
import { boundedText } from './bounded-text.ts';
import { emptyEvent } from './empty-event.ts';
import { alertsOf } from './overflow.ts';
import type { Phase } from './phase.ts';
import { pourTime } from './pour-time.ts';
import {
  countError,
  createRunner,
  type Runner,
  type ScenarioCounters,
  type ScenarioSummary,
  summaryOf,
  sharedGroupings,
} from './runner.ts';
import { compileScenario, type Scenario, ScenarioCompileError, type ScenarioExpressions } from './scenario.ts';
import type { ScenarioSpec } from './scenario-document.ts';

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
  pourRequest(event: Event): readonly Alert[];
  /** Pours the scenarios that need the response too. */
  pourResponse(event: Event): readonly Alert[];
  /** Pours all scenarios: for events that arrive whole, like log lines. */
  pour(event: Event): readonly Alert[];
  readonly counters: DetectorCounters;
  /** Forgets the live buckets and silences of one source, by the address that keys begin with: for self-tests. */
  forget(source: string): void;
  close(): void;
}

export interface ScenarioDetectorOptions {
  readonly documents: readonly ScenarioSpec[];
  /** Names of scenarios whose alerts are simulated. */
  readonly simulate?: readonly string[];
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

/** Characters of a scope's value that an alert shows. */
const longestScopeValue = 512;

const noAlerts: readonly Alert[] = Object.freeze([]);

/** Compiles the documents and starts the sweep. Faults are gathered, not thrown. */
export function createScenarioDetector(options: ScenarioDetectorOptions, deps: ScenarioDetectorDeps): ScenarioDetector {
  const simulate = new Set(options.simulate ?? []);
  const scenarios: Scenario[] = [];
  const faults: ItemFault[] = [];
  for (const spec of options.documents) {
    try {
      scenarios.push(compileScenario(spec, deps.expressions, simulate.has(spec.name)));
    } catch (cause) {
      const key = cause instanceof ScenarioCompileError ? cause.key : '';
      faults.push(spec.places.fault(spec.name, key, messageOf(cause), cause));
    }
  }
  return new LeakyDetector(scenarios, faults, options, deps);
}

/** The scenarios of one phase. */
interface Group {
  readonly runners: readonly Runner[];
  readonly index: FilterIndex;
}

/** An overflow whose alerts are made once all scenarios have seen the event, since their filters may add to its Meta. */
interface Overflow {
  readonly runner: Runner;
  readonly bucket: Bucket<KeptEvent>;
  readonly at: number;
}

class LeakyDetector implements ScenarioDetector {
  readonly scenarios: readonly ScenarioSummary[];
  readonly faults: readonly ItemFault[];
  private readonly deps: ScenarioDetectorDeps;
  private readonly store: BucketStore<KeptEvent>;
  private readonly runners: readonly Runner[];
  private readonly requestGroup: Group;
  private readonly responseGroup: Group;
  private readonly ipv6Prefix: number;
  private readonly sweep: TimerHandle;
  private events = 0;
  /** The event being poured, as expressions see it. One object, because pours do not nest. */
  private readonly scope: { evt: Event } & Scope = { evt: emptyEvent };
  /** What the buckets keep of the event being poured; made when the first one takes it. */
  private kept: KeptEvent | null = null;
  /** Bucket keys of the event being poured, by `Runner.keyPlace`. */
  private readonly keys: (string | null)[];
  /** The prefix text of the client being poured, "" until it is asked for. */
  private prefix = '';

  constructor(
    scenarios: readonly Scenario[],
    faults: readonly ItemFault[],
    options: ScenarioDetectorOptions,
    deps: ScenarioDetectorDeps,
  ) {
    this.deps = deps;
    this.faults = faults;
    this.ipv6Prefix = options.ipv6Prefix ?? scenarioDetectorDefaults.ipv6Prefix;
    this.store = createBucketStore({
      maxBuckets: options.maxBuckets ?? scenarioDetectorDefaults.maxBuckets,
      maxKeptCharacters: options.maxKeptCharacters ?? scenarioDetectorDefaults.maxKeptCharacters,
    });
    const written = new Set(scenarios.flatMap(({ filter }) => [...filter.writes]));
    const groupings = sharedGroupings(scenarios, written);
    this.keys = groupings.map(() => null);
    this.runners = scenarios.map((scenario) =>
      createRunner(scenario, this.store, groupings.indexOf(scenario.groupby?.source ?? '')),
    );
    this.scenarios = this.runners.map(summaryOf);
    const group = (phase: Phase): Group => {
      const runners = this.runners.filter(({ scenario }) => scenario.phase === phase);
      const filters = runners.map(({ scenario }) => scenario.filter);
      return { runners, index: createFilterIndex(filters, written, deps.files) };
    };
    this.requestGroup = group('request');
    this.responseGroup = group('response');
    this.sweep = deps.clock.every(sweepPeriodMs, () => this.removeDead());
  }

  pourRequest(event: Event): readonly Alert[] {
    return this.pourGroup(event, this.requestGroup);
  }

  pourResponse(event: Event): readonly Alert[] {
    return this.pourGroup(event, this.responseGroup);
  }

  pour(event: Event): readonly Alert[] {
    const early = this.pourGroup(event, this.requestGroup);
    const late = this.pourGroup(event, this.responseGroup);
    if (early.length === 0) return late;
    return late.length === 0 ? early : [...early, ...late];
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
  }

  private pourGroup(event: Event, group: Group): readonly Alert[] {
    this.events++;
    if (event.Whitelisted || (event.Type === eventType.log && !event.Process)) return noAlerts;
    const candidates = group.index.candidates(event);
    if (candidates.length === 0) return noAlerts;
    this.scope.evt = event;
    this.kept = null;
    this.prefix = '';
    this.keys.fill(null);
    const at = pourTime(event, this.deps.clock);
    let overflows: Overflow[] | null = null;
    for (let index = 0; index < candidates.length; index++) {
      const runner = group.runners[candidates[index] as number] as Runner;
      const overflow = this.pourOne(event, runner, at);
      if (overflow !== null) (overflows ??= []).push(overflow);
    }
    this.store.trim();
    this.scope.evt = emptyEvent;
    this.kept = null;
    return overflows === null ? noAlerts : this.alerts(overflows);
  }

  /** Filter, bucket key and pour of one scenario. Null unless a bucket overflew and the overflow counts. */
  private pourOne(event: Event, runner: Runner, at: number | null): Overflow | null {
    const { scenario } = runner;
    let key: string;
    try {
      if (scenario.filter.evaluate(this.scope) !== true) return null;
      key = this.keyOf(event, runner);
    } catch (error) {
      countError(runner, error, this.deps);
      return null;
    }
    if (scenario.spec.type === 'trigger') return this.fire(event, runner, key, at ?? this.deps.clock.now());
    return at === null ? null : this.fill(event, runner, key, at);
  }

  /** A trigger overflows with every event. */
  private fire(event: Event, runner: Runner, key: string, at: number): Overflow | null {
    runner.counters.poured++;
    const bucket = new Bucket<KeptEvent>(0);
    bucket.pour(runner.scenario.shape, this.keep(event, runner), at);
    return this.overflow(runner, bucket, key, at);
  }

  private fill(event: Event, runner: Runner, key: string, at: number): Overflow | null {
    const { scenario, counters } = runner;
    const shelf = event.ExpectMode === 0 ? runner.live : runner.replayed;
    const slot = shelf.open(key, at);
    if (scenario.distinct !== null && !this.isNew(slot.bucket, runner, scenario.distinct)) return null;
    if (scenario.cancelOn !== null && this.holds(runner, scenario.cancelOn)) {
      shelf.remove(slot);
      return null;
    }
    counters.poured++;
    if (!shelf.pour(slot, this.keep(event, runner), at)) return null;
    shelf.remove(slot);
    return this.overflow(runner, slot.bucket, key, at);
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

  private overflow(runner: Runner, bucket: Bucket<KeptEvent>, key: string, at: number): Overflow | null {
    const kept = this.passesFilter(runner, bucket, key) && !runner.blackhole?.swallows(key, at);
    if (kept) return { runner, bucket, at };
    runner.counters.discarded++;
    return null;
  }

  /** `overflow_filter`: false discards the overflow; an error keeps it. */
  private passesFilter(runner: Runner, bucket: Bucket<KeptEvent>, key: string): boolean {
    const { overflowFilter, spec } = runner.scenario;
    if (overflowFilter === null) return true;
    const queue = { Queue: bucket.queue.flatMap(({ whole }) => whole ?? []), L: bucket.queue.length };
    const { name: Name, capacity: Capacity, cacheSize: CacheSize, reprocess: Reprocess } = spec;
    const counts = { Total_count: bucket.count, Simulated: runner.scenario.simulated };
    const leaky = { Name, Mapkey: key, Capacity, CacheSize, Reprocess, Queue: queue, ...counts };
    try {
      return overflowFilter.evaluate({ queue, leaky, signal: {} }) !== false;
    } catch (error) {
      countError(runner, error, this.deps);
      return true;
    }
  }

  private alerts(overflows: readonly Overflow[]): readonly Alert[] {
    const deps = { ...this.deps, geo: this.deps.geo ?? null, ipv6Prefix: this.ipv6Prefix };
    return overflows.flatMap(({ runner, bucket, at }) => {
      const alerts = alertsOf(runner.scenario, bucket, at, deps);
      if (alerts.length === 0) runner.counters.discarded++;
      else runner.counters.overflows++;
      return alerts;
    });
  }

  /** What this scenario's bucket keeps of the event: the same object for all scenarios that need nothing special. */
  private keep(event: Event, runner: Runner): KeptEvent {
    const { scope, overflowFilter } = runner.scenario;
    if (scope === null && overflowFilter === null) return (this.kept ??= new KeptEvent(event, null, false));
    return new KeptEvent(event, scope === null ? null : this.scopeValue(runner, scope), overflowFilter !== null);
  }

  private scopeValue(runner: Runner, scope: Expression): string {
    try {
      const value = scope.evaluate(this.scope);
      if (typeof value !== 'string') return '';
      return value.length <= longestScopeValue ? value : ownCopy(value.slice(0, longestScopeValue));
    } catch (error) {
      countError(runner, error, this.deps);
      return '';
    }
  }

  /** Scenarios that group alike share one text, whose hash is computed once. */
  private keyOf(event: Event, { scenario: { groupby }, keyPlace }: Runner): string {
    if (groupby === null) return '';
    if (keyPlace === -1) return this.bucketKey(event, groupby);
    return (this.keys[keyPlace] ??= this.bucketKey(event, groupby));
  }

  private bucketKey(event: Event, groupby: Expression): string {
    const value = groupby.evaluate(this.scope);
    if (typeof value !== 'string') throw new TypeError(`groupby gave ${typeof value}; it must give a string`);
    const client = event.Meta.source_ip ?? '';
    if (this.ipv6Prefix < 128 && client.includes(':') && value.includes(client)) {
      return boundedText(value.replace(client, this.prefixOf(client)));
    }
    return boundedText(value);
  }

  private prefixOf(client: string): string {
    if (this.prefix === '') {
      const address = parseIp(client);
      this.prefix = address?.version === 6 ? formatRange(rangeOf(address, this.ipv6Prefix)) : client;
    }
    return this.prefix;
  }

  private removeDead(): void {
    const now = this.deps.clock.now();
    this.store.sweep(now);
    for (const { blackhole } of this.runners) blackhole?.sweep(now);
  }
}
