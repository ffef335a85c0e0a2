/**
 * The time that the rules may take for one transaction: everything that is done for it counts, in as many stretches as it has
 * phases. Who works says how much, and now and then the clock is looked at. Where the thread's own time can be had it decides,
 * because on a busy machine the clock also counts the time in which others ran.
 */
import type { Clock } from '../../../core/clock.ts';

/** Work between two looks at the clock: about the characters that are read. At the slowest, that is some milliseconds. */
const workPerLook = 2_048;

export class TimeBudget {
  /** It is used up: nothing more is to be done. */
  exhausted = false;
  readonly #ms: number;
  readonly #clock: Clock;
  readonly #threadTime: (() => number) | null;
  #work = 0;
  /** Of stretches that are over: by the clock, and of processor time. */
  #spentMs = 0;
  #spentCpuMs = 0;
  #startedAt = 0;
  /** Processor time at the first look of this stretch; null: there was none, so that it was short. */
  #cpuFrom: number | null = null;

  constructor(ms: number, clock: Clock, threadTime: (() => number) | null) {
    this.#ms = ms;
    this.#clock = clock;
    this.#threadTime = threadTime;
  }

  /** Begins a stretch. */
  begin(): void {
    this.#startedAt = this.#clock.monotonic();
    this.#cpuFrom = null;
  }

  /** Ends it. The time until the next one is others'. */
  end(): void {
    this.#spentMs += this.#clock.monotonic() - this.#startedAt;
    if (this.#cpuFrom !== null && this.#threadTime !== null) this.#spentCpuMs += this.#threadTime() - this.#cpuFrom;
  }

  /** So much is about to be done, or has been. True when it is too much. */
  charge(work: number): boolean {
    this.#work += work;
    return this.#work > workPerLook ? this.#look() : this.exhausted;
  }

  #look(): boolean {
    this.#work = 0;
    const threadTime = this.#threadTime;
    if (threadTime !== null) this.#cpuFrom ??= threadTime();
    if (this.exhausted || this.#spentMs + this.#clock.monotonic() - this.#startedAt <= this.#ms) return this.exhausted;
    this.exhausted =
      threadTime === null || this.#spentCpuMs + threadTime() - (this.#cpuFrom ?? threadTime()) > this.#ms;
    return this.exhausted;
  }
}
