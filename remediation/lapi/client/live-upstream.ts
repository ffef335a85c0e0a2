/**
 * One Local API that is asked about single addresses, with what it answered remembered. Answers are bounded in number and age,
 * questions in how many are under way. Who takes too long or fails is not asked again for a moment, so that an outage costs
 * a few requests a fraction of a second and the others nothing; what it said last stays in force until it ends by itself.
 */
import { RecentMap } from '../../../core/recent-map.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { GatewayError } from '../../../core/errors.ts';
import { severityOf } from '../../decision.ts';
import { answerInvalid, failureOf, type LapiFailure } from './lapi-errors.ts';
import type { LapiClient } from './lapi-client.ts';
import { readMirrored, type MirroredDecision } from './mirrored-decision.ts';

/** What is known of an address: the severest decision, or null for none. */
export type LiveAnswer = MirroredDecision | null;

export interface LiveUpstreamStatus {
  readonly name: string;
  readonly address: string;
  readonly mode: 'live';
  /** It is asked: the last answer came in time, or none was needed yet. */
  readonly isConnected: boolean;
  /** Epoch milliseconds; null before the first answer. */
  readonly lastSuccessAt: number | null;
  /** Answers that are remembered. */
  readonly remembered: number;
  readonly questions: number;
  /** Questions that were not asked: too many were under way, or the Local API was left in peace. */
  readonly skipped: number;
  readonly failures: number;
  readonly lastFailure: LapiFailure | null;
}

export interface LiveUpstream {
  /** What is remembered and still good, what was said last while it cannot be asked, or undefined: ask. */
  known(address: string, now: number): LiveAnswer | undefined;
  /** Resolves within `waitMs`. Never rejects. */
  ask(address: string): Promise<LiveAnswer>;
  status(): LiveUpstreamStatus;
  close(): void;
}

export interface LiveUpstreamOptions extends Runtime {
  readonly client: Pick<LapiClient, 'name' | 'address' | 'demand'>;
  readonly passes: (decision: MirroredDecision) => boolean;
  readonly waitMs: number;
  /** How long an answer with a decision and one without are remembered. */
  readonly hitMs: number;
  readonly cleanMs: number;
  readonly mostRemembered: number;
  readonly mostQuestions: number;
}

interface Remembered {
  readonly answer: LiveAnswer;
  /** Epoch milliseconds until which it is not asked for again. */
  readonly goodUntil: number;
}

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** One late answer may be chance. */
const lateInARow = 3;
const loggedFailures = 20;

export function createLiveUpstream(options: LiveUpstreamOptions): LiveUpstream {
  return new AskedUpstream(options);
}

class AskedUpstream implements LiveUpstream {
  readonly #options: LiveUpstreamOptions;
  readonly #answers: RecentMap<string, Remembered>;
  readonly #underWay = new Map<string, Promise<LiveAnswer>>();
  readonly #stop = new AbortController();
  /** Not asked before this. */
  #pausedUntil = Number.NEGATIVE_INFINITY;
  /** Pauses in a row; while there is one, a single question tries whether it is over. */
  #pauses = 0;
  #late = 0;
  #lastSuccessAt: number | null = null;
  #questions = 0;
  #skipped = 0;
  #failures = 0;
  #lastFailure: LapiFailure | null = null;

  constructor(options: LiveUpstreamOptions) {
    this.#options = options;
    this.#answers = new RecentMap(options.mostRemembered);
  }

  known(address: string, now: number): LiveAnswer | undefined {
    const found = this.#answers.get(address);
    if (found !== undefined && now < found.goodUntil) {
      this.#answers.set(address, found);
      return live(found.answer, now);
    }
    if (this.#mayAsk(now) || this.#underWay.has(address)) return undefined;
    this.#skipped++;
    return this.#lastSaid(address, now);
  }

  ask(address: string): Promise<LiveAnswer> {
    const { clock, waitMs } = this.#options;
    const now = clock.now();
    const known = this.known(address, now);
    if (known !== undefined) return Promise.resolve(known);
    let question = this.#underWay.get(address);
    if (question === undefined) {
      question = this.#question(address).finally(() => this.#underWay.delete(address));
      this.#underWay.set(address, question);
    }
    return new Promise((resolve) => {
      const timer = clock.after(waitMs, () => {
        this.#isLate(address);
        resolve(this.#lastSaid(address, clock.now()));
      });
      void question
        .then(resolve)
        .catch(() => undefined)
        .finally(() => timer.cancel());
    });
  }

  status(): LiveUpstreamStatus {
    const { client } = this.#options;
    return {
      name: client.name,
      address: client.address,
      mode: 'live',
      isConnected: this.#pauses === 0,
      lastSuccessAt: this.#lastSuccessAt,
      remembered: this.#answers.size,
      questions: this.#questions,
      skipped: this.#skipped,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
    };
  }

  close(): void {
    this.#stop.abort();
  }

  #mayAsk(now: number): boolean {
    if (this.#stop.signal.aborted || now < this.#pausedUntil) return false;
    return this.#underWay.size < (this.#pauses > 0 ? 1 : this.#options.mostQuestions);
  }

  /** What was said last of an address, even if that is old, as long as the decision has not ended by itself. */
  #lastSaid(address: string, now: number): LiveAnswer {
    const found = this.#answers.get(address);
    return found === undefined ? null : live(found.answer, now);
  }

  async #question(address: string): Promise<LiveAnswer> {
    const { client, clock } = this.#options;
    this.#questions++;
    try {
      const path = `v1/decisions?ip=${encodeURIComponent(address)}`;
      const { body } = await client.demand({ method: 'GET', path, signal: this.#stop.signal });
      if (body !== null && !Array.isArray(body)) throw answerInvalid(client, 'it is no list of decisions');
      const answer = this.#severest(body ?? []);
      this.#remember(address, answer);
      this.#answered();
      return answer;
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#failed(thrown);
      return this.#lastSaid(address, clock.now());
    }
  }

  #severest(elements: readonly unknown[]): LiveAnswer {
    const now = this.#options.clock.now();
    let best: LiveAnswer = null;
    for (const element of elements) {
      const decision = readMirrored(element, now);
      if (decision === null || decision.until <= now || !this.#options.passes(decision)) continue;
      best = severer(best, decision);
    }
    return best;
  }

  #remember(address: string, answer: LiveAnswer): void {
    const { clock, hitMs, cleanMs } = this.#options;
    const now = clock.now();
    const goodUntil = answer === null ? now + cleanMs : Math.min(answer.until, now + hitMs);
    this.#answers.set(address, { answer, goodUntil });
  }

  #answered(): void {
    const { clock, client, log } = this.#options;
    if (this.#pauses > 0) log.info({ lapi: client.name }, 'the Local API answers again');
    this.#lastSuccessAt = clock.now();
    this.#late = 0;
    this.#pauses = 0;
    this.#failures = 0;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /** The answer may still come and is then remembered; the request that asked no longer waits for it. */
  #isLate(address: string): void {
    const { clock, client, waitMs } = this.#options;
    const answer = this.#lastSaid(address, clock.now());
    this.#answers.set(address, { answer, goodUntil: clock.now() + firstPauseMs });
    if (++this.#late < lateInARow) return;
    this.#late = 0;
    const message = `the Local API ${client.name} (${client.address}) takes longer than ${waitMs} ms`;
    const remedy = 'Follow it with mode: stream, or allow it more time with bouncer.live.wait.';
    this.#failed(new GatewayError('LAPI_UNREACHABLE', message, { remedy }));
  }

  #failed(thrown: unknown): void {
    const { clock, random, client, log } = this.#options;
    this.#failures++;
    const now = clock.now();
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#pauses, 16));
    if (now >= this.#pausedUntil) this.#pauses++;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs * (0.75 + random.fraction() / 2));
    const failure = failureOf(thrown, now);
    this.#lastFailure = failure;
    if (this.#failures !== 1 && this.#failures % loggedFailures !== 0) return;
    log.warn(
      { lapi: client.name, code: failure.code, err: thrown, failures: this.#failures },
      'the Local API cannot be asked; what it said last is enforced',
    );
  }
}

/** The severer of two: ban, captcha, throttle, other words; of equals the one that lasts longer. */
export function severer(a: LiveAnswer, b: LiveAnswer): LiveAnswer {
  if (a === null || b === null) return a ?? b;
  const difference = severityOf(b.type) - severityOf(a.type);
  return difference > 0 || (difference === 0 && b.until > a.until) ? b : a;
}

function live(answer: LiveAnswer, now: number): LiveAnswer {
  return answer !== null && answer.until > now ? answer : null;
}
