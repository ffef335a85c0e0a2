/**
 * A server program as a child of the test: in the foreground, in a folder of its own, its output kept, ended by its process
 * id. It does not outlive the test process, even one that is killed: the kernel then delivers SIGTERM to it (`setpriv
 * --pdeathsig`), which nginx and Apache pass on to their own children.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `t` of a tap test offers; the benchmarks bring their own. */
export interface Teardown {
  teardown(run: () => unknown): unknown;
}

export interface ProcessOptions {
  /** Program name or path; looked for in the sbin folders too, which an ordinary user's PATH lacks. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves the start once standard output or error matches; null: started as soon as it is spawned. */
  readonly ready: RegExp | null;
  /** Where standard output goes: kept with standard error by default, or an open file descriptor. */
  readonly stdout?: number;
  /** Bind it to this core, for measurements. */
  readonly core?: number;
  /** The Debian package to name when the program is absent. */
  readonly debianPackage?: string;
}

export interface ServerProcess {
  readonly pid: number;
  /** Standard output and error so far: the newest 256 KiB. */
  output(): string;
  /** The exit status or signal, once it has ended. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Sends `signal` (SIGTERM), after 5 s SIGKILL, and waits for the end. Safe when it has ended already. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A program that could not be started, or ended before it was ready; `output` is what it had said. */
export class ProcessFailure extends Error {
  readonly output: string;

  constructor(message: string, output: string) {
    super(output === '' ? message : `${message}\n${output}`);
    this.name = 'ProcessFailure';
    this.output = output;
  }
}

const keptOutput = 256 * 1024;
const readyWithinMs = 30_000;
const searchPath = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Starts a program and waits until it is ready. Rejects with `ProcessFailure` naming the cause. */
export async function startProcess(t: Teardown, options: ProcessOptions): Promise<ServerProcess> {
  const command = findProgram(options.command, options.debianPackage);
  const [program, args] = boundToUs(command, options.args, options.core);
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, PATH: searchPath, ...options.env },
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
  });
  const running = superviseChild(child);
  t.teardown(() => running.stop());
  await becomesReady(child, running, options);
  return running;
}

/** Runs `start` with free ports until one is still free when the program binds it; five attempts. */
export async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof ProcessFailure && /address already in use/i.test(error.output);
      if (!taken || attempt === 5) throw error;
    }
  }
}

/** A port of the loopback that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port was given'));
      probe.close(() => resolve(address.port));
    });
  });
}

/** A folder for one server, removed with the test. Readable by all, because Apache drops root before it reads files. */
export async function temporaryFolder(t: Teardown, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `portcullis-${name}-`));
  await chmod(folder, 0o755);
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** The program's path, or a `ProcessFailure` that names the package to install. */
export function findProgram(command: string, debianPackage: string = command): string {
  if (command.includes('/')) return command;
  const found = spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', command], {
    env: { PATH: searchPath },
    encoding: 'utf8',
  });
  if (found.status === 0) return found.stdout.trim();
  throw new ProcessFailure(`${command} is not installed: install the Debian package ${debianPackage}`, '');
}

/** The programs in front replace themselves by the next one, so that the process id is the server's own. */
function boundToUs(command: string, args: readonly string[], core?: number): [string, readonly string[]] {
  if (process.platform !== 'linux') return [command, args];
  const onCore = core === undefined ? [] : ['taskset', '-c', String(core)];
  return ['setpriv', ['--pdeathsig', 'TERM', '--', ...onCore, command, ...args]];
}

function superviseChild(child: ChildProcess): ServerProcess {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('latin1')).slice(-keptOutput);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code ?? 0));
    child.once('error', () => resolve(127));
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  void exited.then(() => process.off('exit', killWithUs));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const last = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(last);
    },
  };
}

async function becomesReady(child: ChildProcess, running: ServerProcess, options: ProcessOptions): Promise<void> {
  const { ready, command } = options;
  if (ready === null) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (): void => {
    if (ready.test(running.output())) resolve();
  };
  child.stdout?.on('data', look);
  child.stderr?.on('data', look);
  const late = setTimeout(
    () => reject(new ProcessFailure(`${command} was not ready within ${readyWithinMs} ms`, running.output())),
    readyWithinMs,
  );
  void running.exited.then((how) =>
    reject(new ProcessFailure(`${command} ended with ${how} before it was ready`, running.output())),
  );
  try {
    await promise;
  } catch (error) {
    await running.stop();
    throw error;
  } finally {
    clearTimeout(late);
    child.stdout?.off('data', look);
    child.stderr?.off('data', look);
  }
}
