/** What the Redis store says of its health, and one log line for each change of it. */
import type { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { StoreHealth } from './store.ts';

export class RedisHealth {
  readonly #runtime: Runtime;
  #lastSuccessAt: number | null = null;
  #fault: GatewayError | null = null;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  onReady(): void {
    if (this.#fault) this.#runtime.log.info({}, 'redis answers again');
    this.#fault = null;
  }

  onFault(error: GatewayError): void {
    const repeated = this.#fault?.message === error.message;
    this.#fault = error;
    if (repeated) return;
    this.#runtime.log.warn({ code: error.code, reason: error.message }, 'redis store failed');
  }

  succeeded(wrote: boolean): void {
    this.#lastSuccessAt = this.#runtime.clock.now();
    // A Redis that is full still answers questions, so only a write shows that it has room again.
    if (wrote || this.#fault?.code !== 'STORE_FULL') this.#fault = null;
  }

  report(closed: boolean, ready: boolean): StoreHealth {
    const lastSuccessAt = this.#lastSuccessAt;
    if (closed) return { ok: false, lastSuccessAt, message: 'closed' };
    if (this.#fault) return { ok: false, lastSuccessAt, message: this.#fault.message };
    return { ok: ready, lastSuccessAt, message: ready ? '' : 'Redis does not answer' };
  }
}
