/** The agent side put together from its settings: a client and an agent for each Local API. */
import type { Runtime } from '../../../core/runtime.ts';
import type { Publisher } from '../../exchange/publish.ts';
import { createLapiAgent, type LapiAgent, type LapiAgentStatus } from './agent.ts';
import { createLapiClient, type LapiClient } from './lapi-client.ts';
import { addressText, isExposed, machineTarget } from './lapi-target.ts';
import type { AgentOptions } from './options.ts';
import { createUsageReporter, machineUsagePeriodMs, type UsageReporter, type UsageSource } from './usage-metrics.ts';
import type { UsageIdentity } from './usage-models.ts';

export interface ReportToLapisDependencies extends Runtime {
  readonly publisher: Pick<Publisher, 'listen'>;
  readonly identity: UsageIdentity;
  /** The scenarios that run, told at each login. */
  readonly scenarios: () => readonly string[];
  readonly usage: UsageSource;
}

export interface ReportingToLapis {
  status(): readonly LapiAgentStatus[];
  /** Sends what is left, for at most five seconds, and lets go of everything. Safe twice. */
  close(): Promise<void>;
}

/** Throws SETTINGS_UNREADABLE when a file of the settings cannot be read; nothing was begun then. */
export async function reportToLapis(options: AgentOptions, deps: ReportToLapisDependencies): Promise<ReportingToLapis> {
  const { clock, log } = deps;
  const targets = await Promise.all(options.lapis.map(async (lapi) => ({ lapi, target: await machineTarget(lapi) })));
  const clients: LapiClient[] = [];
  const agents: LapiAgent[] = [];
  const reporters: UsageReporter[] = [];
  for (const { lapi, target } of targets) {
    if (isExposed(target.address)) {
      log.warn(
        { lapi: lapi.name, address: addressText(target.address) },
        'the password travels in the clear: use https://',
      );
    }
    const client = createLapiClient({
      target,
      clock,
      userAgent: `portcullis/v${deps.identity.version}`,
      timeoutMs: lapi.timeout,
      scenarios: deps.scenarios,
    });
    clients.push(client);
    agents.push(createLapiAgent({ ...deps, client, decide: lapi.decide, mostQueued: lapi.maxQueued }));
    if (!options.usageMetrics) continue;
    const { identity, usage: source } = deps;
    reporters.push(
      createUsageReporter({ ...deps, client, side: 'machine', identity, source, periodMs: machineUsagePeriodMs }),
    );
  }
  const close = async (): Promise<void> => {
    await Promise.all([...agents.map((agent) => agent.close()), ...reporters.map((reporter) => reporter.close())]);
    await Promise.all(clients.map((client) => client.close()));
  };
  let closing: Promise<void> | null = null;
  return {
    status: () => agents.map((agent) => agent.status()),
    close: () => (closing ??= close()),
  };
}
