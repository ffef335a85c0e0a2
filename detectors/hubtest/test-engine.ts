/**
 * An engine with the items of one test and nothing else. What costs time and holds no state is shared by all tests: data
 * files, MaxMind databases, compiled grok patterns.
 */
import { basename } from 'node:path';
import type { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { LoadedDataFiles } from '../documents/data-files.ts';
import type { DataSpec } from '../documents/data-spec.ts';
import { findDataFile } from '../documents/find-data-file.ts';
import { assembleEngine, loadEngineData } from '../engine/assemble-engine.ts';
import type { Engine } from '../engine/engine.ts';
import { type GeoDatabases, type GeoPaths, openGeoDatabases } from '../lookups/geoip.ts';
import type { GrokMatchers } from '../grok/grok-registry.ts';
import type { HubTestFailure } from './assertions.ts';
import { type InstalledItems, itemFailure } from './test-items.ts';

/** Where data files are looked for: first in the test's own folders. */
export interface DataFolders {
  readonly own: readonly string[];
  readonly shared: readonly string[];
}

/** The data files of a test. */
export interface TestData {
  readonly folders: readonly string[];
  readonly geo: GeoPaths;
  /** MaxMind databases that no folder has. */
  readonly missing: readonly string[];
  /** Equal for tests that read the same files. */
  readonly key: string;
}

export interface TestEngine {
  readonly engine: Engine;
  /** Items and data files with which upstream would not start. */
  readonly faults: readonly HubTestFailure[];
  close(): void;
}

export interface TestEngines {
  findData(items: InstalledItems, folders: DataFolders): Promise<TestData>;
  create(items: InstalledItems, data: TestData): Promise<TestEngine>;
  close(): void;
}

export function createTestEngines(runtime: Runtime): TestEngines {
  const grokMatchers: GrokMatchers = new Map();
  const files = new Map<string, Promise<LoadedDataFiles>>();
  const databases = new Map<string, Promise<GeoDatabases>>();
  const opened: GeoDatabases[] = [];
  const open = async (paths: GeoPaths): Promise<GeoDatabases> => {
    const geo = await openGeoDatabases(paths, runtime);
    opened.push(geo);
    return geo;
  };
  return {
    findData: (items, folders) => findData(dataSpecs(items), folders),
    async create(items, { folders, geo: paths, key }) {
      const used = { ...items, contexts: [] };
      const loaded = await once(files, key, () => loadEngineData(used, folders));
      const geo = await once(databases, JSON.stringify(paths), () => open(paths));
      // The answers of name servers change; no test asks them.
      const deps = { ...runtime, geo, hosts: null, grokMatchers };
      const assembly = assembleEngine(used, loaded, { forRequests: false, ipv6Prefix: 128 }, deps);
      return {
        engine: assembly.engine,
        faults: [...loaded.faults.map(dataFailure), ...assembly.itemFaults.map(itemFailure)],
        close: () => assembly.close(),
      };
    },
    close() {
      for (const geo of opened) geo.close();
    },
  };
}

function dataFailure({ message }: GatewayError): HubTestFailure {
  return { file: '', line: 0, assertion: '', found: null, reason: message };
}

function once<Value>(known: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

function dataSpecs({ parsers, postoverflows, scenarios }: InstalledItems): readonly DataSpec[] {
  return [...parsers, ...postoverflows, ...scenarios].flatMap(({ data }) => data);
}

/**
 * A test that names a database published for tests (`GeoLite2-Test-City.mmdb`) is about that one, whatever name it gives it:
 * databases are looked for as they are published, and only in the test's own folder under its own name.
 */
async function findData(specs: readonly DataSpec[], folders: DataFolders): Promise<TestData> {
  const geo: Record<keyof GeoPaths, string> = { city: '', asn: '', country: '' };
  const missing = new Set<string>();
  const paths: unknown[] = [];
  const all = [...folders.own, ...folders.shared];
  for (const spec of specs) {
    if (!spec.destFile.endsWith('.mmdb')) {
      paths.push([spec, await findDataFile(spec, all)]);
      continue;
    }
    const published = basename(spec.sourceUrl) || spec.destFile;
    const path =
      (await findDataFile(spec, folders.own)) ?? (await findDataFile({ ...spec, destFile: published }, folders.shared));
    if (path === null) missing.add(published);
    else geo[databaseKind(spec.destFile)] = path;
  }
  return { folders: all, geo, missing: [...missing], key: JSON.stringify(paths) };
}

/** By the names that CrowdSec opens: GeoLite2-City.mmdb, GeoLite2-ASN.mmdb. */
function databaseKind(name: string): keyof GeoPaths {
  if (/asn/i.test(name)) return 'asn';
  return /country/i.test(name) ? 'country' : 'city';
}
