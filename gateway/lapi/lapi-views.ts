/** The Local APIs as operators see them: the one that is served here, and those of others. */
import type { BouncerDesk } from '../../remediation/callers/bouncer-keys.ts';
import type { LapiAgentStatus } from '../../remediation/lapi/client/agent.ts';
import type { LiveUpstreamStatus } from '../../remediation/lapi/client/live-upstream.ts';
import type { StreamBouncerStatus } from '../../remediation/lapi/client/stream-bouncer.ts';
import type { LapiModel, LapiUpstreamModel } from '../admin/operator-models.ts';
import type { OpenedLapi } from './open-lapi.ts';
import type { Upstreams } from './open-upstreams.ts';

export interface LapiViewParts {
  readonly lapi: OpenedLapi | null;
  /** Where agents and bouncers reach it. */
  readonly addresses: readonly string[];
  readonly bouncers: Pick<BouncerDesk, 'list'>;
  readonly upstreams: Pick<Upstreams, 'followed' | 'reporting'>;
}

export async function lapiModel({ lapi, addresses, bouncers, upstreams }: LapiViewParts): Promise<LapiModel> {
  return {
    serving: lapi && (await serving(lapi, addresses, bouncers)),
    upstreams: upstreamModels(upstreams),
  };
}

export function upstreamModels(upstreams: LapiViewParts['upstreams']): LapiUpstreamModel[] {
  return [...upstreams.followed().map(followedModel), ...upstreams.reporting().map(agentModel)];
}

async function serving(
  { machines }: OpenedLapi,
  addresses: readonly string[],
  bouncers: Pick<BouncerDesk, 'list'>,
): Promise<NonNullable<LapiModel['serving']>> {
  const known = await machines.list();
  return {
    addresses,
    bouncers: (await bouncers.list()).length,
    machines: known.length,
    pending_machines: known.filter(({ validated }) => !validated).length,
  };
}

function followedModel(status: StreamBouncerStatus | LiveUpstreamStatus): LapiUpstreamModel {
  const { name, address, mode, isConnected, lastSuccessAt, lastFailure } = status;
  return {
    name,
    url: address,
    mode,
    ok: isConnected,
    message: isConnected ? '' : (lastFailure?.message ?? 'not asked yet'),
    decisions: mode === 'stream' ? status.decisions : status.remembered,
    last_success_at: dateOf(lastSuccessAt),
  };
}

function agentModel(status: LapiAgentStatus): LapiUpstreamModel {
  const { name, address, state, lastHeartbeatAt, lastSuccessAt, heartbeatFailure } = status;
  const messages = {
    unknown: 'not asked yet',
    connected: '',
    pending: 'its operator has not agreed to this machine yet: `cscli machines validate` there',
    failing: heartbeatFailure ?? 'alerts are not taken',
  } as const;
  const latest = Math.max(lastHeartbeatAt ?? 0, lastSuccessAt ?? 0);
  return {
    name,
    url: address,
    mode: 'agent',
    ok: state === 'connected',
    message: messages[state],
    decisions: 0,
    last_success_at: dateOf(latest === 0 ? null : latest),
  };
}

function dateOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
