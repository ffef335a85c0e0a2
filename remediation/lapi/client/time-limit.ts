/** How long an exchange may be silent and how long it may take in all, as one signal that a client understands. */
import type { Clock } from '../../../core/clock.ts';

export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Why it was aborted, or null. */
  readonly reason: Error | null;
  /** Something came: silence begins anew. */
  renew(): void;
  /** Stops the timers. */
  end(): void;
}

export interface TimeLimitOptions {
  readonly clock: Clock;
  readonly silenceMs: number;
  readonly totalMs: number;
  /** Whoever asked has lost interest. */
  readonly signal?: AbortSignal;
}

export function createTimeLimit({ clock, silenceMs, totalMs, signal }: TimeLimitOptions): TimeLimit {
  const controller = new AbortController();
  let reason: Error | null = null;
  const abort = (why: string): void => {
    reason ??= new Error(why);
    controller.abort(reason);
  };
  const giveUp = (): void => abort('it was broken off here');
  const startedAt = clock.monotonic();
  let heardAt = startedAt;
  let silence = clock.after(silenceMs, check);
  const total = clock.after(totalMs, () => abort(`it took longer than ${totalMs / 1000} s in all`));

  /** One timer that looks again, instead of a new one for each piece of an answer. */
  function check(): void {
    const leftMs = heardAt + silenceMs - clock.monotonic();
    if (leftMs <= 0) abort(`no answer within ${silenceMs / 1000} s`);
    else silence = clock.after(leftMs, check);
  }

  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  return {
    signal: controller.signal,
    get reason() {
      return reason;
    },
    renew() {
      heardAt = clock.monotonic();
    },
    end() {
      silence.cancel();
      total.cancel();
      signal?.removeEventListener('abort', giveUp);
    },
  };
}
