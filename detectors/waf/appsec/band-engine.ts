/** What AppSec asks of the rule engine: a compiled set of rules, and one transaction for each request and band. */
import type { RuleMatch, TransactionRequest, Verdict } from '../engine/transaction-types.ts';
import type { RuleProgram, SecLangFault } from '../seclang/definition.ts';
import type { Band } from './config-document.ts';

export interface BandTransaction {
  processRequestHeaders(): Verdict | null;
  readonly wantsRequestBody: boolean;
  /** `body` null: there is none, or none is to be looked at. */
  processRequestBody(body: Buffer | null, complete: boolean): Verdict | null;
  finish(): void;
  readonly matches: readonly RuleMatch[];
  readonly verdict: Verdict | null;
  /** The time budget ended the rules before their end. */
  readonly exhausted: boolean;
  removeById(id: number): void;
  /** `tag` as written. */
  removeByTag(tag: string): void;
  /** Every variable with a value: `TX`, `anomaly_score`, its value; the key is "" for one that has none. */
  eachVariable(visit: (name: string, key: string, value: string) => void): void;
}

export interface BandRules {
  /** Found while compiling; with or without those of the program. */
  readonly faults: readonly SecLangFault[];
  /** `budgetMs`: instead of the time budget that was compiled in. */
  begin(request: TransactionRequest, budgetMs?: number): BandTransaction;
}

/** Bodies of a request: how much of one is judged in a band, in bytes. */
export interface BandLimits {
  readonly inspectBody: boolean;
  readonly bodyBytes: number;
}

export type CompileBand = (band: Band, program: RuleProgram, limits: BandLimits) => BandRules;
