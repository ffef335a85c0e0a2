/** The engine of the verbs that read lines themselves: items of some folders, and MaxMind databases where their data is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { createHostResolver, type HostResolver } from '../../core/host-resolver.ts';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Runtime } from '../../core/runtime.ts';
import { assembleEngine, type EngineAssembly, loadEngineData } from '../../detectors/engine/assemble-engine.ts';
import { loadItems } from '../../detectors/engine/load-items.ts';
import { type GeoPaths, openGeoDatabases } from '../../detectors/lookups/geoip.ts';
import type { ScenarioSpec } from '../../detectors/scenarios/scenario-document.ts';
import type { ItemFolders } from './item-folders.ts';

export interface OpenEngine extends Pick<EngineAssembly, 'engine' | 'expressions'> {
  readonly scenarios: readonly ScenarioSpec[];
  /** Items and data files that are not used; the others are. */
  readonly faults: readonly GatewayError[];
  close(): void;
}

export interface OpenEngineOptions {
  readonly clock: Clock;
  /** Names of addresses, and addresses of names, may be asked for. */
  readonly dns: boolean;
}

/** @throws GatewayError NOT_FOUND when there is nothing to run */
export async function openEngine(folders: ItemFolders, options: OpenEngineOptions): Promise<OpenEngine> {
  const { clock } = options;
  const runtime: Runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  const loaded = await loadItems(folders.paths);
  const disabled = new Set(folders.disabled);
  const items = { ...loaded, scenarios: loaded.scenarios.filter(({ name }) => !disabled.has(name)) };
  const itemFaults = loaded.faults.map(({ error }) => error);
  if (items.parsers.length === 0) {
    const [first] = itemFaults;
    throw new GatewayError('NOT_FOUND', `there are no parsers in ${folders.paths.join(', ')}`, {
      remedy:
        first === undefined ? 'Lines are read by parsers: add those of the log.' : `The first fault: ${first.message}`,
    });
  }
  const geo = await openGeoDatabases(geoPathsIn(folders.dataFolders), runtime);
  const data = await loadEngineData(items, [...folders.dataFolders, ...loaded.dataFolders]);
  const assembly = assembleEngine(
    items,
    data,
    { forRequests: false, ipv6Prefix: 128 },
    { ...runtime, geo, hosts: options.dns ? await openHosts(clock) : null },
  );
  return {
    engine: assembly.engine,
    expressions: assembly.expressions,
    scenarios: items.scenarios,
    faults: [...itemFaults, ...assembly.faults],
    close() {
      assembly.close();
      geo.close();
    },
  };
}

/** By the names that CrowdSec opens. */
function geoPathsIn(folders: readonly string[]): GeoPaths {
  const paths: Record<string, string> = {};
  for (const [kind, name] of [
    ['city', 'GeoLite2-City.mmdb'],
    ['asn', 'GeoLite2-ASN.mmdb'],
  ] as const) {
    const path = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (path !== undefined) paths[kind] = path;
  }
  return paths;
}

/** A name server that does not answer within this counts as absent. */
const dnsTimeoutMs = 2_000;

async function openHosts(clock: Clock): Promise<HostResolver> {
  const { createDnsResolver } = await import('../../core/dns-resolver.ts');
  return createHostResolver({ clock, resolver: createDnsResolver(dnsTimeoutMs) });
}
