/**
 * The real CrowdSec 1.4.6 as an agent only: it reads a log file, finds attacks with items of its own Debian package, and reports
 * them to whichever Local API it is given.
 */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCrowdsecFolder } from './crowdsec-folder.ts';
import type { Cscli, MachineCertificate, MachineCredentials } from './crowdsec-folder.ts';
import { startProcess } from './process.ts';
import { rootOfProgram } from './real-programs.ts';
import { tellOnFailure, type Telling } from './tell-on-failure.ts';

export interface CrowdsecAgentOptions {
  readonly credentials: MachineCredentials | MachineCertificate;
  /** `labels.type` of the log file: which parser reads it. */
  readonly logType?: string;
  /** As paths below the hub of the Debian package; default: what an SSH brute force needs. */
  readonly items?: readonly string[];
  /** `simulation.yaml`; default: nothing is simulated. */
  readonly simulation?: string;
}

export interface CrowdsecAgent {
  /** Appends lines to the log that it reads. */
  write(lines: readonly string[]): Promise<void>;
  /** With the agent's credentials, over HTTP. */
  readonly cscli: Cscli;
  output(): string;
  /** Its exit status or signal, once it has ended: it does when the Local API does not let it in. */
  readonly exited: Promise<number | NodeJS.Signals>;
  stop(): Promise<void>;
}

/** The newest items of the hub have labels that 1.4.6 cannot read; its own package has those of its time. */
export const sshItems = [
  'parsers/s00-raw/crowdsecurity/syslog-logs.yaml',
  'parsers/s01-parse/crowdsecurity/sshd-logs.yaml',
  'parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml',
  'scenarios/crowdsecurity/ssh-bf.yaml',
] as const;

/** Starts it and waits until it begins: a moment before its first login. Rejects with what it logged. */
export async function startCrowdsecAgent(t: Telling, options: CrowdsecAgentOptions): Promise<CrowdsecAgent> {
  const { credentials, logType = 'syslog', items = sshItems, simulation } = options;
  const folder = await createCrowdsecFolder(t, {
    credentials,
    server: null,
    items,
    files: { 'watched.log': '', ...(simulation === undefined ? {} : { 'simulation.yaml': simulation }) },
  });
  const log = join(folder.path, 'watched.log');
  const acquisition = { filenames: [log], labels: { type: logType } };
  await writeFile(join(folder.path, 'acquis.yaml'), JSON.stringify(acquisition));
  const running = await startProcess(t, {
    command: join(rootOfProgram('crowdsec'), 'usr/bin/crowdsec'),
    args: ['-c', folder.config, '-no-api'],
    cwd: folder.path,
    env: { TZ: 'UTC' },
    ready: /Starting processing data/,
  });
  tellOnFailure(t, 'crowdsec, the agent', () => running.output());
  return {
    write: (lines) => appendFile(log, lines.map((line) => `${line}\n`).join('')),
    cscli: folder.cscli,
    output: () => running.output(),
    exited: running.exited,
    stop: () => running.stop(),
  };
}

/** `cscli` alone, as somebody who administers a Local API from another machine. */
export async function createRemoteCscli(
  t: Telling,
  credentials: MachineCredentials | MachineCertificate,
): Promise<Cscli> {
  return (await createCrowdsecFolder(t, { credentials, server: null, items: [], files: {} })).cscli;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** What sshd writes through syslog when somebody at `address` tries `count` passwords, all at `now` (epoch milliseconds, UTC). */
export function sshFailures(address: string, count: number, now: number): string[] {
  const time = new Date(now);
  const day = String(time.getUTCDate()).padStart(2, ' ');
  const stamp = `${months[time.getUTCMonth()]} ${day} ${time.toISOString().slice(11, 19)}`;
  return Array.from(
    { length: count },
    (_, index) =>
      `${stamp} host sshd[${1000 + index}]: Failed password for root from ${address} port ${40_000 + index} ssh2`,
  );
}
