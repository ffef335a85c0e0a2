/**
 * Which requests a self-test sends, and which scenario it expects to fire: found out by asking the loaded scenarios about a
 * list of requests that no honest visitor makes, so that a self-test works with any set of scenarios that has one for them.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { eventOf } from './explain-subject.ts';
import type { SelftestPlan } from './models.ts';
import type { ScenarioExplainer, ScenarioExplanation } from '../../detectors/scenarios/scenario-explainer.ts';
import { selftestAddress } from '../selftests.ts';

/** What scanners ask for first: secrets, dumps, consoles, shells. Harmless to a site that does not have them. */
const candidates: readonly string[] = [
  '/.env',
  '/.git/config',
  '/.aws/credentials',
  '/.svn/entries',
  '/.htpasswd',
  '/wp-config.php.bak',
  '/wp-config.php~',
  '/config.php.bak',
  '/backup.sql',
  '/dump.sql',
  '/db.sqlite',
  '/.ssh/id_rsa',
  '/id_rsa',
  '/server-status',
  '/phpinfo.php',
  '/.DS_Store',
  '/docker-compose.yml',
  '/actuator/env',
  '/etc/passwd',
  '/shell.php',
  '/.env.bak',
  '/.env.local',
  '/.git/HEAD',
  '/web.config.bak',
];

/** What most sites answer to them, for scenarios that read the status. */
const usualStatus = 404;

interface Candidate {
  readonly first: ScenarioExplanation;
  readonly probes: string[];
  readonly needed: number;
}

/** @throws GatewayError SELFTEST_FAILED when no loaded scenario would fire. */
export function planSelftest(explainer: ScenarioExplainer, random: Random, now: number): SelftestPlan {
  const explain = explainer.open();
  const byName = new Map<string, { first: ScenarioExplanation; probes: string[]; seen: Set<string> }>();
  for (const target of candidates) {
    for (const explanation of explain(probeEvent(target, random, now))) {
      if (!explanation.matched || !bans(explanation)) continue;
      const known = byName.get(explanation.name) ?? { first: explanation, probes: [], seen: new Set<string>() };
      byName.set(explanation.name, known);
      // A bucket counts a distinct value once, and several clients' events never meet in one of another's.
      const counted = explanation.distinct ?? target;
      if (known.seen.has(counted)) continue;
      known.seen.add(counted);
      known.probes.push(target);
    }
  }
  const able = [...byName.values()]
    .map(
      ({ first, probes }): Candidate => ({ first, probes, needed: first.type === 'trigger' ? 1 : first.capacity + 1 }),
    )
    .filter(({ probes, needed }) => probes.length >= needed)
    .sort(soonest);
  const [chosen] = able;
  if (chosen === undefined) {
    throw new GatewayError('SELFTEST_FAILED', 'no loaded scenario would ban the requests of the self-test', {
      remedy: 'Load the scenarios that ship with Portcullis, or prove your own with `explain`.',
    });
  }
  const { first, probes, needed } = chosen;
  const others = [...byName.keys()].filter((name) => name !== first.name).sort();
  return { scenario: first.name, others, phase: first.phase, needed, probes };
}

function probeEvent(target: string, random: Random, now: number): ReturnType<typeof eventOf> {
  const clientIp = selftestAddress.text;
  const request = {
    method: 'GET',
    target,
    host: 'localhost',
    httpVersion: '1.1',
    clientIp,
    userAgent: 'portcullis-selftest',
    referer: '',
  };
  return eventOf({ ...request, status: usualStatus }, random.requestId(), now);
}

function bans({ remediation, simulated, scope, type }: ScenarioExplanation): boolean {
  return remediation && !simulated && (scope === 'Ip' || scope === 'Range') && (type === 'leaky' || type === 'trigger');
}

/** Scenarios that see the request only do not depend on what the origin answers; then the one with the fewest requests. */
function soonest(left: Candidate, right: Candidate): number {
  const early = ({ first }: Candidate): number => (first.phase === 'request' ? 0 : 1);
  return early(left) - early(right) || left.needed - right.needed || (left.first.name < right.first.name ? -1 : 1);
}
