/** What query strings and paths of CrowdSec's API hold, read as its Go code reads them and refused in its words. */
import { parseRange, type IpRange } from '../../../core/ip.ts';
import { LapiError } from '../lapi-context.ts';
import { readDuration } from './durations.ts';

/** Each parameter once; of several the first counts. */
export function firstValues(query: unknown): [string, string][] {
  if (typeof query !== 'object' || query === null) return [];
  return Object.entries(query).map(([name, value]) => {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return [name, typeof first === 'string' ? first : ''];
  });
}

/** Go's `strconv.ParseBool`; null for what is none. */
export function readBool(text: string): boolean | null {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : null;
}

export function notBool(text: string): string {
  return `strconv.ParseBool: parsing ${JSON.stringify(text.slice(0, 100))}: invalid syntax`;
}

/** @throws LapiError 500 */
export function requireContains(text: string): boolean {
  const contains = readBool(text);
  if (contains === null) throw new LapiError(500, `invalid contains value : ${notBool(text)}: invalid filter`);
  return contains;
}

/** @throws LapiError 500 */
export function requireNetwork(text: string): IpRange {
  const network = parseRange(text);
  if (network !== null) return network;
  throw new LapiError(
    500,
    `unable to convert '${text.slice(0, 100)}' to int: invalid address: invalid ip address / range`,
  );
}

/** Milliseconds. @throws LapiError 500 */
export function requireDuration(text: string): number {
  const ms = readDuration(text);
  if (typeof ms === 'number') return ms;
  throw new LapiError(500, `while parsing duration: ${ms}`);
}

/** An id of a path, as Go's `strconv.ParseInt` reads it, or null. Those beyond what JavaScript counts exactly exist nowhere. */
export function readId(text: string): number | null {
  if (!/^[+-]?\d{1,40}$/.test(text)) return null;
  const id = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return id >= -(2n ** 63n) && id < 2n ** 63n ? Number(id) : null;
}
