/**
 * A real systemd-journald without systemd: in a mount namespace of its own with an empty /run, so that it neither sees nor
 * touches the machine's journal. `journalctl` and writers are run inside the same namespace.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type ServerProcess, startProcess, type Teardown } from './process.ts';

const program = '/lib/systemd/systemd-journald';

/** One datagram of what stands on standard input: Node has no datagrams over Unix sockets, and Debian always has Perl. */
const send = `
  use Socket;
  binmode STDIN; local $/; my $entry = <STDIN>;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  send($socket, $entry, 0, sockaddr_un('/run/systemd/journal/socket')) or die $!;
`;

export interface Journald extends ServerProcess {
  /** As `spawn('journalctl', args)` would, with output and error as pipes. */
  journalctl(args: readonly string[]): ChildProcess;
  /** Puts an entry with these fields into the journal; a field may hold any bytes. Resolves when it stands there. */
  write(fields: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
}

/** Why journald cannot be run here, or false. */
export function journaldMissing(): string | false {
  if (!existsSync(program)) return 'systemd-journald is not installed (Debian package systemd)';
  const allowed = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/run']).status === 0;
  return allowed ? false : 'mount namespaces need root';
}

/** Starts journald and waits until it listens. */
export async function startJournald(t: Teardown): Promise<Journald> {
  const prepare =
    'mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal && echo prepared >&2 && exec "$0"';
  const running = await startProcess(t, {
    command: 'unshare',
    args: ['-m', 'sh', '-c', prepare, program],
    ready: /prepared/,
  });
  const inside = (args: readonly string[], input: 'ignore' | 'pipe' = 'ignore'): ChildProcess =>
    spawn('nsenter', [`--mount=/proc/${running.pid}/ns/mnt`, ...args], { stdio: [input, 'pipe', 'pipe'] });
  const listens = 'while ! test -S /run/systemd/journal/socket; do sleep 0.02; done';
  await ended(inside(['sh', '-c', listens]));
  return {
    ...running,
    journalctl: (args) => inside(['journalctl', ...args]),
    async write(fields) {
      const sender = inside(['perl', '-e', send], 'pipe');
      sender.stdin?.end(entryBytes(fields));
      await ended(sender);
      await ended(inside(['journalctl', '--sync']));
    },
  };
}

/** The native protocol, in the form that takes any bytes: the name, a 64-bit length, the value. https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ */
function entryBytes(fields: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return [Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')];
  });
  return Buffer.concat(parts);
}

async function ended(child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${String(status)}: ${said}`);
}
