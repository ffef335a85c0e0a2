/** A clock that tests move by hand: timers fire, in order, while time is advanced past them. */
import type { Clock } from '../../core/clock.ts';

interface Waiting {
  at: number;
  periodMs: number | null;
  run: () => void;
}

export interface ManualClock extends Clock {
  /** Moves time forward, firing what falls due on the way. */
  advance(ms: number): void;
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let time = startMs;
  const waiting = new Set<Waiting>();
  const add = (delayMs: number, periodMs: number | null, run: () => void): { cancel(): void } => {
    const entry: Waiting = { at: time + delayMs, periodMs, run };
    waiting.add(entry);
    return { cancel: () => void waiting.delete(entry) };
  };
  const nextDue = (until: number): Waiting | undefined => {
    let first: Waiting | undefined;
    for (const entry of waiting) if (entry.at <= until && (!first || entry.at < first.at)) first = entry;
    return first;
  };
  return {
    now: () => time,
    monotonic: () => time - startMs,
    after: (delayMs, run) => add(delayMs, null, run),
    every: (periodMs, run) => add(periodMs, periodMs, run),
    sleep(delayMs, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const timer = add(delayMs, null, resolve);
        signal?.addEventListener('abort', () => {
          timer.cancel();
          resolve();
        });
      });
    },
    advance(ms) {
      const until = time + ms;
      for (let entry = nextDue(until); entry; entry = nextDue(until)) {
        time = entry.at;
        if (entry.periodMs === null) waiting.delete(entry);
        else entry.at += entry.periodMs;
        entry.run();
      }
      time = until;
    },
  };
}
