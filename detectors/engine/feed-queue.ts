/**
 * Between the sources of log lines and the engine: a bounded queue, worked off in short slices so that requests are never held
 * by a flood of lines. Full, it takes no more; the source waits if it can and counts a drop if it cannot.
 */
import type { Runtime } from '../../core/runtime.ts';
import { messageOf } from '../../core/errors.ts';
import type { LineSink } from '../acquisition/acquisition-source.ts';
import type { Alert } from '../alert.ts';
import type { Event, Line } from '../event.ts';
import type { Engine, EngineResult } from './engine.ts';

export interface FeedQueue extends LineSink {
  readonly counters: FeedCounters;
  /** Processes what is queued, waits for what is pending, then takes nothing more. Safe twice. */
  close(): Promise<void>;
}

export interface FeedCounters {
  readonly taken: number;
  /** Lines that were offered while the queue was full. A source that can wait offers its line again. */
  readonly refused: number;
  /** Lines waiting now, and their characters. */
  readonly queued: number;
  readonly queuedCharacters: number;
  /** Lines whose processing threw: a fault in this program, logged once a minute. */
  readonly failed: number;
}

export interface FeedQueueOptions {
  readonly maxLines: number;
  readonly maxCharacters: number;
}

export interface FeedQueueParts extends Pick<Runtime, 'clock' | 'log'> {
  readonly engine: Pick<Engine, 'feed'>;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
}

/** The longest that lines may keep the event loop, milliseconds. */
const sliceMs = 2;

/** Lines between two looks at the clock. */
const linesPerLook = 16;

/** A source that waits is woken when this share of the queue is free again. */
const wakeBelow = 0.5;

const failureLogPeriodMs = 60_000;

export function createFeedQueue(options: FeedQueueOptions, parts: FeedQueueParts): FeedQueue {
  return new SlicedQueue(options, parts);
}

interface Queued {
  readonly line: Line;
  readonly expectMode: Event['ExpectMode'];
}

class SlicedQueue implements FeedQueue {
  private readonly options: FeedQueueOptions;
  private readonly parts: FeedQueueParts;
  /** Taken from `head` on; what lies before it is done with and cut off now and then. */
  private queue: Queued[] = [];
  private head = 0;
  private characters = 0;
  private scheduled = false;
  private closed = false;
  private readonly pending = new Set<Promise<void>>();
  private wakeable: (() => void)[] = [];
  private taken = 0;
  private refused = 0;
  private failed = 0;
  private logFailureAt = 0;

  constructor(options: FeedQueueOptions, parts: FeedQueueParts) {
    this.options = options;
    this.parts = parts;
  }

  get counters(): FeedCounters {
    const { taken, refused, failed, characters: queuedCharacters } = this;
    return { taken, refused, failed, queued: this.depth, queuedCharacters };
  }

  push(line: Line, expectMode: Event['ExpectMode']): boolean {
    if (this.closed || this.isFull()) {
      this.refused++;
      return false;
    }
    this.taken++;
    this.characters += line.Raw.length;
    this.queue.push({ line, expectMode });
    this.schedule();
    return true;
  }

  drained(): Promise<void> {
    if (!this.isFull()) return Promise.resolve();
    return new Promise((resolve) => {
      this.wakeable.push(resolve);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    while (this.depth > 0) {
      this.work(Number.POSITIVE_INFINITY);
    }
    this.wake();
    await Promise.all(this.pending);
  }

  private get depth(): number {
    return this.queue.length - this.head;
  }

  private isFull(): boolean {
    return this.depth >= this.options.maxLines || this.characters >= this.options.maxCharacters;
  }

  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    this.parts.clock.after(0, () => {
      this.scheduled = false;
      this.work(this.parts.clock.monotonic() + sliceMs);
      if (this.depth > 0) this.schedule();
    });
  }

  private work(until: number): void {
    while (this.depth > 0) {
      for (let left = linesPerLook; left > 0 && this.depth > 0; left--) this.processNext();
      if (this.parts.clock.monotonic() >= until) break;
    }
    if (this.head > 1_024 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    const room = this.options.maxLines * wakeBelow;
    if (this.depth <= room && this.characters <= this.options.maxCharacters * wakeBelow) this.wake();
  }

  private processNext(): void {
    const { line, expectMode } = this.queue[this.head++] as Queued;
    this.characters -= line.Raw.length;
    try {
      const result = this.parts.engine.feed(line, expectMode);
      if (result instanceof Promise) this.await(result);
      else this.deliver(result);
    } catch (error) {
      this.fail(error);
    }
  }

  private await(result: Promise<EngineResult>): void {
    const done = result.then(
      (settled) => this.deliver(settled),
      (error: unknown) => this.fail(error),
    );
    this.pending.add(done);
    void done.finally(() => this.pending.delete(done));
  }

  private deliver({ overflows }: EngineResult): void {
    for (const { alerts } of overflows) if (alerts.length > 0) this.parts.onAlerts(alerts);
  }

  private fail(error: unknown): void {
    this.failed++;
    const { clock, log } = this.parts;
    if (clock.now() < this.logFailureAt) return;
    this.logFailureAt = clock.now() + failureLogPeriodMs;
    log.error({ error: messageOf(error), failed: this.failed }, 'a log line could not be processed');
  }

  private wake(): void {
    const sleepers = this.wakeable;
    this.wakeable = [];
    for (const resume of sleepers) resume();
  }
}
