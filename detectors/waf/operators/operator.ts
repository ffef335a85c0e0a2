/** What operators are made from, and what they are to the engine. */
import type { AutomatonMemory } from '../../regex/lazy-automaton.ts';
import type { OperatorDefinition } from '../seclang/definition.ts';
import type { Macro } from '../seclang/macro.ts';
import type { SearchIndexBuilder, SearchNeed } from '../text/search-index.ts';
import type { Text } from '../text/text.ts';

/** What an operator asks of the transaction, and tells it. */
export interface OperatorRun {
  /** The argument with its macros expanded. */
  argument(macro: Macro): string;
  /** True when the rule wants TX.0 to TX.9. */
  readonly captures: boolean;
  /** Set by an operator that matches and captures: TX.0 and on, at most ten. */
  captured: readonly string[] | null;
}

export interface CompiledOperator {
  readonly name: string;
  /**
   * Its bit in `Text.candidates`: where it is not set the operator does not match. -1: run it on every text. Negated
   * operators and those with macros have none.
   */
  readonly number: number;
  /** Without regard to negation. */
  test(text: Text, run: OperatorRun): boolean;
}

export interface OperatorDependencies {
  readonly index: SearchIndexBuilder;
  /** Operators of the rule set so far: equal ones are compiled once. The caller keeps it as long as `index`. */
  readonly compiled: Map<string, CompiledOperator>;
  /** What patterns keep of the long texts that they were tried on. */
  readonly automata: AutomatonMemory;
  /** The content of a data file, one character for each byte; null when there is none. `folder` is that of the rule's file. */
  readonly readData: (name: string, folder: string) => string | null;
  /** A fingerprint of the injection that was found, null for none. */
  readonly detectSqli: (text: string) => string | null;
  readonly detectXss: (text: string) => boolean;
}

/** Says whether a text matches. `number` is the operator's in the index. */
export type TextTest = (text: Text, run: OperatorRun, number: number) => boolean;

/** What an operator is with a known argument. */
export interface OperatorPlan {
  readonly need: SearchNeed;
  readonly test: TextTest;
  /** True when the index alone decides: it names the operator for exactly those texts that match. */
  readonly exact?: boolean;
  /** True when the test takes so long that a text is to remember that it does not match. */
  readonly costly?: boolean;
}

/** Makes a plan of an argument. @throws GatewayError RULES_INVALID or PATTERN_INVALID when it is not valid. */
export type OperatorFactory = (
  argument: string,
  definition: OperatorDefinition,
  dependencies: OperatorDependencies,
) => OperatorPlan;

export const anyText: SearchNeed = { formula: { kind: 'always' }, shortest: 0 };
export const noText: SearchNeed = { formula: { kind: 'never' }, shortest: 0 };
