/**
 * One action of a rule, read and checked. A rule keeps its actions as this list until the whole program is read: default
 * actions go before it and updates behind it, and where an action can hold once the last one counts.
 */
import type { Disruptive, Effect, Phase } from './definition.ts';
import type { Macro } from './macro.ts';

export type Action =
  | { readonly kind: 'id'; readonly id: number }
  | { readonly kind: 'phase'; readonly phase: Phase }
  | { readonly kind: 'msg' | 'logdata' | 'tag'; readonly text: Macro }
  | { readonly kind: 'ver' | 'rev'; readonly text: string }
  | { readonly kind: 'severity'; readonly severity: number }
  /** `none` clears what stands before it. */
  | { readonly kind: 'transformation'; readonly name: string }
  | { readonly kind: 'effect'; readonly effect: Effect }
  | { readonly kind: 'disruptive'; readonly verdict: WrittenVerdict }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'skip'; readonly rules: number }
  | { readonly kind: 'skip-after'; readonly marker: string }
  /** Null: as it was. */
  | { readonly kind: 'log'; readonly log: boolean | null; readonly auditLog: boolean | null }
  | { readonly kind: 'chain' | 'capture' | 'multi-match' };

/** A verdict before `block` and `status` are settled. */
export type WrittenVerdict =
  | { readonly kind: 'block' | 'pass' | 'deny' | 'drop' }
  | { readonly kind: 'redirect'; readonly url: Macro }
  | Extract<Disruptive, { readonly kind: 'allow' }>;
