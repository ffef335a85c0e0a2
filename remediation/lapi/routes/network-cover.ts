/** Whether decisions and networks cover one another. */
import { parseRange, rangeContains, type IpRange } from '../../../core/ip.ts';
import type { Decision } from '../../decision.ts';

/** `contains`: whether the decision covers the network; otherwise whether it lies inside. Decisions of other scopes do neither. */
export function decisionTouches(
  { scope, value }: Pick<Decision, 'scope' | 'value'>,
  network: IpRange,
  contains: boolean,
): boolean {
  if (scope !== 'Ip' && scope !== 'Range') return false;
  const range = parseRange(value);
  if (range === null) return false;
  return contains ? rangeCovers(range, network) : rangeCovers(network, range);
}

/** Whether `inner` lies in `outer`, or is it. */
export function rangeCovers(outer: IpRange, inner: IpRange): boolean {
  return outer.prefix <= inner.prefix && rangeContains(outer, inner.address);
}
