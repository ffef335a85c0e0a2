/**
 * A source that mends itself: runs a task, and when it fails runs it again after a while that doubles from failure to
 * failure, with some chance in it so that many sources do not return at once. What went wrong shows in the status and, once
 * for each failure, in the log.
 */
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { AcquisitionSource, LineSink, SourceStatus } from './acquisition-source.ts';
import { SourceMeter } from './source-meter.ts';

export interface SourceRun {
  readonly sink: LineSink;
  readonly meter: SourceMeter;
  /** Aborted when the source is closed; the task then ends soon. */
  readonly signal: AbortSignal;
}

export interface SourceTask {
  readonly kind: string;
  readonly name: string;
  /** Says in the meter when it is `running`. Reads until closed, or until there is nothing more to read. Rejects when it cannot go on; may be run again then. */
  run(run: SourceRun): Promise<void>;
}

/** Pauses between attempts, milliseconds. */
export const retryPause = { firstMs: 1_000, longestMs: 60_000 } as const;

export function createManagedSource(task: SourceTask, runtime: Runtime): AcquisitionSource {
  return new ManagedSource(task, runtime);
}

/** The pause after so many failures in a row, from 1: doubled each time up to the longest, of which between half and all. */
export function retryDelay(failures: number, fraction: number): number {
  const full = Math.min(retryPause.longestMs, retryPause.firstMs * 2 ** Math.min(failures - 1, 20));
  return Math.round(full * (0.5 + fraction / 2));
}

class ManagedSource implements AcquisitionSource {
  readonly kind: string;
  readonly name: string;
  private readonly task: SourceTask;
  private readonly runtime: Runtime;
  private readonly meter: SourceMeter;
  private readonly closing = new AbortController();
  private running: Promise<void> | null = null;

  constructor(task: SourceTask, runtime: Runtime) {
    this.task = task;
    this.runtime = runtime;
    this.kind = task.kind;
    this.name = task.name;
    this.meter = new SourceMeter(task.kind, task.name);
  }

  status(): SourceStatus {
    return this.meter.status();
  }

  start(sink: LineSink): void {
    this.running ??= this.keepRunning({ sink, meter: this.meter, signal: this.closing.signal });
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async keepRunning(run: SourceRun): Promise<void> {
    const { clock, random } = this.runtime;
    for (let failures = 0; !run.signal.aborted; ) {
      const startedAt = clock.monotonic();
      try {
        run.meter.waiting();
        await this.task.run(run);
        if (!run.signal.aborted) run.meter.ended();
        return;
      } catch (error) {
        if (run.signal.aborted) return;
        // What ran longer than the longest pause had recovered in between.
        if (clock.monotonic() - startedAt > retryPause.longestMs) failures = 0;
        failures++;
        const delay = retryDelay(failures, random.fraction());
        this.report(error, failures, delay);
        await clock.sleep(delay, run.signal);
      }
    }
  }

  private report(error: unknown, failures: number, delayMs: number): void {
    const { clock, log } = this.runtime;
    const retryAt = clock.now() + delayMs;
    this.meter.failed(messageOf(error), retryAt);
    const remedy = error instanceof GatewayError ? error.remedy : null;
    log.warn(
      { code: 'SOURCE_FAILED', kind: this.kind, source: this.name, error: messageOf(error), remedy, failures, retryAt },
      'a source of log lines failed and is tried again',
    );
  }
}
