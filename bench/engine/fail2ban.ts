/**
 * `fail2ban-regex` as Debian packages it: one filter over one log, without any state, nothing banned. It does much less than
 * an engine with buckets, and is here because people know how fast it is.
 */
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { unpackDebianPackage } from '../../test/support/debian-program.ts';
import { runWell } from './run-program.ts';

export interface Fail2banRun {
  readonly version: string;
  readonly lines: number;
  readonly matched: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
}

/** Rejects when the package or `python3` cannot be had, or when it says nothing about lines. */
export async function runFail2ban(
  log: string,
  cacheFolder: string,
  { core, clock }: { readonly core: number | null; readonly clock: Clock },
): Promise<Fail2banRun> {
  const { root, version } = await unpackDebianPackage('fail2ban', cacheFolder);
  const settings = join(root, 'etc/fail2ban');
  const { stdout, cpuSeconds, seconds, peakBytes } = await runWell({
    command: '/usr/bin/python3',
    args: [join(root, 'usr/bin/fail2ban-regex'), '-c', settings, log, join(settings, 'filter.d/nginx-botsearch.conf')],
    cwd: cacheFolder,
    core,
    clock,
    env: { TZ: 'UTC', PYTHONPATH: join(root, 'usr/lib/python3/dist-packages') },
  });
  const counted = /^Lines: (\d+) lines, \d+ ignored, (\d+) matched/m.exec(stdout);
  if (!counted) throw new Error(`fail2ban-regex counted no lines:\n${stdout.slice(-2_000)}`);
  return { version, lines: Number(counted[1]), matched: Number(counted[2]), cpuSeconds, seconds, peakBytes };
}
