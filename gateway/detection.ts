/**
 * Puts the detection together: items and data files from disk, the engine that judges requests and log lines, and the sources
 * that the lines come from.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createDnsResolver } from '../core/dns-resolver.ts';
import type { GatewayError } from '../core/errors.ts';
import { createHostResolver } from '../core/host-resolver.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Acquisition } from '../detectors/acquisition/acquisition.ts';
import type { SourceStatus } from '../detectors/acquisition/acquisition-source.ts';
import type { Alert } from '../detectors/alert.ts';
import { assembleEngine, type EngineItems, loadEngineData } from '../detectors/engine/assemble-engine.ts';
import type { Engine, EngineCounters } from '../detectors/engine/engine.ts';
import { createFeedQueue, type FeedCounters } from '../detectors/engine/feed-queue.ts';
import { loadItems } from '../detectors/engine/load-items.ts';
import type { DecisionCounts, HelperDependencies } from '../detectors/expr/dependencies.ts';
import type { GeoDatabases } from '../detectors/lookups/geoip.ts';
import type { HttpAnswers } from '../detectors/lookups/http-answers.ts';
import { hubFoldersIn, journalFile } from '../detectors/hub/hub-folders.ts';
import type { ParserSummary } from '../detectors/parsers/parser-set.ts';
import type { ScenarioDetector } from '../detectors/scenarios/detector.ts';
import { createScenarioExplainer, type ScenarioExplainer } from '../detectors/scenarios/scenario-explainer.ts';
import { readSimulation } from '../detectors/scenarios/simulation-file.ts';
import { SwitchableSimulation } from '../detectors/scenarios/simulation.ts';
import { acquisitionFolderIn, itemFoldersOf } from './item-folders.ts';
import type { Settings } from './settings.ts';
import { createSimulationSwitch, type SimulationSwitch } from './simulation-switch.ts';

export interface Detection {
  readonly engine: Engine;
  readonly detector: ScenarioDetector;
  readonly explainer: ScenarioExplainer;
  /** Which scenarios only simulate. */
  readonly simulation: SimulationSwitch;
  /** What the expressions of profiles share with those of items. */
  readonly helpers: HelperDependencies;
  /** How the logs of other programs are doing. */
  reading(): LogReading;
  /** Documents, data files and expressions that are not used, and why. */
  readonly faults: readonly GatewayError[];
  /** Begins to read logs. `decide` is told of every alert that no request is there to hear of. */
  start(decide: (alerts: readonly Alert[]) => void): void;
  close(): Promise<void>;
}

/** Logs of other programs, from their sources to the buckets. */
export interface LogReading {
  readonly sources: readonly SourceStatus[];
  readonly queue: FeedCounters;
  readonly lines: EngineCounters;
  /** Parsers and postoverflows in use, with live counters. */
  readonly nodes: readonly ParserSummary[];
}

export interface DetectionDeps extends Runtime {
  readonly geo: GeoDatabases;
  readonly decisionCounts: DecisionCounts;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Compile parsers that no log line will reach too, for their faults. */
  readonly everyParser?: boolean;
}

/** For one question to a name server. */
const dnsTimeoutMs = 3_000;

/** Faults are logged and shown by `doctor`; what is good runs. */
export async function createDetection(
  settings: Pick<Settings, 'detection' | 'client' | 'dataDir' | 'acquisition'>,
  deps: DetectionDeps,
): Promise<Detection> {
  const { simulate, maxBuckets } = settings.detection;
  const simulationFile = join(settings.dataDir, 'simulation.yaml');
  const simulation = new SwitchableSimulation(await readSimulation(simulationFile), simulate);
  await finishHubChange(settings.dataDir);
  const parsesLines = acquisitionFiles(settings).length > 0 || deps.everyParser === true;
  const folders = itemFoldersOf(settings, parsesLines);
  const loaded = await loadItems(folders.paths);
  const items = usedItems(loaded, new Set(settings.detection.disable), parsesLines);
  const data = await loadEngineData(items, [...folders.dataFolders, ...loaded.dataFolders]);
  let decide: (alerts: readonly Alert[]) => void = () => {};
  const onAlerts = (alerts: readonly Alert[]): void => decide(alerts);
  const hosts = createHostResolver({ clock: deps.clock, resolver: createDnsResolver(dnsTimeoutMs) });
  const http = await openHttp(settings.detection.httpHelpers, deps);
  const assembly = assembleEngine(
    items,
    data,
    { simulation, maxBuckets, ipv6Prefix: settings.client.ipv6Prefix, forRequests: true },
    { ...deps, hosts, ...(http === null ? {} : { http }), onLateAlerts: onAlerts },
  );
  const { engine, detector, expressions } = assembly;
  const { queueLines: maxLines, queueSize: maxCharacters } = settings.acquisition;
  const feed = createFeedQueue({ maxLines, maxCharacters }, { ...deps, engine, onAlerts });
  const acquisition = await openAcquisition(settings, deps, assembly.helpers);
  const faults = [...[...loaded.faults, ...acquisition.faults].map(({ error }) => error), ...assembly.faults];
  for (const { code, message, remedy } of faults) deps.log.error({ code, remedy }, message);
  return {
    engine,
    detector,
    explainer: createScenarioExplainer({ documents: items.scenarios, simulation }, expressions),
    simulation: createSimulationSwitch(simulation, simulationFile),
    helpers: assembly.helpers,
    faults,
    reading: () => ({
      sources: acquisition.status(),
      queue: feed.counters,
      lines: engine.counters,
      nodes: [...assembly.parsers.nodes, ...assembly.postoverflows.nodes],
    }),
    start(listener) {
      decide = listener;
      acquisition.start(feed);
    },
    async close() {
      await acquisition.close();
      // What waits for other servers goes on without them.
      hosts.close();
      http?.close();
      await feed.close();
      assembly.close();
    },
  };
}

/** Without the leave to ask web servers, the client for it is not loaded. */
async function openHttp(
  reach: Settings['detection']['httpHelpers'],
  { clock }: DetectionDeps,
): Promise<HttpAnswers | null> {
  if (reach === 'off') return null;
  const { createHttpAnswers } = await import('../detectors/lookups/http-answers.ts');
  return createHttpAnswers({ clock, reach, dns: createDnsResolver(dnsTimeoutMs) });
}

/** Without logs to read, nothing of acquisition is loaded. */
async function openAcquisition(
  settings: Pick<Settings, 'acquisition' | 'dataDir'>,
  deps: DetectionDeps,
  helpers: HelperDependencies,
): Promise<Acquisition> {
  const files = acquisitionFiles(settings);
  if (files.length === 0) return { faults: [], start: () => {}, status: () => [], close: () => Promise.resolve() };
  const [{ loadAcquisition }, { createAcquisition }, { createTransformCompiler }] = await Promise.all([
    import('../detectors/acquisition/load-acquisition.ts'),
    import('../detectors/acquisition/acquisition.ts'),
    import('../detectors/engine/line-transform.ts'),
  ]);
  const { documents, faults } = await loadAcquisition(files, deps.env);
  const statePath = join(settings.dataDir, 'acquisition.json');
  const compileTransform = createTransformCompiler(helpers, deps);
  const acquisition = await createAcquisition(documents, { ...deps, statePath, compileTransform });
  return { ...acquisition, faults: [...faults, ...acquisition.faults] };
}

/** What `portcullis setup detect` wrote, and what the settings name. */
function acquisitionFiles({ acquisition, dataDir }: Pick<Settings, 'acquisition' | 'dataDir'>): readonly string[] {
  const written = acquisitionFolderIn(dataDir);
  const files = existsSync(written) ? [written, ...acquisition.files] : acquisition.files;
  return [...new Set(files.map((path) => resolve(path)))];
}

/** A change of installed items that a crash cut short is completed or undone, so that no half of a collection runs. */
async function finishHubChange(dataDir: string): Promise<void> {
  const folders = hubFoldersIn(dataDir);
  if (!existsSync(journalFile(folders))) return;
  // Loaded only here, as almost no start needs it.
  const [{ recover }, { withLock }, { hubDisk }] = await Promise.all([
    import('../detectors/hub/transaction.ts'),
    import('../detectors/hub/lock.ts'),
    import('../detectors/hub/hub-disk.ts'),
  ]);
  await withLock(folders.hub, () => recover(folders, hubDisk));
}

/** Without lines to parse, of the parsers only those are kept that requests meet too. */
function usedItems(items: EngineItems, disabled: ReadonlySet<string>, parsesLines: boolean): EngineItems {
  const enabled = <Item extends { readonly name: string }>(list: readonly Item[]): readonly Item[] =>
    list.filter(({ name }) => !disabled.has(name));
  return {
    parsers: enabled(items.parsers).filter((parser) => parsesLines || parser.concernsParsedEvents),
    postoverflows: enabled(items.postoverflows),
    scenarios: enabled(items.scenarios),
    contexts: items.contexts,
  };
}
