/** Other Local APIs, put together as the settings want them: those whose decisions are enforced here, and those that hear of ours. */
import { release, type } from 'node:os';
import type { Runtime } from '../../core/runtime.ts';
import type { DecisionIndex } from '../../remediation/index/decision-index.ts';
import type { LapiAgentStatus } from '../../remediation/lapi/client/agent.ts';
import { type FollowedLapis, followLapis } from '../../remediation/lapi/client/follow-lapis.ts';
import type { LiveUpstreamStatus } from '../../remediation/lapi/client/live-upstream.ts';
import { type ReportingToLapis, reportToLapis } from '../../remediation/lapi/client/report-to-lapis.ts';
import type { StreamBouncerStatus } from '../../remediation/lapi/client/stream-bouncer.ts';
import type { Publisher } from '../../remediation/exchange/publish.ts';
import type { Store } from '../../remediation/store/store.ts';
import type { LiveQuestions } from '../live-questions.ts';
import type { Settings } from '../settings.ts';
import { createLiveDecisions } from './live-decisions.ts';
import { bouncerUsage, machineUsageSource, type WorkDone } from './usage-sources.ts';

export interface UpstreamParts extends Runtime {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly index: DecisionIndex;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** What runs here, told at logins. */
  readonly scenarios: () => readonly string[];
}

export interface Upstreams {
  /** Null: no Local API is asked in live mode. */
  readonly live: LiveQuestions | null;
  followed(): readonly (StreamBouncerStatus | LiveUpstreamStatus)[];
  reporting(): readonly LapiAgentStatus[];
  /** From now on it can be told what was done. */
  tell(work: WorkDone): void;
  close(): Promise<void>;
}

/** @throws GatewayError SETTINGS_UNREADABLE when a file with a key or certificate cannot be read. */
export async function openUpstreams(
  { bouncer, agent }: Pick<Settings, 'bouncer' | 'agent'>,
  parts: UpstreamParts,
): Promise<Upstreams> {
  const { index, clock, version, startedAt } = parts;
  let work: WorkDone | null = null;
  const identity = {
    version,
    startedAt,
    os: { name: type(), version: release() },
    type: 'portcullis',
    name: 'portcullis',
  };
  const usage = () => (work === null ? [] : bouncerUsage(work.counters));
  const followed: FollowedLapis | null =
    bouncer.lapis.length === 0 ? null : await followLapis(bouncer, { ...parts, identity, usage });
  const reporting: ReportingToLapis | null =
    agent.lapis.length === 0
      ? null
      : await reportToLapis(agent, { ...parts, identity, usage: machineUsageSource(() => work?.reading() ?? null) });
  const live = followed?.live ?? null;
  return {
    live: live && createLiveDecisions({ live, index, now: () => clock.now(), mostHeld: bouncer.live.maxRemembered }),
    followed: () => followed?.status() ?? [],
    reporting: () => reporting?.status() ?? [],
    tell(done) {
      work = done;
    },
    async close() {
      await Promise.all([followed?.close(), reporting?.close()]);
    },
  };
}
