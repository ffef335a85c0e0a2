/**
 * The programs that tests start for real: Redis as the shared store, nginx and Apache as origins, a journal, CrowdSec with its
 * bouncers, and for `--bench` the peers of the measurements. Runs before `npm test`: says nothing when all are there; as root
 * installs what is missing, with apt-get; otherwise says what to install and fails. CrowdSec is only unpacked, which needs no
 * root: its installation would set up services and speak to the internet.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { installPackages, runVisibly } from './debian-packages.ts';
import { findDebianProgram, unpackDebianPackage, unpackedPrograms } from './debian-program.ts';

interface Component {
  /** What is looked for: the name of a program, or the path of a file. */
  readonly program: string;
  /** The Debian package that brings it. */
  readonly package: string;
}

const forTests: readonly Component[] = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'nginx', package: 'nginx' },
  { program: 'apache2', package: 'apache2' },
  { program: 'caddy', package: 'caddy' },
  // ModSecurity and the Core Rule Set of Debian: what the WAF is compared with.
  { program: '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so', package: 'libnginx-mod-http-modsecurity' },
  { program: '/usr/share/modsecurity-crs/rules', package: 'modsecurity-crs' },
  // Brings systemd-journald too, which the tests start without systemd.
  { program: 'journalctl', package: 'systemd' },
  // Network namespaces and what the firewall bouncer writes into them.
  { program: 'ip', package: 'iproute2' },
  { program: 'nft', package: 'nftables' },
  // Readers of lists for firewalls, as the page about them has it.
  { program: 'ipset', package: 'ipset' },
  { program: 'iptables', package: 'iptables' },
  { program: 'curl', package: 'curl' },
  // CrowdSec is linked with it.
  { program: '/usr/share/doc/libsqlite3-0', package: 'libsqlite3-0' },
];

/** What single tests ask, and skip where it cannot be had: the shells that completion is written for. */
const forSomeTests: readonly Component[] = [
  { program: 'zsh', package: 'zsh' },
  { program: 'fish', package: 'fish' },
];

/** Debian packages that tests use unpacked, each needing no library that the packages above do not bring. */
const unpackedForTests = ['crowdsec', 'crowdsec-firewall-bouncer', 'crowdsec-custom-bouncer'] as const;

const forBench: readonly Component[] = [
  { program: 'haproxy', package: 'haproxy' },
  { program: 'wrk', package: 'wrk' },
  { program: '/usr/lib/apache2/modules/mod_security2.so', package: 'libapache2-mod-security2' },
];

/** Servers live in sbin, which is not in everybody's PATH. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a program, or null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** Modules of servers are files that nobody executes. */
function isThere(program: string): boolean {
  return program.startsWith('/') ? existsSync(program) : findProgram(program) !== null;
}

function say(line: string): void {
  process.stderr.write(`real components: ${line}\n`);
}

function missingOf(components: readonly Component[]): readonly string[] {
  return components.filter(({ program }) => !isThere(program)).map((component) => component.package);
}

async function provide(components: readonly Component[]): Promise<number> {
  const packages = missingOf(components);
  if (packages.length === 0) return 0;
  const names = packages.join(' ');
  if (findProgram('apt-get') === null) {
    say(`${names} missing: install them with the package manager of this system, then run this again`);
    return 1;
  }
  if (process.getuid?.() !== 0) {
    say(`${names} missing: run \`sudo apt-get install ${names}\`, then this again`);
    return 1;
  }
  try {
    await install(packages);
  } catch (thrown) {
    say(messageOf(thrown));
    return 1;
  }
  const still = missingOf(components);
  if (still.length > 0) say(`${still.join(' ')} still missing after the installation`);
  return still.length > 0 ? 1 : 0;
}

function install(packages: readonly string[]): Promise<void> {
  return installPackages(packages, { run: runVisibly, clock: systemClock, say, policyFile: '/usr/sbin/policy-rc.d' });
}

/** Installs what is missing where that takes no question; otherwise the tests with it are skipped. */
async function provideIfPossible(components: readonly Component[]): Promise<void> {
  const packages = missingOf(components);
  if (packages.length === 0 || findProgram('apt-get') === null || process.getuid?.() !== 0) return;
  try {
    await install(packages);
  } catch (thrown) {
    say(messageOf(thrown));
    say(`${packages.join(' ')} missing: the tests with them are skipped`);
  }
}

/** Unpacks what is not there yet, where tests look for it. What cannot be had costs its own tests only: they say so. */
async function unpack(packages: readonly string[]): Promise<void> {
  const missing = packages.filter((name) => findDebianProgram(name) === null);
  if (missing.length === 0) return;
  say(`unpacking ${missing.join(', ')} into ${unpackedPrograms}`);
  try {
    await unpackAll(missing);
  } catch (thrown) {
    say(messageOf(thrown));
    say(`${missing.join(' ')} missing: the tests with them cannot run`);
  }
}

/** apt's lists may be absent or older than what the mirror has: root renews them and tries once more. */
async function unpackAll(packages: readonly string[]): Promise<void> {
  const all = async (): Promise<void> => {
    for (const name of packages) await unpackDebianPackage(name, unpackedPrograms);
  };
  try {
    await all();
  } catch (thrown) {
    if (process.getuid?.() !== 0 || findProgram('apt-get') === null) throw thrown;
    await runVisibly('apt-get', ['-q', 'update']);
    await all();
  }
}

if (import.meta.main) {
  const forThisRun = process.argv.includes('--bench') ? [...forTests, ...forBench] : forTests;
  process.exitCode = await provide(forThisRun);
  if (process.exitCode === 0) {
    await provideIfPossible(forSomeTests);
    await unpack(unpackedForTests);
  }
}
