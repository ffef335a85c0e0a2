/**
 * `ParserNode`: one node of a parser, compiled, and how an event goes through it. Evaluated for each line, so nothing is
 * allocated unless somebody watches. Specification: CrowdSec `pkg/parser/node.go` (`process`).
 */
import { messageOf } from '../../core/errors.ts';
import type { Expression } from '../expr/compile.ts';
import type { StashCaches } from '../expr/dependencies.ts';
import type { Grok } from '../grok/compiled-grok.ts';
import type { ParserRun } from './parser-run.ts';
import { applyStatics, type Static, textOf } from './static-list.ts';
import { markWhitelisted, type Whitelist } from './whitelist.ts';

/** `skipped`: its filter did not hold. `aborted`: the line ends here, or waits. */
export type NodeResult = 'skipped' | 'failed' | 'succeeded' | 'aborted';

/** What a document and its nodes have done. */
export interface NodeCounters {
  /** Events that its filter let in. */
  hits: number;
  ok: number;
  failed: number;
  whitelisted: number;
  /** Expressions that raised, and values that no static can take. */
  errors: number;
}

export interface NodeGrok {
  readonly grok: Grok;
  /** A key of Parsed, "" for the line itself; not looked at where there is an expression. */
  readonly field: string;
  readonly expression: Expression | null;
  readonly statics: readonly Static[];
}

export interface StashEntry {
  readonly cache: string;
  readonly key: Expression;
  readonly value: Expression;
}

export interface NodeParts {
  readonly name: string;
  readonly filter: Expression | null;
  readonly whitelist: Whitelist | null;
  readonly grok: NodeGrok | null;
  readonly stash: readonly StashEntry[];
  readonly children: readonly ParserNode[];
  readonly statics: readonly Static[];
  readonly nextStage: boolean;
  /** Of the whole document; nodes below add their errors. */
  readonly counters: NodeCounters;
  readonly stashCaches: StashCaches;
}

export class ParserNode {
  readonly name: string;
  readonly filter: Expression | null;
  readonly nextStage: boolean;
  readonly counters: NodeCounters;
  private readonly whitelist: Whitelist | null;
  private readonly grok: NodeGrok | null;
  private readonly stash: readonly StashEntry[];
  private readonly children: readonly ParserNode[];
  private readonly statics: readonly Static[];
  private readonly stashCaches: StashCaches;

  constructor(parts: NodeParts) {
    this.name = parts.name;
    this.filter = parts.filter;
    this.nextStage = parts.nextStage;
    this.counters = parts.counters;
    this.whitelist = parts.whitelist;
    this.grok = parts.grok;
    this.stash = parts.stash;
    this.children = parts.children;
    this.statics = parts.statics;
    this.stashCaches = parts.stashCaches;
  }

  /** A top-level node's evaluation, counted. */
  evaluate(run: ParserRun): NodeResult {
    if (!this.enters(run)) return run.pending === null ? 'skipped' : 'aborted';
    this.counters.hits++;
    const result = this.process(run);
    if (result === 'succeeded') this.counters.ok++;
    else if (run.pending === null) this.counters.failed++;
    // It comes again, and is counted then.
    else this.counters.hits--;
    return result;
  }

  private process(run: ParserRun): NodeResult {
    const whitelisted = this.whitelist !== null && this.whitelists(run, this.whitelist);
    const matched = this.grok !== null && this.matches(run, this.grok);
    if (run.pending !== null) return 'aborted';
    if (matched && this.grok !== null && !applyStatics(this.grok.statics, run, this.counters)) return 'aborted';
    if ((matched || this.grok === null) && !this.fillStash(run)) return 'aborted';
    const result = this.children.length === 0 ? succeededIf(matched || this.grok === null) : this.descend(run, matched);
    if (result === 'succeeded') {
      const decorates = this.whitelist === null || whitelisted;
      if (decorates && !applyStatics(this.statics, run, this.counters)) return 'aborted';
      if (this.nextStage) run.nextStage();
    }
    run.step?.({ kind: 'leave', depth: run.depth, name: this.name, success: result === 'succeeded' });
    return result;
  }

  private enters(run: ParserRun): boolean {
    if (this.filter === null) {
      run.step?.({ kind: 'enter', depth: run.depth, name: this.name, filter: '', outcome: true });
      return true;
    }
    let entered = false;
    let error: unknown = null;
    try {
      // A filter that gives something else than true or false is one that does not hold.
      entered = this.filter.evaluate(run.scope) === true;
    } catch (thrown) {
      if (run.awaits(thrown)) return false;
      this.counters.errors++;
      error = thrown;
    }
    if (run.step !== null) {
      const outcome = error === null ? entered : { error: messageOf(error) };
      run.step({ kind: 'enter', depth: run.depth, name: this.name, filter: this.filter.source, outcome });
    }
    return entered;
  }

  /** Addresses first, then expressions up to one that holds or raises. Never decides whether the node succeeds. */
  private whitelists(run: ParserRun, whitelist: Whitelist): boolean {
    const event = run.scope.evt;
    let matched = whitelist.listsSource(event);
    try {
      matched ||= whitelist.holds(run.scope);
    } catch (error) {
      if (run.awaits(error)) return false;
      this.counters.errors++;
      const { reason } = whitelist;
      run.step?.({ kind: 'whitelist', depth: run.depth, reason, matched: { error: messageOf(error) } });
      return false;
    }
    if (matched) {
      this.counters.whitelisted++;
      markWhitelisted(event, whitelist.reason);
    }
    run.step?.({ kind: 'whitelist', depth: run.depth, reason: whitelist.reason, matched });
    return matched;
  }

  private matches(run: ParserRun, { grok, field, expression }: NodeGrok): boolean {
    const { Line, Parsed } = run.scope.evt;
    let subject: string | null | undefined;
    if (expression !== null) subject = this.subject(run, grok, expression);
    else subject = field === '' ? Line.Raw : Parsed[field];
    if (subject === null) return false;
    const matched = subject !== undefined && grok.exec(subject, Parsed);
    if (run.step !== null) {
      const fields = matched ? grok.fields.map((name): [string, string] => [name, Parsed[name] ?? '']) : [];
      const { source } = grok;
      const reach = matched || subject === undefined ? null : grok.reach(subject);
      run.step({ kind: 'grok', depth: run.depth, pattern: source, subject: subject ?? null, matched, fields, reach });
    }
    return matched;
  }

  /** Null when the expression raises. Values that are no text are looked at as "". */
  private subject(run: ParserRun, grok: Grok, expression: Expression): string | null {
    try {
      return textOf(expression.evaluate(run.scope)) ?? '';
    } catch (thrown) {
      if (run.awaits(thrown)) return null;
      this.counters.errors++;
      const matched = { error: messageOf(thrown) };
      run.step?.({
        kind: 'grok',
        depth: run.depth,
        pattern: grok.source,
        subject: null,
        matched,
        fields: [],
        reach: null,
      });
      return null;
    }
  }

  /** False when the line has to wait. */
  private fillStash(run: ParserRun): boolean {
    for (const { cache, key, value } of this.stash) {
      try {
        const keyText = key.evaluate(run.scope);
        const valueText = value.evaluate(run.scope);
        if (typeof keyText !== 'string' || typeof valueText !== 'string') continue;
        this.stashCaches.set(cache, keyText, valueText, null);
        run.step?.({ kind: 'stash', depth: run.depth, cache, key: keyText, value: valueText });
      } catch (thrown) {
        if (run.awaits(thrown)) return false;
        this.counters.errors++;
      }
    }
    return true;
  }

  /** The children run even when this node's own grok failed; without one that matched, the last child decides. */
  private descend(run: ParserRun, matched: boolean): NodeResult {
    let state = matched || this.grok === null;
    run.depth++;
    for (const child of this.children) {
      const result = child.enters(run) ? child.process(run) : run.pending === null ? 'skipped' : 'aborted';
      if (result === 'aborted') return result;
      if (result === 'succeeded') {
        state = true;
        if (this.nextStage) break;
      } else if (!matched) state = false;
    }
    run.depth--;
    return succeededIf(state);
  }
}

function succeededIf(state: boolean): NodeResult {
  return state ? 'succeeded' : 'failed';
}
