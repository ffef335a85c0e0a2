/**
 * `compileRuleSet`: a program of rules becomes something that requests are run through. Rules are flat lists by phase, markers
 * are positions in them, and the operators of all rules have one search index, so that most rules are never touched.
 */
import { join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { messageOf } from '../../../core/errors.ts';
import { AutomatonMemory } from '../../regex/lazy-automaton.ts';
import { createSqliDetector } from '../injection/sqli-detector.ts';
import { createXssDetector } from '../injection/xss-detector.ts';
import { compileOperator } from '../operators/compile-operator.ts';
import type { CompiledOperator, OperatorDependencies } from '../operators/operator.ts';
import type { Phase, RuleDefinition, RuleProgram, SecLangFault } from '../seclang/definition.ts';
import type { RuleFiles } from '../seclang/rule-files.ts';
import { SearchIndexBuilder } from '../text/search-index.ts';
import { TextPool } from '../text/text-pool.ts';
import { TextSteps } from '../text/text-step.ts';
import { MacroTable } from './compile-macro.ts';
import { compileRule, type RuleParts } from './compile-rule.ts';
import { CompiledPhase } from './compiled-phase.ts';
import type { CompiledFlow, CompiledRule } from './compiled-rule.ts';
import { applyDirectives, type EngineOptions } from './engine-options.ts';
import { PersistentStore } from './persistent-store.ts';
import { type MarkerPlaces, placeMarkers } from './place-markers.ts';
import { RuleCatalog } from './rule-catalog.ts';
import { CompiledRuleSet, type RuleSet, type RuleSetStats } from './rule-set.ts';
import { Selections } from './selection.ts';
import type { StateParts } from './transaction-state.ts';
import { TxLayout } from './tx-variables.ts';
import { scalarCount } from './variables.ts';
import { WakeIndex } from './wake-index.ts';

export interface RuleSetDependencies {
  readonly clock: Clock;
  /** Processor time of this thread, milliseconds: a request that others kept waiting is not taken for one that is hard to judge. */
  readonly threadTime?: () => number;
  /** Data files of rules are read through it, once, while the set is compiled. */
  readonly files: RuleFiles;
  /** Rules with `@detectSQLi` and `@detectXSS` ask these; by default our own. */
  readonly detectSqli?: (text: string) => string | null;
  readonly detectXss?: (text: string) => boolean;
  /** Persistent collections; by default the set has its own. */
  readonly store?: PersistentStore;
}

const phases: readonly Phase[] = [1, 2, 3, 4, 5];
/** Counts and scores up to here have texts of their own. */
const numberTexts = 128;

/** Mistakes in single rules become faults, and the other rules are used; it throws for none. */
export function compileRuleSet(program: RuleProgram, options: EngineOptions, deps: RuleSetDependencies): RuleSet {
  return new RuleSetCompiler(program, applyDirectives(options, program.directives), deps).compile();
}

class RuleSetCompiler {
  readonly #program: RuleProgram;
  readonly #options: EngineOptions;
  readonly #deps: RuleSetDependencies;
  readonly #faults: SecLangFault[];
  readonly #layout = new TxLayout();
  readonly #selections = new Selections();
  readonly #catalog = new RuleCatalog();
  readonly #wakeIndex = new WakeIndex();

  constructor(program: RuleProgram, options: EngineOptions, deps: RuleSetDependencies) {
    this.#program = program;
    this.#options = options;
    this.#deps = deps;
    this.#faults = [...program.faults];
  }

  compile(): RuleSet {
    const builder = new SearchIndexBuilder();
    const operators = this.#compileOperators(builder);
    const usable = this.#program.entries.filter(
      (entry) => entry.kind === 'marker' || hasAllOperators(entry, operators),
    );
    const index = builder.build();
    const pool = new TextPool(index);
    const macros = new MacroTable(this.#layout);
    const parts: RuleParts = {
      layout: this.#layout,
      selections: this.#selections,
      steps: new TextSteps(),
      pool,
      macros,
      catalog: this.#catalog,
      operators,
    };
    const markers = placeMarkers(usable);
    const compiled = this.#compilePhases(usable, markers, parts);
    this.#wakeIndex.finish(pool);
    const { clock, threadTime = null, store = new PersistentStore(clock) } = this.#deps;
    const state: StateParts = {
      options: this.#options,
      pool,
      layout: this.#layout,
      clock,
      threadTime,
      store,
      numbers: Array.from({ length: numberTexts }, (_, number) => pool.text(String(number))),
      selections: this.#selections.list,
      blankScalars: Array.from({ length: scalarCount }, () => null),
      blankSelections: this.#selections.list.map(() => null),
    };
    const { rules } = this.#catalog;
    const stats: RuleSetStats = {
      rules: rules.length,
      chained: rules.reduce((sum, rule) => sum + chainLength(rule) - 1, 0),
      indexed: rules.filter(({ sleep }) => sleep !== null).length,
      indexBytes: index.bytes,
    };
    return new CompiledRuleSet(
      { state, phases: compiled, runner: { macros, wakeIndex: this.#wakeIndex }, catalog: this.#catalog },
      this.#faults,
      stats,
    );
  }

  #compileOperators(index: SearchIndexBuilder): ReadonlyMap<RuleDefinition, CompiledOperator> {
    const { files, detectSqli = createSqliDetector(), detectXss = createXssDetector() } = this.#deps;
    const dependencies: OperatorDependencies = {
      index,
      compiled: new Map(),
      automata: new AutomatonMemory(),
      readData: (name, folder) => readData(files, name, folder),
      detectSqli,
      detectXss,
    };
    const operators = new Map<RuleDefinition, CompiledOperator>();
    for (const entry of this.#program.entries) {
      for (let rule = entry.kind === 'rule' ? entry : null; rule !== null; rule = rule.chained) {
        if (rule.operator === null) continue;
        try {
          operators.set(rule, compileOperator(rule.operator, dependencies));
        } catch (error) {
          this.#fault(rule, error);
        }
      }
    }
    return operators;
  }

  #compilePhases(
    entries: RuleProgram['entries'],
    markers: MarkerPlaces,
    parts: RuleParts,
  ): ReadonlyMap<Phase, CompiledPhase> {
    const compiled = new Map<Phase, CompiledPhase>();
    let firstWord = 0;
    for (const number of phases) {
      const rules = entries.filter((entry) => entry.kind === 'rule' && entry.phase === number) as RuleDefinition[];
      const phase = new CompiledPhase(this.#wakeIndex, firstWord, rules.length);
      firstWord += phase.words;
      for (const rule of rules) this.#compileInto(phase, rule, markers, parts);
      compiled.set(number, phase);
    }
    return compiled;
  }

  #compileInto(phase: CompiledPhase, rule: RuleDefinition, markers: MarkerPlaces, parts: RuleParts): void {
    const flow = flowOf(rule, phase.rules.length, markers);
    const position = { index: this.#catalog.size, bit: phase.nextBit(), flow };
    let compiled: CompiledRule;
    try {
      compiled = compileRule(rule, position, parts);
    } catch (error) {
      this.#fault(rule, error);
      // Markers count on its place: a rule that does nothing keeps it.
      compiled = compileRule(withoutEffect(rule), { ...position, flow: { kind: 'next' } }, parts);
    }
    phase.add(compiled);
    this.#catalog.add(compiled);
  }

  #fault({ place, id }: RuleDefinition, error: unknown): void {
    const reason = `${id === 0 ? 'A chained rule' : `Rule ${id}`} is not in use: ${messageOf(error)}`;
    this.#faults.push({ place, reason, level: 'error' });
  }
}

function hasAllOperators(rule: RuleDefinition, operators: ReadonlyMap<RuleDefinition, CompiledOperator>): boolean {
  for (let link: RuleDefinition | null = rule; link !== null; link = link.chained) {
    if (link.operator !== null && !operators.has(link)) return false;
  }
  return true;
}

function flowOf(rule: RuleDefinition, position: number, markers: MarkerPlaces): CompiledFlow {
  const { flow } = rule;
  if (flow.kind !== 'skip-after') return flow;
  return { kind: 'jump', to: markers.after(flow.marker, rule.phase, position) };
}

function withoutEffect(rule: RuleDefinition): RuleDefinition {
  const nothing = { targets: [], excluded: [], effects: [], chained: null, log: false };
  return { ...rule, ...nothing, severity: null, disruptive: { kind: 'pass' } };
}

function chainLength(rule: CompiledRule): number {
  let length = 0;
  for (let link: CompiledRule | null = rule; link !== null; link = link.chained) length++;
  return length;
}

function readData(files: RuleFiles, name: string, folder: string): string | null {
  try {
    return files.read(join(folder, name));
  } catch {
    return null;
  }
}
