/** What the buckets keep of the event being poured: one object for all scenarios that need nothing special. */
import type { Runtime } from '../../core/runtime.ts';
import { ownCopy } from '../documents/own-copy.ts';
import type { Event } from '../event.ts';
import type { Expression, Scope } from '../expr/compile.ts';
import type { EventNeeds } from './event-needs.ts';
import { KeptEvent } from './kept-event.ts';
import { countError, type Runner } from './runner.ts';

/** Characters of a scope's value that an alert shows. */
const longestScopeValue = 512;

const everything: EventNeeds = { parsed: [], whole: true };

export class EventKeeper {
  /** What contexts need of every event. */
  private readonly needs: EventNeeds;
  private readonly deps: Pick<Runtime, 'clock' | 'log'>;
  private kept: KeptEvent | null = null;
  private keptWhole: KeptEvent | null = null;

  constructor(needs: EventNeeds, deps: Pick<Runtime, 'clock' | 'log'>) {
    this.needs = needs;
    this.deps = deps;
  }

  /** Forgets the event. */
  end(): void {
    this.kept = null;
    this.keptWhole = null;
  }

  /** What a bucket of this scenario keeps of the event; `scope` is what its expressions see. */
  keep(event: Event, runner: Runner, scope: Scope): KeptEvent {
    const { scope: expression, looksBack } = runner.scenario;
    const needs = looksBack ? everything : this.needs;
    if (expression !== null) return new KeptEvent(event, this.scopeValue(runner, expression, scope), needs);
    if (looksBack) return (this.keptWhole ??= new KeptEvent(event, null, needs));
    return (this.kept ??= new KeptEvent(event, null, needs));
  }

  private scopeValue(runner: Runner, expression: Expression, scope: Scope): string {
    try {
      const value = expression.evaluate(scope);
      if (typeof value !== 'string') return '';
      return value.length <= longestScopeValue ? value : ownCopy(value.slice(0, longestScopeValue));
    } catch (error) {
      countError(runner, error, this.deps);
      return '';
    }
  }
}
