/** The checks of `doctor`, one function for each subject. None of them changes anything. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../../core/errors.ts';
import { formatDuration } from '../../core/duration.ts';
import { isPrivate, parseIp } from '../../core/ip.ts';
import type { Site } from '../sites.ts';
import type { AdminDependencies } from './dependencies.ts';
import { fail, mostFaults, ok, warn } from './doctor-check.ts';
import { lapiChecks } from './doctor-lapi.ts';
import { wafChecks } from './doctor-waf.ts';
import type { DoctorCheck } from './models.ts';
import { faultsOf, modeOf } from './routes/status.ts';

type Check = (deps: AdminDependencies) => readonly DoctorCheck[] | Promise<readonly DoctorCheck[]>;

const checks: readonly Check[] = [
  runtimeChecks,
  settingsChecks,
  modeChecks,
  originChecks,
  storeChecks,
  scenarioChecks,
  wafChecks,
  sourceChecks,
  lapiChecks,
  proxyChecks,
  dataChecks,
  trafficChecks,
];

export async function doctorChecks(deps: AdminDependencies): Promise<DoctorCheck[]> {
  const results = await Promise.all(checks.map(async (check) => check(deps)));
  return results.flat();
}

/** Before this moment nobody ran this program: a clock that says so is wrong. */
const earliestSaneTime = Date.UTC(2026, 0, 1);

function runtimeChecks({ clock, facts }: AdminDependencies): DoctorCheck[] {
  const now = clock.now();
  return [
    ok('runtime', 'version', `Portcullis ${facts.version} on Node ${process.versions.node}`),
    linearEngine(),
    now < earliestSaneTime
      ? fail('runtime', 'clock', `the clock says ${new Date(now).toISOString()}`, 'Set the clock: decisions end by it.')
      : ok('runtime', 'clock', new Date(now).toISOString()),
  ];
}

/** Takes exponential time in a backtracking engine and none in the linear one. The `l` flag exists only with the latter. */
function linearEngine(): DoctorCheck {
  const started = performance.now();
  /^(?:a+)+$/.test(`${'a'.repeat(28)}b`);
  const elapsed = performance.now() - started;
  if (elapsed < 250)
    return ok('runtime', 'regular expressions', 'the linear engine takes over from excessive backtracking');
  return fail(
    'runtime',
    'regular expressions',
    'a hostile text can make a pattern backtrack for a long time',
    'Start with bin/portcullis.js, which sets the flags of the engine.',
  );
}

function settingsChecks({ facts }: AdminDependencies): DoctorCheck[] {
  const file = facts.settingsFile ?? 'no settings file: defaults and environment';
  return [
    ok('settings', 'file', file),
    ...facts.settings.map(({ name, value }) => ok('settings', name, value)),
    ...facts.warnings.map((warning) =>
      warn('settings', 'warning', warning, 'Change the setting if that is not what you want.'),
    ),
  ];
}

function modeChecks(deps: AdminDependencies): DoctorCheck[] {
  const { facts } = deps;
  const pulse = deps.pulse();
  const listener = facts.listenSocket ?? facts.url;
  const found: DoctorCheck[] = [
    pulse.draining
      ? warn('gateway', 'listener', `${listener} is draining`, 'The gateway is stopping; wait for the next one.')
      : ok('gateway', 'listener', listener),
    facts.adminUrl === null ? ok('gateway', 'admin', 'off') : ok('gateway', 'admin', facts.adminUrl),
  ];
  const mode = modeOf(deps);
  if (mode === 'block') found.push(ok('gateway', 'mode', 'block: decisions are enforced'));
  else {
    const which = mode === 'observe' ? 'nothing is refused' : 'some sites refuse nothing';
    found.push(
      warn('gateway', 'mode', `${mode}: ${which}`, 'Set `mode: block` when what it would refuse looks right.'),
    );
  }
  return found;
}

const originPatienceMs = 3_000;

async function originChecks(deps: AdminDependencies): Promise<DoctorCheck[]> {
  const { sites } = deps.sites;
  if (deps.facts.demo) {
    const message = 'no origin is set: the gateway shows pages of its own';
    return [warn('origins', 'default', message, 'Set `origin` or the variable ORIGIN.')];
  }
  const found = await Promise.all(sites.slice(0, mostSites).map((site) => originCheck(site, deps)));
  const left = sites.length - found.length;
  return left > 0 ? [...found, ok('origins', 'more', `${left} further sites were not asked`)] : found;
}

const mostSites = 50;

async function originCheck(site: Site, { clock }: AdminDependencies): Promise<DoctorCheck> {
  const started = clock.monotonic();
  try {
    const status = await askOrigin(site);
    const answer = `${site.origin} answers ${status} in ${Math.round(clock.monotonic() - started)} ms`;
    if (status < 500) return ok('origins', site.name, answer);
    return warn('origins', site.name, answer, "Look at the origin's own log.");
  } catch (thrown) {
    const message = `${site.origin}: ${messageOf(thrown)}`;
    return fail('origins', site.name, message, 'Start the origin, or correct its address in the settings.');
  }
}

/** The status of a HEAD for the first page, over a connection of its own: the pool's may all be busy. */
function askOrigin(site: Site): Promise<number> {
  const url = new URL(site.origin);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const host = site.hosts.find((name) => !name.startsWith('*.')) ?? url.host;
  const headers = { host, 'user-agent': 'portcullis-doctor' };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'HEAD', headers, agent: false, timeout: originPatienceMs }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${originPatienceMs / 1_000} s`)));
    asked.on('error', reject);
    asked.end();
  });
}

/** A store in step with the index says so every few seconds; this long without is worth a look. */
const staleAfterMs = 60_000;

function storeChecks({ store, index, pulse }: AdminDependencies): DoctorCheck[] {
  const health = store.health();
  const { decisionsReady, followAgeMs } = pulse();
  const { total, allowlist } = index.size;
  const found = [
    health.ok
      ? ok('store', store.name, health.message === '' ? 'answers' : health.message)
      : fail(
          'store',
          store.name,
          health.message,
          'The last known decisions are enforced meanwhile; see the log for the cause.',
        ),
  ];
  if (!decisionsReady) {
    found.push(warn('store', 'index', 'the stored decisions are still being read', 'Ask again in a moment.'));
  } else if (followAgeMs !== null && followAgeMs > staleAfterMs) {
    const age = formatDuration(Math.round(followAgeMs / 1_000) * 1_000);
    found.push(
      warn('store', 'index', `the index was last in step with the store ${age} ago`, 'See the log for the cause.'),
    );
  }
  const megabytes = (index.memoryBytes() / 1_048_576).toFixed(1);
  found.push(ok('store', 'decisions', `${total} in the index (${megabytes} MB), ${allowlist} on the allowlist`));
  return found;
}

/** The share of lines that no parser understands, from which on something is probably set up wrong. */
const tooManyUnparsed = 0.5;
const enoughLines = 100;

function sourceChecks({ reading }: AdminDependencies): DoctorCheck[] {
  const { sources, queue, lines } = reading();
  const found = sources.map(({ kind, name, state, lastError, lines: count, dropped }) => {
    const message = `${kind} ${name}: ${count} lines${dropped > 0 ? `, ${dropped} dropped` : ''}`;
    if (state === 'failed') {
      const cause = lastError ?? 'no cause is known';
      return fail('logs', kind, `${name}: ${cause}`, 'It is tried again by itself; remove the cause, or the source.');
    }
    if (lastError !== null) return warn('logs', kind, `${message}; ${lastError}`, 'The rest of it is read.');
    return ok('logs', kind, message);
  });
  if (queue.failed > 0) {
    const remedy = 'Report it with the line of the log that names the cause.';
    found.push(fail('logs', 'processing', `${queue.failed} lines made the engine fail`, remedy));
  }
  if (lines.lines >= enoughLines && lines.discarded > lines.lines * tooManyUnparsed) {
    const share = `${lines.discarded} of ${lines.lines} lines were understood by no parser`;
    const remedy =
      'Compare `labels.type` in the acquisition file with what the parsers expect: `portcullis explain --type`.';
    found.push(warn('logs', 'parsers', share, remedy));
  }
  return found;
}

function scenarioChecks(deps: AdminDependencies): DoctorCheck[] {
  const { scenarios, counters } = deps.detector;
  const faults = faultsOf(deps);
  const early = scenarios.filter(({ phase }) => phase === 'request').length;
  const found: DoctorCheck[] = [
    scenarios.length === 0
      ? fail(
          'scenarios',
          'loaded',
          'none: nothing is detected',
          'Set `detection.builtin: true` or name folders in `detection.folders`.',
        )
      : ok('scenarios', 'loaded', `${scenarios.length}, of which ${early} judge the request before it is passed on`),
  ];
  for (const { message, remedy } of faults.slice(0, mostFaults)) {
    found.push(fail('scenarios', 'fault', message, remedy ?? 'Correct the document.'));
  }
  if (faults.length > mostFaults) {
    found.push(fail('scenarios', 'more', `${faults.length - mostFaults} further faults`, 'The log lists all of them.'));
  }
  if (counters.filterErrors > 0) {
    found.push(
      warn('scenarios', 'errors', `${counters.filterErrors} expressions raised an error`, 'The log names them.'),
    );
  }
  if (counters.evictedBuckets > 0) {
    const message = `${counters.evictedBuckets} buckets were given up for want of room`;
    found.push(warn('scenarios', 'buckets', message, 'Raise `detection.maxBuckets` if the machine has the memory.'));
  }
  return found;
}

function proxyChecks({ clients, pulse }: AdminDependencies): DoctorCheck[] {
  const ranges = clients.trustedRanges;
  const found: DoctorCheck[] = [
    ok(
      'proxies',
      'trusted',
      ranges.length === 0 ? 'none: the address of the connection counts' : `${ranges.length} networks`,
    ),
  ];
  if (ranges.some(({ prefix }) => prefix === 0)) {
    const message = 'everyone is trusted: any client can claim any address';
    found.push(fail('proxies', 'trusted', message, 'Name the networks of your proxies in client.trustedProxies.'));
  }
  for (const { peer, requests } of pulse().untrustedForwarders) {
    const address = parseIp(peer);
    if (address === null || !isPrivate(address) || requests < worthTelling) continue;
    const message = `${peer} sent ${requests} requests with forwarding headers and is not trusted: all its clients count as one`;
    found.push(warn('proxies', peer, message, `If it is your proxy, add ${peer} to client.trustedProxies.`));
  }
  return found;
}

const worthTelling = 20;

async function dataChecks({ facts }: AdminDependencies): Promise<DoctorCheck[]> {
  const folder = facts.dataFolder;
  try {
    await access(folder, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const { mode } = await stat(folder);
    const freeMegabytes = Math.floor((bavail * bsize) / 1_048_576);
    const free = `${folder} has ${freeMegabytes} MB free`;
    const found = [
      freeMegabytes < 100
        ? fail('data', 'disk', free, 'Make room: the store cannot write without.')
        : ok('data', 'disk', free),
    ];
    if ((mode & 0o007) !== 0) {
      const message = `every user of this machine can reach ${folder}`;
      found.push(warn('data', 'rights', message, `chmod 750 ${folder}`));
    }
    return found;
  } catch (thrown) {
    return [
      fail(
        'data',
        'folder',
        `${folder}: ${messageOf(thrown)}`,
        'The folder must be there and writable for the gateway.',
      ),
    ];
  }
}

function trafficChecks({ counters }: AdminDependencies): DoctorCheck[] {
  const found: DoctorCheck[] = [];
  const { droppedConnections, droppedRefusals, droppedLogLines } = counters;
  const lost: readonly [string, number, string, string][] = [
    ['connections', droppedConnections, 'connections were refused at the limit', 'Raise `limits.connections`.'],
    [
      'records',
      droppedRefusals,
      'records of refused requests were dropped',
      'The store could not keep up; look at its disk.',
    ],
    [
      'access log',
      droppedLogLines,
      'access log lines were dropped',
      'The disk or pipe behind the access log is too slow or full.',
    ],
  ];
  for (const [name, count, message, remedy] of lost) {
    if (count > 0) found.push(warn('traffic', name, `${count} ${message}`, remedy));
  }
  return found;
}
