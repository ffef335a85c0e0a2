/** The sites of the settings with their clients: one for each origin, shared by the sites that name it. */
import type { Clock } from '../core/clock.ts';
import { createHttp1Origin, type OriginOptions } from './origin/http1-origin.ts';
import type { OriginClient } from './origin/origin-client.ts';
import type { Settings } from './settings.ts';
import { createSiteTable, type Site, type SiteTable } from './sites.ts';

export interface Origins {
  readonly table: SiteTable;
  close(): Promise<void>;
}

/** `defaultOrigin` is where unknown hosts go, or null for 421. */
export async function createOrigins(settings: Settings, defaultOrigin: string | null, clock: Clock): Promise<Origins> {
  const { upstream } = settings;
  const options: OriginOptions = {
    connections: upstream.connections,
    connectTimeoutMs: upstream.connectTimeout,
    headersTimeoutMs: upstream.headersTimeout,
    keepAliveTimeoutMs: upstream.keepAliveTimeout,
    headBytes: upstream.responseHeaderBytes,
  };
  const clients = new Map<string, OriginClient>();
  const clientFor = async (origin: string): Promise<OriginClient> => {
    const known = clients.get(origin);
    if (known !== undefined) return known;
    const client = await openClient(new URL(origin), upstream.client, options, clock);
    clients.set(origin, client);
    return client;
  };
  const site = async (hosts: readonly string[], origin: string, mode: Site['mode'] | null): Promise<Site> => ({
    name: hosts[0] ?? 'default',
    hosts,
    origin,
    mode: mode ?? settings.mode,
    client: await clientFor(origin),
    load: { inFlight: 0 },
  });
  const sites: Site[] = [];
  for (const { hosts, origin, mode } of settings.sites) sites.push(await site(hosts, origin, mode));
  const fallback = defaultOrigin === null ? null : await site([], defaultOrigin, null);
  return {
    table: createSiteTable(sites, fallback),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** undici is loaded only where it is needed: it takes 28 MB. */
async function openClient(
  origin: URL,
  wanted: Settings['upstream']['client'],
  options: OriginOptions,
  clock: Clock,
): Promise<OriginClient> {
  if (origin.protocol === 'http:' && wanted === 'http1') return createHttp1Origin(origin, options, clock);
  const { createUndiciOrigin } = await import('./origin/undici-origin.ts');
  return createUndiciOrigin(origin, options);
}
