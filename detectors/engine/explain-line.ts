/**
 * How a line went through every parser and scenario, as a tree: what each node's filter saw, how far its pattern came, what
 * it set. Built from what the parsers tell an observer; the line fares as it would without one.
 */
import type { Event, Line, StringMap } from '../event.ts';
import type { ExpressionCompiler } from '../expr/compile.ts';
import { type Clause, type ClauseExplanation, clausesOf, explainClauses } from '../expr/explain-clauses.ts';
import type { ParseObserver, ParseStep } from '../parsers/parse-observer.ts';
import type { DiscardReason } from '../parsers/parse-outcome.ts';
import type { ScenarioExplainer, ScenarioExplanation } from '../scenarios/scenario-explainer.ts';
import type { Engine, LineOutcome, SettledOverflow } from './engine.ts';

export interface NodeExplanation {
  readonly name: string;
  /** Null when it has none. */
  readonly filter: ClauseExplanation | null;
  /** Its filter let the event in. */
  readonly entered: boolean;
  readonly succeeded: boolean;
  readonly groks: readonly StepOf<'grok'>[];
  readonly statics: readonly StepOf<'static'>[];
  readonly whitelists: readonly StepOf<'whitelist'>[];
  readonly stashes: readonly StepOf<'stash'>[];
  /** The stage it moved the event to, or "". */
  readonly movedTo: string;
  readonly children: readonly NodeExplanation[];
}

export interface StageExplanation {
  readonly stage: string;
  readonly nodes: readonly NodeExplanation[];
}

export interface LineExplanation {
  readonly line: string;
  readonly outcome: LineOutcome;
  /** Why it was discarded; null when it was not. */
  readonly discarded: DiscardReason | null;
  readonly whitelistReason: string;
  readonly stages: readonly StageExplanation[];
  /** RFC 3339, "" when no parser found a date. */
  readonly time: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly parsed: Readonly<Record<string, string>>;
  readonly enriched: Readonly<Record<string, string>>;
  /** What the scenarios make of it; empty when it did not come that far. */
  readonly scenarios: readonly ScenarioExplanation[];
  /** What it made overflow. */
  readonly overflows: readonly SettledOverflow[];
}

type StepOf<Kind extends ParseStep['kind']> = Extract<ParseStep, { kind: Kind }>;

export interface LineExplainerParts {
  readonly engine: Engine;
  /** That of the parsers' expressions. */
  readonly compiler: ExpressionCompiler;
  readonly scenarios: ScenarioExplainer;
}

/** The function that is returned explains one line after another; what they pour adds up, as in a log. */
export function createLineExplainer(parts: LineExplainerParts): (line: Line) => Promise<LineExplanation> {
  const explainScenarios = parts.scenarios.open();
  const watch = new LineWatch(parts.compiler);
  return async (line) => {
    let scenarios: readonly ScenarioExplanation[] = [];
    const result = await parts.engine.feed(line, 1, {
      started: (event) => watch.begin(event),
      parsers: watch,
      poured(event) {
        scenarios = explainScenarios(event);
      },
    });
    const { event } = watch;
    return {
      line: line.Raw,
      outcome: result.outcome,
      discarded: watch.discarded,
      whitelistReason: event.WhitelistReason,
      stages: watch.stages,
      time: event.MarshaledTime,
      meta: fieldsOf(event.Meta),
      parsed: fieldsOf(event.Parsed),
      enriched: fieldsOf(event.Enriched),
      scenarios,
      overflows: result.overflows,
    };
  };
}

type Growing<Read> = { -readonly [Key in keyof Read]: Read[Key] extends readonly (infer One)[] ? One[] : Read[Key] };
type GrowingNode = Omit<Growing<NodeExplanation>, 'children'> & { children: GrowingNode[] };

/** Filters that are kept taken apart: those of a whole hub. */
const mostFilters = 2_048;

class LineWatch implements ParseObserver {
  stages: Growing<StageExplanation>[] = [];
  discarded: DiscardReason | null = null;
  private current: Event | null = null;
  /** The nodes that the walk is in, outermost first. */
  private readonly open: GrowingNode[] = [];
  private readonly compiler: ExpressionCompiler;
  private readonly filters = new Map<string, Clause>();

  constructor(compiler: ExpressionCompiler) {
    this.compiler = compiler;
  }

  get event(): Event {
    if (this.current === null) throw new TypeError('no line was begun');
    return this.current;
  }

  begin(event: Event): void {
    this.current = event;
    this.stages = [];
    this.discarded = null;
    this.open.length = 0;
  }

  stage(stage: string): void {
    this.stages.push({ stage, nodes: [] });
  }

  node(): void {}

  step(step: ParseStep): void {
    switch (step.kind) {
      case 'enter':
        this.enter(step);
        return;
      case 'leave':
        this.leave(step);
        return;
      case 'whitelist':
        this.open.at(-1)?.whitelists.push(step);
        return;
      case 'grok':
        this.open.at(-1)?.groks.push(step);
        return;
      case 'static':
        this.open.at(-1)?.statics.push(step);
        return;
      case 'stash':
        this.open.at(-1)?.stashes.push(step);
        return;
      case 'stage': {
        const node = this.open.at(-1);
        if (node !== undefined) node.movedTo = step.to;
        return;
      }
      case 'outcome':
        if (step.outcome.kind === 'discarded') this.discarded = step.outcome.reason;
        return;
      default:
        step satisfies never;
    }
  }

  private enter({ name, filter, outcome }: StepOf<'enter'>): void {
    const node: GrowingNode = {
      name,
      filter: filter === '' ? null : explainClauses(this.clausesOf(filter), this.event),
      entered: outcome === true,
      succeeded: false,
      groks: [],
      statics: [],
      whitelists: [],
      stashes: [],
      movedTo: '',
      children: [],
    };
    const siblings = this.open.at(-1)?.children ?? (this.stages.at(-1)?.nodes as GrowingNode[] | undefined);
    siblings?.push(node);
    if (outcome === true) this.open.push(node);
  }

  private leave({ success }: StepOf<'leave'>): void {
    const node = this.open.pop();
    if (node !== undefined) node.succeeded = success;
  }

  private clausesOf(filter: string): Clause {
    const known = this.filters.get(filter);
    if (known !== undefined) return known;
    const clauses = clausesOf(this.compiler.compile(filter, 'bool', { mayWait: true }), this.compiler);
    if (this.filters.size < mostFilters) this.filters.set(filter, clauses);
    return clauses;
  }
}

function fieldsOf(map: StringMap): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(map)
      .flatMap(([name, value]): [string, string][] => (value === undefined || value === '' ? [] : [[name, value]]))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
