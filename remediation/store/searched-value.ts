/** What queries select alerts by. */
import { formatRange, parseIp, parseRange } from '../../core/ip.ts';
import type { AlertSource } from '../../detectors/alert.ts';

/** The value of a source, addresses and ranges in one spelling: alerts spell them as their log does. */
export function searchedValue({ scope, value }: Pick<AlertSource, 'scope' | 'value'>): string {
  if (scope === 'Ip') return parseIp(value)?.text ?? value;
  const range = scope === 'Range' ? parseRange(value) : null;
  return range === null ? value : formatRange(range);
}
