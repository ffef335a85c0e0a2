/**
 * Whether the programs of a test are here: CrowdSec and its bouncers unpacked (`test/support/real-components.ts` does that), and
 * for a firewall a machine that allows network namespaces.
 */
import { spawnSync } from 'node:child_process';
import { findDebianProgram } from '../debian-program.ts';
import { ProcessFailure } from './process.ts';

/** What is needed of a test: a skip is a pass that says so. */
interface Counting {
  fail(message: string): unknown;
  pass(message: string, extra: { readonly skip: string }): unknown;
}

export type RealProgram = 'crowdsec' | 'crowdsec-firewall-bouncer' | 'crowdsec-custom-bouncer';

/**
 * False when something is missing: then `t` has counted one skip that names it. With `CI=true` a missing program is a failure;
 * a kernel or a container that allows no network namespace is a skip there too, because nobody can install one.
 */
export function haveRealPrograms(t: Counting, programs: readonly RealProgram[]): boolean {
  const missing = programs.filter((name) => findDebianProgram(name) === null);
  if (missing.length > 0) {
    const message = `${missing.join(' ')} not unpacked: run node test/support/real-components.ts`;
    if (process.env.CI === 'true') t.fail(message);
    else t.pass(message, { skip: message });
    return false;
  }
  const reason = programs.includes('crowdsec-firewall-bouncer') ? namespacesMissing() : null;
  if (reason !== null) t.pass(reason, { skip: reason });
  return reason === null;
}

/** The folder of an unpacked program, as if it were `/`. Raises `ProcessFailure` when it is not there. */
export function rootOfProgram(name: RealProgram): string {
  const program = findDebianProgram(name);
  if (program === null)
    throw new ProcessFailure(`${name} is not unpacked: run node test/support/real-components.ts`, '');
  return program.root;
}

/** Firewall programs live in sbin, which is not in everybody's PATH. */
export const searchPath = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** What `unshare` needs for a network namespace: a user who is not root also becomes root of a user namespace. */
export const unshareNetwork: readonly string[] =
  process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];

/** Why no nftables can be written in a network namespace here, or null. */
function namespacesMissing(): string | null {
  const tried = spawnSync('unshare', [...unshareNetwork, 'sh', '-c', 'ip link set lo up && nft list ruleset'], {
    env: { PATH: searchPath, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  if (tried.status === 0) return null;
  const said = (tried.stderr ?? '').trim() || tried.error?.message || `status ${tried.status}`;
  return `no network namespace with nftables on this machine: ${said}`;
}
