/** What the tests of stores hand them: a clock whose time jumps while its pauses are real, and a log that is kept. */
import { createLog } from '../../core/log.ts';
import { systemClock, type Clock, type TimerHandle } from '../../core/clock.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Runtime } from '../../core/runtime.ts';

export interface JumpingClock extends Clock {
  /** Moves the wall clock forward, and runs once what is due every so often. */
  jump(ms: number): void;
}

/** Stores wait for real threads and servers, so a clock that tests move by hand would stand still for them. */
export function createJumpingClock(startMs = Date.UTC(2026, 0, 1)): JumpingClock {
  const startedAt = systemClock.monotonic();
  const repeated = new Set<{ due: number; readonly periodMs: number; readonly run: () => void }>();
  let jumped = 0;
  // Whole milliseconds, as Date.now() has them.
  const now = (): number => startMs + jumped + Math.floor(systemClock.monotonic() - startedAt);
  return {
    ...systemClock,
    now,
    every(periodMs, run): TimerHandle {
      const entry = { due: now() + periodMs, periodMs, run };
      repeated.add(entry);
      return { cancel: () => void repeated.delete(entry) };
    },
    jump(ms) {
      jumped += ms;
      for (const entry of repeated) {
        if (entry.due > now()) continue;
        entry.due = now() + entry.periodMs;
        entry.run();
      }
    },
  };
}

export interface TestRuntime extends Runtime {
  readonly clock: JumpingClock;
  /** Every line that was logged. */
  readonly lines: readonly string[];
}

export function createTestRuntime(): TestRuntime {
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  return { clock: createJumpingClock(), random: createSystemRandom(), log, lines };
}
