/**
 * One request on its way through the rule layers. A layer that observes runs exactly as one that blocks; only its verdict is
 * written down instead of carried out. The first verdict of a blocking layer ends the inspection.
 */
import type { Alert } from '../../detectors/alert.ts';
import type { Event } from '../../detectors/event.ts';
import type { TransactionResponse, Verdict } from '../../detectors/waf/engine/transaction-types.ts';
import { mostMatches, type RuleLayer, type WafRecord } from '../../detectors/waf/waf-record.ts';
import type { Layer, LayerRun } from './rule-layer.ts';
import type { WafSource } from './waf-counters.ts';
import type { WafWatch } from './waf-watch.ts';

export interface ModedLayer {
  readonly layer: Layer;
  readonly mode: 'observe' | 'block';
}

interface Strand extends ModedLayer {
  readonly run: LayerRun;
  verdict: Verdict | null;
  /** Processor time before the answer, milliseconds. */
  spentMs: number;
}

/** The body as rules see it: without its content encoding, and no longer than `limit`. Never rejects. */
export type DecodeBody = (body: Buffer, encoding: string, limit: number) => Promise<DecodedBody>;

export interface DecodedBody {
  readonly body: Buffer;
  readonly complete: boolean;
}

export interface InspectionParts {
  readonly decode: DecodeBody;
  readonly watch: WafWatch;
  readonly requestId: string;
  /** Who asks, for the counters. */
  readonly source: WafSource;
}

export class Inspection {
  readonly #strands: readonly Strand[];
  /** What the request is refused with. */
  refusal: Verdict | null = null;
  /** Whose verdict that is. */
  refusedBy: RuleLayer | null = null;
  #finished = false;
  readonly #requestId: string;
  readonly #source: WafSource;
  readonly #watch: WafWatch;
  /** Processor time of the rules is taken. */
  readonly #isTimed: boolean;

  readonly decode: DecodeBody;

  constructor(strands: readonly (ModedLayer & { readonly run: LayerRun })[], parts: InspectionParts) {
    this.decode = parts.decode;
    this.#watch = parts.watch;
    this.#requestId = parts.requestId;
    this.#source = parts.source;
    this.#isTimed = parts.watch.takesTime();
    this.#strands = strands.map((strand) => ({ ...strand, verdict: null, spentMs: 0 }));
  }

  requestHeaders(): Verdict | null {
    return this.#judge((run) => run.requestHeaders());
  }

  /** How much of the body has to be here before it can be judged, in bytes. */
  get requestBodyBytes(): number {
    return this.#most((run) => run.requestBodyBytes);
  }

  requestBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#judge((run) => {
      const wanted = run.requestBodyBytes;
      if (body === null || wanted === 0) return run.requestBody(null, true);
      return body.length > wanted ? run.requestBody(body.subarray(0, wanted), false) : run.requestBody(body, complete);
    });
  }

  responseHeaders(response: TransactionResponse): Verdict | null {
    return this.#judge((run) => run.responseHeaders(response));
  }

  get responseBodyBytes(): number {
    return this.#most((run) => run.responseBodyBytes);
  }

  /** A response need not wait for its judgement when no layer could withhold it. */
  get mayWithhold(): boolean {
    return this.#strands.some(({ mode, verdict }) => mode === 'block' && verdict === null);
  }

  responseBody(body: Buffer | null, complete: boolean): Verdict | null {
    return this.#judge((run) => run.responseBody(run.responseBodyBytes === 0 ? null : body, complete));
  }

  /** After the last byte. What is worth storing; empty when no layer would have refused anything. */
  finish(): readonly WafRecord[] {
    if (!this.#finished) for (const strand of this.#strands) this.#end(strand);
    this.#finished = true;
    return this.#strands.flatMap((strand) => {
      const { layer, run, verdict } = strand;
      return verdict === null
        ? []
        : [
            {
              layer: layer.name,
              enforced: this.#isEnforced(strand),
              ruleId: verdict.ruleId,
              score: run.score,
              matches: run.matches.slice(0, mostMatches),
            },
          ];
    });
  }

  /** The body's beginning waited for the rules. */
  noteHeld(body: 'request' | 'response'): void {
    const { counters } = this.#watch;
    if (body === 'request') counters.heldRequestBodies++;
    else counters.heldResponseBodies++;
  }

  /** For the decider and the scenarios. What a layer that observes holds against a request is not held against its client. */
  get consequences(): { readonly alerts: readonly Alert[]; readonly events: readonly Event[] } {
    const blocking = this.#strands.filter(({ mode }) => mode === 'block');
    return { alerts: blocking.flatMap(({ run }) => run.alerts), events: blocking.flatMap(({ run }) => run.events) };
  }

  /** A strand that has come to its verdict is not asked again. */
  #judge(ask: (run: LayerRun) => Verdict | null): Verdict | null {
    if (this.refusal !== null) return this.refusal;
    for (const strand of this.#strands) {
      if (strand.verdict !== null) continue;
      const startedAt = this.#isTimed ? this.#watch.threadTime() : 0;
      strand.verdict = ask(strand.run);
      if (this.#isTimed) strand.spentMs += this.#watch.threadTime() - startedAt;
      if (strand.verdict === null || strand.mode === 'observe') continue;
      this.refusal = strand.verdict;
      this.refusedBy = strand.layer.name;
      return this.refusal;
    }
    return null;
  }

  #end(strand: Strand): void {
    const { layer, run, verdict } = strand;
    const inBandMatches = run.matches.length;
    const startedAt = this.#isTimed ? this.#watch.threadTime() : 0;
    run.finish();
    const afterMs = this.#isTimed ? this.#watch.threadTime() - startedAt : 0;
    this.#watch.record({
      source: this.#source,
      layer: layer.name,
      requestId: this.#requestId,
      outcome: verdict === null ? 'passed' : this.#isEnforced(strand) ? 'refused' : 'observed',
      exhausted: run.exhausted,
      times: this.#isTimed ? { inBandMs: strand.spentMs, afterMs } : null,
      hasOutOfBand: layer.hasOutOfBand,
      matches: run.matches,
      inBandMatches,
      nameOf: (ruleId) => layer.ruleName(ruleId),
    });
  }

  #isEnforced({ mode, verdict }: Strand): boolean {
    return mode === 'block' && this.refusal === verdict;
  }

  #most(bytesOf: (run: LayerRun) => number): number {
    let most = 0;
    for (const { run, verdict } of this.#strands) if (verdict === null) most = Math.max(most, bytesOf(run));
    return most;
  }
}
