/** The bouncer side put together from its settings: a client, and a stream or live bouncer, for each Local API. */
import type { Runtime } from '../../../core/runtime.ts';
import type { Publisher } from '../../exchange/publish.ts';
import type { Store } from '../../store/store.ts';
import { readHeld } from './held-decisions.ts';
import { createLapiClient, type LapiClient } from './lapi-client.ts';
import { addressText, bouncerTarget, isExposed } from './lapi-target.ts';
import { createLiveBouncer, type LiveBouncer } from './live-bouncer.ts';
import { createLiveUpstream, type LiveUpstream, type LiveUpstreamStatus } from './live-upstream.ts';
import { MirrorTable } from './mirror-table.ts';
import type { BouncerOptions } from './options.ts';
import { createStreamBouncer, type StreamBouncer, type StreamBouncerStatus } from './stream-bouncer.ts';
import { createDecisionFilter } from './stream-filters.ts';
import { bouncerUsagePeriodMs, createUsageReporter, type UsageReporter } from './usage-metrics.ts';
import type { UsageIdentity, UsageItem } from './usage-models.ts';

export interface FollowLapisDependencies extends Runtime {
  readonly store: Pick<Store, 'changes'>;
  readonly publisher: Pick<Publisher, 'commit' | 'status'>;
  readonly identity: UsageIdentity;
  /** What was processed and dropped because of decisions of one Local API, as totals. What is active is added here. */
  readonly usage: (lapi: string) => readonly UsageItem[];
}

export interface FollowedLapis {
  /** Resolves when each stream was asked once, whether or not it answered. */
  readonly ready: Promise<void>;
  /** Null when none is asked live. */
  readonly live: LiveBouncer | null;
  status(): readonly (StreamBouncerStatus | LiveUpstreamStatus)[];
  /** Sends the last usage metrics, and lets go of everything. What is mirrored stays in the store. Safe twice. */
  close(): Promise<void>;
}

const liveConnections = 16;

/** Throws SETTINGS_UNREADABLE when a file of the settings cannot be read; nothing was begun then. */
export async function followLapis(options: BouncerOptions, deps: FollowLapisDependencies): Promise<FollowedLapis> {
  const { clock, random, log, store, publisher } = deps;
  const targets = await Promise.all(options.lapis.map(async (lapi) => ({ lapi, target: await bouncerTarget(lapi) })));
  const stop = new AbortController();
  const seed = new DataView(random.bytes(4).slice().buffer).getInt32(0);
  const newTable = (): MirrorTable => new MirrorTable(options.maxDecisions, seed);
  const names = options.lapis.filter(({ mode }) => mode === 'stream').map(({ name }) => name);
  const held =
    names.length === 0
      ? Promise.resolve(new Map<string, MirrorTable>())
      : readHeld({ clock, random, log, store, names, newTable, signal: stop.signal });
  const clients: LapiClient[] = [];
  const streams: StreamBouncer[] = [];
  const upstreams: LiveUpstream[] = [];
  const reporters: UsageReporter[] = [];

  for (const { lapi, target } of targets) {
    if (isExposed(target.address)) {
      log.warn({ lapi: lapi.name, address: addressText(target.address) }, 'the key travels in the clear: use https://');
    }
    const client = createLapiClient({
      target,
      clock,
      userAgent: `portcullis-bouncer/v${deps.identity.version}`,
      timeoutMs: lapi.timeout,
      connections: lapi.mode === 'live' ? liveConnections : 2,
    });
    clients.push(client);
    let active: () => readonly UsageItem[] = () => [];
    if (lapi.mode === 'stream') {
      const stream = createStreamBouncer({
        ...deps,
        client,
        publisher,
        filters: lapi,
        newTable,
        intervalMs: lapi.interval,
        held: held.then((tables) => tables.get(lapi.name)),
      });
      streams.push(stream);
      active = () => activeItems(stream);
    } else {
      const { wait, maxRemembered, maxQuestions } = options.live;
      upstreams.push(
        createLiveUpstream({
          ...deps,
          client,
          passes: createDecisionFilter(lapi),
          waitMs: wait,
          hitMs: lapi.hitFor,
          cleanMs: lapi.cleanFor,
          mostRemembered: maxRemembered,
          mostQuestions: maxQuestions,
        }),
      );
    }
    if (!options.usageMetrics) continue;
    const source = { items: () => [...active(), ...deps.usage(lapi.name)] };
    const { identity } = deps;
    reporters.push(
      createUsageReporter({ ...deps, client, side: 'bouncer', identity, source, periodMs: bouncerUsagePeriodMs }),
    );
  }

  const live = upstreams.length === 0 ? null : createLiveBouncer(upstreams);
  const close = async (): Promise<void> => {
    stop.abort();
    live?.close();
    await Promise.all(reporters.map((reporter) => reporter.close()));
    await Promise.all(streams.map((stream) => stream.close()));
    await Promise.all(clients.map((client) => client.close()));
  };
  let closing: Promise<void> | null = null;
  return {
    ready: Promise.all(streams.map(({ ready }) => ready)).then(() => undefined),
    live,
    status: () => [...streams.map((stream) => stream.status()), ...(live?.status() ?? [])],
    close: () => (closing ??= close()),
  };
}

function activeItems(stream: StreamBouncer): UsageItem[] {
  return stream
    .countsByOrigin()
    .flatMap(({ origin, ipv4, ipv6 }) => [
      ...(ipv4 > 0 ? [activeItem(origin, 'ipv4', ipv4)] : []),
      ...(ipv6 > 0 ? [activeItem(origin, 'ipv6', ipv6)] : []),
    ]);
}

function activeItem(origin: string, ipType: 'ipv4' | 'ipv6', value: number): UsageItem {
  return { name: 'active_decisions', unit: 'ip', value, origin, ipType };
}
