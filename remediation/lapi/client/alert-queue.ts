/**
 * Alerts on their way to another Local API: the newest when there are too many, in batches, until they are taken. What the
 * other side refuses for what it is, is looked for by halving the batch, and given up, so that one bad alert holds up no other.
 */
import type { Runtime } from '../../../core/runtime.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { LapiAnswer, LapiClient } from './lapi-client.ts';
import { failureOf, type LapiFailure } from './lapi-errors.ts';

export interface AlertQueueStatus {
  readonly queued: number;
  /** Since the start. */
  readonly sent: number;
  /** Those that there was no room for, or that the other side refuses. */
  readonly dropped: number;
  /** Attempts that failed since the last that worked. */
  readonly failures: number;
  /** Epoch milliseconds; null before the first. */
  readonly lastSuccessAt: number | null;
  readonly lastFailure: LapiFailure | null;
}

export interface AlertQueue {
  /** A body as it goes over the wire. */
  push(alert: unknown): void;
  status(): AlertQueueStatus;
  /** Sends what is left, for at most `graceMs`, then gives up on it. Safe twice. */
  close(graceMs: number): Promise<void>;
}

export interface AlertQueueOptions extends Runtime {
  readonly client: Pick<LapiClient, 'name' | 'address' | 'ask'>;
  readonly mostQueued: number;
  /** Alerts are gathered for so long. */
  readonly gatherMs: number;
}

/** The other side stores so many in one transaction: none of them twice when one of them fails. */
const batchSize = 50;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;
/** Errors without a reason that an alert survives: then it is taken for their cause. */
const mostUnexplained = 5;
const loggedFailures = 20;

export function createAlertQueue(options: AlertQueueOptions): AlertQueue {
  return new PacedQueue(options);
}

class PacedQueue implements AlertQueue {
  readonly #options: AlertQueueOptions;
  readonly #stop = new AbortController();
  /** Ends pauses early. */
  readonly #hurry = new AbortController();
  #waiting: unknown[] = [];
  #size = batchSize;
  #unexplained = 0;
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #sent = 0;
  #dropped = 0;
  #failures = 0;
  #lastSuccessAt: number | null = null;
  #lastFailure: LapiFailure | null = null;

  constructor(options: AlertQueueOptions) {
    this.#options = options;
  }

  push(alert: unknown): void {
    if (this.#closing !== null) return this.#drop(1, 'the gateway is closing');
    this.#waiting.push(alert);
    const { mostQueued } = this.#options;
    if (this.#waiting.length > mostQueued) {
      // A good part at once: taking one from the front each time would move all the others.
      const excess = Math.max(1, Math.floor(mostQueued / 10));
      this.#waiting = this.#waiting.slice(excess);
      this.#drop(excess, 'too many wait');
    }
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  status(): AlertQueueStatus {
    return {
      queued: this.#waiting.length,
      sent: this.#sent,
      dropped: this.#dropped,
      failures: this.#failures,
      lastSuccessAt: this.#lastSuccessAt,
      lastFailure: this.#lastFailure,
    };
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= (async () => {
      const timer = this.#options.clock.after(graceMs, () => this.#stop.abort());
      this.#hurry.abort();
      await this.#running;
      timer.cancel();
      this.#stop.abort();
      if (this.#waiting.length > 0) this.#drop(this.#waiting.length, 'the gateway closed before they were taken');
      this.#waiting = [];
    })();
    return this.#closing;
  }

  async #run(): Promise<void> {
    const { clock, gatherMs } = this.#options;
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      if (this.#waiting.length < this.#size) {
        await clock.sleep(gatherMs, AbortSignal.any([this.#stop.signal, this.#hurry.signal]));
      }
      const batch = this.#waiting.slice(0, this.#size);
      const isDone = await this.#send(batch);
      // While it was away, older ones may have been dropped: of the batch only what still waits is taken out.
      if (isDone) {
        const sent = new Set(batch);
        this.#waiting = this.#waiting.filter((alert) => !sent.has(alert));
      }
    }
  }

  /** True when nothing more is to be done about this batch. */
  async #send(batch: readonly unknown[]): Promise<boolean> {
    const { client } = this.#options;
    const question = { method: 'POST' as const, path: 'v1/alerts', body: batch, signal: this.#stop.signal };
    let answer: LapiAnswer;
    try {
      answer = await client.ask(question);
      if (isSuccess(answer)) {
        this.#sent += batch.length;
        this.#succeeded();
        return true;
      }
    } catch (thrown) {
      await this.#pause(thrown);
      return false;
    }
    if (isAboutAlerts(answer) || (answer.status >= 500 && ++this.#unexplained >= mostUnexplained)) {
      return this.#narrow(batch, answer);
    }
    const said = answer.message === '' ? '' : `: ${answer.message.slice(0, 200)}`;
    await this.#pause(
      new GatewayError(
        'LAPI_REFUSED',
        `the Local API ${client.name} (${client.address}) answered ${answer.status}${said}`,
        {
          remedy: 'Look into its log; the alerts wait and are sent again.',
        },
      ),
    );
    return false;
  }

  #narrow(batch: readonly unknown[], answer: LapiAnswer): boolean {
    if (batch.length > 1) {
      this.#size = Math.ceil(batch.length / 2);
      return false;
    }
    this.#size = batchSize;
    this.#unexplained = 0;
    this.#drop(1, `it is refused with ${answer.status}: ${answer.message.slice(0, 200)}`);
    return true;
  }

  #succeeded(): void {
    const { clock, client, log } = this.#options;
    if (this.#failures > 0) log.info({ lapi: client.name, queued: this.#waiting.length }, 'alerts are taken again');
    this.#failures = 0;
    this.#unexplained = 0;
    this.#size = batchSize;
    this.#lastSuccessAt = clock.now();
  }

  async #pause(thrown: unknown): Promise<void> {
    const { clock, random, log, client } = this.#options;
    if (this.#stop.signal.aborted) return;
    this.#failures++;
    const failure = failureOf(thrown, clock.now());
    const isNew = this.#failures === 1 || this.#lastFailure?.message !== failure.message;
    this.#lastFailure = failure;
    if (isNew || this.#failures % loggedFailures === 0) {
      log.warn(
        { lapi: client.name, code: failure.code, err: thrown, queued: this.#waiting.length },
        'alerts are not taken; they wait',
      );
    }
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 16));
    await clock.sleep(delayMs * (0.5 + random.fraction() / 2), this.#stop.signal);
  }

  #drop(count: number, reason: string): void {
    const { log, client } = this.#options;
    const isFirst = this.#dropped === 0;
    this.#dropped += count;
    if (!isFirst && this.#dropped % 1_000 >= count) return;
    log.error({ lapi: client.name, reason, dropped: this.#dropped }, 'alerts do not reach the Local API');
  }
}

function isSuccess({ status }: LapiAnswer): boolean {
  return status >= 200 && status < 300;
}

/** The answer is about what was sent, and would be the same the next time. */
function isAboutAlerts({ status, message }: LapiAnswer): boolean {
  return (
    status === 400 || status === 413 || status === 422 || (status === 500 && message.startsWith('validation failure'))
  );
}
