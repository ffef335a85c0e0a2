/**
 * What the gateway asks of a set of rules: one run for each request, in phases. The Core Rule Set and CrowdSec's AppSec are
 * each one; a run never raises and never waits.
 */
import type { Event } from '../../detectors/event.ts';
import type { Alert } from '../../detectors/alert.ts';
import type {
  RuleMatch,
  TransactionRequest,
  TransactionResponse,
  Verdict,
} from '../../detectors/waf/engine/transaction-types.ts';
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';

export interface LayerRun {
  requestHeaders(): Verdict | null;
  /** How much of a body it wants to see, in bytes; 0: none. Settled by `requestHeaders`. */
  readonly requestBodyBytes: number;
  /** `body` null: the request has none. */
  requestBody(body: Buffer | null, complete: boolean): Verdict | null;
  responseHeaders(response: TransactionResponse): Verdict | null;
  /** The same for the response's body. Settled by `responseHeaders`. */
  readonly responseBodyBytes: number;
  responseBody(body: Buffer | null, complete: boolean): Verdict | null;
  /** After the last byte, once: logging rules, and rules that judge without holding anything up. */
  finish(): void;
  /** The time budget ended the rules before their end. */
  readonly exhausted: boolean;
  readonly matches: readonly RuleMatch[];
  /** Points of the rules that matched, 0 where rules do not score. */
  readonly score: number;
  /** Of kind `waf`. */
  readonly alerts: readonly Alert[];
  /** For the scenarios. */
  readonly events: readonly Event[];
}

/** What a layer asks of the site that a request is for. */
export interface RuledSite {
  /** What exceptions call it; without one, only those for all sites concern the request. */
  readonly name?: string;
  readonly waf: { readonly onFailure: 'pass' | 'block' };
}

export interface Layer {
  readonly name: RuleLayer;
  /** There are rules that wait for the answer. */
  readonly hasOutOfBand: boolean;
  /** What CrowdSec would call a rule. */
  ruleName(ruleId: number): string;
  begin(request: TransactionRequest, site: RuledSite): LayerRun;
}
