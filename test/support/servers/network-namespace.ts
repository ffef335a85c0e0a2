/**
 * A network of its own for a program that writes firewall rules: nothing of the machine's network is touched, not even an
 * interface added. The namespace has only its loopback; ports of the machine's loopback are brought into it through a relay
 * over a Unix socket, because files are common to both sides. Everything goes with the process that holds the namespace.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { startProcess, temporaryFolder, type ProcessOptions, type ServerProcess, type Teardown } from './process.ts';
import { searchPath, unshareNetwork } from './real-programs.ts';
import { startSocketRelay } from './socket-relay.ts';

export interface NetworkNamespace {
  /** Starts a program inside, as `startProcess` would. */
  start(t: Teardown, options: ProcessOptions): Promise<ServerProcess>;
  /** Runs a command inside to its end and answers its standard output. Rejects with what it said when it fails. */
  run(command: string, ...args: string[]): Promise<string>;
  /** Makes `127.0.0.1:<port>` inside lead to the same port outside. */
  bringIn(port: number): Promise<void>;
}

/** Needs root, or a kernel that lets everybody make user namespaces. */
export async function createNetworkNamespace(t: Teardown): Promise<NetworkNamespace> {
  const folder = await temporaryFolder(t, 'namespace');
  const holder = await startProcess(t, {
    command: 'unshare',
    args: [...unshareNetwork, 'sh', '-c', 'ip link set lo up && echo ready && exec sleep infinity'],
    ready: /ready/,
  });
  const inside = (command: string, args: readonly string[]): readonly string[] => [
    ...(unshareNetwork.includes('--user') ? ['--user', '--preserve-credentials'] : []),
    `--net=/proc/${holder.pid}/ns/net`,
    `--target=${holder.pid}`,
    '--',
    command,
    ...args,
  ];
  const start = (t: Teardown, options: ProcessOptions): Promise<ServerProcess> =>
    startProcess(t, { ...options, command: 'nsenter', args: inside(options.command, options.args) });
  return {
    start,
    run: (command, ...args) => runToEnd('nsenter', inside(command, args)),
    async bringIn(port) {
      const socket = join(folder, `${port}.sock`);
      const outside = await startSocketRelay({ path: socket }, { host: '127.0.0.1', port });
      t.teardown(() => outside.close());
      const relay = join(import.meta.dirname, 'socket-relay.ts');
      await start(t, { command: process.execPath, args: [relay, String(port), socket], ready: /listening/ });
    },
  };
}

function runToEnd(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: searchPath, LC_ALL: 'C' };
    execFile(command, [...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}
