/** What `bench proxy` measures: a program that stands before the origin, on one core, with its access log on. */
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { ProcessFailure, startProcess, type ServerProcess, type Teardown } from '../../test/support/servers/process.ts';

export interface PeerContext {
  /** The peer's own, empty. */
  readonly folder: string;
  /** Where the peer must write one line per request, opened for appending. */
  readonly accessLog: string;
  /** Listen here, on 127.0.0.1. */
  readonly port: number;
  readonly originPort: number;
  readonly core: number;
}

export interface StartedPeer {
  readonly process: ServerProcess;
  /** Requests that the peer says it has inspected; null where a peer inspects nothing. */
  readonly inspected: (() => Promise<number>) | null;
}

export interface Peer {
  readonly name: string;
  /** What it is and how it is set up, for the report. */
  readonly about: string;
  /** Rejects with `ProcessFailure` naming the package when the program is absent. */
  start(t: Teardown, context: PeerContext): Promise<StartedPeer>;
}

export interface ListenerOptions {
  readonly core: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly port: number;
  /** Standard output goes to the end of this file. */
  readonly stdoutFile?: string;
  readonly debianPackage?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may take until it listens (30,000). */
  readonly readyWithinMs?: number;
}

/** Runs a program on one core and waits until its port accepts connections. */
export async function startListener(t: Teardown, options: ListenerOptions): Promise<ServerProcess> {
  const { core, command, args, folder, port, stdoutFile } = options;
  const stdout = stdoutFile === undefined ? null : openSync(stdoutFile, 'a');
  try {
    const running = await startProcess(t, {
      command,
      args,
      cwd: folder,
      ready: null,
      core,
      ...(stdout === null ? {} : { stdout }),
      ...(options.debianPackage === undefined ? {} : { debianPackage: options.debianPackage }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    await listens(command, running, port, options.readyWithinMs ?? 30_000);
    return running;
  } finally {
    if (stdout !== null) closeSync(stdout);
  }
}

/** A Node script of `bench/peers`, started with `<port> <origin port> <access log>`. */
export function startNodePeer(t: Teardown, context: PeerContext, script: string): Promise<ServerProcess> {
  const args = [join(import.meta.dirname, script), context.port, context.originPort, context.accessLog].map(String);
  return startListener(t, { ...context, command: process.execPath, args });
}

async function listens(command: string, running: ServerProcess, port: number, withinMs: number): Promise<void> {
  const end: { how: number | NodeJS.Signals | null } = { how: null };
  void running.exited.then((how) => (end.how = how));
  const deadline = systemClock.monotonic() + withinMs;
  while (!(await accepts(port))) {
    if (end.how !== null)
      throw new ProcessFailure(`${command} ended with ${end.how} before it listened`, running.output());
    if (systemClock.monotonic() > deadline) {
      await running.stop();
      throw new ProcessFailure(`${command} did not listen within ${withinMs} ms`, running.output());
    }
    await systemClock.sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
