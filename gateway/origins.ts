/** The sites of the settings with their clients: one for each origin, shared by the sites that name it. */
import type { Clock } from '../core/clock.ts';
import { createNoOrigin } from './origin/no-origin.ts';
import { createHttp1Origin, type OriginOptions } from './origin/http1-origin.ts';
import type { OriginClient } from './origin/origin-client.ts';
import type { Settings } from './settings.ts';
import { createSiteTable, type Site, type SiteTable } from './sites.ts';

export interface Origins {
  readonly table: SiteTable;
  /** The same sites for whoever serves them himself: a host that none claims is judged by the settings of all. */
  readonly judged: SiteTable;
  close(): Promise<void>;
}

/** What the settings say of one site. */
type SiteChoices = Pick<Settings['sites'][number], 'hosts' | 'origin' | 'mode'> & {
  readonly waf: Settings['sites'][number]['waf'] | null;
};

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
  const siteWith = (client: OriginClient, { hosts, origin, mode, waf }: SiteChoices): Site => ({
    name: hosts[0] ?? 'default',
    hosts,
    origin,
    mode: mode ?? settings.mode,
    waf: siteWaf(settings, waf),
    client,
    load: { inFlight: 0 },
  });
  const site = async (choices: SiteChoices): Promise<Site> => siteWith(await clientFor(choices.origin), choices);
  const sites: Site[] = [];
  for (const choices of settings.sites) sites.push(await site(choices));
  const fallback =
    defaultOrigin === null ? null : await site({ hosts: [], origin: defaultOrigin, mode: null, waf: null });
  const unclaimed = fallback ?? siteWith(createNoOrigin(), { hosts: [], origin: '', mode: null, waf: null });
  return {
    table: createSiteTable(sites, fallback),
    judged: createSiteTable(sites, unclaimed),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** What the WAF does on a site: what the site says, and for the rest what the settings say for all. */
export function siteWaf({ waf }: Pick<Settings, 'waf'>, own: SiteChoices['waf']): Site['waf'] {
  return {
    'core-rules': own?.coreRules ?? waf.coreRules.mode,
    'virtual-patches': own?.virtualPatches ?? waf.virtualPatches.mode,
    onFailure: own?.onFailure ?? waf.onFailure,
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
