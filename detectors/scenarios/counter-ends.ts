/**
 * Counters overflow when their time is up. Live, a timer of the clock sees to that. Upstream's replays end them by the wall
 * clock too, which hardly moves while a log is read; here a replayed counter ends when an event of the replay is past its
 * time, or with the replay, and is stamped with the end of its time, so that a replay shows what would have been.
 */
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Bucket } from './bucket.ts';
import type { BucketShelf, Slot } from './bucket-store.ts';
import type { KeptEvent } from './kept-event.ts';
import type { Runner } from './runner.ts';

/** Takes a bucket that overflew at `at` (epoch milliseconds) and is removed from its shelf. */
export type TakeOverflow = (runner: Runner, bucket: Bucket<KeptEvent>, key: string, at: number) => void;

export class CounterEnds {
  /** Those of counters. */
  private readonly runners: readonly Runner[];
  private readonly clock: Clock;
  private readonly overflow: TakeOverflow;
  private readonly onTimer: () => void;
  /** Waits for the live counter that ends first; null when there is none. */
  private timer: TimerHandle | null = null;
  private timerAt = 0;

  /** `onTimer` is called after the timer has handed live counters to `overflow`. */
  constructor(runners: readonly Runner[], clock: Clock, overflow: TakeOverflow, onTimer: () => void) {
    this.runners = runners.filter(({ scenario }) => scenario.shape.timed);
    this.clock = clock;
    this.overflow = overflow;
    this.onTimer = onTimer;
  }

  get isIdle(): boolean {
    return this.runners.length === 0;
  }

  /** Ends those whose time was up at `at`, among the live or the replayed ones. */
  end(live: boolean, at: number): void {
    for (const runner of this.runners) {
      const shelf = live ? runner.live : runner.replayed;
      for (let slot = shelf.oldestEnded(at); slot !== null; slot = shelf.oldestEnded(at))
        this.endOne(runner, shelf, slot);
    }
  }

  /** Ends the counter of one key if its time was up at `at`, though it may have begun after one that still runs. */
  endKey(runner: Runner, shelf: BucketShelf<KeptEvent>, key: string, at: number): void {
    const slot = shelf.ended(key, at);
    if (slot !== null) this.endOne(runner, shelf, slot);
  }

  /** A live counter ends at `at` at the latest: sets the timer, unless it waits for an earlier one. */
  expect(at: number): void {
    if (this.timer !== null && this.timerAt <= at) return;
    this.timer?.cancel();
    this.timerAt = at;
    this.timer = this.clock.after(Math.max(0, at - this.clock.now()), () => this.timeIsUp());
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private endOne(runner: Runner, shelf: BucketShelf<KeptEvent>, slot: Slot<KeptEvent>): void {
    shelf.remove(slot);
    this.overflow(runner, slot.bucket, slot.key, slot.bucket.firstAt + shelf.shape.lifetimeMs);
  }

  private timeIsUp(): void {
    this.timer = null;
    this.end(true, this.clock.now());
    const ends = this.runners.map(({ live }) => live.nextEnd()).filter((end) => end !== null);
    if (ends.length > 0) this.expect(Math.min(...ends));
    this.onTimer();
  }
}
