/**
 * Stands between the origin and the client while rules look at the response. Where a layer could withhold it, head and body wait
 * until the inspected beginning has been judged; otherwise a copy is judged while everything flows.
 */
import type { Verdict } from '../../detectors/waf/engine/transaction-types.ts';
import { messageOf } from '../../core/errors.ts';
import { OriginError, type ResponseSink } from '../origin/origin-client.ts';
import type { Inspection } from './inspection.ts';

export interface InspectedResponseParts {
  readonly inspection: Inspection;
  /** Where a response goes that may pass. */
  readonly next: ResponseSink;
  /** The response is not to be passed; nothing of it has been. */
  readonly withhold: (verdict: Verdict) => void;
  /** The method of the request: an answer to HEAD has no body, whatever its headers say. */
  readonly method: string;
  /** Of the origin. */
  readonly flow: {
    pause(): void;
    resume(): void;
    /** Something has come that the client does not get yet: what the origin owes next is waited for from now on. */
    noteHeld(): void;
  };
}

interface Head {
  readonly status: number;
  readonly headers: readonly string[];
}

export class InspectedResponse implements ResponseSink {
  readonly #parts: InspectedResponseParts;
  /**
   * `collecting`: the body, or a copy of it, is kept for the rules. `judging`: its decoding is waited for. `over`: withheld, or
   * broken off.
   */
  #state: 'collecting' | 'judging' | 'passing' | 'over' = 'passing';
  /** Waits for the verdict, with all that has come of the body; null: everything flows. */
  #held: Head | null = null;
  #chunks: Buffer[] = [];
  #length = 0;
  #encoding = '';
  /** The response ended while it was judged. */
  #ended = false;

  constructor(parts: InspectedResponseParts) {
    this.#parts = parts;
  }

  onInterim(status: number, headers: readonly string[]): void {
    this.#parts.next.onInterim(status, headers);
  }

  onHead(status: number, headers: readonly string[]): void {
    const { inspection, next, method } = this.#parts;
    const { visible, encoding } = withoutEncoding(headers);
    this.#encoding = encoding;
    if (this.#isWithheld(inspection.responseHeaders({ status, protocol: 'HTTP/1.1', headers: visible }))) return;
    const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
    if (!hasBody || inspection.responseBodyBytes === 0) {
      if (this.#isWithheld(inspection.responseBody(null, true))) return;
      next.onHead(status, headers);
      return;
    }
    this.#state = 'collecting';
    if (inspection.mayWithhold) {
      this.#held = { status, headers };
      inspection.noteHeld('response');
      this.#parts.flow.noteHeld();
    } else next.onHead(status, headers);
  }

  onData(chunk: Buffer): void {
    if (this.#state === 'over') return;
    const isHeld = this.#held !== null;
    if (isHeld || this.#state === 'collecting') this.#chunks.push(chunk);
    if (this.#state === 'collecting') {
      this.#length += chunk.length;
      if (this.#length > this.#parts.inspection.responseBodyBytes) this.#judge(false);
    }
    if (!isHeld) this.#parts.next.onData(chunk);
    else if (this.#held !== null) this.#parts.flow.noteHeld();
  }

  onEnd(): void {
    if (this.#state === 'collecting') this.#judge(true);
    if (this.#state === 'passing') this.#parts.next.onEnd();
    else this.#ended = true;
  }

  onError(error: OriginError): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#parts.next.onError(error);
  }

  #judge(complete: boolean): void {
    const { inspection, flow } = this.#parts;
    const limit = inspection.responseBodyBytes;
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    if (this.#encoding === '') return this.#conclude(body.subarray(0, limit), complete && body.length <= limit);
    this.#state = 'judging';
    flow.pause();
    void this.#judgeDecoded(body, complete, limit);
  }

  /** Never rejects: what is raised here is raised to nobody. */
  async #judgeDecoded(encoded: Buffer, complete: boolean, limit: number): Promise<void> {
    try {
      const decoded = await this.#parts.inspection.decode(encoded, this.#encoding, limit);
      if (this.#state !== 'judging') return;
      this.#conclude(decoded.body, complete && decoded.complete);
      this.#parts.flow.resume();
      if (this.#ended && !this.#isOver) this.#parts.next.onEnd();
    } catch (thrown) {
      this.onError(new OriginError('invalid-response', messageOf(thrown), { cause: thrown }));
    }
  }

  #conclude(body: Buffer, complete: boolean): void {
    const { inspection, next } = this.#parts;
    const held = this.#held;
    const chunks = this.#chunks;
    this.#state = 'passing';
    this.#held = null;
    this.#chunks = [];
    if (this.#isWithheld(inspection.responseBody(body, complete)) || held === null) return;
    next.onHead(held.status, held.headers);
    for (const chunk of chunks) next.onData(chunk);
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  #isWithheld(verdict: Verdict | null): boolean {
    if (verdict === null) return false;
    this.#state = 'over';
    this.#parts.withhold(verdict);
    return true;
  }
}

/** Rules see the body decoded; a header that says otherwise would make them look away. */
function withoutEncoding(headers: readonly string[]): { visible: readonly string[]; encoding: string } {
  let encoding = '';
  const visible: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (name.length === 16 && name.toLowerCase() === 'content-encoding')
      encoding = encoding === '' ? value : `${encoding}, ${value}`;
    else visible.push(name, value);
  }
  return encoding === '' ? { visible: headers, encoding } : { visible, encoding };
}
