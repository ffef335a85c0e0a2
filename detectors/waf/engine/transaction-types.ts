/** What goes into a transaction and what comes out of it. Strings are latin1: one character for each byte received. */
import type { Phase, RulePlace } from '../seclang/definition.ts';

export interface TransactionRequest {
  /** UNIQUE_ID. */
  readonly id: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly method: string;
  /** The request target as received. */
  readonly target: string;
  /** `HTTP/1.1`. */
  readonly protocol: string;
  /** Names and values in turn, as received. */
  readonly headers: readonly string[];
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

export interface TransactionResponse {
  readonly status: number;
  readonly protocol: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

/** What ends a transaction, in the words of the rule that said so. */
export interface Verdict {
  readonly action: 'deny' | 'drop' | 'redirect';
  /** 413 and 400 of limits have no rule: `ruleId` is 0. */
  readonly ruleId: number;
  readonly phase: Phase;
  readonly status: number;
  /** Of a redirect, "" otherwise. */
  readonly url: string;
}

export interface MatchedValue {
  /** `ARGS:q`, `REQUEST_HEADERS:User-Agent`, in the name's own spelling. */
  readonly variable: string;
  /** Transformed, as the operator saw it. Cut to a bound. */
  readonly value: string;
}

/** A rule (with its chain) that matched and was not told to keep quiet. */
export interface RuleMatch {
  readonly ruleId: number;
  readonly place: RulePlace;
  readonly phase: Phase;
  readonly msg: string;
  readonly logdata: string;
  readonly severity: number | null;
  readonly tags: readonly string[];
  readonly ver: string;
  readonly values: readonly MatchedValue[];
  /** The rule's own action would end the transaction. */
  readonly disruptive: boolean;
  /** Points this rule added to the transaction's anomaly scores, when it did. */
  readonly score: number;
}
