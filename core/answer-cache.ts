/**
 * Answers of other servers for callers who cannot wait: an answer is remembered, or it is being asked for and the caller comes
 * back when it is there. Bounded in answers, in their size and in questions under way.
 */
import type { Clock } from './clock.ts';

export type Answer<Value> =
  | { readonly kind: 'known'; readonly value: Value }
  /** Asked for. `ready` resolves, within the patience of the cache, when asking again gives an answer. It never rejects. */
  | { readonly kind: 'asked'; readonly ready: Promise<void> };

export interface AnswerCacheOptions<Value> {
  /** How long an answer is remembered, milliseconds. */
  readonly lifeMs: (value: Value) => number;
  /** Who takes longer counts as one who does not answer, milliseconds. */
  readonly patienceMs: number;
  /** Remembered; the oldest goes first. */
  readonly mostAnswers: number;
  /** Under way at once; what is beyond is `refused`. */
  readonly mostQuestions: number;
  /** What stands for the answer of a question that failed or took too long: also remembered. */
  readonly failed: (cause: unknown) => Value;
  /** The answer to one question too many, and to any after `close`. It is not remembered. */
  readonly refused: Value;
  /** What all remembered answers may weigh together, in the unit of `sizeOf`; without it only their number counts. */
  readonly mostSize?: number;
  readonly sizeOf?: (value: Value) => number;
}

export interface AnswerCache<Value> {
  /** `question` is called at most once for a key until its answer is forgotten; its signal aborts when the patience ends. */
  ask(key: string, question: (signal: AbortSignal) => Promise<Value>): Answer<Value>;
  /** Gives up on what is being asked, so that nobody waits any longer, and asks nothing more. */
  close(): void;
}

export function createAnswerCache<Value>(options: AnswerCacheOptions<Value>, clock: Clock): AnswerCache<Value> {
  return new BoundedAnswers(options, clock);
}

interface Remembered<Value> {
  readonly answer: Answer<Value>;
  readonly size: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

class BoundedAnswers<Value> implements AnswerCache<Value> {
  private readonly options: AnswerCacheOptions<Value>;
  private readonly clock: Clock;
  /** Oldest first. */
  private readonly remembered = new Map<string, Remembered<Value>>();
  private readonly questions = new Map<string, Answer<Value>>();
  private size = 0;
  private readonly closing = new AbortController();

  constructor(options: AnswerCacheOptions<Value>, clock: Clock) {
    this.options = options;
    this.clock = clock;
  }

  ask(key: string, question: (signal: AbortSignal) => Promise<Value>): Answer<Value> {
    const found = this.remembered.get(key);
    if (found !== undefined) {
      if (this.clock.now() < found.expiresAt) return found.answer;
      this.forget(key, found);
    }
    const asked = this.questions.get(key);
    if (asked !== undefined) return asked;
    if (this.closing.signal.aborted || this.questions.size >= this.options.mostQuestions)
      return { kind: 'known', value: this.options.refused };
    const answer: Answer<Value> = { kind: 'asked', ready: this.settle(key, question) };
    this.questions.set(key, answer);
    return answer;
  }

  close(): void {
    this.closing.abort();
  }

  private async settle(key: string, question: (signal: AbortSignal) => Promise<Value>): Promise<void> {
    const limit = new AbortController();
    const cutOff = new Promise<never>((_, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason), { once: true });
    });
    const end = (reason: string): void => limit.abort(new Error(reason));
    const close = (): void => end('the program ends');
    const timer = this.clock.after(this.options.patienceMs, () => {
      end(`no answer within ${this.options.patienceMs / 1000} s`);
    });
    this.closing.signal.addEventListener('abort', close, { once: true });
    let value: Value;
    try {
      // A question that throws before it waits is one that fails.
      value = await Promise.race([(async () => await question(limit.signal))(), cutOff]);
    } catch (cause) {
      value = this.options.failed(cause);
    }
    timer.cancel();
    this.closing.signal.removeEventListener('abort', close);
    this.questions.delete(key);
    this.remember(key, value);
  }

  private remember(key: string, value: Value): void {
    const { lifeMs, mostAnswers, mostSize = Number.POSITIVE_INFINITY, sizeOf = () => 0 } = this.options;
    const size = sizeOf(value);
    this.size += size;
    const expiresAt = this.clock.now() + lifeMs(value);
    this.remembered.set(key, { answer: { kind: 'known', value }, size, expiresAt });
    for (const [oldest, entry] of this.remembered) {
      const isWithin = this.remembered.size <= mostAnswers && this.size <= mostSize;
      // The newest stays: somebody is about to come for it.
      if (isWithin || oldest === key) break;
      this.forget(oldest, entry);
    }
  }

  private forget(key: string, { size }: Remembered<Value>): void {
    this.remembered.delete(key);
    this.size -= size;
  }
}
