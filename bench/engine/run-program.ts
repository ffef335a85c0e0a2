/** Runs a program to its end and tells what it cost: wall-clock time, CPU time, and the most memory it had (Linux). */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Bind it to this core; null leaves it to the kernel. */
  readonly core: number | null;
  readonly clock: Clock;
}

export interface ProgramRun {
  readonly status: number;
  readonly seconds: number;
  /** User and system time of all its threads. Resolution: 10 ms. */
  readonly cpuSeconds: number;
  /** VmHWM as last seen: what it took in its last 20 ms may be missing. */
  readonly peakBytes: number;
  readonly stdout: string;
  readonly stderr: string;
}

const samplePeriodMs = 20;
const keptOutput = 64 * 1024 * 1024;

/** One at a time: the CPU time is what this process's ended children have used in between. Rejects when it cannot be started. */
export async function runProgram(options: ProgramOptions): Promise<ProgramRun> {
  const { command, args, cwd, env = {}, core, clock } = options;
  const cpuBefore = endedChildrenCpuSeconds();
  const startedAt = clock.monotonic();
  const [program, ...words] = core === null ? [command, ...args] : ['taskset', '-c', String(core), command, ...args];
  const child = spawn(program ?? command, words, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let peakBytes = 0;
  const sampling = clock.every(samplePeriodMs, () => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
  });
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
    const seconds = (clock.monotonic() - startedAt) / 1000;
    return {
      status,
      seconds,
      cpuSeconds: endedChildrenCpuSeconds() - cpuBefore,
      peakBytes,
      stdout: stdout(),
      stderr: stderr(),
    };
  } finally {
    sampling.cancel();
    child.kill('SIGKILL');
  }
}

/** As `runProgram`; rejects, with the end of what it said, unless its exit status is 0. */
export async function runWell(options: ProgramOptions): Promise<ProgramRun> {
  const run = await runProgram(options);
  if (run.status === 0) return run;
  const said = `${run.stdout}${run.stderr}`.trim().slice(-2_000);
  throw new Error(`${options.command} ended with status ${run.status}:\n${said}`);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  let length = 0;
  stream.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length <= keptOutput) pieces.push(piece);
  });
  return () => Buffer.concat(pieces).toString('utf8');
}

/** 0 once it has ended. */
function peakOf(pid: number | undefined): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

/** cutime and cstime, fields 16 and 17 of proc(5), in ticks of 10 ms. */
function endedChildrenCpuSeconds(): number {
  const text = readFileSync('/proc/self/stat', 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
