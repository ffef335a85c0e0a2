/** What may stand on an allowlist. */
import { parseRange } from '../../core/ip.ts';

/** An address, a range, or what may be a host name: the gateway looks at names more closely. */
export function isAllowable(text: string): boolean {
  return (
    parseRange(text) !== null ||
    (/^[A-Za-z0-9_][A-Za-z0-9._-]*\.[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*\.?$/.test(text) && text.length <= 253)
  );
}
