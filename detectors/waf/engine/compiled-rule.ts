/** Rules as the evaluator has them: everything that does not depend on a request is settled. */
import type { CompiledOperator } from '../operators/operator.ts';
import type { RuleDefinition } from '../seclang/definition.ts';
import type { Text } from '../text/text.ts';
import type { TextChain } from '../text/text-step.ts';
import type { VariableName } from '../variable-names.ts';
import type { CompiledMacro } from './compile-macro.ts';
import type { Entry } from './entry.ts';
import type { Selection } from './selection.ts';
import type { TransactionState } from './transaction-state.ts';

export type CompiledTarget =
  /** A scalar whose value stands while a phase runs; `number` is its place among the scalars. */
  | { readonly kind: 'scalar'; readonly variable: VariableName; readonly number: number }
  /** One that changes while rules run. */
  | {
      readonly kind: 'live-scalar';
      readonly variable: VariableName;
      readonly read: (state: TransactionState) => Text;
    }
  /** The value that matched last, under the name it had. */
  | { readonly kind: 'matched' }
  | { readonly kind: 'slot'; readonly slot: number; readonly key: string }
  /** Values of a collection that stands while a phase runs. */
  | { readonly kind: 'selection'; readonly selection: Selection }
  | {
      readonly kind: 'live-entries';
      readonly variable: VariableName;
      readonly read: (state: TransactionState) => readonly Entry[];
    }
  | {
      readonly kind: 'count';
      readonly variable: VariableName;
      /** `&ARGS`. */
      readonly label: string;
      /** Of the value that is counted; null: all of them. */
      readonly name: string | null;
      /** The name in lower case. */
      readonly key: string;
      readonly count: (state: TransactionState) => number;
    };

export interface TransformationChain {
  readonly steps: TextChain;
  /** The operator also sees the value before the first step and between the steps. */
  readonly multiMatch: boolean;
}

export type CompiledEffect = (state: TransactionState) => void;

export type CompiledFlow =
  | { readonly kind: 'next' }
  | { readonly kind: 'skip'; readonly rules: number }
  /** To the rule at that position of the phase; behind the last one when the marker is not there. */
  | { readonly kind: 'jump'; readonly to: number };

/** One bit in a list of words. */
export interface WakeBit {
  readonly word: number;
  readonly mask: number;
}

export interface CompiledRule {
  readonly definition: RuleDefinition;
  /** Of the first rule of the chain. */
  readonly id: number;
  /** The first rule's number in the whole rule set. */
  readonly index: number;
  readonly targets: readonly CompiledTarget[];
  readonly chain: TransformationChain;
  /** Null: `SecAction`. */
  readonly operator: CompiledOperator | null;
  readonly negated: boolean;
  readonly capture: boolean;
  /** Null: the rule is always run. Chained rules are never asleep on their own. */
  readonly sleep: WakeBit | null;
  readonly effects: readonly CompiledEffect[];
  readonly chained: CompiledRule | null;
  /** Values that match are gathered: for the log, or because something reads MATCHED_VARS. */
  readonly gathers: boolean;
  readonly flow: CompiledFlow;
  readonly msg: CompiledMacro;
  readonly logdata: CompiledMacro;
  readonly tags: readonly CompiledMacro[];
  readonly url: CompiledMacro | null;
}
