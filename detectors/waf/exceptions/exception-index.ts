/** Which exceptions concern a request: by path first, so that a thousand of them cost nothing elsewhere. */
import type { Transaction } from '../engine/transaction.ts';
import type { WafException } from './waf-exception.ts';

/** What an exception takes out of a transaction. */
export type Excluding = Pick<Transaction, 'removeById' | 'removeTargetById'>;

export class ExceptionIndex {
  readonly #exact = new Map<string, WafException[]>();
  readonly #prefixes: WafException[] = [];

  constructor(exceptions: readonly WafException[]) {
    for (const exception of exceptions) {
      const { path } = exception;
      if (path === '' || path.endsWith('*')) this.#prefixes.push(exception);
      else this.#exact.set(path, [...(this.#exact.get(path) ?? []), exception]);
    }
  }

  /** Those in force at `now` (epoch milliseconds) for a site and a decoded path. */
  find(site: string, path: string, now: number): readonly WafException[] {
    const exact = this.#exact.get(path);
    if (exact === undefined && this.#prefixes.length === 0) return none;
    const prefixed = this.#prefixes.filter((exception) => path.startsWith(exception.path.slice(0, -1)));
    return [...(exact ?? none), ...prefixed].filter(
      (exception) =>
        (exception.until === null || exception.until > now) && (exception.site === '' || exception.site === site),
    );
  }
}

const none: readonly WafException[] = [];

/** Before the first phase. */
export function applyExceptions(exceptions: readonly WafException[], transaction: Excluding): void {
  for (const { ruleId, target } of exceptions) {
    if (target === null) transaction.removeById(ruleId);
    else {
      const wanted = target.name.toLowerCase();
      transaction.removeTargetById(ruleId, target.variable, (_name, key) => wanted === '' || key === wanted);
    }
  }
}
