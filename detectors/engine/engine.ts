/**
 * The engine: a log line or a request event in, alerts out. A line walks through the parsers, the scenarios' buckets and, when
 * one overflows, the postoverflows, which may whitelist it, change whom it names, or have it poured again. Request events of
 * the gateway arrive parsed and join the same buckets.
 *
 * Everything is synchronous except what another server has to be asked for (the name of an address, a web page that an
 * expression wants) and is not remembered: then the same line or overflow is processed once more when the answer is there. Specification: CrowdSec `cmd/crowdsec/{parse,pour,output}.go`.
 */
import type { Runtime } from '../../core/runtime.ts';
import type { Alert } from '../alert.ts';
import type { Event, Line } from '../event.ts';
import type { ParseObserver } from '../parsers/parse-observer.ts';
import type { ParserSet } from '../parsers/parser-set.ts';
import type { ScenarioDetector } from '../scenarios/detector.ts';
import type { Overflow } from '../scenarios/overflow.ts';
import { overflowEvent, settledAlerts } from '../scenarios/overflow-event.ts';
import { createLineEvent } from './line-event.ts';

/** An overflow after the postoverflows. */
export interface SettledOverflow {
  readonly overflow: Overflow;
  /** The overflow as postoverflows see it and left it; null where nothing asked for it. */
  readonly event: Event | null;
  readonly whitelisted: boolean;
  /** What is to be decided upon: none when it was whitelisted. */
  readonly alerts: readonly Alert[];
}

/** What became of a line. `discarded`: no parser understood it, or it lost its way between two stages. */
export type LineOutcome = 'poured' | 'whitelisted' | 'discarded';

export interface EngineResult {
  readonly outcome: LineOutcome;
  /** In the order in which the buckets overflew, those of events poured again after the one that caused them. */
  readonly overflows: readonly SettledOverflow[];
}

export interface EngineObserver {
  /** A line begins its walk, or begins it again after it had to wait for an answer. */
  started?(event: Event): void;
  readonly parsers?: ParseObserver;
  readonly postoverflows?: ParseObserver;
  /** The event as it goes to the buckets; not called when it was discarded or whitelisted. */
  poured?(event: Event): void;
}

export interface EngineCounters {
  readonly lines: number;
  readonly discarded: number;
  readonly whitelisted: number;
  /** Overflows that a postoverflow whitelisted. */
  readonly whitelistedOverflows: number;
  /** Lines and overflows that wait for another server now. */
  readonly waiting: number;
}

export interface Engine {
  /** Processes a line. A promise only when another server has to be awaited; it never rejects. */
  feed(line: Line, expectMode: Event['ExpectMode'], observer?: EngineObserver): EngineResult | Promise<EngineResult>;
  /** Pours the scenarios that need the request only; what overflows and waits arrives through `onLateAlerts`. */
  pourRequest(event: Event): readonly Alert[];
  /** Pours the scenarios that need the response too. */
  pourResponse(event: Event): readonly Alert[];
  /** Ends a replay: what still waits for its time overflows now. */
  endReplay(): readonly SettledOverflow[] | Promise<readonly SettledOverflow[]>;
  readonly counters: EngineCounters;
}

export interface EngineParts extends Pick<Runtime, 'clock'> {
  readonly parsers: ParserSet;
  readonly postoverflows: ParserSet;
  /** The nodes of the last stage that concern events which arrive parsed: whitelists and enrichers. Null when there are none. */
  readonly enrichers: ParserSet | null;
  readonly detector: ScenarioDetector;
  /** Alerts that no call is there to return: of requests that had to wait, of counters whose time is up. */
  readonly onLateAlerts: (alerts: readonly Alert[]) => void;
}

/** An overflow that causes an overflow that causes …: the hub nests two deep. */
const deepestReprocess = 8;

/** How often one line or overflow may wait for another name before it goes on without. */
const mostWaits = 4;

/** Lines and overflows that may wait at once; past it they go on without the name. */
const mostWaiting = 1_024;

const noOverflows: readonly SettledOverflow[] = Object.freeze([]);
const noAlerts: readonly Alert[] = Object.freeze([]);
const discarded: EngineResult = Object.freeze({ outcome: 'discarded', overflows: noOverflows });
const whitelisted: EngineResult = Object.freeze({ outcome: 'whitelisted', overflows: noOverflows });
const poured: EngineResult = Object.freeze({ outcome: 'poured', overflows: noOverflows });

export function createEngine(parts: EngineParts): Engine {
  return new ItemEngine(parts);
}

class ItemEngine implements Engine {
  private readonly parts: EngineParts;
  private readonly settlesOverflows: boolean;
  private lines = 0;
  private discardedLines = 0;
  private whitelistedLines = 0;
  private whitelistedOverflows = 0;
  private waiting = 0;

  constructor(parts: EngineParts) {
    this.parts = parts;
    this.settlesOverflows = parts.postoverflows.nodes.length > 0;
    parts.detector.listen((overflows) => {
      const alerts = this.decidable(overflows);
      if (alerts.length > 0) parts.onLateAlerts(alerts);
    });
  }

  get counters(): EngineCounters {
    return {
      lines: this.lines,
      discarded: this.discardedLines,
      whitelisted: this.whitelistedLines,
      whitelistedOverflows: this.whitelistedOverflows,
      waiting: this.waiting,
    };
  }

  feed(line: Line, expectMode: Event['ExpectMode'], observer?: EngineObserver): EngineResult | Promise<EngineResult> {
    this.lines++;
    return this.parse(line, expectMode, observer, 0);
  }

  pourRequest(event: Event): readonly Alert[] {
    if (this.parts.enrichers !== null) this.enrich(event, this.parts.enrichers);
    return this.decidable(this.parts.detector.pourRequest(event));
  }

  pourResponse(event: Event): readonly Alert[] {
    return this.decidable(this.parts.detector.pourResponse(event));
  }

  endReplay(): readonly SettledOverflow[] | Promise<readonly SettledOverflow[]> {
    return this.settleAll(this.parts.detector.endReplay(), undefined, 0);
  }

  private parse(
    line: Line,
    expectMode: Event['ExpectMode'],
    observer: EngineObserver | undefined,
    waits: number,
  ): EngineResult | Promise<EngineResult> {
    const event = createLineEvent(line, expectMode, this.parts.clock.now());
    observer?.started?.(event);
    const outcome = this.parts.parsers.parse(event, observer?.parsers ?? null, waits >= mostWaits);
    switch (outcome.kind) {
      case 'pending':
        return this.after(outcome.ready, () => this.parse(line, expectMode, observer, this.nextWait(waits)));
      case 'discarded':
        this.discardedLines++;
        return discarded;
      case 'passed':
        return this.pour(event, observer);
      default:
        return outcome satisfies never;
    }
  }

  private pour(event: Event, observer: EngineObserver | undefined): EngineResult | Promise<EngineResult> {
    if (event.Whitelisted) {
      this.whitelistedLines++;
      return whitelisted;
    }
    observer?.poured?.(event);
    const overflows = this.parts.detector.pour(event);
    if (overflows.length === 0) return poured;
    const settled = this.settleAll(overflows, observer, 0);
    if (settled instanceof Promise) return settled.then((all) => ({ outcome: 'poured', overflows: all }));
    return { outcome: 'poured', overflows: settled };
  }

  /** One after another, so that what is poured again finds the buckets as upstream would leave them. */
  private settleAll(
    overflows: readonly Overflow[],
    observer: EngineObserver | undefined,
    depth: number,
  ): readonly SettledOverflow[] | Promise<readonly SettledOverflow[]> {
    const settled: SettledOverflow[] = [];
    for (const [index, overflow] of overflows.entries()) {
      const one = this.settle(overflow, observer, depth, 0);
      if (one instanceof Promise) {
        const rest = overflows.slice(index + 1);
        return one.then(async (found) => [...settled, ...found, ...(await this.settleAll(rest, observer, depth))]);
      }
      settled.push(...one);
    }
    return settled;
  }

  /** The overflow itself, and after it what pouring it again caused. */
  private settle(
    overflow: Overflow,
    observer: EngineObserver | undefined,
    depth: number,
    waits: number,
  ): readonly SettledOverflow[] | Promise<readonly SettledOverflow[]> {
    const { reprocess } = overflow.scenario;
    const observed = observer?.postoverflows ?? null;
    if (!this.settlesOverflows && !reprocess && observed === null) {
      return [{ overflow, event: null, whitelisted: false, alerts: overflow.alerts }];
    }
    const event = overflowEvent(overflow);
    const outcome = this.parts.postoverflows.parse(event, observed, waits >= mostWaits);
    if (outcome.kind === 'pending') {
      return this.after(outcome.ready, () => this.settle(overflow, observer, depth, this.nextWait(waits)));
    }
    if (event.Whitelisted || event.Overflow?.Whitelisted === true) {
      this.whitelistedOverflows++;
      return [{ overflow, event, whitelisted: true, alerts: noAlerts }];
    }
    const own: SettledOverflow = { overflow, event, whitelisted: false, alerts: settledAlerts(event, overflow) };
    if (!reprocess || depth >= deepestReprocess) return [own];
    const caused = this.settleAll(this.parts.detector.pour(event), observer, depth + 1);
    return caused instanceof Promise ? caused.then((more) => [own, ...more]) : [own, ...caused];
  }

  /** Whitelists and enriches a request event. A name that is not known yet is not awaited: the request is not held. */
  private enrich(event: Event, enrichers: ParserSet): void {
    enrichers.parse(event, null, true);
    // The event arrived parsed; that none of these few nodes concerned it says nothing.
    event.Process = true;
  }

  private decidable(overflows: readonly Overflow[]): readonly Alert[] {
    if (overflows.length === 0) return noAlerts;
    const settled = this.settleAll(overflows, undefined, 0);
    if (!(settled instanceof Promise)) return alertsIn(settled);
    void settled.then((late) => this.parts.onLateAlerts(alertsIn(late)));
    return noAlerts;
  }

  /** Runs `next` when `ready` has resolved; it is counted while it waits. */
  private async after<Result>(ready: Promise<void>, next: () => Result | Promise<Result>): Promise<Result> {
    this.waiting++;
    try {
      await ready;
    } finally {
      this.waiting--;
    }
    return next();
  }

  /** Too many waiting: this one goes on without the name. */
  private nextWait(waits: number): number {
    return this.waiting >= mostWaiting ? mostWaits : waits + 1;
  }
}

function alertsIn(settled: readonly SettledOverflow[]): readonly Alert[] {
  if (settled.length === 0) return noAlerts;
  return settled.flatMap(({ alerts }) => alerts);
}
