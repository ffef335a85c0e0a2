/** CrowdSec's AppSec as a layer: in-band rules while the request waits, out-of-band rules after its answer. */
import type { Alert } from '../../detectors/alert.ts';
import type { Event } from '../../detectors/event.ts';
import type { AppSec } from '../../detectors/waf/appsec/appsec.ts';
import type { AppSecAnswer } from '../../detectors/waf/appsec/appsec-answer.ts';
import type { AppSecRun } from '../../detectors/waf/appsec/appsec-run.ts';
import type { RuleMatch, TransactionRequest, Verdict } from '../../detectors/waf/engine/transaction-types.ts';
import type { Layer, LayerRun, RuledSite } from './rule-layer.ts';

export function createVirtualPatchesLayer(appSec: AppSec): Layer {
  const names = new Map(appSec.rules.map(({ id, name }) => [id, name]));
  return {
    name: 'virtual-patches',
    hasOutOfBand: appSec.bands.out,
    ruleName: (ruleId) => names.get(ruleId) ?? `native_rule:${ruleId}`,
    begin: (request: TransactionRequest, site: RuledSite) => new PatchRun(appSec.begin(request), site.waf.onFailure),
  };
}

/** A run of AppSec, in the terms of a layer. */
export class PatchRun implements LayerRun {
  readonly score = 0;
  /** Responses are none of AppSec's business. */
  readonly responseBodyBytes = 0;
  readonly #run: AppSecRun;
  readonly #onFailure: 'pass' | 'block';

  constructor(run: AppSecRun, onFailure: 'pass' | 'block') {
    this.#run = run;
    this.#onFailure = onFailure;
  }

  requestHeaders(): Verdict | null {
    const answer = this.#run.requestHeaders();
    return answer && this.#settled(answer);
  }

  get requestBodyBytes(): number {
    return this.#run.requestBodyBytes;
  }

  requestBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#settled(this.#run.requestBody(body, complete));
  }

  responseHeaders(): null {
    return null;
  }

  responseBody(): null {
    return null;
  }

  finish(): void {
    this.#run.runOutOfBand();
  }

  get exhausted(): boolean {
    return this.#run.exhausted;
  }

  get matches(): readonly RuleMatch[] {
    return this.#run.matches;
  }

  get alerts(): readonly Alert[] {
    return this.#isVoid ? [] : this.#run.alerts;
  }

  get events(): readonly Event[] {
    return this.#isVoid ? [] : this.#run.events;
  }

  #settled(answer: AppSecAnswer): Verdict | null {
    return this.#isVoid ? null : verdictOf(answer);
  }

  /** Rules that took too long have come to nothing; what that means is the site's to say. */
  get #isVoid(): boolean {
    return this.#run.exhausted && this.#onFailure === 'pass';
  }
}

/** Every remediation refuses: there are no challenges yet, and a word of the operator's own counts as a ban. */
function verdictOf({ allowed, verdict, visitorStatus }: AppSecAnswer): Verdict | null {
  if (allowed) return null;
  return { action: 'deny', ruleId: verdict?.ruleId ?? 0, phase: verdict?.phase ?? 2, status: visitorStatus, url: '' };
}
