/** What somebody who watches a line go through the parsers is told: tests of items, and `explain`. */
import type { Event } from '../event.ts';
import type { GrokReach } from '../grok/reach.ts';
import type { ParseOutcome } from './parse-outcome.ts';

export interface ParseObserver {
  /** An event has come to this stage. */
  stage?(stage: string): void;
  /**
   * After each evaluation of a top-level node that no error cut short. The event is live: copy what you keep. A line that had
   * to wait for another server is parsed once more from its start, and told once more.
   */
  node(stage: string, name: string, event: Event, success: boolean): void;
  /** Everything between, in the order in which it happens. */
  step?(step: ParseStep): void;
}

/** `depth` counts from 0 for nodes that stand in a file by themselves. */
export type ParseStep =
  /** A node is looked at; `filter` is its source, "" where it has none. Nothing else follows for it unless it is true. */
  | {
      readonly kind: 'enter';
      readonly depth: number;
      readonly name: string;
      readonly filter: string;
      readonly outcome: boolean | StepError;
    }
  | {
      readonly kind: 'whitelist';
      readonly depth: number;
      readonly reason: string;
      readonly matched: boolean | StepError;
    }
  /** `subject` is null where there was none to look at. `fields` are those captured; `reach` says how far it came instead. */
  | {
      readonly kind: 'grok';
      readonly depth: number;
      readonly pattern: string;
      readonly subject: string | null;
      readonly matched: boolean | StepError;
      readonly fields: readonly (readonly [name: string, value: string])[];
      readonly reach: GrokReach | null;
    }
  /** `target` as it is written: `meta.service`, `evt.StrTime`, `method ParseDate`. */
  | {
      readonly kind: 'static';
      readonly depth: number;
      readonly target: string;
      readonly value: string;
      /** `skipped`: the value is empty. `unknown`: the target is none. `aborted`: the line ends here. */
      readonly outcome: 'set' | 'skipped' | 'unknown' | 'aborted' | StepError;
    }
  | {
      readonly kind: 'stash';
      readonly depth: number;
      readonly cache: string;
      readonly key: string;
      readonly value: string;
    }
  | { readonly kind: 'stage'; readonly depth: number; readonly from: string; readonly to: string }
  | { readonly kind: 'leave'; readonly depth: number; readonly name: string; readonly success: boolean }
  | { readonly kind: 'outcome'; readonly outcome: ParseOutcome };

/** An expression raised. */
export interface StepError {
  readonly error: string;
}
