/** Other Local APIs, put together as the settings want them: those whose decisions are enforced here, and those that hear of ours. */
import { release, type } from 'node:os';
import type { Runtime } from '../../core/runtime.ts';
import { createLapiAgent, type LapiAgent } from '../../remediation/lapi/client/agent.ts';
import { readHeld } from '../../remediation/lapi/client/held-decisions.ts';
import { createLapiClient, type LapiClient } from '../../remediation/lapi/client/lapi-client.ts';
import { bouncerTarget, type LapiTarget, machineTarget } from '../../remediation/lapi/client/lapi-target.ts';
import { createLiveBouncer, type LiveBouncer } from '../../remediation/lapi/client/live-bouncer.ts';
import { createLiveUpstream } from '../../remediation/lapi/client/live-upstream.ts';
import { MirrorTable } from '../../remediation/lapi/client/mirror-table.ts';
import { createStreamBouncer, type StreamBouncer } from '../../remediation/lapi/client/stream-bouncer.ts';
import { createDecisionFilter } from '../../remediation/lapi/client/stream-filters.ts';
import {
  bouncerUsagePeriodMs,
  createUsageReporter,
  machineUsagePeriodMs,
  type UsageReporter,
} from '../../remediation/lapi/client/usage-metrics.ts';
import type { DecisionIndex } from '../../remediation/decision-index.ts';
import type { Publisher } from '../../remediation/publish.ts';
import type { Store } from '../../remediation/store/store.ts';
import type { Counters } from '../counters.ts';
import type { LogReading } from '../detection.ts';
import type { LiveQuestions } from '../live-questions.ts';
import type { Settings } from '../settings.ts';
import { createLiveDecisions } from './live-decisions.ts';
import { bouncerUsageSource, machineUsageSource } from './usage-sources.ts';

export interface UpstreamParts extends Runtime {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly index: DecisionIndex;
  readonly version: string;
  readonly startedAt: number;
  /** What runs here, told at logins. */
  readonly scenarios: () => readonly string[];
}

/** What is told of the work done, known once the request path is put together. */
export interface WorkDone {
  readonly counters: Counters;
  readonly reading: () => LogReading;
}

export interface Upstreams {
  /** Null: no Local API is asked in live mode. */
  readonly live: LiveQuestions | null;
  readonly streams: readonly StreamBouncer[];
  readonly liveBouncer: LiveBouncer | null;
  readonly agents: readonly LapiAgent[];
  /** Begins to tell what was done. */
  report(work: WorkDone): void;
  close(): Promise<void>;
}

type BouncerSettings = Settings['bouncer']['lapis'][number];

/** @throws GatewayError SETTINGS_UNREADABLE when a file with a key or certificate cannot be read. */
export async function openUpstreams(
  { bouncer, agent }: Pick<Settings, 'bouncer' | 'agent'>,
  parts: UpstreamParts,
): Promise<Upstreams> {
  const { clock, index } = parts;
  const stop = new AbortController();
  const clients: LapiClient[] = [];
  const reporters: UsageReporter[] = [];
  const open = (target: LapiTarget, timeoutMs: number, userAgent: string): LapiClient => {
    const client = createLapiClient({ target, clock, userAgent, timeoutMs, scenarios: parts.scenarios });
    clients.push(client);
    return client;
  };
  const bouncers: { readonly settings: BouncerSettings; readonly client: LapiClient }[] = [];
  for (const settings of bouncer.lapis) {
    const client = open(await bouncerTarget(settings), settings.timeout, `portcullis-bouncer/v${parts.version}`);
    bouncers.push({ settings, client });
  }
  const seed = Buffer.from(parts.random.bytes(4)).readUInt32LE();
  const newTable = (): MirrorTable => new MirrorTable(bouncer.maxDecisions, seed);
  const followed = bouncers.filter(({ settings }) => settings.mode === 'stream');
  const names = followed.map(({ settings }) => settings.name);
  const held =
    names.length === 0 ? Promise.resolve(new Map()) : readHeld({ ...parts, names, newTable, signal: stop.signal });
  const streams = followed.map(({ settings, client }) =>
    createStreamBouncer({
      ...parts,
      client,
      held: held.then((tables) => tables.get(client.name)),
      filters: settings,
      intervalMs: settings.interval,
      newTable,
    }),
  );
  const liveBouncer = openLive(bouncer, bouncers, parts);
  const agents: LapiAgent[] = [];
  for (const settings of agent.lapis) {
    const client = open(await machineTarget(settings), settings.timeout, `portcullis/v${parts.version}`);
    agents.push(createLapiAgent({ ...parts, client, decide: settings.decide, mostQueued: settings.maxQueued }));
  }

  return {
    live:
      liveBouncer &&
      createLiveDecisions({
        live: liveBouncer,
        index,
        now: () => clock.now(),
        mostHeld: bouncer.live.maxRemembered,
      }),
    streams,
    liveBouncer,
    agents,
    report(work) {
      const identity = { version: parts.version, startedAt: parts.startedAt, os: { name: type(), version: release() } };
      const machines = clients.slice(bouncers.length);
      for (const { settings, client } of bouncer.usageMetrics ? bouncers : []) {
        const stream = streams.find(({ name }) => name === settings.name) ?? null;
        reporters.push(
          createUsageReporter({
            ...parts,
            client,
            side: 'bouncer',
            identity: { ...identity, type: 'portcullis-bouncer', name: settings.name },
            source: bouncerUsageSource(work.counters, stream),
            periodMs: bouncerUsagePeriodMs,
          }),
        );
      }
      for (const client of agent.usageMetrics ? machines : []) {
        reporters.push(
          createUsageReporter({
            ...parts,
            client,
            side: 'machine',
            identity: { ...identity, type: 'portcullis', name: client.name },
            source: machineUsageSource(work.reading),
            periodMs: machineUsagePeriodMs,
          }),
        );
      }
    },
    async close() {
      stop.abort();
      liveBouncer?.close();
      await Promise.all(reporters.map((reporter) => reporter.close()));
      await Promise.all([...streams, ...agents].map((one) => one.close()));
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

function openLive(
  { live }: Settings['bouncer'],
  bouncers: readonly { readonly settings: BouncerSettings; readonly client: LapiClient }[],
  runtime: Runtime,
): LiveBouncer | null {
  const asked = bouncers.filter(({ settings }) => settings.mode === 'live');
  if (asked.length === 0) return null;
  return createLiveBouncer(
    asked.map(({ settings, client }) =>
      createLiveUpstream({
        ...runtime,
        client,
        passes: createDecisionFilter(settings),
        waitMs: live.wait,
        hitMs: settings.hitFor,
        cleanMs: settings.cleanFor,
        mostRemembered: live.maxRemembered,
        mostQuestions: live.maxQuestions,
      }),
    ),
  );
}
