/**
 * What one transaction knows: the request, as much of bodies and response as has arrived, what rules have set and matched.
 * Data only; `variables.ts` says which variable reads what, `evaluate.ts` runs the rules. Everything is worked out when it
 * is first asked for, and kept.
 */
import type { Clock } from '../../../core/clock.ts';
import type { BodyContents, NamedValue } from '../bodies/body-processor.ts';
import { emptyContents } from '../bodies/body-values.ts';
import { type Arguments, parseArguments } from '../bodies/parse-arguments.ts';
import { parseCookies } from '../bodies/parse-cookies.ts';
import type { PersistentCollection, RuleEngineMode } from '../seclang/definition.ts';
import type { Text } from '../text/text.ts';
import type { TextPool } from '../text/text-pool.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { EngineOptions } from './engine-options.ts';
import { type Entry, noEntries } from './entry.ts';
import { headerOf } from './header-of.ts';
import type { PersistentRecord, PersistentStore } from './persistent-store.ts';
import { Removals } from './removals.ts';
import { type RequestTarget, splitTarget } from './request-target.ts';
import type { Selection } from './selection.ts';
import { TimeBudget } from './time-budget.ts';
import type { TransactionRequest, TransactionResponse } from './transaction-types.ts';
import { type TxLayout, TxVariables } from './tx-variables.ts';

/** What a transaction is given besides the request. */
export interface StateParts {
  readonly options: EngineOptions;
  readonly pool: TextPool;
  readonly layout: TxLayout;
  readonly clock: Clock;
  /** Processor time of this thread, milliseconds; null: the clock decides alone what took too long. */
  readonly threadTime: (() => number) | null;
  readonly store: PersistentStore;
  /** Texts of the first whole numbers, from 0: counts and scores are mostly small. */
  readonly numbers: readonly Text[];
  readonly selections: readonly Selection[];
  /** Nothing for each scalar of `variables.ts`, and nothing for each selection: to be copied. */
  readonly blankScalars: readonly null[];
  readonly blankSelections: readonly null[];
}

/** Environment variables that rules can set in one transaction. */
const mostEnv = 1_000;

/** What `ctl` can change, for this transaction only. */
export interface Controls {
  mode: RuleEngineMode;
  requestBodyAccess: boolean;
  requestBodyLimit: number;
  /** Upper case; "" until the content type or a rule says it. */
  requestBodyProcessor: string;
  forceRequestBody: boolean;
  responseBodyAccess: boolean;
  responseBodyLimit: number;
  forceResponseBody: boolean;
}

export class TransactionState {
  readonly request: TransactionRequest;
  readonly options: EngineOptions;
  readonly pool: TextPool;
  readonly clock: Clock;
  readonly tx: TxVariables;
  readonly controls: Controls;
  readonly budget: TimeBudget;
  readonly #store: PersistentStore;
  readonly #numbers: readonly Text[];

  /** Texts of scalars that do not change within a phase, by their number in `variables.ts`. */
  readonly scalarTexts: (Text | null)[];
  /** Entries of selections that do not change within a phase, by their number. */
  readonly selected: (readonly Entry[] | null)[];

  body: BodyContents = emptyContents;
  /** As received; "" until phase 2. */
  rawBody = '';
  inboundDataError = false;
  outboundDataError = false;
  response: TransactionResponse | null = null;
  responseBody = '';

  /** The rule at work: the first of its chain. */
  rule: CompiledRule | null = null;
  matchedVariable = '';
  /** Null: the variable is a scalar. */
  matchedName: string | null = null;
  matchedText: Text;
  /** Of the rule at work and its chain, where something asks for them. */
  readonly matchedVars: Entry[] = [];
  highestSeverity = 255;
  /** Points added to anomaly scores so far. */
  score = 0;
  env: Map<string, Text> | null = null;
  removals: Removals | null = null;
  records: Map<PersistentCollection, PersistentRecord> | null = null;

  #target: RequestTarget | null = null;
  #query: Arguments | null = null;
  #headers: readonly Entry[] | null = null;
  #cookies: readonly Entry[] | null = null;
  #argsGet: readonly Entry[] | null = null;
  #argsPost: readonly Entry[] | null = null;
  #args: readonly Entry[] | null = null;
  #responseHeaders: readonly Entry[] | null = null;

  constructor(request: TransactionRequest, parts: StateParts, budgetMs = parts.options.budgetMs) {
    const { options, pool, layout, clock, threadTime, store, numbers, blankScalars, blankSelections } = parts;
    this.request = request;
    this.options = options;
    this.pool = pool;
    this.clock = clock;
    this.budget = new TimeBudget(budgetMs, clock, threadTime);
    this.#store = store;
    this.#numbers = numbers;
    this.tx = new TxVariables(layout);
    this.scalarTexts = blankScalars.slice();
    this.selected = blankSelections.slice();
    this.matchedText = pool.text('');
    this.controls = {
      mode: options.mode ?? 'on',
      requestBodyAccess: options.requestBody.access,
      requestBodyLimit: options.requestBody.limit,
      requestBodyProcessor: processorOf(headerOf(request.headers, 'content-type')),
      forceRequestBody: false,
      responseBodyAccess: options.responseBody.access,
      responseBodyLimit: options.responseBody.limit,
      forceResponseBody: false,
    };
  }

  get target(): RequestTarget {
    return (this.#target ??= splitTarget(this.request.target));
  }

  get query(): Arguments {
    const { separator, arguments: limit } = this.options.requestBody;
    return (this.#query ??= parseArguments(this.target.query, separator, limit));
  }

  get headers(): readonly Entry[] {
    return (this.#headers ??= this.#pairs(this.request.headers));
  }

  get cookies(): readonly Entry[] {
    return (this.#cookies ??= this.#readCookies());
  }

  get argsGet(): readonly Entry[] {
    return (this.#argsGet ??= this.entries(this.query.values));
  }

  get argsPost(): readonly Entry[] {
    return (this.#argsPost ??= this.entries(this.body.args));
  }

  get args(): readonly Entry[] {
    if (this.#args !== null) return this.#args;
    const { argsGet, argsPost } = this;
    if (argsPost.length === 0) this.#args = argsGet;
    else this.#args = argsGet.length === 0 ? argsPost : [...argsGet, ...argsPost];
    return this.#args;
  }

  get responseHeaders(): readonly Entry[] {
    return (this.#responseHeaders ??= this.response === null ? noEntries : this.#pairs(this.response.headers));
  }

  /** The first header of that name, in lower case; "" when there is none. */
  header(key: string): string {
    return headerOf(this.request.headers, key);
  }

  /** Phase 2 begins: what was read of a body is there from now on. */
  setBody(raw: string, contents: BodyContents): void {
    this.rawBody = raw;
    this.body = contents;
    this.#argsPost = null;
    this.#args = null;
  }

  setResponse(response: TransactionResponse): void {
    this.response = response;
    this.#responseHeaders = null;
  }

  /** A value as rules look at it: its beginning. */
  text(value: string): Text {
    const { valueBytes } = this.options;
    return this.pool.text(value.length > valueBytes ? value.slice(0, valueBytes) : value);
  }

  entry(name: string, value: string): Entry {
    return { name, key: this.pool.text(name).lower, text: this.text(value) };
  }

  entries(values: readonly NamedValue[]): readonly Entry[] {
    if (values.length === 0) return noEntries;
    return values.map(({ name, value }) => this.entry(name, value));
  }

  numberText(value: number): Text {
    return this.#numbers[value] ?? this.pool.text(String(value));
  }

  setEnv(key: string, value: string): void {
    this.env ??= new Map();
    if (this.env.size < mostEnv || this.env.has(key)) this.env.set(key, this.text(value));
  }

  /** What is taken out, to take out more. */
  removing(): Removals {
    return (this.removals ??= new Removals());
  }

  /** Opens a persistent collection; rules that use it without see it empty. */
  openRecord(collection: PersistentCollection, key: string): void {
    const record = this.#store.open(collection, key, this.options.collectionTimeout);
    (this.records ??= new Map()).set(collection, record);
  }

  #pairs(pairs: readonly string[]): readonly Entry[] {
    const entries: Entry[] = [];
    for (let at = 0; at + 1 < pairs.length; at += 2) entries.push(this.entry(pairs[at] ?? '', pairs[at + 1] ?? ''));
    return entries;
  }

  #readCookies(): readonly Entry[] {
    const entries: Entry[] = [];
    for (const { key, text } of this.headers) {
      if (key === 'cookie')
        for (const { name, value } of parseCookies(text.value)) entries.push(this.entry(name, value));
    }
    return entries.length === 0 ? noEntries : entries;
  }
}

/** The processor that a content type selects without a rule's help. */
function processorOf(contentType: string): string {
  const type = contentType.slice(0, 64).toLowerCase();
  if (type.startsWith('application/x-www-form-urlencoded')) return 'URLENCODED';
  return type.startsWith('multipart/form-data') ? 'MULTIPART' : '';
}
