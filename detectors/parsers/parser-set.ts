/**
 * `createParserSet`: parsers (or postoverflows) by stage, and the walk of an event through them. In each stage the nodes run
 * in order until one succeeds and moves the event on; a stage in which none succeeds ends the walk.
 * Specification: CrowdSec `pkg/parser/runtime.go` (`Parse`).
 */
import type { Clock } from '../../core/clock.ts';
import type { HostResolver } from '../../core/host-resolver.ts';
import type { Log } from '../../core/log.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import type { Event } from '../event.ts';
import type { ExpressionCompiler } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';
import { createGrokRegistry, type GrokMatchers } from '../grok/grok-registry.ts';
import { compileParser, type CompiledParser } from './compile-parser.ts';
import { createEnrichers, type EnricherGeo } from './enrichers.ts';
import type { ParseObserver, ParseStep } from './parse-observer.ts';
import { failed, misplaced, type ParseOutcome, passed, unparsed } from './parse-outcome.ts';
import type { ParserDocument } from './parser-document.ts';
import type { NodeCounters, NodeResult, ParserNode } from './parser-node.ts';
import { ParserRun } from './parser-run.ts';
import type { Stash } from './stash.ts';
import { createStageIndex, type StageIndex } from './stage-index.ts';

/** A document and what it has done so far; the counters go on counting. */
export interface ParserSummary extends Readonly<NodeCounters> {
  readonly name: string;
  readonly stage: string;
  readonly file: string;
}

export interface ParserSet {
  /** In lexical order, only those that own a node. */
  readonly stages: readonly string[];
  /** By stage, then in the order of the documents. */
  readonly nodes: readonly ParserSummary[];
  /** Documents that cannot be compiled; the others run. */
  readonly faults: readonly ItemFault[];
  /**
   * Walks the event through the stages, in place. With `goOn` nothing is awaited: an address whose name is not known yet
   * then has none, and an expression that would wait raises. Observed, every node is evaluated, also those that cannot match.
   */
  parse(event: Event, observer: ParseObserver | null, goOn?: boolean): ParseOutcome;
}

export interface ParserSetDeps {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn' | 'debug'>;
  /** With `eventEnvironment`, and the stash below among its helpers. */
  readonly expressions: ExpressionCompiler;
  readonly files: DataFiles;
  readonly stash: Stash;
  readonly geo: EnricherGeo;
  /** Null: no address has a name. */
  readonly hosts: Pick<HostResolver, 'names'> | null;
  /** Shared by sets that have patterns in common; each has its own without. */
  readonly grokMatchers?: GrokMatchers;
}

/** Compiles `documents`, which are in the order of their install path. Faults are gathered, not thrown. */
export function createParserSet(documents: readonly ParserDocument[], deps: ParserSetDeps): ParserSet {
  const { clock, geo, hosts } = deps;
  if (documents.length === 0) return new StagedParsers([], [], [], clock);
  const grok = createGrokRegistry(undefined, deps.grokMatchers);
  const compileDeps = { ...deps, grok, enrichers: createEnrichers({ clock, geo, hosts }) };
  const faults: ItemFault[] = [];
  const byStage = new Map<string, Loaded[]>();
  // Patterns are defined while documents are compiled, so these are taken stage by stage, as upstream loads them.
  const inOrder = documents.toSorted((a, b) => (a.stage < b.stage ? -1 : a.stage > b.stage ? 1 : 0));
  for (const document of inOrder) {
    const parser = compileParser(document, compileDeps, faults);
    if (parser === null) continue;
    const loaded = { document, parser };
    byStage.set(document.stage, [...(byStage.get(document.stage) ?? []), loaded]);
  }
  const stages = [...byStage].map(([name, loaded]) => stageOf(name, loaded, deps.files));
  return new StagedParsers(stages, [...byStage.values()].flat(), faults, clock);
}

interface Loaded {
  readonly document: ParserDocument;
  readonly parser: CompiledParser;
}

interface Stage {
  readonly name: string;
  readonly nodes: readonly ParserNode[];
  readonly index: StageIndex;
}

function stageOf(name: string, loaded: readonly Loaded[], files: DataFiles): Stage {
  const parsers = loaded.map(({ parser }) => parser);
  return { name, nodes: parsers.map(({ node }) => node), index: createStageIndex(parsers, files) };
}

class StagedParsers implements ParserSet {
  readonly stages: readonly string[];
  readonly nodes: readonly ParserSummary[];
  readonly faults: readonly ItemFault[];
  private readonly steps: readonly Stage[];
  private readonly clock: Clock;

  constructor(steps: readonly Stage[], loaded: readonly Loaded[], faults: readonly ItemFault[], clock: Clock) {
    this.steps = steps;
    this.stages = steps.map(({ name }) => name);
    this.nodes = loaded.map(({ document, parser }) => summary(document, parser.node));
    this.faults = faults;
    this.clock = clock;
  }

  parse(event: Event, observer: ParseObserver | null, goOn = false): ParseOutcome {
    const step = observer?.step === undefined ? null : (one: ParseStep) => observer.step?.(one);
    const run = new ParserRun(this.stages, event, step, !goOn);
    const outcome = this.walk(run, event, observer);
    step?.({ kind: 'outcome', outcome });
    return outcome;
  }

  private walk(run: ParserRun, event: Event, observer: ParseObserver | null): ParseOutcome {
    event.Process = false;
    if (event.Stage === '') event.Stage = this.stages[0] ?? '';
    if (event.Time === 0) event.Time = this.clock.now();
    for (let position = 0; position < this.steps.length; position++) {
      const stage = this.steps[position] as Stage;
      if (event.Stage !== stage.name) {
        if (this.stages.indexOf(event.Stage) > position) continue;
        return misplaced;
      }
      observer?.stage?.(stage.name);
      const result = observer === null ? pass(stage, run) : observe(stage, run, observer);
      if (result === 'aborted') return run.pending === null ? failed : { kind: 'pending', ready: run.pending };
      if (result === 'failed') return unparsed;
    }
    event.Process = true;
    return passed;
  }
}

/** Evaluates the nodes that may match. */
function pass({ name, nodes, index }: Stage, run: ParserRun): NodeResult {
  const event = run.scope.evt;
  let result: NodeResult = 'failed';
  let position = index.first(event);
  while (position !== -1) {
    const node = nodes[position] as ParserNode;
    const one = node.evaluate(run);
    if (one === 'aborted') return one;
    if (one === 'succeeded') {
      result = one;
      if (node.nextStage) break;
    }
    if (event.Stage !== name) break;
    position = index.next(event, position, one !== 'skipped');
  }
  return result;
}

/** The same with every node of the stage, each reported. */
function observe({ name, nodes }: Stage, run: ParserRun, observer: ParseObserver): NodeResult {
  const event = run.scope.evt;
  let result: NodeResult = 'failed';
  for (const node of nodes) {
    const one = node.evaluate(run);
    if (one === 'aborted') return one;
    observer.node(name, node.name, event, one === 'succeeded');
    if (one === 'succeeded') {
      result = one;
      if (node.nextStage) break;
    }
    if (event.Stage !== name) break;
  }
  return result;
}

function summary({ name, stage, file }: ParserDocument, { counters }: ParserNode): ParserSummary {
  return {
    name,
    stage,
    file,
    get hits() {
      return counters.hits;
    },
    get ok() {
      return counters.ok;
    },
    get failed() {
      return counters.failed;
    },
    get whitelisted() {
      return counters.whitelisted;
    },
    get errors() {
      return counters.errors;
    },
  };
}
