/** The Core Rule Set and the operator's own SecLang rules as a layer. */
import type { RuleSet } from '../../detectors/waf/engine/rule-set.ts';
import type { Event } from '../../detectors/event.ts';
import { createAppSecEvent } from '../../detectors/waf/appsec/appsec-event.ts';
import { headerOf } from '../../detectors/waf/engine/header-of.ts';
import type { Transaction } from '../../detectors/waf/engine/transaction.ts';
import type {
  RuleMatch,
  TransactionRequest,
  TransactionResponse,
  Verdict,
} from '../../detectors/waf/engine/transaction-types.ts';
import { applyExceptions } from '../../detectors/waf/exceptions/exception-index.ts';
import type { WafExceptions } from './exceptions.ts';
import type { Layer, LayerRun, RuledSite } from './rule-layer.ts';

/** `exceptions`: what rules are told to look away from. */
export function createCoreRulesLayer(rules: RuleSet, exceptions: Pick<WafExceptions, 'find'>): Layer {
  return {
    name: 'core-rules',
    hasOutOfBand: false,
    ruleName: (ruleId) => `native_rule:${ruleId}`,
    begin(request: TransactionRequest, site: RuledSite) {
      const transaction = rules.begin(request);
      applyExceptions(exceptions.find(site.name ?? '', request.target), transaction);
      return new CoreRun(request, transaction, site.waf.onFailure);
    },
  };
}

/** Rules of the Core Rule Set have a number and no name. */
const noDetails: ReadonlyMap<number, never> = new Map<number, never>();

class CoreRun implements LayerRun {
  readonly alerts = [];
  readonly #request: TransactionRequest;
  readonly #transaction: Transaction;
  readonly #onFailure: 'pass' | 'block';

  constructor(request: TransactionRequest, transaction: Transaction, onFailure: 'pass' | 'block') {
    this.#request = request;
    this.#transaction = transaction;
    this.#onFailure = onFailure;
  }

  requestHeaders(): Verdict | null {
    return this.#settled(this.#transaction.processRequestHeaders());
  }

  get requestBodyBytes(): number {
    const transaction = this.#transaction;
    return transaction.wantsRequestBody ? transaction.requestBodyLimit : 0;
  }

  requestBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#settled(this.#transaction.processRequestBody(body, complete));
  }

  responseHeaders(response: TransactionResponse): Verdict | null {
    return this.#settled(this.#transaction.processResponseHeaders(response));
  }

  get responseBodyBytes(): number {
    const transaction = this.#transaction;
    return transaction.wantsResponseBody ? transaction.responseBodyLimit : 0;
  }

  responseBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#settled(this.#transaction.processResponseBody(body, complete));
  }

  finish(): void {
    this.#transaction.finish();
  }

  get exhausted(): boolean {
    return this.#transaction.exhausted;
  }

  get matches(): readonly RuleMatch[] {
    return this.#transaction.matches;
  }

  /** As CrowdSec tells of rules in SecLang, so that its scenarios understand it. */
  get events(): readonly Event[] {
    const { verdict, matches } = this.#transaction;
    if (verdict === null || verdict.phase > 2 || verdict.ruleId === 0) return [];
    const request = this.#request;
    const origin = { request, host: headerOf(request.headers, 'host'), bouncerAddress: '' };
    const findings = { band: 'in', verdict, matches, details: noDetails, dropReason: '', tracked: {} } as const;
    return [createAppSecEvent(findings, origin, request.startedAt)];
  }

  get score(): number {
    return this.#transaction.score;
  }

  /** Rules that took too long have come to nothing; what that means is the site's to say. */
  #settled(verdict: Verdict | null): Verdict | null {
    return this.#transaction.exhausted && this.#onFailure === 'pass' ? null : verdict;
  }
}
