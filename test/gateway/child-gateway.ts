/** `portcullis serve` in a process of its own, which a test may end as a crash would, and the verbs beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServerProcess, startProcess, type Teardown, temporaryFolder } from '../support/servers/process.ts';
import { type Control, controlOf } from './visitors.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');

export interface ChildGateway {
  readonly process: ServerProcess;
  readonly port: number;
  readonly adminUrl: string;
  readonly folder: string;
  readonly control: Control;
  readonly cli: (
    ...argv: string[]
  ) => Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }>;
}

/**
 * Starts it in `folder`, or in a new one; the same folder again continues with what was stored there. `inside` is a program with
 * its arguments that replaces itself by the gateway: `nsenter`.
 */
export async function startChildGateway(
  t: Teardown,
  settings: Readonly<Record<string, unknown>>,
  folder?: string,
  inside: readonly string[] = [],
): Promise<ChildGateway> {
  const home = folder ?? (await temporaryFolder(t, 'serve'));
  const config = join(home, 'portcullis.yaml');
  const complete = {
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    dataDir: home,
    client: { trustedProxies: ['loopback'] },
    accessLog: { format: 'json', path: join(home, 'access.log') },
    waf: { virtualPatches: { mode: 'off' } },
    ...settings,
  };
  // JSON is YAML.
  await writeFile(config, JSON.stringify(complete));
  const [command, ...args] = [...inside, process.execPath, program, 'serve', '--config', config];
  const child = await startProcess(t, {
    command,
    args,
    cwd: home,
    ready: /See what it decided:/,
  });
  const shown = child.output();
  const urlAfter = (word: string): string => new RegExp(` ${word} +(http://[\\d.:]+)`).exec(shown)?.[1] ?? '';
  return {
    process: child,
    port: Number(new URL(urlAfter('gateway')).port),
    adminUrl: urlAfter('health'),
    folder: home,
    control: controlOf(join(home, 'admin.sock')),
    cli: (...argv) => runVerb(home, [...argv, '--socket', join(home, 'admin.sock')]),
  };
}

async function runVerb(
  cwd: string,
  argv: readonly string[],
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [program, ...argv], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const [status] = (await once(child, 'close')) as [number];
  return { status, ...written };
}
