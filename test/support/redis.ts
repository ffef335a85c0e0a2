/**
 * A real redis-server for a test: in a folder of its own, on a unix socket (and, when asked, on a TLS or plain port), ended
 * by its process id. A test that needs Redis fails without it: `npm test` installs it, or says how.
 */
import { join } from 'node:path';
import { freePort, startProcess, temporaryFolder, type ServerProcess, type Teardown } from './servers/process.ts';

export interface RedisServerOptions {
  /** More lines of redis.conf as arguments: `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
  /** Also listen on a free port: plain, or TLS only with the given files. */
  readonly port?: 'plain' | 'tls';
}

export interface RedisServer {
  /** As `store.redis.url` takes it. */
  readonly url: string;
  readonly socketPath: string;
  /** The port, when one was asked for. */
  readonly port: number;
  readonly folder: string;
  /** Freezes the server (SIGSTOP): connections stay, nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends it at once (SIGKILL), as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same socket and folder. */
  restart(): Promise<void>;
}

/** Starts a server without persistence and ends it with the test. */
export async function startRedis(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await temporaryFolder(t, 'redis');
  const socketPath = join(folder, 'redis.sock');
  const port = options.port === undefined ? 0 : await freePort();
  const processes: ServerProcess[] = [];
  const start = async (): Promise<void> => {
    processes.push(await startProcess(t, redisProcess(folder, socketPath, port, options)));
  };
  const current = (): ServerProcess => processes.at(-1) as ServerProcess;
  await start();
  // A frozen server does not hear SIGTERM.
  t.teardown(() => signal(current().pid, 'SIGCONT'));
  return {
    url: `unix:${socketPath}`,
    socketPath,
    port,
    folder,
    pause: () => signal(current().pid, 'SIGSTOP'),
    resume: () => signal(current().pid, 'SIGCONT'),
    async kill() {
      await current().stop('SIGKILL');
    },
    restart: start,
  };
}

function redisProcess(folder: string, socketPath: string, port: number, { args = [], port: kind }: RedisServerOptions) {
  const ports =
    kind === 'tls' ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port), '--bind', '127.0.0.1'];
  const socket = ['--unixsocket', socketPath, '--unixsocketperm', '700'];
  const files = ['--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  return {
    command: 'redis-server',
    args: [...ports, ...socket, ...files, ...args],
    cwd: folder,
    ready: /ready to accept connections/i,
    debianPackage: 'redis-server',
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
