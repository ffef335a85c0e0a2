/** The checks of `doctor` that concern Local APIs: the one that is served, and those of others. */
import { formatDuration } from '../../core/duration.ts';
import type { AdminDependencies } from './dependencies.ts';
import { ok, warn } from './doctor-check.ts';
import type { DoctorCheck } from './models.ts';
import type { LapiUpstreamModel } from './operator-models.ts';

export async function lapiChecks(deps: AdminDependencies): Promise<DoctorCheck[]> {
  const lapi = await deps.lapi?.();
  if (lapi === undefined) return [];
  const { serving, upstreams } = lapi;
  const checks: DoctorCheck[] = [];
  if (serving !== null) {
    const { addresses, bouncers, machines, pending_machines: pending } = serving;
    const askers = `${bouncers} bouncers, ${machines} machines`;
    checks.push(ok('local api', 'served', `${addresses.join(', ') || 'the admin listener is off'}: ${askers}`));
    if (pending > 0) {
      const remedy = 'See `machines list`, and agree with `machines validate` or refuse with `machines delete`.';
      checks.push(warn('local api', 'registrations', `${pending} machines wait to be validated`, remedy));
    }
  }
  const now = deps.clock.now();
  return [...checks, ...upstreams.map((upstream) => upstreamCheck(upstream, now))];
}

function upstreamCheck(upstream: LapiUpstreamModel, now: number): DoctorCheck {
  const { name, url, mode, ok: isWell, decisions } = upstream;
  if (isWell) return ok('local api', name, `${url}, ${mode}${mode === 'agent' ? '' : `, ${decisions} decisions`}`);
  const remedy = 'Check that it runs, that the address is right, and that key or password are known there.';
  return warn('local api', name, upstreamTrouble(upstream, now), remedy);
}

/** Why it is not well, and what that means here. */
export function upstreamTrouble(upstream: LapiUpstreamModel, now: number): string {
  const { name, url, mode, last_success_at: lastSuccess } = upstream;
  const message = upstream.message === '' ? `the Local API ${name} (${url}) is away` : upstream.message;
  const age =
    lastSuccess === null ? 'never reached' : `last reached ${formatDuration(now - Date.parse(lastSuccess))} ago`;
  const meaning = mode === 'agent' ? 'alerts wait' : 'the last known decisions are enforced';
  return `${message} (${age}); ${meaning}`;
}
