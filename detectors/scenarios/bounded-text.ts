/** Bucket keys and distinct values are remembered whole while they are short, so that long URLs cannot fill the memory. */
import { createHash } from 'node:crypto';

/** A bucket key or distinct value longer than this is remembered by its hash, so that long URLs cannot fill the memory. */
const longestKeptValue = 256;

/** A text that stands for `value` and is not long: as different for different values as SHA-256 is. */
export function boundedText(value: string): string {
  return value.length <= longestKeptValue ? value : createHash('sha256').update(value).digest('base64');
}
