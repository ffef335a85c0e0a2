/** One line of a feed: an address or a network as every firewall spells it. */
import { addressBits, formatRange, type IpRange, parseRange, rangeContains } from '../../../core/ip.ts';
import type { LedgerEntry } from '../../ledger/decision-ledger.ts';

export interface FeedEntry {
  /** Canonical, the host bits of a network cleared; without a prefix when it is a single address. */
  readonly text: string;
  readonly range: IpRange;
  /** A single address. */
  readonly isAddress: boolean;
  readonly until: number;
  readonly decision: LedgerEntry;
}

/** Null when the decision is about no address or network. */
export function feedEntry(decision: LedgerEntry): FeedEntry | null {
  if (decision.scope !== 'Ip' && decision.scope !== 'Range') return null;
  const range = parseRange(decision.value);
  if (range === null) return null;
  const isAddress = range.prefix === addressBits(range.address);
  return {
    text: isAddress ? range.address.text : formatRange(range),
    range,
    isAddress,
    until: decision.until,
    decision,
  };
}

/**
 * Networks of which none lies within another, for tools that take no nested ones. Of two the wider stays, even when it ends
 * sooner: the next reading of the feed brings the other.
 */
export function widestNetworks(networks: readonly FeedEntry[]): FeedEntry[] {
  const kept: FeedEntry[] = [];
  let last: FeedEntry | null = null;
  for (const entry of networks.toSorted(byPlace)) {
    if (last !== null && rangeContains(last.range, entry.range.address) && entry.range.prefix >= last.range.prefix) {
      // The same network twice: the one that lasts longer.
      if (entry.range.prefix === last.range.prefix && entry.until > last.until) kept[kept.length - 1] = last = entry;
      continue;
    }
    kept.push(entry);
    last = entry;
  }
  return kept;
}

/** By first address, the wider first. */
function byPlace(left: FeedEntry, right: FeedEntry): number {
  const { address: a } = left.range;
  const { address: b } = right.range;
  return (
    a.version - b.version ||
    a.w0 - b.w0 ||
    a.w1 - b.w1 ||
    a.w2 - b.w2 ||
    a.w3 - b.w3 ||
    left.range.prefix - right.range.prefix
  );
}
