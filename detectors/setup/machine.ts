/**
 * What runs and what is installed on a machine, read from its files alone: processes from /proc, units from systemd's folders.
 * Nothing is executed, so that a disk that is only mounted can be looked at too.
 */
import { posix } from 'node:path';
import type { RootFiles } from './root-files.ts';

export interface Machine {
  readonly files: RootFiles;
  /** Names of running programs, of containers left out. */
  readonly programs: ReadonlySet<string>;
  /** Names of programs that run in containers: their files are not this machine's. */
  readonly contained: ReadonlySet<string>;
  /** The journal of systemd is written here. */
  readonly journal: boolean;
  /** A program that writes syslog files is there. */
  readonly syslog: boolean;
  /** The socket of Docker, or null. */
  readonly docker: string | null;
  /** The file of a unit (`nginx.service`) that is installed and not masked, or null. */
  unit(name: string): string | null;
}

const unitFolders = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
const journalPlaces = ['/run/systemd/journal/socket', '/run/log/journal', '/var/log/journal'];
const syslogUnits = ['rsyslog.service', 'syslog-ng.service', 'syslog.service', 'inetutils-syslogd.service'];
const syslogPrograms = ['rsyslogd', 'syslog-ng', 'syslogd', 'metalog'];
const dockerSockets = ['/run/docker.sock', '/var/run/docker.sock'];

export function inspectMachine(files: RootFiles): Machine {
  const unit = (name: string): string | null => {
    for (const folder of unitFolders) {
      const path = posix.join(folder, name);
      // A unit that is masked is a link to /dev/null, and hides those in the folders after it.
      if (files.link(path) === '/dev/null') return null;
      if (files.exists(path)) return path;
    }
    return null;
  };
  const { programs, contained } = runningPrograms(files);
  return {
    files,
    programs,
    contained,
    journal: journalPlaces.some((path) => files.exists(path)),
    syslog: syslogUnits.some((name) => unit(name) !== null) || syslogPrograms.some((name) => programs.has(name)),
    docker: dockerSockets.find((path) => files.exists(path)) ?? null,
    unit,
  };
}

interface Programs {
  readonly programs: ReadonlySet<string>;
  readonly contained: ReadonlySet<string>;
}

function runningPrograms(files: RootFiles): Programs {
  const programs = new Set<string>();
  const contained = new Set<string>();
  for (const id of files.names('/proc')) {
    if (!/^\d+$/.test(id)) continue;
    const command = files.text(`/proc/${id}/cmdline`) ?? '';
    // Threads of the kernel have none.
    if (command === '') continue;
    const names = isContained(files.text(`/proc/${id}/cgroup`) ?? '') ? contained : programs;
    names.add((files.text(`/proc/${id}/comm`) ?? '').trim());
    for (const name of namesOf(command)) names.add(name);
  }
  return { programs, contained };
}

function isContained(cgroup: string): boolean {
  return /docker|containerd|kubepods|libpod|\blxc/.test(cgroup);
}

/** The program, and the script when an interpreter runs one. */
function namesOf(command: string): readonly string[] {
  const [program = '', script = ''] = command.split('\0');
  const name = posix.basename(program);
  return /^(?:python|node|java|php|perl|ruby|bash|sh)[0-9.]*$/.test(name) ? [name, posix.basename(script)] : [name];
}
