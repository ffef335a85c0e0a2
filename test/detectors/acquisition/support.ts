/** A sink that keeps what it is given, and the parts that sources are made from. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createLog } from '../../../core/log.ts';
import { systemClock } from '../../../core/clock.ts';
import { createSystemRandom } from '../../../core/random.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { LineSink } from '../../../detectors/acquisition/acquisition-source.ts';
import { LineOutlet } from '../../../detectors/acquisition/line-outlet.ts';
import { openResumeStore, type ResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import { SourceMeter } from '../../../detectors/acquisition/source-meter.ts';
import { labelMap, type SourceParts } from '../../../detectors/acquisition/source-parts.ts';
import type { Line } from '../../../detectors/event.ts';

export interface TestSink extends LineSink {
  readonly lines: readonly Line[];
  readonly modes: readonly number[];
  raws(): readonly string[];
  /** Resolves once so many lines have been taken in all. */
  until(count: number): Promise<void>;
  /** Room for so many more lines; without end from the start. */
  setRoom(lines: number): void;
}

export function createTestSink(): TestSink {
  const lines: Line[] = [];
  const modes: number[] = [];
  let room = Infinity;
  let waiting: (() => void)[] = [];
  const watchers = new Set<() => void>();
  return {
    lines,
    modes,
    raws: () => lines.map((line) => line.Raw),
    push(line, mode) {
      if (room <= 0) return false;
      room--;
      lines.push(line);
      modes.push(mode);
      for (const look of watchers) look();
      return true;
    },
    drained: () => (room > 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
    until(count) {
      return new Promise((resolve) => {
        const look = (): void => {
          if (lines.length < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      });
    },
    setRoom(lines) {
      room = lines;
      const sleepers = waiting;
      waiting = [];
      for (const wake of sleepers) wake();
    },
  };
}

export const silentRuntime: Runtime = { clock: systemClock, random: createSystemRandom(), log: createLog('silent') };

/** The system's clock, but what waits waits `factor` times shorter: pauses of a second pass in milliseconds. */
export function fastRuntime(factor = 50): Runtime {
  const shorter = (ms: number): number => Math.ceil(ms / factor);
  return {
    ...silentRuntime,
    clock: {
      ...systemClock,
      after: (ms, run) => systemClock.after(shorter(ms), run),
      every: (ms, run) => systemClock.every(shorter(ms), run),
      // Kept alive: nothing else may be going on in a test that waits for a pause to end.
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const finish = (): void => {
            clearTimeout(timer);
            signal?.removeEventListener('abort', finish);
            resolve();
          };
          const timer = setTimeout(finish, shorter(ms));
          signal?.addEventListener('abort', finish, { once: true });
        }),
    },
  };
}

export interface TestOutlet {
  readonly outlet: LineOutlet;
  readonly meter: SourceMeter;
  readonly closing: AbortController;
}

export function createTestOutlet(sink: LineSink, runtime: Runtime = silentRuntime): TestOutlet {
  const meter = new SourceMeter('file', 'test');
  const closing = new AbortController();
  const outlet = new LineOutlet({
    sink,
    meter,
    clock: runtime.clock,
    signal: closing.signal,
    module: 'file',
    labels: labelMap({ type: 'test' }),
    timeMachine: false,
    transform: null,
  });
  return { outlet, meter, closing };
}

export async function testParts(overrides: Partial<SourceParts> = {}): Promise<SourceParts> {
  const runtime = overrides.runtime ?? fastRuntime();
  const resume: ResumeStore = overrides.resume ?? (await openResumeStore(null, runtime));
  return {
    runtime,
    resume,
    base: tmpdir(),
    stdin: Readable.from([]),
    spawnJournal: () => {
      throw new Error('no journal in this test');
    },
    compileTransform: () => {
      throw new Error('no transform in this test');
    },
    claims: { claim: () => true, release: () => undefined },
    ...overrides,
  };
}

export async function temporaryFolder(t: { teardown(run: () => unknown): unknown }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-acquisition-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
