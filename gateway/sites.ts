/** Which site a request is for, by its Host. Names are exact or `*.` wildcards; the longest wildcard wins. */
import type { RuleLayer } from '../detectors/waf/waf-record.ts';
import type { OriginClient } from './origin/origin-client.ts';

export type Mode = 'block' | 'observe';

/** What the rules of a layer may do on a site. */
export type LayerMode = 'off' | 'observe' | 'block';

export interface Site {
  /** The first of its host names, or `default`: what the log and the metrics call it. */
  readonly name: string;
  readonly hosts: readonly string[];
  /** `http://app:3000`, without a path. */
  readonly origin: string;
  readonly mode: Mode;
  readonly waf: Readonly<Record<RuleLayer, LayerMode>> & {
    /** What becomes of a request that the rules cannot finish. */
    readonly onFailure: 'pass' | 'block';
  };
  readonly client: OriginClient;
  /** Requests that are with the origin or wait for a connection to it. */
  readonly load: { inFlight: number };
}

/** A site that only observes has no layer that blocks. */
export function layerModeOf({ mode, waf }: Pick<Site, 'mode' | 'waf'>, layer: RuleLayer): LayerMode {
  return mode === 'observe' && waf[layer] === 'block' ? 'observe' : waf[layer];
}

export interface SiteTable {
  readonly sites: readonly Site[];
  /** The site for a Host header, or null for 421. */
  find(host: string): Site | null;
}

/** Host headers remembered in their given spelling; a client that varies them only empties the memory. */
const rememberedHosts = 1024;

export function createSiteTable(sites: readonly Site[], fallback: Site | null): SiteTable {
  const exact = new Map<string, Site>();
  const wildcards: { suffix: string; site: Site }[] = [];
  for (const site of sites) {
    for (const host of site.hosts) {
      if (host.startsWith('*.')) wildcards.push({ suffix: host.slice(1), site });
      else exact.set(host, site);
    }
  }
  wildcards.sort((left, right) => right.suffix.length - left.suffix.length);
  const remembered = new Map<string, Site | null>();
  const search = (host: string): Site | null => {
    const name = hostName(host);
    return exact.get(name) ?? wildcards.find(({ suffix }) => name.endsWith(suffix))?.site ?? fallback;
  };
  return {
    sites: fallback ? [fallback, ...sites] : sites,
    find(host) {
      const known = remembered.get(host);
      if (known !== undefined) return known;
      const site = search(host);
      if (remembered.size >= rememberedHosts) remembered.clear();
      remembered.set(host, site);
      return site;
    },
  };
}

/** `Example.COM:8080` → `example.com`; a final dot is dropped; brackets of an IPv6 literal stay. */
export function hostName(host: string): string {
  const lower = host.toLowerCase();
  const end = lower.startsWith('[') ? lower.indexOf(']') + 1 : lower.indexOf(':');
  const name = end > 0 ? lower.slice(0, end) : lower;
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
