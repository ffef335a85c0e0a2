/** CrowdSec's AppSec as a layer: in-band rules while the request waits, out-of-band rules after its answer. */
import type { Alert } from '../../detectors/alert.ts';
import type { Event } from '../../detectors/event.ts';
import type { AppSec } from '../../detectors/waf/appsec/appsec.ts';
import type { AppSecAnswer } from '../../detectors/waf/appsec/appsec-answer.ts';
import type { AppSecRun } from '../../detectors/waf/appsec/appsec-run.ts';
import type { RuleMatch, TransactionRequest, Verdict } from '../../detectors/waf/engine/transaction-types.ts';
import type { Layer, LayerRun } from './rule-layer.ts';

export function createVirtualPatchesLayer(appSec: AppSec): Layer {
  return {
    name: 'virtual-patches',
    begin: (request: TransactionRequest) => new PatchRun(appSec.begin(request)),
  };
}

class PatchRun implements LayerRun {
  readonly score = 0;
  /** Responses are none of AppSec's business. */
  readonly responseBodyBytes = 0;
  readonly #run: AppSecRun;

  constructor(run: AppSecRun) {
    this.#run = run;
  }

  requestHeaders(): Verdict | null {
    const answer = this.#run.requestHeaders();
    return answer && verdictOf(answer);
  }

  get requestBodyBytes(): number {
    return this.#run.requestBodyBytes;
  }

  requestBody(body: Buffer | null, complete: boolean): Verdict | null {
    return verdictOf(this.#run.requestBody(body, complete));
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

  get matches(): readonly RuleMatch[] {
    return this.#run.matches;
  }

  get alerts(): readonly Alert[] {
    return this.#run.alerts;
  }

  get events(): readonly Event[] {
    return this.#run.events;
  }
}

/** Every remediation refuses: there are no challenges yet, and a word of the operator's own counts as a ban. */
function verdictOf({ allowed, verdict, visitorStatus }: AppSecAnswer): Verdict | null {
  if (allowed) return null;
  return { action: 'deny', ruleId: verdict?.ruleId ?? 0, phase: verdict?.phase ?? 2, status: visitorStatus, url: '' };
}
