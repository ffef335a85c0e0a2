/**
 * One request on its way through AppSec: the in-band rules while it waits, the out-of-band rules after its answer. Both see the
 * request anew. The caller goes phase by phase (headers, body, afterwards), and nothing here waits or raises.
 *
 * Differs from CrowdSec on purpose in two points. Remediations that pre_eval hooks set by rule hold for their request only;
 * upstream they stay for all requests after it. And the query's arguments are there once; upstream has each twice, so that
 * counts of them double.
 */
import type { Alert } from '../../alert.ts';
import type { RuleMatch, TransactionRequest } from '../engine/transaction-types.ts';
import type { AppSecAnswer } from './appsec-answer.ts';
import { type AppSecCaller, type AppSecCore, limitsFor } from './appsec-core.ts';
import { createAppSecAlert } from './appsec-alert.ts';
import { type AppSecEvent, createAppSecEvent, type RequestOrigin } from './appsec-event.ts';
import { BandRun } from './band-run.ts';
import { createRequestView, type RequestView } from './request-view.ts';

export class AppSecRun {
  readonly alerts: Alert[] = [];
  readonly events: AppSecEvent[] = [];
  readonly #core: AppSecCore;
  readonly #origin: RequestOrigin;
  readonly #caller: AppSecCaller;
  readonly #inBand: BandRun;
  #view: RequestView | null = null;
  #body: Buffer | null = null;
  #complete = true;
  #answer: AppSecAnswer | null = null;
  #outOfBandDone = false;
  readonly #outMatches: RuleMatch[] = [];
  #outExhausted = false;

  constructor(core: AppSecCore, request: TransactionRequest, caller: AppSecCaller) {
    const { bouncerAddress = '' } = caller;
    this.#core = core;
    this.#caller = caller;
    this.#origin = { request, host: headerOf(request, 'host'), bouncerAddress };
    this.#inBand = new BandRun(core, 'in', request, this.#caller, () => this.#request());
  }

  /** In-band rules of the headers. Null: the body decides. */
  requestHeaders(): AppSecAnswer | null {
    this.#inBand.headers();
    return this.#inBand.isDecided ? this.#conclude() : null;
  }

  /** How much of a body the rules want to see, in bytes; 0: none. */
  get requestBodyBytes(): number {
    const { bands } = this.#core;
    const wanted = this.#inBand.wantsBody || (bands.out.rules !== null && bands.out.inspectBody);
    return wanted ? limitsFor(this.#core, this.#caller).bodyBytes : 0;
  }

  /**
   * The in-band rules of the body, and the answer. `body` null: the request has none; `complete` false: it goes on after this.
   * Where the headers have decided already, the body is noted for the out-of-band rules.
   */
  requestBody(body: Buffer | null, complete: boolean): AppSecAnswer {
    this.#body = body;
    this.#complete = complete;
    if (this.#answer !== null) return this.#answer;
    this.#inBand.body(body, complete);
    return this.#conclude();
  }

  /** The answer so far: `allow` before there is one. */
  get answer(): AppSecAnswer {
    return this.#answer ?? this.#inBand.answer();
  }

  /** After the request was answered, once: the rules that only watch. */
  runOutOfBand(): void {
    if (this.#outOfBandDone || this.#core.bands.out.rules === null) return;
    this.#outOfBandDone = true;
    const run = new BandRun(this.#core, 'out', this.#origin.request, this.#caller, () => this.#request());
    run.headers();
    if (!run.isDecided) run.body(this.#body, this.#complete);
    this.#tell(run);
    this.#outMatches.push(...run.matches);
    this.#outExhausted = run.exhausted;
    this.#body = null;
  }

  /** The time budget ended the rules of a band before their end. */
  get exhausted(): boolean {
    return this.#inBand.exhausted || this.#outExhausted;
  }

  /** Of both bands, in the order in which they matched. */
  get matches(): readonly RuleMatch[] {
    return this.#outMatches.length === 0 ? this.#inBand.matches : [...this.#inBand.matches, ...this.#outMatches];
  }

  #conclude(): AppSecAnswer {
    this.#tell(this.#inBand);
    this.#answer = this.#inBand.answer();
    return this.#answer;
  }

  /** post_eval, on_match, and what becomes of the findings. */
  #tell(run: BandRun): void {
    const { deps } = this.#core;
    run.postEval();
    const findings = run.findings();
    if (findings === null) return;
    const event = createAppSecEvent(findings, this.#origin, deps.clock.now());
    run.onMatch(event);
    if (run.sendsEvent) this.events.push(event);
    if (!run.sendsAlert) return;
    this.alerts.push(createAppSecAlert(event, this.#origin.request.id, deps.random, deps.locate ?? nowhere));
  }

  #request(): { readonly view: RequestView; readonly body: Buffer | null } {
    this.#view ??= createRequestView(this.#origin.request);
    return { view: this.#view, body: this.#body };
  }
}

const nowhere = (): object => ({});

function headerOf({ headers }: TransactionRequest, name: string): string {
  for (let index = 0; index < headers.length; index += 2) {
    const written = headers[index] ?? '';
    if (written.length === name.length && written.toLowerCase() === name) return headers[index + 1] ?? '';
  }
  return '';
}
