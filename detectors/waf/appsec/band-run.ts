/**
 * One band of one request: pre_eval hooks, the rules, post_eval and on_match hooks, and the answer they come to. Precedence of
 * remediations: default, SetRemediation before the rules, by number, by tag, SetRemediation on the match.
 */
import type { RuleMatch, TransactionRequest, Verdict } from '../engine/transaction-types.ts';
import type { AppSecAnswer } from './appsec-answer.ts';
import {
  type AppSecCaller,
  type AppSecCore,
  type BodyLimits,
  type CompiledBand,
  limitsFor,
  type RuleRemedy,
} from './appsec-core.ts';
import type { AppSecEvent, BandFindings } from './appsec-event.ts';
import type { BandTransaction } from './band-engine.ts';
import { ruleTag } from './compile-rules.ts';
import type { Band, HookSpec } from './config-document.ts';
import { isNamed, type RequestActions, type RuleNaming } from './hook-actions.ts';
import type { HookScope, RequestStage } from './hooks.ts';
import { createRequestDump, type RequestDump } from './request-dump.ts';
import type { RequestView } from './request-view.ts';
import { trackedValues } from './tracked-variables.ts';

/** The request as hooks see it, made when the first one looks. */
export type ShowRequest = () => { readonly view: RequestView; readonly body: Buffer | null };

/** CrowdSec's word for a request that may go on. */
const allow = 'allow';

export class BandRun implements RequestActions {
  readonly #core: AppSecCore;
  readonly #band: Band;
  readonly #compiled: CompiledBand;
  readonly #request: TransactionRequest;
  readonly #limits: BodyLimits;
  readonly #show: ShowRequest;
  readonly #transaction: BandTransaction | null;
  /** Of a hook or a limit; that of the rules is the transaction's. */
  #dropped: Verdict | null = null;
  #dropReason = '';
  #skipsBody = false;
  #finished = false;
  #stage: RequestStage = 'pre_eval';
  readonly #remedies: RuleRemedy[] = [];
  #pending: string | null = null;
  #final: string | null = null;
  #status: number | null = null;
  #sendsAlert: boolean;
  #sendsEvent = true;

  constructor(core: AppSecCore, band: Band, request: TransactionRequest, caller: AppSecCaller, show: ShowRequest) {
    this.#core = core;
    this.#band = band;
    this.#compiled = core.bands[band];
    this.#request = request;
    this.#limits = limitsFor(core, caller);
    this.#show = show;
    this.#transaction = this.#compiled.rules?.begin(request, caller.budgetMs) ?? null;
    this.#sendsAlert = band === 'in';
  }

  /** pre_eval, then the rules of the headers. */
  headers(): void {
    this.#run('pre_eval');
    if (!this.isDecided) this.#transaction?.processRequestHeaders();
  }

  get isDecided(): boolean {
    return this.#verdict !== null;
  }

  get wantsBody(): boolean {
    const { inspectBody, rules } = this.#compiled;
    return !this.isDecided && rules !== null && inspectBody && !this.#skipsBody;
  }

  /** `body` null: there is none; `complete` false: there is more of it than this. */
  body(body: Buffer | null, complete: boolean): void {
    const transaction = this.#transaction;
    if (transaction === null || this.isDecided) return;
    if (!this.wantsBody || body === null) {
      transaction.processRequestBody(null, true);
      return;
    }
    const { bodyBytes, bodyExcess } = this.#limits;
    const exceeds = body.length > bodyBytes || (!complete && body.length === bodyBytes);
    if (!exceeds) {
      transaction.processRequestBody(body, complete);
      return;
    }
    switch (bodyExcess) {
      case 'drop':
        this.drop(`the body has more than ${bodyBytes} bytes`);
        return;
      case 'partial':
        transaction.processRequestBody(body.subarray(0, bodyBytes), false);
        return;
      case 'allow':
        transaction.processRequestBody(null, true);
        return;
      default:
        bodyExcess satisfies never;
    }
  }

  /** The rules that only record, then post_eval. */
  postEval(): void {
    if (!this.#finished) this.#transaction?.finish();
    this.#finished = true;
    this.#run('post_eval');
  }

  /** Null: nothing refused the request. */
  findings(): BandFindings | null {
    const verdict = this.#verdict;
    if (verdict === null) return null;
    return {
      band: this.#band,
      verdict,
      matches: this.matches,
      details: this.#compiled.details,
      dropReason: this.#dropReason,
      tracked: this.#transaction === null ? {} : trackedValues(this.#transaction, this.#compiled.tracked),
    };
  }

  onMatch(event: AppSecEvent): void {
    this.#run('on_match', event);
  }

  /** The time budget ended the rules before their end. */
  get exhausted(): boolean {
    return this.#transaction?.exhausted ?? false;
  }

  get matches(): readonly RuleMatch[] {
    return this.#transaction?.matches ?? [];
  }

  get sendsAlert(): boolean {
    return this.#sendsAlert;
  }

  get sendsEvent(): boolean {
    return this.#sendsEvent;
  }

  answer(): AppSecAnswer {
    const { config } = this.#core;
    const verdict = this.#verdict;
    const action = verdict === null ? config.defaultPassAction : this.#remediation(verdict);
    const allowed = verdict === null || action === allow;
    return {
      action,
      allowed,
      bouncerStatus: allowed ? config.passedHttpCode : config.blockedHttpCode,
      visitorStatus: allowed ? config.userPassedHttpCode : (this.#status ?? config.userBlockedHttpCode),
      verdict,
    };
  }

  removeRules(band: Band, rules: RuleNaming): void {
    if (band !== this.#band) return;
    if (rules.by === 'id') this.#transaction?.removeById(rules.id);
    else this.#transaction?.removeByTag(rules.tag);
  }

  setRemediationBy(rules: RuleNaming, remediation: string): void {
    this.#remedies.push({ rules, remediation });
  }

  setRemediation(remediation: string): void {
    if (this.#stage === 'on_match') this.#final = remediation;
    else this.#pending = remediation;
  }

  setReturnCode(status: number): void {
    this.#status = status;
  }

  drop(reason: string): void {
    this.#dropReason = reason;
    const status = this.#core.config.userBlockedHttpCode;
    this.#dropped = { action: 'deny', ruleId: 0, phase: this.#stage === 'pre_eval' ? 1 : 2, status, url: '' };
  }

  disableBodyInspection(): void {
    this.#skipsBody = true;
  }

  dump(): RequestDump {
    const { view, body } = this.#show();
    return createRequestDump(view, body, this.#request.id, this.#core.deps.writeDump ?? refuseDump);
  }

  sendAlert(send: boolean): void {
    this.#sendsAlert = send;
  }

  sendEvent(send: boolean): void {
    this.#sendsEvent = send;
  }

  get #verdict(): Verdict | null {
    return this.#dropped ?? this.#transaction?.verdict ?? null;
  }

  #remediation(verdict: Verdict): string {
    if (this.#final !== null) return this.#final;
    const remedies = [...this.#core.remedies, ...this.#remedies];
    const tags = this.#tagsOf(verdict);
    const fits = ({ rules }: RuleRemedy): boolean => isNamed(rules, verdict.ruleId, tags);
    const byTag = remedies.findLast((remedy) => remedy.rules.by === 'tag' && fits(remedy));
    const chosen = byTag ?? remedies.findLast((remedy) => remedy.rules.by === 'id' && fits(remedy));
    return chosen?.remediation ?? this.#pending ?? this.#core.config.defaultRemediation;
  }

  /** Of the rule that decided, also where it keeps quiet. */
  #tagsOf({ ruleId }: Verdict): readonly string[] {
    const details = this.#compiled.details.get(ruleId);
    if (details !== undefined) return [ruleTag(details.name), 'cs-custom-rule'];
    return this.matches.find((match) => match.ruleId === ruleId)?.tags ?? [];
  }

  #run(stage: RequestStage, event?: AppSecEvent): void {
    this.#stage = stage;
    const { hooks, deps } = this.#core;
    if (!hooks.has(stage, this.#band)) return;
    const { id } = this.#request;
    const onError = ({ places }: HookSpec, error: unknown): void => {
      deps.log.warn({ requestId: id, stage, err: places.fault('', 'apply', stage).error, cause: error }, 'hook failed');
    };
    hooks.run(stage, this.#band, this, () => this.#scope(event), onError);
  }

  #scope(evt?: AppSecEvent): HookScope {
    return {
      IsInBand: this.#band === 'in',
      IsOutBand: this.#band === 'out',
      req: this.#show().view,
      hook_vars: {},
      ...(evt === undefined ? {} : { evt }),
    };
  }
}

const refuseDump = (): boolean => false;
