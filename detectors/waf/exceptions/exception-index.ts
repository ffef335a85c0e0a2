/** Which exceptions concern a request: by path first, so that a thousand of them cost nothing elsewhere. */
import type { Transaction } from '../engine/transaction.ts';
import { lowerAscii } from '../seclang/ascii.ts';
import { bytesOf } from './place-text.ts';
import type { ExceptionScope, WafException } from './waf-exception.ts';

/** What an exception takes out of a transaction. */
export type Excluding = Pick<Transaction, 'removeById' | 'removeTargetById'>;

interface Beginning {
  /** In bytes. */
  readonly prefix: string;
  readonly exception: WafException;
}

/**
 * Paths that an origin may read as other ones: what begins like an excepted place may end up elsewhere. Segments of dots, also
 * where a backslash ends them or a parameter follows, escapes that are still there after decoding, and NUL.
 */
const crooked = /[/\\]\.\.?(?:[/\\;]|$)|%(?:2e|2f|5c|25|00)|\0/i;

export class ExceptionIndex {
  readonly #exact = new Map<string, WafException[]>();
  readonly #everywhere: WafException[] = [];
  readonly #beginnings: Beginning[] = [];

  constructor(exceptions: readonly WafException[]) {
    for (const exception of exceptions) {
      const { path } = exception;
      if (path === '') this.#everywhere.push(exception);
      else if (path.endsWith('*')) this.#beginnings.push({ prefix: bytesOf(path.slice(0, -1)), exception });
      else {
        const bytes = bytesOf(path);
        const same = this.#exact.get(bytes);
        if (same === undefined) this.#exact.set(bytes, [exception]);
        else same.push(exception);
      }
    }
  }

  /** Those in force at `now` (epoch milliseconds) for a site and a decoded path, in bytes. */
  find(site: string, path: string, now: number): readonly WafException[] {
    const exact = this.#exact.get(path) ?? none;
    const beginning = this.#beginningsOf(path);
    if (exact.length + beginning.length + this.#everywhere.length === 0) return none;
    return [...this.#everywhere, ...beginning, ...exact].filter(
      (exception) =>
        (exception.until === null || exception.until > now) && (exception.site === '' || exception.site === site),
    );
  }

  #beginningsOf(path: string): readonly WafException[] {
    if (this.#beginnings.length === 0) return none;
    const found = this.#beginnings.filter(({ prefix }) => path.startsWith(prefix));
    return found.length === 0 || crooked.test(path) ? none : found.map(({ exception }) => exception);
  }
}

const none: readonly WafException[] = [];

/** Before the first phase. */
export function applyExceptions(
  exceptions: readonly Pick<ExceptionScope, 'ruleId' | 'target'>[],
  transaction: Excluding,
): void {
  for (const { ruleId, target } of exceptions) {
    if (target === null) transaction.removeById(ruleId);
    else {
      const wanted = lowerAscii(target.name);
      transaction.removeTargetById(ruleId, target.variable, (_name, key) => wanted === '' || key === wanted);
    }
  }
}
