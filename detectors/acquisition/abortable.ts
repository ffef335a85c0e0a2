/** Waiting that can be given up. */

/** What `promise` settles to, or null as soon as `signal` aborts. Leaves nothing behind on the signal, however often used. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(null);
    if (signal.aborted) {
      promise.catch(() => undefined);
      return stop();
    }
    signal.addEventListener('abort', stop, { once: true });
    promise
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
      .catch(() => undefined);
  });
}
