/** Moves a running process with all its threads to one core (util-linux). */
import { execFileSync } from 'node:child_process';

export function bindToCore(pid: number, core: number): void {
  execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' });
}
