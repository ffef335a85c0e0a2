/**
 * One request on its way through the rule layers. A layer that observes runs exactly as one that blocks; only its verdict is
 * written down instead of carried out. The first verdict of a blocking layer ends the inspection.
 */
import type { Alert } from '../../detectors/alert.ts';
import type { Event } from '../../detectors/event.ts';
import type { TransactionResponse, Verdict } from '../../detectors/waf/engine/transaction-types.ts';
import { mostMatches, type WafRecord } from '../../detectors/waf/waf-record.ts';
import type { Layer, LayerRun } from './rule-layer.ts';

export interface ModedLayer {
  readonly layer: Layer;
  readonly mode: 'observe' | 'block';
}

interface Strand extends ModedLayer {
  readonly run: LayerRun;
  verdict: Verdict | null;
}

/** The body as rules see it: without its content encoding, and no longer than `limit`. Never rejects. */
export type DecodeBody = (body: Buffer, encoding: string, limit: number) => Promise<DecodedBody>;

export interface DecodedBody {
  readonly body: Buffer;
  readonly complete: boolean;
}

export class Inspection {
  readonly #strands: readonly Strand[];
  /** What the request is refused with. */
  refusal: Verdict | null = null;
  #finished = false;

  readonly decode: DecodeBody;

  constructor(strands: readonly (ModedLayer & { readonly run: LayerRun })[], decode: DecodeBody) {
    this.decode = decode;
    this.#strands = strands.map((strand) => ({ ...strand, verdict: null }));
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
    if (!this.#finished) for (const { run } of this.#strands) run.finish();
    this.#finished = true;
    return this.#strands.flatMap(({ layer, mode, run, verdict }) =>
      verdict === null
        ? []
        : [
            {
              layer: layer.name,
              enforced: mode === 'block' && this.refusal === verdict,
              ruleId: verdict.ruleId,
              score: run.score,
              matches: run.matches.slice(0, mostMatches),
            },
          ],
    );
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
      strand.verdict = ask(strand.run);
      if (strand.verdict === null || strand.mode === 'observe') continue;
      this.refusal = strand.verdict;
      return this.refusal;
    }
    return null;
  }

  #most(bytesOf: (run: LayerRun) => number): number {
    let most = 0;
    for (const { run, verdict } of this.#strands) if (verdict === null) most = Math.max(most, bytesOf(run));
    return most;
  }
}
