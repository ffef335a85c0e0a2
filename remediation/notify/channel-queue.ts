/**
 * `ChannelQueue`: what waits for one channel. Alerts gather until their group is complete (`group_wait`,
 * `group_threshold`), become messages of at most the threshold, and messages go out one after the other, each tried until
 * it is delivered or given up. Grouping is CrowdSec's: without either key every alert is a message of its own, sent within
 * a second; with only a threshold alerts wait until so many are there; with only a time there is one message for each.
 */
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { TimerHandle } from '../../core/clock.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { NotifiedAlert } from './alert-template-view.ts';
import { type Channel, DeliveryError, shownText } from './channels/channel.ts';
import type { NotificationDocument } from './notification-documents.ts';
import { longestTryingMs, retryDelay } from './retry-pace.ts';
import { TemplateError } from './templates/template-error.ts';

export interface ChannelStatus {
  readonly name: string;
  readonly type: string;
  /** Alerts that wait: for their group, or for being sent. */
  readonly queued: number;
  /** Messages that were delivered. */
  readonly sent: number;
  /** Messages that were given up: tried too often, or their template failed. */
  readonly failed: number;
  /** Alerts that were never tried: the queue was full, or the gateway closed. */
  readonly dropped: number;
  /** Attempts that failed since the last message that was delivered. */
  readonly failures: number;
  readonly lastSuccessAt: number | null;
  /** In words for people; null when the last attempt worked. */
  readonly lastError: string | null;
}

export interface ChannelQueueOptions extends Runtime {
  readonly document: NotificationDocument;
  readonly channel: Channel;
  /** @throws TemplateError */
  readonly render: (alerts: readonly NotifiedAlert[]) => string;
  readonly maxQueued: number;
}

interface Message {
  readonly alerts: readonly NotifiedAlert[];
  /** Whoever waits for it. */
  readonly settle: ((fault: unknown) => void) | null;
}

/** Without either key of grouping. */
const ungroupedWaitMs = 1_000;
const dropReportMs = 10_000;

export class ChannelQueue {
  readonly render: (alerts: readonly NotifiedAlert[]) => string;
  readonly #options: ChannelQueueOptions;
  readonly #stop = new AbortController();
  #waiting: NotifiedAlert[] = [];
  #outgoing: Message[] = [];
  #timer: TimerHandle | null = null;
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** Alerts of messages that are not settled. */
  #inMessages = 0;
  #sent = 0;
  #failed = 0;
  #dropped = 0;
  #failures = 0;
  #lastSuccessAt: number | null = null;
  #lastError: string | null = null;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ChannelQueueOptions) {
    this.#options = options;
    this.render = options.render;
  }

  add(alert: NotifiedAlert): void {
    if (this.#closing !== null) return this.#drop(1, 'the gateway is closing');
    if (this.#queued >= this.#options.maxQueued) return this.#drop(1, 'too many alerts wait for this notification');
    this.#waiting.push(alert);
    const { groupWaitMs, groupThreshold } = this.#options.document;
    if (groupThreshold > 0 && this.#waiting.length >= groupThreshold) return this.#release();
    if (groupWaitMs === 0 && groupThreshold > 0) return;
    this.#timer ??= this.#options.clock.after(groupWaitMs === 0 ? ungroupedWaitMs : groupWaitMs, () => this.#release());
  }

  /** One attempt, now. Rejects with what went wrong. */
  async deliverOnce(alerts: readonly NotifiedAlert[]): Promise<void> {
    await this.#attempt(this.render(alerts));
    this.#sent++;
  }

  /** Resolves when every message is delivered; rejects with the first that was given up. */
  async resend(alerts: readonly NotifiedAlert[]): Promise<void> {
    if (this.#closing !== null) throw this.#refusal('the gateway is closing');
    if (this.#queued + alerts.length > this.#options.maxQueued) {
      throw this.#refusal(`too many alerts: ${this.#options.maxQueued} may wait for it`);
    }
    const settled = this.#chunks(alerts).map((chunk) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#push({ alerts: chunk, settle: (fault) => (fault === null ? resolve() : reject(fault)) });
      return promise;
    });
    const outcomes = await Promise.allSettled(settled);
    const failed = outcomes.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  status(): ChannelStatus {
    const { name, type } = this.#options.document;
    return {
      name,
      type,
      queued: this.#queued,
      sent: this.#sent,
      failed: this.#failed,
      dropped: this.#dropped,
      failures: this.#failures,
      lastSuccessAt: this.#lastSuccessAt,
      lastError: this.#lastError,
    };
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= (async () => {
      this.#release();
      const { promise: overdue, resolve } = Promise.withResolvers<void>();
      const timer = this.#options.clock.after(graceMs, resolve);
      await Promise.race([this.#running ?? Promise.resolve(), overdue]);
      timer.cancel();
      this.#stop.abort();
      await this.#running;
    })();
    return this.#closing;
  }

  get #queued(): number {
    return this.#waiting.length + this.#inMessages;
  }

  /** The group is complete, or its time is up. */
  #release(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const alerts = this.#waiting;
    this.#waiting = [];
    for (const chunk of this.#chunks(alerts)) this.#push({ alerts: chunk, settle: null });
  }

  #chunks(alerts: readonly NotifiedAlert[]): (readonly NotifiedAlert[])[] {
    const size = Math.max(1, this.#options.document.groupThreshold);
    return Array.from({ length: Math.ceil(alerts.length / size) }, (_, index) =>
      alerts.slice(index * size, (index + 1) * size),
    );
  }

  #push(message: Message): void {
    this.#outgoing.push(message);
    this.#inMessages += message.alerts.length;
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // After the caller's turn: whoever publishes an alert is not kept by a template.
    await Promise.resolve();
    for (let message = this.#outgoing.shift(); message !== undefined; message = this.#outgoing.shift()) {
      const fault = await this.#deliver(message);
      this.#inMessages -= message.alerts.length;
      message.settle?.(fault);
    }
    // In the same turn as the look at the queue, so that no message is pushed in between and left.
    this.#running = null;
  }

  /** Null when it was delivered, else why it was given up. Never rejects. */
  async #deliver({ alerts }: Message): Promise<unknown> {
    const { clock, random, log, document } = this.#options;
    if (this.#stop.signal.aborted) {
      this.#drop(alerts.length, 'the gateway closed before they were sent');
      return this.#refusal('the gateway is closing');
    }
    const startedAt = clock.monotonic();
    let text: string;
    try {
      text = this.render(alerts);
    } catch (thrown) {
      return this.#giveUp(alerts, thrown, 0);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attempt(text);
        this.#sent++;
        return null;
      } catch (thrown) {
        if (this.#stop.signal.aborted) {
          this.#drop(alerts.length, 'the gateway closed before they were sent');
          return thrown;
        }
        const asked = thrown instanceof DeliveryError ? (thrown.retryAfterMs ?? 0) : 0;
        const delayMs = Math.max(retryDelay(attempt, random), asked);
        const isLast =
          document.maxRetry > 0
            ? attempt >= document.maxRetry
            : clock.monotonic() - startedAt + delayMs > longestTryingMs;
        if (isLast) return this.#giveUp(alerts, thrown, attempt);
        log.warn(
          { attempt, delayMs: Math.round(delayMs), reason: messageOf(thrown) },
          'a notification was not taken; it is tried again',
        );
        await clock.sleep(Math.min(delayMs, longestTryingMs), this.#stop.signal);
      }
    }
  }

  /** Rejects with a GatewayError that holds no secret. */
  async #attempt(text: string): Promise<void> {
    const { clock, document, channel } = this.#options;
    const overdue = new AbortController();
    const timer = clock.after(document.timeoutMs, () => overdue.abort());
    try {
      await channel.send(text, AbortSignal.any([overdue.signal, this.#stop.signal]));
      this.#failures = 0;
      this.#lastError = null;
      this.#lastSuccessAt = clock.now();
    } catch (thrown) {
      this.#failures++;
      const fault =
        thrown instanceof GatewayError ? thrown : this.#refusal(shownText(messageOf(thrown), document.secrets));
      this.#lastError = fault.message;
      throw fault;
    } finally {
      timer.cancel();
    }
  }

  #giveUp(alerts: readonly NotifiedAlert[], thrown: unknown, attempts: number): unknown {
    this.#failed++;
    const isTemplate = thrown instanceof TemplateError;
    if (isTemplate) this.#lastError = thrown.message;
    const detail = {
      code: thrown instanceof GatewayError ? thrown.code : undefined,
      reason: messageOf(thrown),
      remedy: thrown instanceof GatewayError ? thrown.remedy : null,
      attempts,
      alerts: alerts.length,
    };
    this.#options.log.error(
      detail,
      isTemplate ? 'the template of a notification failed' : 'a notification is given up',
    );
    return thrown;
  }

  #drop(alerts: number, reason: string): void {
    this.#dropped += alerts;
    const now = this.#options.clock.now();
    if (now - this.#reportedAt < dropReportMs) return;
    this.#reportedAt = now;
    this.#options.log.error({ reason, dropped: this.#dropped }, 'alerts are not notified');
  }

  #refusal(why: string): GatewayError {
    return new GatewayError('NOTIFICATION_FAILED', `notification ${this.#options.document.name}: ${why}`, {
      remedy: 'Try it again, or look at the other side.',
    });
  }
}
