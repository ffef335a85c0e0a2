/** CPU time of a process and all its descendants, from /proc (Linux). */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** The unit of /proc/<pid>/stat: USER_HZ is 100 on every Linux architecture that Node runs on. */
const microsecondsPerTick = 10_000;

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

/** Microseconds of user and system time, threads and reaped children included. Resolution: 10 ms. Throws without /proc. */
export function processTreeCpuUs(root: number): number {
  const ticks = processTree(root).reduce((sum, [, stat]) => sum + stat.ticks, 0);
  return ticks * microsecondsPerTick;
}

/** Bytes of memory of a process and all its descendants, pages that they share counted once. */
export function processTreeBytes(root: number): number {
  let kilobytes = 0;
  for (const [pid] of processTree(root)) {
    const match = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
    if (!match) throw new Error(`process ${pid} tells no memory use`);
    kilobytes += Number(match[1]);
  }
  return kilobytes * 1024;
}

function processTree(root: number): readonly (readonly [number, Stat])[] {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat) stats.set(Number(name), stat);
  }
  if (!stats.has(root)) throw new Error(`process ${root} has ended`);
  return [...stats].filter(([pid]) => descends(stats, pid, root));
}

/** Microseconds that one core has been busy since boot with anything at all, time stolen by the host included: proc(5). */
export function coreBusyUs(core: number): number {
  const line = readFileSync('/proc/stat', 'latin1')
    .split('\n')
    .find((one) => one.startsWith(`cpu${core} `));
  if (line === undefined) throw new Error(`there is no core ${core}`);
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').slice(1).map(Number);
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, part) => sum + (part ?? 0), 0);
  return ticks * microsecondsPerTick;
}

/** Resident memory in bytes of one process. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** From now on `peakResidentBytes` tells the most that this process has had. The kernel keeps count, so nobody has to look. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

export function peakResidentBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (!match) throw new Error(`process ${pid} tells no memory use`);
  return Number(match[1]) * 1024;
}

/** proc(5): parent is field 4; utime, stime, cutime and cstime are fields 14 to 17. The name may hold spaces and `)`. */
function readStat(pid: string): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It ended between listing and reading.
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return { parent: Number(fields[1]), ticks };
}

function descends(stats: ReadonlyMap<number, Stat>, pid: number, root: number): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = stats.get(at)?.parent) {
    if (at === root) return true;
  }
  return false;
}
