/**
 * A layer whose mistakes stay its own. No run should raise; one that does anyway is told to the log and asked no more, its request
 * is judged as `waf.onFailure` says, and the gateway and the other layers go on.
 */
import type { Alert } from '../../detectors/alert.ts';
import type { Event } from '../../detectors/event.ts';
import type { Phase } from '../../detectors/waf/seclang/definition.ts';
import type {
  RuleMatch,
  TransactionRequest,
  TransactionResponse,
  Verdict,
} from '../../detectors/waf/engine/transaction-types.ts';
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';
import type { Layer, LayerRun, RuledSite } from './rule-layer.ts';

/** Told of what a layer raised. */
export interface FaultWatch {
  noteFault(layer: RuleLayer, requestId: string, thrown: unknown): void;
}

export function guardLayer(layer: Layer, watch: FaultWatch): Layer {
  return {
    name: layer.name,
    hasOutOfBand: layer.hasOutOfBand,
    ruleName: (ruleId) => layer.ruleName(ruleId),
    begin: (request, site) => new GuardedRun(layer, request, site, watch),
  };
}

class GuardedRun implements LayerRun {
  /** Null: it could not even begin, or has raised. */
  #run: LayerRun | null = null;
  readonly #layer: RuleLayer;
  readonly #requestId: string;
  readonly #blocks: boolean;
  readonly #watch: FaultWatch;
  /** What it had come to before it failed. */
  #matches: readonly RuleMatch[] = [];

  constructor(layer: Layer, request: TransactionRequest, site: RuledSite, watch: FaultWatch) {
    this.#layer = layer.name;
    this.#requestId = request.id;
    this.#blocks = site.waf.onFailure === 'block';
    this.#watch = watch;
    try {
      this.#run = layer.begin(request, site);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  requestHeaders(): Verdict | null {
    return this.#judge(1, (run) => run.requestHeaders());
  }

  get requestBodyBytes(): number {
    return this.#read((run) => run.requestBodyBytes, 0);
  }

  requestBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#judge(2, (run) => run.requestBody(body, complete));
  }

  responseHeaders(response: TransactionResponse): Verdict | null {
    return this.#judge(3, (run) => run.responseHeaders(response));
  }

  get responseBodyBytes(): number {
    return this.#read((run) => run.responseBodyBytes, 0);
  }

  responseBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#judge(4, (run) => run.responseBody(body, complete));
  }

  finish(): void {
    this.#read((run) => run.finish(), undefined);
  }

  get exhausted(): boolean {
    return this.#read((run) => run.exhausted, false);
  }

  get matches(): readonly RuleMatch[] {
    return this.#run === null ? this.#matches : this.#read((run) => run.matches, []);
  }

  get score(): number {
    return this.#read((run) => run.score, 0);
  }

  get alerts(): readonly Alert[] {
    return this.#read((run) => run.alerts, []);
  }

  get events(): readonly Event[] {
    return this.#read((run) => run.events, []);
  }

  /** A run that has failed has no verdict of its own, in this phase or any later one. */
  #judge(phase: Phase, ask: (run: LayerRun) => Verdict | null): Verdict | null {
    const verdict = this.#read(ask, null);
    if (this.#run !== null || !this.#blocks) return verdict;
    return { action: 'deny', ruleId: 0, phase, status: 403, url: '' };
  }

  #read<T>(ask: (run: LayerRun) => T, otherwise: T): T {
    if (this.#run === null) return otherwise;
    try {
      return ask(this.#run);
    } catch (thrown) {
      this.#fail(thrown);
      return otherwise;
    }
  }

  #fail(thrown: unknown): void {
    try {
      this.#matches = this.#run?.matches.slice() ?? [];
    } catch {
      // The same mistake again: nothing is known of what had matched.
    }
    this.#run = null;
    this.#watch.noteFault(this.#layer, this.#requestId, thrown);
  }
}
