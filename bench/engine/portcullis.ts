/** `portcullis replay` as a user runs it, in a process of its own from start to end. */
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { ReplayedAlert } from './replayed-alert.ts';
import { type ProgramRun, runWell } from './run-program.ts';

export interface ReplayOptions {
  readonly log: string;
  readonly lines: number;
  readonly items: string;
  readonly core: number | null;
  readonly clock: Clock;
  /** Folder for a CPU profile, or null. */
  readonly cpuProf: string | null;
}

export interface ReplayRun extends Pick<ProgramRun, 'cpuSeconds' | 'seconds' | 'peakBytes'> {
  readonly alerts: readonly ReplayedAlert[];
  /** What it says of itself. */
  readonly figures: ReplayFigures;
}

interface ReplayFigures {
  readonly lines: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly lines_per_second: number;
}

const entry = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');

/** Rejects when it fails, or says that it read another number of lines. */
export async function runReplay({ log, lines, items, core, clock, cpuProf }: ReplayOptions): Promise<ReplayRun> {
  const profile = cpuProf === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProf)}`];
  const { stdout, stderr, cpuSeconds, seconds, peakBytes } = await runWell({
    command: process.execPath,
    args: [...profile, entry, 'replay', '--type', 'nginx', '--items', items, '--json', log],
    cwd: items,
    core,
    clock,
    env: { TZ: 'UTC' },
  });
  const figures = JSON.parse(stderr) as ReplayFigures;
  if (figures.lines !== lines) throw new Error(`replay read ${figures.lines} of ${lines} lines`);
  return { cpuSeconds, seconds, peakBytes, figures, alerts: JSON.parse(stdout) as ReplayedAlert[] };
}

/** The whole hub as an installation has it: its items beside its data files. */
export async function installHub(hub: string, lists: string, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of ['parsers', 'scenarios', 'postoverflows', 'contexts']) {
    await symlink(join(hub, name), join(folder, name));
  }
  await symlink(lists, join(folder, 'data'));
  return folder;
}
