/** The sites of the settings with their clients: one for each origin, shared by the sites that name it. */
import type { Clock } from '../core/clock.ts';
import { createHttp1Origin, type OriginOptions } from './origin/http1-origin.ts';
import type { OriginClient } from './origin/origin-client.ts';
import { createUndiciOrigin } from './origin/undici-origin.ts';
import type { Settings } from './settings.ts';
import { createSiteTable, type Site, type SiteTable } from './sites.ts';

export interface Origins {
  readonly table: SiteTable;
  close(): Promise<void>;
}

/** `defaultOrigin` is where unknown hosts go, or null for 421. */
export function createOrigins(settings: Settings, defaultOrigin: string | null, clock: Clock): Origins {
  const { upstream } = settings;
  const options: OriginOptions = {
    connections: upstream.connections,
    connectTimeoutMs: upstream.connectTimeout,
    headersTimeoutMs: upstream.headersTimeout,
    keepAliveTimeoutMs: upstream.keepAliveTimeout,
    headBytes: upstream.responseHeaderBytes,
  };
  const clients = new Map<string, OriginClient>();
  const clientFor = (origin: string): OriginClient => {
    const known = clients.get(origin);
    if (known !== undefined) return known;
    const url = new URL(origin);
    const own = url.protocol === 'http:' && upstream.client === 'http1';
    const client = own ? createHttp1Origin(url, options, clock) : createUndiciOrigin(url, options);
    clients.set(origin, client);
    return client;
  };
  const site = (hosts: readonly string[], origin: string, mode: Site['mode'] | null): Site => ({
    name: hosts[0] ?? 'default',
    hosts,
    origin,
    mode: mode ?? settings.mode,
    client: clientFor(origin),
    load: { inFlight: 0 },
  });
  const sites = settings.sites.map(({ hosts, origin, mode }) => site(hosts, origin, mode));
  const fallback = defaultOrigin === null ? null : site([], defaultOrigin, null);
  return {
    table: createSiteTable(sites, fallback),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}
