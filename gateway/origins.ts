/** The sites of the settings with their connection pools. One pool for each origin, shared by the sites that name it. */
import { Pool } from 'undici';
import type { Settings } from './settings.ts';
import { createSiteTable, type Site, type SiteTable } from './sites.ts';

export interface Origins {
  readonly table: SiteTable;
  close(): Promise<void>;
}

/** `defaultOrigin` is where unknown hosts go, or null for 421. */
export function createOrigins(settings: Settings, defaultOrigin: string | null): Origins {
  const { connections, connectTimeout, headersTimeout, keepAliveTimeout, responseHeaderBytes } = settings.upstream;
  const pools = new Map<string, Pool>();
  const poolFor = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known !== undefined) return known;
    const pool = new Pool(origin, {
      connections,
      // More than one request on a connection would let one stalled response hold up others.
      pipelining: 1,
      allowH2: false,
      connect: { timeout: connectTimeout },
      headersTimeout,
      // Pauses within a body are judged in upstream.ts, which knows an event stream when it sees one.
      bodyTimeout: 0,
      keepAliveTimeout,
      maxHeaderSize: responseHeaderBytes,
    });
    pools.set(origin, pool);
    return pool;
  };
  const site = (hosts: readonly string[], origin: string, mode: Site['mode'] | null): Site => ({
    name: hosts[0] ?? 'default',
    hosts,
    origin,
    mode: mode ?? settings.mode,
    dispatcher: poolFor(origin),
    tls: origin.startsWith('https:'),
    load: { inFlight: 0 },
  });
  const sites = settings.sites.map(({ hosts, origin, mode }) => site(hosts, origin, mode));
  const fallback = defaultOrigin === null ? null : site([], defaultOrigin, null);
  return {
    table: createSiteTable(sites, fallback),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
