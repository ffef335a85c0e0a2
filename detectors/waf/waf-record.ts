/** What the WAF has to say about one request, as it is stored and explained. */
import type { RuleMatch } from './engine/transaction-types.ts';

/** A set of rules with transactions of its own: the Core Rule Set and the operator's rules, or AppSec's virtual patches. */
export type RuleLayer = 'core-rules' | 'virtual-patches';

export interface WafRecord {
  readonly layer: RuleLayer;
  /** False: the layer observes, and the request was passed in spite of it. */
  readonly enforced: boolean;
  /** The rule that decided; 0 for a limit. */
  readonly ruleId: number;
  /** Points of all matching rules together; 0 where rules do not score. */
  readonly score: number;
  /** In the order in which they matched; at most `mostMatches`. */
  readonly matches: readonly RuleMatch[];
}

/** Matches kept of one request: the Core Rule Set reports some twenty for a blatant attack. */
export const mostMatches = 32;
