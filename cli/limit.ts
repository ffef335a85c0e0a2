/** How many rows a list may have. */
import { GatewayError } from '../core/errors.ts';
import type { Given } from './command.ts';

/**
 * The value of `--limit`; without end for 0, as cscli has it.
 * @throws GatewayError USAGE
 */
export function limitOf(given: Given, usual: number): number {
  const text = given.text('limit') ?? String(usual);
  if (!/^\d{1,9}$/.test(text)) {
    throw new GatewayError('USAGE', `"${text}" is no number of rows`, { remedy: 'Say --limit 50, or 0 for all.' });
  }
  const limit = Number(text);
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}
