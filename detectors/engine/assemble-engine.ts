/**
 * An engine out of items: data files, expression compilers, parser sets, the detector. The gateway, `replay`, `explain` and
 * `hubtest` all assemble theirs here, so that a line fares the same everywhere.
 */
import type { GatewayError } from '../../core/errors.ts';
import { type HostResolver, noHosts } from '../../core/host-resolver.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Alert } from '../alert.ts';
import { type LoadedDataFiles, loadDataFiles } from '../documents/data-files.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import { createExpressionCompiler, type ExpressionCompiler } from '../expr/compile.ts';
import type { DecisionCounts, HelperDependencies, HttpAsker } from '../expr/dependencies.ts';
import { eventEnvironment, overflowEnvironment } from '../expr/environment.ts';
import type { GeoDatabases } from '../lookups/geoip.ts';
import type { GrokMatchers } from '../grok/grok-registry.ts';
import { createParserSet, type ParserSet } from '../parsers/parser-set.ts';
import { createStash } from '../parsers/stash.ts';
import { compilePattern } from '../regex/compile-pattern.ts';
import { createScenarioDetector, type ScenarioDetector, type ScenarioDetectorOptions } from '../scenarios/detector.ts';
import type { ScenarioExpressions } from '../scenarios/scenario.ts';
import { createEngine, type Engine } from './engine.ts';
import { createGeoLookup } from '../lookups/geo-lookup.ts';
import type { Items } from './load-items.ts';

/** What an engine is made of. */
export type EngineItems = Pick<Items, 'parsers' | 'postoverflows' | 'scenarios' | 'contexts'>;

export interface AssemblyOptions extends Omit<ScenarioDetectorOptions, 'documents' | 'contexts'> {
  /** Request events of the gateway are poured too, so nodes that concern them are kept apart. */
  readonly forRequests: boolean;
}

export interface AssemblyDeps extends Runtime {
  readonly geo: GeoDatabases;
  /** Null where no DNS may be asked: then no address has a name, and no name an address. */
  readonly hosts: HostResolver | null;
  /** Absent where no web server may be asked: then items that want to are refused. */
  readonly http?: HttpAsker;
  /** Compiled grok patterns that engines share; without it, this one's two parser sets do. */
  readonly grokMatchers?: GrokMatchers;
  /** Without it every count is 0. */
  readonly decisionCounts?: DecisionCounts;
  readonly onLateAlerts?: (alerts: readonly Alert[]) => void;
}

export interface EngineAssembly {
  readonly engine: Engine;
  readonly detector: ScenarioDetector;
  readonly parsers: ParserSet;
  readonly postoverflows: ParserSet;
  readonly expressions: ScenarioExpressions;
  readonly helpers: HelperDependencies;
  /** Documents that cannot be used. The others are. */
  readonly itemFaults: readonly ItemFault[];
  /** The same as errors, and before them the data files that cannot be used. */
  readonly faults: readonly GatewayError[];
  close(): void;
}

/** The last stage of parsers, whose whitelists and enrichers also concern events that arrive parsed. */
const lastParserStage = 's02-enrich';

/** Reads the data files that `items` name from `dataFolders`, in order. */
export function loadEngineData(items: EngineItems, dataFolders: readonly string[]): Promise<LoadedDataFiles> {
  return loadDataFiles([...items.parsers, ...items.postoverflows, ...items.scenarios], dataFolders);
}

export function assembleEngine(
  items: EngineItems,
  data: LoadedDataFiles,
  options: AssemblyOptions,
  deps: AssemblyDeps,
): EngineAssembly {
  const { clock, log, geo, hosts, grokMatchers = new Map() } = deps;
  const stash = createStash(clock);
  const helpers: HelperDependencies = {
    clock,
    random: deps.random,
    log,
    files: data.files,
    regex: (pattern) => compilePattern(pattern),
    geo: createGeoLookup(geo),
    stash,
    resolver: hosts ?? noHosts,
    ...(deps.http === undefined ? {} : { http: deps.http }),
    ...(deps.decisionCounts === undefined ? {} : { decisionCounts: deps.decisionCounts }),
  };
  const event: ExpressionCompiler = createExpressionCompiler({ environment: eventEnvironment, helpers });
  const expressions = { event, overflow: createExpressionCompiler({ environment: overflowEnvironment, helpers }) };
  const parserDeps = { clock, log, expressions: event, files: data.files, stash, geo, hosts, grokMatchers };
  const parsers = createParserSet(items.parsers, parserDeps);
  const postoverflows = createParserSet(items.postoverflows, parserDeps);
  const concerned = options.forRequests ? items.parsers.filter(concernsRequests) : [];
  const enrichers = concerned.length === 0 ? null : createParserSet(concerned, parserDeps);
  const { scenarios: documents, contexts } = items;
  const detector = createScenarioDetector(
    { ...options, documents, contexts },
    { clock, log, random: deps.random, expressions, files: data.files, geo },
  );
  const engine = createEngine({
    clock,
    parsers,
    postoverflows,
    enrichers,
    detector,
    onLateAlerts: deps.onLateAlerts ?? (() => {}),
  });
  const itemFaults = [...parsers.faults, ...postoverflows.faults, ...detector.faults];
  return {
    engine,
    detector,
    parsers,
    postoverflows,
    expressions,
    helpers,
    itemFaults,
    faults: [...data.faults, ...itemFaults.map(({ error }) => error)],
    close: () => detector.close(),
  };
}

function concernsRequests({ stage, concernsParsedEvents }: EngineItems['parsers'][number]): boolean {
  return stage === lastParserStage && concernsParsedEvents;
}
