/**
 * One request and its response on their way through the rules, phase by phase. Nothing in it throws or waits, whatever the
 * request holds. Phases are asked for in their order; one that is left out is not run.
 */
import { bodyProcessors } from '../bodies/body-processors.ts';
import type { BodyContents } from '../bodies/body-processor.ts';
import { emptyContents } from '../bodies/body-values.ts';
import { lowerAscii } from '../seclang/ascii.ts';
import type { Phase } from '../seclang/definition.ts';
import { collectionNames, scalarNames, type VariableName } from '../variable-names.ts';
import type { CompiledPhase } from './compiled-phase.ts';
import type { NameMatcher } from './name-matcher.ts';
import type { RuleNumbers } from './removals.ts';
import type { RuleCatalog } from './rule-catalog.ts';
import { RuleRunner, type RunnerParts } from './rule-runner.ts';
import { type StateParts, TransactionState } from './transaction-state.ts';
import type { RuleMatch, TransactionRequest, TransactionResponse, Verdict } from './transaction-types.ts';
import { collections, forget, isScalar, scalars } from './variables.ts';

/** What the transactions of a rule set share. */
export interface TransactionParts {
  readonly state: StateParts;
  readonly phases: ReadonlyMap<Phase, CompiledPhase>;
  readonly runner: RunnerParts;
  readonly catalog: RuleCatalog;
}

export class Transaction {
  readonly #parts: TransactionParts;
  readonly #state: TransactionState;
  readonly #runner: RuleRunner;
  #finished = false;

  constructor(request: TransactionRequest, parts: TransactionParts, budgetMs?: number) {
    this.#parts = parts;
    this.#state = new TransactionState(request, parts.state, budgetMs);
    this.#runner = new RuleRunner(parts.runner, this.#state);
  }

  /** Phase 1. */
  processRequestHeaders(): Verdict | null {
    return this.#run(1);
  }

  /** Settled by phase 1. */
  get wantsRequestBody(): boolean {
    return this.#state.controls.requestBodyAccess && this.#isOpen && this.#runner.allowed === 'nothing';
  }

  /** Bytes. Settled by phase 1. */
  get requestBodyLimit(): number {
    return this.#state.controls.requestBodyLimit;
  }

  /** Phase 2. `body` null: there is none, or none is to be looked at; `complete` false: there is more of it than this. */
  processRequestBody(body: Buffer | null, complete: boolean): Verdict | null {
    if (!this.#isOpen) return this.verdict;
    const state = this.#state;
    const limit = this.requestBodyLimit;
    if (body !== null && body.length > 0 && state.controls.requestBodyAccess) {
      const truncated = !complete || body.length > limit;
      if (truncated && this.#refusesExcess(state.options.requestBody.over, 2, 413)) return this.verdict;
      state.inboundDataError = truncated;
      const raw = body.toString('latin1', 0, limit);
      const { budget } = state;
      budget.begin();
      budget.charge(raw.length);
      state.setBody(raw, this.#readBody(raw, truncated));
      budget.charge(raw.length);
      budget.end();
      forget('body', state, this.#parts.state.selections);
    }
    return this.#run(2);
  }

  /** Phase 3. */
  processResponseHeaders(response: TransactionResponse): Verdict | null {
    if (!this.#isOpen) return this.verdict;
    this.#state.setResponse(response);
    forget('response', this.#state, this.#parts.state.selections);
    return this.#run(3);
  }

  /** Settled by phase 3. */
  get wantsResponseBody(): boolean {
    const { controls, options, response } = this.#state;
    if (!controls.responseBodyAccess || !this.#isOpen || this.#runner.allowed === 'all') return false;
    if (controls.forceResponseBody) return true;
    const type = response === null ? '' : scalars.RESPONSE_CONTENT_TYPE.read(this.#state);
    return options.responseBody.types.includes((type.split(';', 1)[0] ?? '').trim().toLowerCase());
  }

  /** Bytes, of the body as it is handed in. Settled by phase 3. */
  get responseBodyLimit(): number {
    return this.#state.controls.responseBodyLimit;
  }

  /** Phase 4. The body without content encodings; null: there is none, or none is to be looked at. */
  processResponseBody(body: Buffer | null, complete: boolean): Verdict | null {
    if (!this.#isOpen) return this.verdict;
    const state = this.#state;
    if (body !== null && this.wantsResponseBody) {
      const limit = this.responseBodyLimit;
      const truncated = !complete || body.length > limit;
      if (truncated && this.#refusesExcess(state.options.responseBody.over, 4, 500)) return this.verdict;
      state.outboundDataError = truncated;
      state.responseBody = body.toString('latin1', 0, limit);
      forget('response-body', state, this.#parts.state.selections);
    }
    return this.#run(4);
  }

  /** Phase 5, which only records. Once; later calls do nothing. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    const phase = this.#parts.phases.get(5);
    if (phase !== undefined && this.#state.controls.mode !== 'off') this.#runner.runPhase(5, phase);
  }

  /** Rules that matched and were not told to keep quiet, in the order in which they did. */
  get matches(): readonly RuleMatch[] {
    return this.#runner.matches;
  }

  get verdict(): Verdict | null {
    return this.#runner.verdict;
  }

  /** Points that rules have added to the counters of the Core Rule Set. */
  get score(): number {
    return this.#state.score;
  }

  /** The time budget ended the rules before their end. */
  get exhausted(): boolean {
    return this.#runner.exhausted;
  }

  /** The value of a variable now, of a collection the first one of that name (in any case); "" when there is none. */
  variable(name: VariableName, key: string | null = null): string {
    if (isScalar(name)) return scalars[name].read(this.#state);
    if (name === 'TX') return key === null ? '' : (this.#state.tx.get(lowerAscii(key))?.value ?? '');
    const entries = collections[name].read(this.#state);
    const wanted = key === null ? undefined : lowerAscii(key);
    return entries.find((entry) => wanted === undefined || entry.key === wanted)?.text.value ?? '';
  }

  /** Every variable with a value: `TX`, `anomaly_score`, its value; the key is "" for one that has none. */
  eachVariable(visit: (name: string, key: string, value: string) => void): void {
    for (const name of scalarNames) {
      const value = scalars[name].read(this.#state);
      if (value !== '') visit(name, '', value);
    }
    for (const name of collectionNames) {
      const entries = name === 'TX' ? this.#state.tx.all() : collections[name].read(this.#state);
      for (const entry of entries) if (entry.text.value !== '') visit(name, entry.name, entry.text.value);
    }
  }

  removeById(id: number): void {
    this.removeRules(this.#parts.catalog.numbers({ by: 'id', ids: [{ first: id, last: id }] }));
  }

  /** Takes values out of what one rule, with its chain, looks at. */
  removeTargetById(id: number, variable: VariableName, matches: NameMatcher): void {
    const rules = this.#parts.catalog.numbers({ by: 'id', ids: [{ first: id, last: id }] });
    this.#state.removing().removeTarget({ rules, variable, matches });
  }

  /** `tag` as a rule has it. */
  removeByTag(tag: string): void {
    this.removeRules(this.#parts.catalog.numbers({ by: 'exact-tag', tag }));
  }

  /** `msg` as a rule has it. */
  removeByMsg(msg: string): void {
    this.removeRules(this.#parts.catalog.numbers({ by: 'exact-msg', msg }));
  }

  removeRules(rules: RuleNumbers): void {
    this.#state.removing().removeRules(rules);
  }

  /** Ends the transaction as a rule would; the first verdict stays. */
  interrupt(verdict: Verdict): void {
    this.#runner.verdict ??= verdict;
  }

  get #isOpen(): boolean {
    return this.verdict === null && !this.exhausted && this.#state.controls.mode !== 'off';
  }

  #run(number: Phase): Verdict | null {
    const runner = this.#runner;
    const phase = this.#parts.phases.get(number);
    if (phase !== undefined && this.#isOpen && !this.#isAllowed(number)) runner.runPhase(number, phase);
    this.#judgeTime(number);
    return this.verdict;
  }

  /** What becomes of a transaction that has used up its time. */
  #judgeTime(phase: Phase): void {
    const { controls, options } = this.#state;
    if (!this.exhausted || controls.mode !== 'on' || options.onBudget !== 'block') return;
    this.interrupt({ action: 'deny', ruleId: 0, phase, status: 403, url: '' });
  }

  #isAllowed(phase: Phase): boolean {
    const { allowed } = this.#runner;
    return allowed === 'all' || (allowed === 'request' && phase <= 2);
  }

  /** A body that is longer than its limit. True when that ends the transaction. */
  #refusesExcess(over: 'reject' | 'process-partial', phase: Phase, status: number): boolean {
    if (over !== 'reject' || this.#state.controls.mode !== 'on') return false;
    this.interrupt({ action: 'deny', ruleId: 0, phase, status, url: '' });
    return true;
  }

  #readBody(raw: string, truncated: boolean): BodyContents {
    const { controls, options } = this.#state;
    if (controls.requestBodyProcessor === '' && controls.forceRequestBody) controls.requestBodyProcessor = 'URLENCODED';
    const name = controls.requestBodyProcessor;
    if (name === '') return emptyContents;
    const processor = bodyProcessors(name);
    if (processor === null) return { ...emptyContents, error: `There is no body processor ${name}` };
    const { arguments: args, depth, files, separator } = options.requestBody;
    return processor.process(raw, {
      contentType: this.#state.header('content-type'),
      limits: { arguments: args, depth, files },
      truncated,
      separator,
    });
  }
}
