/** What the nodes share while an event goes through them: one for each event. */
import type { Event } from '../event.ts';
import { AwaitedValue, type Scope } from '../expr/compile.ts';
import type { ParseStep } from './parse-observer.ts';

export class ParserRun {
  readonly stages: readonly string[];
  /** What expressions are evaluated over: the event. */
  readonly scope: Scope & { readonly evt: Event };
  /** Null on the normal path. */
  readonly step: ((step: ParseStep) => void) | null;
  /** Of the node that is evaluated now, for steps. */
  depth = 0;
  /** Whether the event may be parsed again later, when another server has answered. */
  readonly mayWait: boolean;
  /** What an enricher or an expression waits for: the walk ends. */
  pending: Promise<void> | null = null;

  constructor(stages: readonly string[], event: Event, step: ((step: ParseStep) => void) | null, mayWait: boolean) {
    this.stages = stages;
    this.scope = { evt: event };
    this.step = step;
    this.mayWait = mayWait;
  }

  /** Whether what an expression raised is a value to wait for. Otherwise it is a mistake like any other. */
  awaits(thrown: unknown): boolean {
    if (!this.mayWait || !(thrown instanceof AwaitedValue)) return false;
    this.pending = thrown.ready;
    return true;
  }

  /** `onsuccess: next_stage`; nothing happens in the last one. */
  nextStage(): void {
    const { evt } = this.scope;
    const next = this.stages[this.stages.indexOf(evt.Stage) + 1];
    if (next === undefined) return;
    this.step?.({ kind: 'stage', depth: this.depth, from: evt.Stage, to: next });
    evt.Stage = next;
  }
}
