/**
 * Installs Debian packages and leaves nothing else behind: services are not started, questions are not asked, and a
 * `policy-rc.d` of the administrator's is back in its place afterwards, whatever happens in between.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';

export interface PackageInstaller {
  /** Runs a command to its end; its output is shown as it comes and returned as text. */
  readonly run: (command: string, args: readonly string[]) => Promise<CommandResult>;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** `/usr/sbin/policy-rc.d`: what maintainer scripts ask before they start a service. */
  readonly policyFile: string;
}

export interface CommandResult {
  readonly status: number;
  readonly output: string;
}

const marker = '# Written by the tests of Portcullis while packages are installed; it may be deleted.';
/** Exit status 101 is "action forbidden by policy" (invoke-rc.d(8)). */
const policy = `#!/bin/sh\n${marker}\nexit 101\n`;

/** How long another apt or dpkg may hold its lock, and how often we look. */
const lockPatienceMs = 180_000;
const lockPauseMs = 3_000;

const aptOptions = [
  '-q',
  '-y',
  '-o',
  'DPkg::Lock::Timeout=60',
  '-o',
  'Dpkg::Use-Pty=0',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
];

/** Raises an error that says what to do when the packages cannot be installed. */
export async function installPackages(packages: readonly string[], installer: PackageInstaller): Promise<void> {
  const { say } = installer;
  say(`installing ${packages.join(', ')} (apt-get; services are not started)`);
  const restore = forbidServices(installer.policyFile);
  // A signal must not leave our policy behind. Ending is left to whoever sent it: apt-get has received it too.
  const onSignal = (signal: NodeJS.Signals): void => {
    restore();
    process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    await aptGet(['update'], installer);
    await aptGet(['install', '--no-install-recommends', ...packages], installer);
  } finally {
    for (const signal of signals) process.removeListener(signal, onSignal);
    restore();
  }
}

/** Puts our policy in place; the answer puts back what was there, once. */
function forbidServices(file: string): () => void {
  const saved = `${file}.before-portcullis`;
  // An earlier run was killed: what it had saved is still the administrator's.
  if (existsSync(saved)) renameSync(saved, file);
  else if (existsSync(file) && readFileSync(file, 'utf8').includes(marker)) rmSync(file);
  if (existsSync(file)) renameSync(file, saved);
  writeFileSync(file, policy);
  chmodSync(file, 0o755);
  let restored = false;
  return () => {
    if (restored) return;
    restored = true;
    if (existsSync(saved)) renameSync(saved, file);
    else rmSync(file, { force: true });
  };
}

async function aptGet(args: readonly string[], { run, clock, say }: PackageInstaller): Promise<void> {
  const giveUpAt = clock.monotonic() + lockPatienceMs;
  for (;;) {
    const { status, output } = await run('apt-get', [...aptOptions, ...args]);
    if (status === 0) return;
    if (/dpkg was interrupted/.test(output)) {
      throw new Error('dpkg was interrupted earlier: run `dpkg --configure -a`, then the tests again');
    }
    const locked = /Could not get lock|Unable to (?:acquire|lock)|is held by process/.test(output);
    if (!locked || clock.monotonic() >= giveUpAt) {
      throw new Error(`apt-get ${args.join(' ')} failed with status ${status}: see its messages above`);
    }
    say('another apt or dpkg is at work: waiting for it');
    await clock.sleep(lockPauseMs);
  }
}

/** Runs a command without a terminal; its output goes to the standard error. */
export function runVisibly(command: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', NEEDRESTART_MODE: 'l' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-65_536);
        process.stderr.write(chunk);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ status: code ?? 1, output }));
  });
}
